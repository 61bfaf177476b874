"""MEXC's rows of contracts as ours: `vol` counts contracts, `side` says what is opened or closed.

Every reader raises UnreadableRow or InvalidAmount for a row it cannot read.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from core.money import ZERO
from exchanges import reading
from exchanges.contract_units import margin_balance, other_leg, units
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    Contract,
    ContractSide,
    FillRow,
    FundingRow,
    ListingRow,
    MarginMode,
    MarketType,
    OrderRow,
    OrderStatus,
    PositionRow,
    PositionSide,
    PriceRow,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)
from exchanges.transport import unreadable

# Of candles: our name to MEXC's.
INTERVALS: Final[Mapping[str, str]] = {
    **{f"{count}m": f"Min{count}" for count in (1, 5, 15, 30)},
    "1h": "Min60",
    "4h": "Hour4",
    "1d": "Day1",
    "1w": "Week1",
    "1M": "Month1",
}
_CANDLE: Final = ("time", "open", "high", "low", "close", "vol")
Terms = Callable[[str], Contract]  # wire symbol to what it is; raises UnreadableRow

WALLET: Final = "futures"
SPOT: Final = "spot"


class Deed(NamedTuple):
    """What a number in `side` stands for, in hedge mode."""

    side: Side
    position: PositionSide
    closes: bool


_DEEDS: Final[Mapping[str, Deed]] = {
    "1": Deed(Side.BUY, PositionSide.LONG, closes=False),
    "2": Deed(Side.BUY, PositionSide.SHORT, closes=True),
    "3": Deed(Side.SELL, PositionSide.SHORT, closes=False),
    "4": Deed(Side.SELL, PositionSide.LONG, closes=True),
}
_POSITIONS: Final[Mapping[str, PositionSide]] = {"1": PositionSide.LONG, "2": PositionSide.SHORT}
_MODES: Final[Mapping[str, MarginMode]] = {"1": MarginMode.ISOLATED, "2": MarginMode.CROSS}
HEDGE: Final = "1"  # positionMode; what MEXC begins with
ONE_WAY: Final = "2"
_TAKEN_OVER: Final = "2"  # category of what the exchange does to liquidate
_TYPES: Final[Mapping[str, tuple[str, str]]] = {  # (type, time in force)
    "1": ("LIMIT", "GTC"),
    "2": ("LIMIT_MAKER", "GTC"),
    "3": ("LIMIT", "IOC"),
    "4": ("LIMIT", "FOK"),
    "5": ("MARKET", "IOC"),
    "6": ("MARKET", "IOC"),  # at what the market was when it was placed
}
_STATUS: Final[Mapping[str, OrderStatus]] = {
    "3": OrderStatus.FILLED,
    "4": OrderStatus.CANCELED,
    "5": OrderStatus.REJECTED,
}
_OPEN: Final = ("1", "2")
_TRADING: Final = "0"
_TRANSFER_STATUS: Final[Mapping[str, TransferStatus]] = {
    "SUCCESS": TransferStatus.SUCCESS,
    "WAIT": TransferStatus.PENDING,
    "FAILED": TransferStatus.FAILED,
}


def listing(raw: Raw) -> ListingRow:
    """A row of contract/detail. Settled in its base a contract is inverse, and its size is in the quote."""
    base, quote, settle = (reading.text(raw, key) for key in ("baseCoin", "quoteCoin", "settleCoin"))
    if settle not in (base, quote):
        raise UnreadableRow(f"settled in {settle}, neither base nor quote")
    contract = Contract(base, quote, settle, reading.positive(raw, "contractSize"), settle == base)
    step = reading.amount(raw, "volUnit", Decimal(1))
    state = reading.text(raw, "state", _TRADING)
    return ListingRow(
        market_type=MarketType.FUTURES,
        symbol=reading.text(raw, "symbol"),
        base_asset=base,
        quote_asset=quote,
        status=state,
        is_trading=state == _TRADING,
        price_step=reading.amount(raw, "priceUnit", ZERO) or None,
        quantity_step=units(step, contract) or None,
        min_quantity=units(reading.amount(raw, "minVol", ZERO), contract) or None,
        min_notional=None,
        raw=raw,
        contract=contract,
    )


def candle_rows(told: Raw) -> list[list[object]]:
    """The columns of kline as rows of spot's form: times in milliseconds, volumes in contracts."""
    columns = [told.get(name) for name in _CANDLE]
    lists = [column for column in columns if isinstance(column, list)]
    if len(lists) != len(columns) or len({len(column) for column in lists}) != 1:
        raise unreadable("candles in columns were expected")
    return [[_milliseconds(at), *values] for at, *values in zip(*lists, strict=True)]


