"""Gate.io's rows of /futures as ours. Sizes are signed numbers of contracts; times are seconds with a fraction.

Every reader raises UnreadableRow or InvalidAmount for a row it cannot read.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from core import clock
from core.money import ZERO
from exchanges import reading
from exchanges.contract_units import margin_balance, other_leg, units
from exchanges.gateio.mapping import candle_of, client_id
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    CandleRow,
    Contract,
    ContractSide,
    FillRow,
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
)

Terms = Callable[[str], Contract]  # contract's name to what it is; raises UnreadableRow

WALLET: Final = "futures"
SETTLES: Final = ("usdt", "btc")  # the wallets, by the asset they settle in
# How the text of an order begins that the exchange placed to liquidate.
_LIQUIDATIONS: Final = (
    *("liquidation", "liq-", "hedge-liq-"),
    *("pm_liquidate", "comb_margin_liquidate", "scm_liquidate"),
)
_SIDES: Final = {"dual_long": PositionSide.LONG, "dual_short": PositionSide.SHORT}
_EXPIRED_AS: Final = frozenset({"ioc", "fok", "poc", "stp", "reduce_only"})  # by a rule it carried itself
_ROLES: Final = {"maker": True, "taker": False}


def listing(raw: Raw, settle: str) -> ListingRow:
    """A row of contracts. An inverse contract is 1 unit of the quote; quanto contracts are none of ours."""
    name = reading.text(raw, "name")
    base, quote = pair(name)
    multiplier = reading.amount(raw, "quanto_multiplier", ZERO)
    is_inverse = reading.text(raw, "type") == "inverse" or not multiplier
    settled_in = settle.upper()
    if settled_in != (base if is_inverse else quote):
        raise UnreadableRow(f"{name} is settled in {settled_in}, neither its base nor its quote")
    size = Decimal(1) if is_inverse else multiplier
    contract = Contract(base, quote, settled_in, size, is_inverse)
    status = reading.text(raw, "status", "trading")
    least = reading.amount(raw, "order_size_min", ZERO)
    return ListingRow(
        market_type=MarketType.FUTURES,
        symbol=name,
        base_asset=base,
        quote_asset=quote,
        status=status,
        is_trading=status == "trading" and raw.get("in_delisting") is not True,
        price_step=reading.amount(raw, "order_price_round", ZERO) or None,
        quantity_step=units(min(least, Decimal(1)) or Decimal(1), contract),
        min_quantity=units(least, contract) or None,
        min_notional=None,
        raw=raw,
        contract=contract,
    )


def settle_of(name: str) -> str:
    """The wallet a contract settles in, by its name: those in dollars are inverse."""
    base, quote = pair(name)
    return (base if quote == "USD" else quote).lower()


def candle(raw: object, symbol: str, timeframe: str) -> CandleRow:
    """A row of candlesticks: {t, o, h, l, c, v}; the volume is in contracts."""
    if not isinstance(raw, dict):
        raise UnreadableRow(f"expected an object, not {type(raw).__name__}")
    names = {"opened_at": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    return candle_of({ours: raw.get(theirs) for ours, theirs in names.items()}, symbol, timeframe)


def mark_price(raw: Raw) -> PriceRow | None:
    """A row of tickers; None for a contract that has no mark price."""
    value = reading.amount(raw, "mark_price", ZERO)
    return PriceRow(reading.text(raw, "contract"), value) if value > 0 else None


def balance(raw: Raw) -> BalanceRow | None:
    """A wallet. `total` is what moved in and out, profits taken and fees paid; unrealised PnL is no part of it."""
    unrealized = reading.amount(raw, "unrealised_pnl", ZERO)
    return margin_balance(
        reading.text(raw, "currency").upper(),
        reading.amount(raw, "total"),
        available=reading.amount(raw, "available"),
        unrealized=unrealized,
        wallet=WALLET,
        raw=raw,
    )


def position(raw: Raw, terms: Terms) -> PositionRow | None:
    """A row of positions; None for one that is closed. A leverage of 0 is cross margin."""
    size = reading.amount(raw, "size")
    if not size:
        return None
    name = reading.text(raw, "contract")
    contract, mode = terms(name), reading.text(raw, "mode", "single")
    leverage = reading.amount(raw, "leverage", ZERO)
    is_cross = reading.text(raw, "pos_margin_mode", "isolated" if leverage else "cross") == "cross"
    leverage = leverage or reading.amount(raw, "cross_leverage_limit", ZERO)
    leverage = leverage or reading.amount(raw, "lever", ZERO)
    return PositionRow(
        symbol=name,
        side=_SIDES.get(mode, PositionSide.LONG if size > 0 else PositionSide.SHORT),
        is_hedged=mode in _SIDES,
        quantity=units(abs(size), contract),
        settle_asset=contract.settle_asset,
        is_inverse=contract.is_inverse,
        entry_price=reading.amount(raw, "entry_price"),
        mark_price=reading.amount(raw, "mark_price", ZERO) or None,
        liquidation_price=reading.amount(raw, "liq_price", ZERO) or None,
        leverage=leverage or None,
        margin_mode=MarginMode.CROSS if is_cross else MarginMode.ISOLATED,
        margin=reading.amount(raw, "margin", ZERO),
        unrealized_pnl=reading.amount(raw, "unrealised_pnl", ZERO),
        raw=raw,
    )


def fill(raw: Raw, terms: Terms, realized: Mapping[str, Decimal], *, is_dual: bool) -> FillRow:
    """A row of my_trades or my_trades_timerange; `realized` is the ledger's profit by the id of the fill."""
    name, size = reading.text(raw, "contract"), reading.amount(raw, "size")
    if not size:
        raise UnreadableRow("size is 0")
    contract, fill_id = terms(name), trade_id(raw)
    price, quantity = reading.positive(raw, "price"), units(abs(size), contract)
    fee, currency = _fee(raw, contract)
    return FillRow(
        market_type=MarketType.FUTURES,
        symbol=name,
        base_asset=contract.base_asset,
        quote_asset=contract.quote_asset,
        fill_id=fill_id,
        order_id=reading.text(raw, "order_id"),
        side=Side.BUY if size > 0 else Side.SELL,
        price=price,
        quantity=quantity,
        quote_quantity=other_leg(quantity, price, contract),
        fee_amount=fee,
        fee_currency=currency,
        is_maker=_role(raw),
        executed_at=moment(raw, "create_time"),
        raw=raw,
        contract=ContractSide(
            settle_asset=contract.settle_asset,
            is_inverse=contract.is_inverse,
            position_side=_side_of_fill(raw, size) if is_dual else PositionSide.BOTH,
            realized_pnl=realized.get(fill_id, None if is_closing(raw) else ZERO),
            is_liquidation=is_liquidation(raw),
        ),
    )


