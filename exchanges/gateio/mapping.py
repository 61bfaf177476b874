"""Gate.io's raw rows as ours. Every reader raises UnreadableRow or InvalidAmount for a row it cannot read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from core import money
from core.money import ZERO
from exchanges import reading
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    SPOT,
    BalanceRow,
    CandleRow,
    FillRow,
    ListingRow,
    OrderRow,
    OrderStatus,
    PriceRow,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

T = TypeVar("T")
Assets = Callable[[str], tuple[str, str]]  # wire symbol to (base, quote); raises UnreadableRow

_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_ROLES: Final = {"maker": True, "taker": False}
_TYPES: Final = {"limit": "LIMIT", "market": "MARKET"}
_OWN_TEXT: Final = "t-"  # begins the ids clients give; other texts say where an order came from
# Cancelled by a rule the order itself carried.
_EXPIRED_AS: Final = frozenset({"ioc", "fok", "poc", "depth_not_enough", "trader_not_enough", "small", "stp"})
_DEPOSIT_STATUS: Final[Mapping[str, TransferStatus]] = {
    "DONE": TransferStatus.SUCCESS,
    "DEP_CREDITED": TransferStatus.SUCCESS,  # credited, cannot be withdrawn yet
    "BCODE": TransferStatus.SUCCESS,  # by GateCode
    **dict.fromkeys(("REVIEW", "PEND", "TRACK", "MANUAL", "VERIFY", "PROCES"), TransferStatus.PENDING),
    **dict.fromkeys(("INVALID", "BLOCKED", "CANCEL"), TransferStatus.FAILED),
}
_WITHDRAWAL_STATUS: Final[Mapping[str, TransferStatus]] = {
    "DONE": TransferStatus.SUCCESS,
    "BCODE": TransferStatus.SUCCESS,
    **dict.fromkeys(("CANCEL", "INVALID"), TransferStatus.FAILED),
    # FAIL waits for confirmation too: it failed on the chain, the amount is not back yet.
    **dict.fromkeys(
        ("REQUEST", "MANUAL", "EXTPEND", "SPLITPEND", "FAIL", "VERIFY", "PROCES", "PEND", "DMOVE", "REVIEW"),
        TransferStatus.PENDING,
    ),
}
_GATE_CODE: Final = "b"  # begins the ids of transfers by GateCode: what leaves is below zero
_IDS_END: Final = 2**63
_MOST_PLACES: Final = money.PLACES


def fill(raw: Raw, assets: Assets, asked: str = "") -> FillRow:
    """A row of my_trades; `asked` is the pair asked for, where the row names none."""
    symbol = reading.text(raw, "currency_pair", asked)
    base, quote = assets(symbol)
    price, quantity = reading.positive(raw, "price"), reading.positive(raw, "amount")
    fee, currency = _fee(raw)
    return FillRow(
        market_type=SPOT,
        symbol=symbol,
        base_asset=base,
        quote_asset=quote,
        fill_id=reading.identity(raw, "id", below=_IDS_END),
        order_id=reading.identity(raw, "order_id", below=_IDS_END),
        side=reading.one_of(raw, "side", _SIDES),
        price=price,
        quantity=quantity,
        quote_quantity=money.multiply(price, quantity),
        fee_amount=fee,
        fee_currency=currency or quote,
        is_maker=reading.one_of(raw, "role", _ROLES),
        executed_at=_moment(raw, "create_time"),
        raw=raw,
    )


def order(raw: Raw) -> OrderRow:
    """A row of orders or open_orders."""
    side, kind = reading.one_of(raw, "side", _SIDES), reading.one_of(raw, "type", _TYPES)
    amount = reading.not_negative(raw, "amount")
    # A market purchase is asked for in the quote: what it is in the base is known only as it fills.
    by_worth = kind == "MARKET" and side is Side.BUY
    executed, executed_quote = _executed(raw, amount, by_worth=by_worth)
    force = reading.text(raw, "time_in_force", "").upper()
    status = _order_status(raw, executed)
    price = reading.amount(raw, "price", ZERO)
    return OrderRow(
        market_type=SPOT,
        symbol=reading.text(raw, "currency_pair"),
        order_id=reading.identity(raw, "id", below=_IDS_END),
        client_order_id=client_id(reading.text(raw, "text", "")),
        order_list_id="",
        side=side,
        type="LIMIT_MAKER" if force == "POC" else kind,
        status=status,
        price=None if kind == "MARKET" else price or None,
        stop_price=None,
        quantity=(executed if status.is_final else ZERO) if by_worth else amount,
        executed_quantity=executed,
        executed_quote_quantity=executed_quote,
        time_in_force="GTC" if force == "POC" else force,
        ordered_at=_moment(raw, "create_time"),
        updated_at=_moment(raw, "update_time" if raw.get("update_time") else "create_time"),
        raw=raw,
    )


def deposit(raw: Raw) -> TransferRow:
    """A row of deposits. Deposits cost nothing."""
    return _transfer(raw, TransferKind.DEPOSIT, _DEPOSIT_STATUS, reading.not_negative(raw, "amount"), ZERO)


def withdrawal(raw: Raw) -> TransferRow:
    """A row of withdrawals: its amount is what left the account, the fee is part of it."""
    gross = reading.amount(raw, "amount")
    if reading.text(raw, "id").startswith(_GATE_CODE):
        gross = abs(gross)
    fee = reading.amount(raw, "fee", ZERO)
    if not 0 <= fee <= gross:
        raise UnreadableRow(f"a fee of {fee} is no part of {gross}")
    return _transfer(raw, TransferKind.WITHDRAWAL, _WITHDRAWAL_STATUS, gross - fee, fee)


def balance(raw: Raw) -> BalanceRow | None:
    """One asset of the account; None when there is none of it."""
    available, locked = reading.amount(raw, "available"), reading.amount(raw, "locked")
    if not available and not locked:
        return None
    return BalanceRow(asset=reading.text(raw, "currency"), available=available, locked=locked, raw=raw)


def listing(raw: Raw) -> ListingRow:
    """A row of currency_pairs; steps are told as numbers of decimals."""
    status = reading.text(raw, "trade_status")
    return ListingRow(
        market_type=SPOT,
        symbol=reading.text(raw, "id"),
        base_asset=reading.text(raw, "base"),
        quote_asset=reading.text(raw, "quote"),
        status=status,
        is_trading=status == "tradable",
        price_step=_step(raw, "precision"),
        quantity_step=_step(raw, "amount_precision"),
        min_quantity=reading.amount(raw, "min_base_amount", ZERO) or None,
        min_notional=reading.amount(raw, "min_quote_amount", ZERO) or None,
        raw=raw,
    )


def price(raw: Raw) -> PriceRow | None:
    """A row of tickers; None for a pair that never traded."""
    value = reading.amount(raw, "last", ZERO)
    return PriceRow(symbol=reading.text(raw, "currency_pair"), price=value) if value > 0 else None


def candle(raw: object, symbol: str, timeframe: str) -> CandleRow:
    """A row of candlesticks: [open time, volume in the quote, close, high, low, open, volume, closed]."""
    if not isinstance(raw, list):
        raise UnreadableRow(f"expected an array, not {type(raw).__name__}")
    columns = ("opened_at", "quote", "close", "high", "low", "open", "volume")
    return candle_of(dict(zip(columns, raw, strict=False)), symbol, timeframe)


def candle_of(named: Raw, symbol: str, timeframe: str) -> CandleRow:
    """A candle whose members have our names; it opens at a second."""
    row = CandleRow(
        symbol=symbol,
        timeframe=timeframe,
        opened_at=seconds(named, "opened_at"),
        open=reading.positive(named, "open"),
        high=reading.positive(named, "high"),
        low=reading.positive(named, "low"),
        close=reading.positive(named, "close"),
        volume=reading.not_negative(named, "volume"),
    )
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        raise UnreadableRow("open and close do not lie between low and high")
    return row


def client_id(text: str) -> str:
    """The id a client gave, without the `t-` Gate.io asks for; other texts name a source such as `web`."""
    return text.removeprefix(_OWN_TEXT) if text.startswith(_OWN_TEXT) else ""


def seconds(raw: Raw, key: str) -> datetime:
    """Seconds since 1970; a fraction is dropped."""
    value = raw.get(key)
    whole = reading.whole(_integer_part(value), below=reading.LATEST_MS, default=-1)
    return reading.moment(whole * 1000 if whole >= 0 else value, key)


def _moment(raw: Raw, key: str) -> datetime:
    """`<key>_ms` in milliseconds (text with a fraction, or a number) where it is told, else `key` in seconds."""
    exact = raw.get(f"{key}_ms")
    if exact is None or exact == "":
        return seconds(raw, key)
    return reading.moment(_integer_part(exact), f"{key}_ms")


def _integer_part(value: object) -> object:
    return value.partition(".")[0] if isinstance(value, str) else value


def _fee(raw: Raw) -> tuple[Decimal, str]:
    """What was paid and in what: taken from what was received, or in GT, or in points; "" for nothing at all."""
    fee, gt, points = [reading.amount(raw, key, ZERO) for key in ("fee", "gt_fee", "point_fee")]
    if not gt and not points:
        return fee, reading.text(raw, "fee_currency", None if fee else "")
    parts = [(fee, str(raw.get("fee_currency") or "")), (gt, "GT"), (points, "POINT")]
    paid = [part for part in parts if part[0]]
    if len(paid) > 1:
        told = ", ".join(f"{amount} {currency}" for amount, currency in paid)
        raise UnreadableRow(f"a fee in several currencies: {told}")
    return paid[0]


def _executed(raw: Raw, amount: Decimal, *, by_worth: bool) -> tuple[Decimal, Decimal]:
    """(base, quote) filled. Orders of the first years tell only what is left, and an average price."""
    quote = reading.amount(raw, "filled_total", ZERO) or reading.amount(raw, "fill_price", ZERO)
    if raw.get("filled_amount") not in (None, ""):
        base = reading.not_negative(raw, "filled_amount")
    elif by_worth:
        average = reading.amount(raw, "avg_deal_price", ZERO)
        base = money.parse(money.quantize(money.CONTEXT.divide(quote, average))) if average > 0 else ZERO
    else:
        base = amount - reading.amount(raw, "left")
    if not by_worth and not 0 <= base <= amount:
        raise UnreadableRow(f"{base} of {amount} were filled")
    return base, quote


def _order_status(raw: Raw, executed: Decimal) -> OrderStatus:
    words = reading.text(raw, "status")
    if words == "open":
        return OrderStatus.PARTIALLY_FILLED if executed else OrderStatus.NEW
    if words == "closed":
        return OrderStatus.FILLED
    if words == "cancelled":
        expired = reading.text(raw, "finish_as", "") in _EXPIRED_AS
        return OrderStatus.EXPIRED if expired else OrderStatus.CANCELED
    raise UnreadableRow(f"status {words!r:.40} is unknown")


def _transfer(
    raw: Raw, kind: TransferKind, statuses: Mapping[str, TransferStatus], amount: Decimal, fee: Decimal
) -> TransferRow:
    return TransferRow(
        kind=kind,
        transfer_id=reading.text(raw, "id"),
        asset=reading.text(raw, "currency").upper(),
        amount=amount,
        fee_amount=fee,
        network=reading.text(raw, "chain", ""),
        address=reading.text(raw, "address", ""),
        tx_id=reading.text(raw, "txid", ""),
        status=statuses.get(reading.text(raw, "status", ""), TransferStatus.UNKNOWN),
        occurred_at=seconds(raw, "timestamp"),
        raw=raw,
    )


def _step(raw: Raw, key: str) -> Decimal | None:
    places = reading.whole(raw.get(key), below=_MOST_PLACES + 1, default=-1)
    return Decimal(1).scaleb(-places) if places >= 0 else None