def _milliseconds(seconds: object) -> object:
    return seconds * 1000 if type(seconds) is int else seconds


def fair_price(raw: Raw) -> PriceRow | None:
    """A row of ticker: the price that positions are valued at; None where there is none."""
    value = reading.amount(raw, "fairPrice", ZERO)
    return PriceRow(reading.text(raw, "symbol"), value) if value > 0 else None


def balance(raw: Raw) -> BalanceRow | None:
    """An asset of the wallet: its equity without the profit that stands."""
    unrealized = reading.amount(raw, "unrealized", ZERO)
    return margin_balance(
        reading.text(raw, "currency"),
        reading.amount(raw, "equity") - unrealized,
        available=reading.amount(raw, "availableBalance"),
        unrealized=unrealized,
        wallet=WALLET,
        raw=raw,
    )


def position(raw: Raw, terms: Terms, *, is_hedged: bool) -> PositionRow | None:
    """A row of open_positions; None for one that holds nothing."""
    held = reading.not_negative(raw, "holdVol")
    if not held:
        return None
    symbol = reading.text(raw, "symbol")
    contract = terms(symbol)
    told = raw.get("unRealizedPnl")
    return PositionRow(
        symbol=symbol,
        side=position_side(raw),
        is_hedged=is_hedged,
        quantity=units(held, contract),
        settle_asset=contract.settle_asset,
        is_inverse=contract.is_inverse,
        entry_price=reading.positive(raw, "holdAvgPrice"),
        mark_price=None,
        liquidation_price=reading.amount(raw, "liquidatePrice", ZERO) or None,
        leverage=reading.amount(raw, "leverage", ZERO) or None,
        margin_mode=_MODES.get(reading.text(raw, "openType", "")),
        margin=reading.amount(raw, "im", ZERO),
        unrealized_pnl=None if told in (None, "") else reading.amount(raw, "unRealizedPnl"),
        raw=raw,
    )


def fill(raw: Raw, terms: Terms, *, is_hedged: bool) -> FillRow:
    """A row of order_deals."""
    symbol, what = reading.text(raw, "symbol"), deed(raw)
    contract = terms(symbol)
    price, quantity = reading.positive(raw, "price"), units(reading.positive(raw, "vol"), contract)
    fee = reading.amount(raw, "fee", ZERO)
    return FillRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        base_asset=contract.base_asset,
        quote_asset=contract.quote_asset,
        fill_id=reading.text(raw, "id"),
        order_id=reading.text(raw, "orderId"),
        side=what.side,
        price=price,
        quantity=quantity,
        quote_quantity=other_leg(quantity, price, contract),
        fee_amount=fee,
        fee_currency=reading.text(raw, "feeCurrency", None if fee else contract.settle_asset),
        is_maker=not reading.flag(raw, "taker"),
        executed_at=reading.moment_ms(raw, "timestamp"),
        raw=raw,
        contract=ContractSide(
            settle_asset=contract.settle_asset,
            is_inverse=contract.is_inverse,
            position_side=side_in_mode(raw, what.position, is_hedged=is_hedged),
            realized_pnl=None if raw.get("profit") in (None, "") else reading.amount(raw, "profit"),
            is_liquidation=reading.text(raw, "category", "") == _TAKEN_OVER,
        ),
    )