def order(raw: Raw, terms: Terms, *, is_dual: bool) -> OrderRow:
    """A row of orders or orders_timerange. A price of 0 is a market order."""
    name, size = reading.text(raw, "contract"), reading.amount(raw, "size")
    left, price = reading.amount(raw, "left"), reading.amount(raw, "price", ZERO)
    contract, force = terms(name), reading.text(raw, "tif", "").upper()
    executed = units(abs(size) - abs(left), contract)
    if executed < 0:
        raise UnreadableRow(f"{left} of {size} are left")
    average = reading.amount(raw, "fill_price", ZERO)
    reduces = raw.get("is_reduce_only") is True or raw.get("is_close") is True
    ordered_at = moment(raw, "create_time")
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=name,
        order_id=reading.text(raw, "id"),
        client_order_id=client_id(reading.text(raw, "text", "")),
        order_list_id="",
        side=Side.BUY if size > 0 else Side.SELL,
        type="LIMIT_MAKER" if force == "POC" else "LIMIT" if price else "MARKET",
        status=_status(raw, size, left),
        price=price or None,
        stop_price=None,
        quantity=units(abs(size), contract),
        executed_quantity=executed,
        executed_quote_quantity=other_leg(executed, average, contract) if executed and average else ZERO,
        time_in_force="GTC" if force == "POC" else force,
        ordered_at=ordered_at,
        updated_at=next(
            (moment(raw, key) for key in ("finish_time", "update_time") if _is_told(raw, key)), ordered_at
        ),
        raw=raw,
        position_side=side_of_order(size > 0, reduces) if is_dual else PositionSide.BOTH,
        reduce_only=reduces,
    )


