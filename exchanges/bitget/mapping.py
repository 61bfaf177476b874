"""Raw rows of a classic spot account as ours. Every reader raises UnreadableRow or InvalidAmount."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from msgspec import convert

from core import money
from core.money import ZERO
from exchanges import plain, reading
from exchanges.bitget import fields
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    SPOT,
    BalanceRow,
    CandleRow,
    FillRow,
    ListingRow,
    OrderRow,
    PriceRow,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

Assets = Callable[[str], tuple[str, str]]  # wire symbol to (base, quote); raises UnreadableRow

_TRANSFER_STATUSES: Final[Mapping[str, TransferStatus]] = {
    **dict.fromkeys(("success", "successful"), TransferStatus.SUCCESS),
    **dict.fromkeys(("pending", "processing", "first_audit", "recheck"), TransferStatus.PENDING),
    **dict.fromkeys(
        ("fail", "failed", "cancel", "reject", "first_reject", "recheck_reject", "wallet_fail"),
        TransferStatus.FAILED,
    ),
}
# As `balances` calls them; the others are wallets it does not report.
_WALLETS: Final = {
    "spot": "spot",
    "p2p": "funding",
    "usdt_futures": "futures",
    "usdc_futures": "futures",
    "crossed_margin": "margin",
    "isolated_margin": "margin",
}


class _Fee(plain.Shape, frozen=True):
    """A fee that was not paid in another coin than told."""

    deduction: Literal["no"]
    fee_coin: plain.Name
    total_fee: plain.Amount


class _Fill(plain.Shape, frozen=True):
    """A row of fills as nearly all are."""

    symbol: plain.Name
    trade_id: plain.Digits
    order_id: plain.Digits
    side: Literal["buy", "sell"]
    trade_scope: Literal["maker", "taker"]
    price_avg: plain.Amount
    size: plain.Amount
    amount: plain.Amount
    fee_detail: _Fee
    c_time: plain.MillisecondsText


def fills(raws: Iterable[Any], assets: Assets) -> tuple[FillRow, ...]:
    """A page of fills all of whose rows are plain; raises `plain.DIFFERENT`."""
    found = convert(raws, list[_Fill])
    plain.hold_for_digits([each.trade_id for each in found])
    plain.hold_for_digits([each.order_id for each in found])
    plain.hold_for_names([each.symbol for each in found])
    plain.hold_for_names([each.fee_detail.fee_coin for each in found])
    symbols = [each.symbol.upper() for each in found]
    # Below zero on the wire is a cost.
    costs = [each.fee_detail.total_fee.removeprefix("-") for each in found]
    columns = zip(
        raws,
        found,
        symbols,
        map(assets, symbols),
        plain.positives([each.price_avg for each in found]),
        plain.positives([each.size for each in found]),
        plain.positives([each.amount for each in found]),
        plain.amounts(costs),
        plain.moments_of_text([each.c_time for each in found]),
        strict=True,
    )
    return tuple(
        FillRow(
            market_type=SPOT,
            symbol=symbol,
            base_asset=pair[0],
            quote_asset=pair[1],
            fill_id=each.trade_id,
            order_id=each.order_id,
            side=fields.SIDES[each.side],
            price=price,
            quantity=quantity,
            quote_quantity=worth,
            fee_amount=fee if each.fee_detail.total_fee[0] == "-" else -fee,
            fee_currency=each.fee_detail.fee_coin.upper(),
            is_maker=fields.SCOPES[each.trade_scope],
            executed_at=at,
            raw=raw,
        )
        for raw, each, symbol, pair, price, quantity, worth, fee, at in columns
    )


def fill(raw: Raw, assets: Assets) -> FillRow:
    """A row of fills."""
    symbol = fields.symbol(raw)
    base, quote = assets(symbol)
    price, quantity = reading.positive(raw, "priceAvg"), reading.positive(raw, "size")
    fee, currency = fields.classic_fee(raw)
    return FillRow(
        market_type=SPOT,
        symbol=symbol,
        base_asset=base,
        quote_asset=quote,
        fill_id=fields.identity(raw, "tradeId"),
        order_id=fields.identity(raw, "orderId"),
        side=reading.one_of(raw, "side", fields.SIDES),
        price=price,
        quantity=quantity,
        quote_quantity=reading.positive(raw, "amount"),
        fee_amount=fee,
        fee_currency=currency or quote,
        is_maker=reading.one_of(raw, "tradeScope", fields.SCOPES),
        executed_at=fields.moment(raw, "cTime"),
        raw=raw,
    )


def order(raw: Raw) -> OrderRow:
    """A row of unfilled-orders, history-orders or orderInfo."""
    side, kind = reading.one_of(raw, "side", fields.SIDES), fields.kind(raw)
    status = reading.one_of(raw, "status", fields.STATUSES)
    executed = reading.not_negative(raw, "baseVolume", ZERO)
    force, is_maker = fields.force(raw)
    # A market purchase is asked for in the quote: what it is in the base is known only as it fills.
    by_worth = kind == "MARKET" and side is Side.BUY
    size = reading.not_negative(raw, "size")
    return OrderRow(
        market_type=SPOT,
        symbol=fields.symbol(raw),
        order_id=fields.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=side,
        type="LIMIT_MAKER" if is_maker else kind,
        status=status,
        price=None if kind == "MARKET" else _limit(raw),
        stop_price=reading.amount(raw, "triggerPrice", ZERO) or None,
        quantity=(executed if status.is_final else ZERO) if by_worth else size,
        executed_quantity=executed,
        executed_quote_quantity=reading.not_negative(raw, "quoteVolume", ZERO),
        time_in_force=force,
        ordered_at=fields.moment(raw, "cTime"),
        updated_at=fields.moment(raw, "uTime", "cTime"),
        raw=raw,
    )


def balance(raw: Raw) -> BalanceRow | None:
    """One asset of the spot wallet; None when there is none of it."""
    available = reading.amount(raw, "available")
    locked = reading.amount(raw, "frozen", ZERO) + reading.amount(raw, "locked", ZERO)
    return _balance(raw, available, locked, "spot")


def funding_balance(raw: Raw) -> BalanceRow | None:
    """One asset of the funding wallet, through which P2P and payments go."""
    available = reading.amount(raw, "available", ZERO)
    return _balance(raw, available, reading.amount(raw, "frozen", ZERO), "funding")


def deposit(raw: Raw) -> TransferRow:
    """A row of deposit-records. Deposits cost nothing."""
    return _outer(raw, TransferKind.DEPOSIT, ZERO)


def withdrawal(raw: Raw) -> TransferRow:
    """A row of withdrawal-records: the fee, below zero, is taken beside what was sent."""
    return _outer(raw, TransferKind.WITHDRAWAL, abs(reading.amount(raw, "fee", ZERO)))


def internal(raw: Raw) -> TransferRow:
    """A row of transferRecords."""
    status = reading.text(raw, "status", "").lower()
    return TransferRow(
        kind=TransferKind.INTERNAL,
        transfer_id=fields.identity(raw, "transferId"),
        asset=fields.coin(raw),
        amount=reading.not_negative(raw, "size"),
        status=_TRANSFER_STATUSES.get(status, TransferStatus.UNKNOWN),
        occurred_at=fields.moment(raw, "ts"),
        raw=raw,
        from_wallet=_wallet(raw, "fromType"),
        to_wallet=_wallet(raw, "toType"),
    )


def listing(raw: Raw) -> ListingRow:
    """A row of symbols; steps are told as numbers of decimals."""
    status = reading.text(raw, "status")
    return ListingRow(
        market_type=SPOT,
        symbol=fields.symbol(raw),
        base_asset=fields.coin(raw, "baseCoin"),
        quote_asset=fields.coin(raw, "quoteCoin"),
        status=status,
        is_trading=status == "online",
        price_step=_step(raw, "pricePrecision"),
        quantity_step=_step(raw, "quantityPrecision"),
        min_quantity=reading.amount(raw, "minTradeAmount", ZERO) or None,
        min_notional=reading.amount(raw, "minTradeUSDT", ZERO) or None,
        raw=raw,
    )


def price(raw: Raw) -> PriceRow | None:
    """A row of tickers; None for a pair that never traded."""
    value = reading.amount(raw, "lastPr", ZERO)
    return PriceRow(symbol=fields.symbol(raw), price=value) if value > 0 else None


def candle(raw: Sequence[Any], symbol: str, timeframe: str) -> CandleRow:
    """A candle: [open time, open, high, low, close, volume in the base, …]."""
    named = dict(zip(("opened_at", "open", "high", "low", "close", "volume"), raw, strict=False))
    row = CandleRow(
        symbol=symbol,
        timeframe=timeframe,
        opened_at=reading.moment_ms(named, "opened_at"),
        open=reading.positive(named, "open"),
        high=reading.positive(named, "high"),
        low=reading.positive(named, "low"),
        close=reading.positive(named, "close"),
        volume=reading.not_negative(named, "volume"),
    )
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        raise UnreadableRow("open and close do not lie between low and high")
    return row


def transfer_status(words: str) -> TransferStatus:
    return _TRANSFER_STATUSES.get(words.lower(), TransferStatus.UNKNOWN)


def _limit(raw: Raw) -> Decimal | None:
    """Lists of open orders tell the limit as `priceAvg`, and what was paid as `basePrice`."""
    key = "priceAvg" if raw.get("basePrice") not in (None, "") else "price"
    return reading.amount(raw, key, ZERO) or None


def _balance(raw: Raw, available: Decimal, locked: Decimal, wallet: str) -> BalanceRow | None:
    if not available and not locked:
        return None
    return BalanceRow(asset=fields.coin(raw), available=available, locked=locked, raw=raw, wallet=wallet)


def _outer(raw: Raw, kind: TransferKind, fee: Decimal) -> TransferRow:
    address = "fromAddress" if kind is TransferKind.DEPOSIT else "toAddress"
    return TransferRow(
        kind=kind,
        transfer_id=fields.identity(raw, "orderId"),
        asset=fields.coin(raw),
        amount=reading.not_negative(raw, "size"),
        fee_amount=fee,
        network=reading.text(raw, "chain", ""),
        address=reading.text(raw, address, ""),
        tx_id=reading.text(raw, "tradeId", ""),
        status=transfer_status(reading.text(raw, "status", "")),
        occurred_at=fields.moment(raw, "cTime"),
        raw=raw,
    )


def _wallet(raw: Raw, key: str) -> str:
    words = reading.text(raw, key).lower()
    return _WALLETS.get(words, words)


def _step(raw: Raw, key: str) -> Decimal | None:
    places = reading.whole(raw.get(key), below=money.PLACES + 1, default=-1)
    return Decimal(1).scaleb(-places) if places >= 0 else None