def order(raw: Raw, terms: Terms, *, is_hedged: bool) -> OrderRow:
    """A row of history_orders or open_orders, or the answer about one order."""
    symbol, what = reading.text(raw, "symbol"), deed(raw)
    contract = terms(symbol)
    kind, force = order_type(raw)
    executed = units(reading.not_negative(raw, "dealVol"), contract)
    average, price = reading.amount(raw, "dealAvgPrice", ZERO), reading.amount(raw, "price", ZERO)
    ordered_at = reading.moment_ms(raw, "createTime")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        order_id=reading.text(raw, "orderId"),
        client_order_id=client_id(raw),
        order_list_id="",
        side=what.side,
        type=kind,
        status=_order_status(raw, executed),
        price=None if kind == "MARKET" else price or None,
        stop_price=None,
        quantity=units(reading.not_negative(raw, "vol"), contract),
        executed_quantity=executed,
        executed_quote_quantity=other_leg(executed, average, contract) if executed and average else ZERO,
        time_in_force=force,
        ordered_at=ordered_at,
        updated_at=reading.moment_ms(raw, "updateTime") if raw.get("updateTime") else ordered_at,
        raw=raw,
        position_side=side_in_mode(raw, what.position, is_hedged=is_hedged),
        reduce_only=what.closes or raw.get("reduceOnly") is True,
    )


def funding(raw: Raw, terms: Terms, *, is_hedged: bool) -> FundingRow:
    """A row of funding_records: above zero was received. The position is told by its worth only."""
    symbol = reading.text(raw, "symbol")
    return FundingRow(
        symbol=symbol,
        payment_id=reading.text(raw, "id"),
        asset=terms(symbol).settle_asset,
        amount=reading.amount(raw, "funding"),
        rate=reading.amount(raw, "rate"),
        quantity=None,
        position_side=position_side(raw) if is_hedged else PositionSide.BOTH,
        paid_at=reading.moment_ms(raw, "settleTime"),
        raw=raw,
    )


def internal(raw: Raw) -> TransferRow:
    """A row of transfer_record: IN came from the spot wallet, OUT went there."""
    direction = reading.text(raw, "type")
    if direction not in ("IN", "OUT"):
        raise UnreadableRow(f"type {direction!r:.40} is unknown")
    wallets = (SPOT, WALLET) if direction == "IN" else (WALLET, SPOT)
    return TransferRow(
        kind=TransferKind.INTERNAL,
        transfer_id=reading.text(raw, "txid", "") or reading.text(raw, "id"),
        asset=reading.text(raw, "currency"),
        amount=reading.not_negative(raw, "amount"),
        status=_TRANSFER_STATUS.get(reading.text(raw, "state", ""), TransferStatus.UNKNOWN),
        occurred_at=reading.moment_ms(raw, "createTime"),
        raw=raw,
        from_wallet=wallets[0],
        to_wallet=wallets[1],
    )


def deed(raw: Raw) -> Deed:
    words = reading.text(raw, "side")
    if words not in _DEEDS:
        raise UnreadableRow(f"side {words!r:.40} is unknown")
    return _DEEDS[words]


def position_side(raw: Raw) -> PositionSide:
    words = reading.text(raw, "positionType")
    if words not in _POSITIONS:
        raise UnreadableRow(f"positionType {words!r:.40} is unknown")
    return _POSITIONS[words]


def side_in_mode(raw: Raw, side: PositionSide, *, is_hedged: bool) -> PositionSide:
    """The position in the mode the row tells, else in the account's."""
    mode = reading.text(raw, "positionMode", "")
    in_one = mode == ONE_WAY if mode in (HEDGE, ONE_WAY) else not is_hedged
    return PositionSide.BOTH if in_one else side


def order_type(raw: Raw) -> tuple[str, str]:
    words = reading.text(raw, "orderType")
    if words not in _TYPES:
        raise UnreadableRow(f"orderType {words!r:.40} is unknown")
    return _TYPES[words]


def client_id(raw: Raw) -> str:
    """Ids that begin with an underscore are MEXC's own."""
    words = reading.text(raw, "externalOid", "")
    return "" if words.startswith("_") else words


def _order_status(raw: Raw, executed: Decimal) -> OrderStatus:
    words = reading.text(raw, "state")
    if words in _OPEN:
        return OrderStatus.PARTIALLY_FILLED if executed else OrderStatus.NEW
    if words not in _STATUS:
        raise UnreadableRow(f"state {words!r:.40} is unknown")
    return _STATUS[words]