def side_of_order(buys: bool, reduces: bool) -> PositionSide:
    """In dual mode: what buys opens a long position, or reduces a short one."""
    return PositionSide.LONG if buys is not reduces else PositionSide.SHORT


def is_closing(raw: Raw) -> bool:
    """Whether a fill may have realised something; also where `close_size` is not told."""
    return reading.amount(raw, "close_size", Decimal(1)) != 0


def is_liquidation(raw: Raw) -> bool:
    return reading.text(raw, "text", "").startswith(_LIQUIDATIONS)


def trade_id(raw: Raw) -> str:
    """`trade_id` of my_trades_timerange and of the ledger, `id` of my_trades."""
    return reading.text(raw, "trade_id" if _is_told(raw, "trade_id") else "id")


def pair(name: str) -> tuple[str, str]:
    """(base, quote) of `BTC_USDT`."""
    base, _, quote = name.rpartition("_")
    if not base or not quote:
        raise UnreadableRow(f"contract {name!r:.40} names no base and quote")
    return base, quote


def moment(raw: Raw, key: str) -> datetime:
    """Seconds since 1970 with a fraction; below a millisecond it is dropped."""
    value = reading.amount(raw, key)
    in_ms = int(value * 1000)
    if not reading.EARLIEST_MS <= in_ms < reading.LATEST_MS:
        raise UnreadableRow(f"{key} {value} is not in seconds between 2010 and 2100")
    return clock.from_ms(in_ms)


def _side_of_fill(raw: Raw, size: Decimal) -> PositionSide:
    """Which position a fill of dual mode changed. One that went through zero is older than the mode: a position
    of one-way mode."""
    if raw.get("close_size") in (None, ""):
        raise UnreadableRow("close_size is missing, so the position is unknown")
    closed = reading.amount(raw, "close_size")
    if 0 < abs(closed) < abs(size):
        return PositionSide.BOTH
    return side_of_order(size > 0, closed != 0)


def _status(raw: Raw, size: Decimal, left: Decimal) -> OrderStatus:
    words = reading.text(raw, "status")
    if words == "open":
        return OrderStatus.PARTIALLY_FILLED if abs(left) < abs(size) else OrderStatus.NEW
    if words != "finished":
        raise UnreadableRow(f"status {words!r:.40} is unknown")
    finished_as = reading.text(raw, "finish_as", "")
    if finished_as == "filled" or (not left and size):
        return OrderStatus.FILLED
    return OrderStatus.EXPIRED if finished_as in _EXPIRED_AS else OrderStatus.CANCELED


def _fee(raw: Raw, contract: Contract) -> tuple[Decimal, str]:
    """What was paid, below zero what was given back; in the settle asset or in points."""
    fee, points = reading.amount(raw, "fee", ZERO), reading.amount(raw, "point_fee", ZERO)
    if fee and points:
        raise UnreadableRow(f"a fee in several currencies: {fee} {contract.settle_asset}, {points} POINT")
    return (points, "POINT") if points else (fee, contract.settle_asset)


def _role(raw: Raw) -> bool:
    words = reading.text(raw, "role")
    if words not in _ROLES:
        raise UnreadableRow(f"role {words!r:.40} is unknown")
    return _ROLES[words]


def _is_told(raw: Raw, key: str) -> bool:
    return raw.get(key) not in (None, "", 0, "0")
