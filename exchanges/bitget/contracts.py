"""Raw rows of classic futures accounts as ours. Every reader raises UnreadableRow or InvalidAmount.

Quantities are in the base asset, one contract is one unit of it. In hedge mode `side` names the position, not the
trade: closing a long position is told as a purchase.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from core import money
from core.money import ZERO
from exchanges import reading
from exchanges.base import Contracts
from exchanges.bitget import fields
from exchanges.contract_units import margin_balance
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
    PositionRow,
    PositionSide,
    PriceRow,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

Terms = Callable[[str], Contract]  # contract's symbol to what it is; raises UnreadableRow

WALLET: Final = "futures"
PRODUCTS: Final[Mapping[str, str]] = {
    "USDT-FUTURES": "USDT",
    "USDC-FUTURES": "USDC",
}  # and what they settle in
# Conditional orders have ids of their own, and lists by kind: what the lists are asked for by, and our prefix.
_GUARDS: Final = {"profit": "TAKE_PROFIT", "loss": "STOP_LOSS"}
PLANS: Final[Mapping[str, str]] = {"normal_plan": "plan-", "track_plan": "track-", "profit_loss": "tpsl-"}
_PLAN_LISTS: Final = {
    **{name: name for name in ("normal_plan", "track_plan")},
    **dict.fromkeys(("profit_plan", "loss_plan", "moving_plan", "pos_profit", "pos_loss"), "profit_loss"),
}
_PLAN_TYPES: Final = {
    "normal_plan": "TRIGGER",
    "track_plan": "TRAILING_STOP",
    "moving_plan": "TRAILING_STOP",
    "profit_plan": "TAKE_PROFIT",
    "pos_profit": "TAKE_PROFIT",
    "loss_plan": "STOP_LOSS",
    "pos_loss": "STOP_LOSS",
}
POSITION_SIDES: Final = {"long": PositionSide.LONG, "short": PositionSide.SHORT}
MARGIN_MODES: Final = {
    "crossed": MarginMode.CROSS,
    "cross": MarginMode.CROSS,
    "isolated": MarginMode.ISOLATED,
    "fixed": MarginMode.ISOLATED,
}
FUNDING: Final = "contract_settle_fee"
# Bills that fills, funding or transfers tell, and moves within the wallet.
_TOLD_ELSEWHERE: Final = (
    *("open_", "close_", "force_", "burst_", "delivery_", "offset_", "buy", "sell", "dte_", "trans"),
    *("contract_", "append_margin", "adjust_", "reduce_margin", "auto_append_margin"),
)


def listing(raw: Raw) -> ListingRow:
    """A row of contracts."""
    base, quote = fields.coin(raw, "baseCoin"), fields.coin(raw, "quoteCoin")
    coins = raw.get("supportMarginCoins")
    if isinstance(coins, list) and quote not in coins:
        raise UnreadableRow(f"settled in {coins!r:.40}, not in its quote")
    status = reading.text(raw, "symbolStatus")
    places = reading.whole(raw.get("pricePlace"), below=money.PLACES + 1, default=-1)
    step = reading.amount(raw, "priceEndStep", Decimal(1)).scaleb(-places) if places >= 0 else None
    return ListingRow(
        market_type=MarketType.FUTURES,
        symbol=fields.symbol(raw),
        base_asset=base,
        quote_asset=quote,
        status=status,
        is_trading=status == "normal",
        price_step=step,
        quantity_step=reading.amount(raw, "sizeMultiplier", ZERO) or None,
        min_quantity=reading.amount(raw, "minTradeNum", ZERO) or None,
        min_notional=reading.amount(raw, "minTradeUSDT", ZERO) or None,
        raw=raw,
        contract=linear(base, quote),
    )


def linear(base: str, quote: str) -> Contract:
    return Contract(base_asset=base, quote_asset=quote, settle_asset=quote, size=Decimal(1))


def delisted(symbol: str, settle: str) -> Contract:
    """A contract that is listed no more, as its name says: BTCUSDT, or BTCPERP where it settles in USDC."""
    base = symbol.removesuffix(settle).removesuffix("PERP")
    if not base or base == symbol:
        raise UnreadableRow(f"contract {symbol!r:.40} is not listed and names no base")
    return linear(base, settle)


def product(symbol: str, known: Contracts) -> str:
    """Where a contract is traded."""
    contract = known.get(symbol)
    settle = contract.settle_asset if contract else "USDT" if symbol.endswith("USDT") else "USDC"
    return next(name for name, coin in PRODUCTS.items() if coin == settle)


def mark_price(raw: Raw) -> PriceRow | None:
    """A row of tickers; None for a contract without a price."""
    value = reading.amount(raw, "markPrice", ZERO) or reading.amount(raw, "lastPr", ZERO)
    return PriceRow(fields.symbol(raw), value) if value > 0 else None


def balance(raw: Raw) -> BalanceRow | None:
    """A margin coin. Equity contains what is not realised; without that it is what was moved in, won and paid."""
    unrealized = reading.amount(raw, "unrealizedPL", ZERO)
    return margin_balance(
        fields.coin(raw, "marginCoin"),
        reading.amount(raw, "accountEquity") - unrealized,
        available=reading.amount(raw, "available"),
        unrealized=unrealized,
        wallet=WALLET,
        raw=raw,
    )


def position(raw: Raw, terms: Terms) -> PositionRow | None:
    """A row of all-position; None for one that is closed."""
    quantity = reading.not_negative(raw, "total")
    if not quantity:
        return None
    symbol = fields.symbol(raw)
    contract = terms(symbol)
    mode = reading.text(raw, "marginMode", "")
    return PositionRow(
        symbol=symbol,
        side=reading.one_of(raw, "holdSide", POSITION_SIDES),
        is_hedged=reading.text(raw, "posMode", "") == "hedge_mode",
        quantity=quantity,
        settle_asset=contract.settle_asset,
        is_inverse=False,
        entry_price=reading.positive(raw, "openPriceAvg"),
        mark_price=reading.amount(raw, "markPrice", ZERO) or None,
        liquidation_price=_above_zero(raw, "liquidationPrice"),
        leverage=reading.amount(raw, "leverage", ZERO) or None,
        margin_mode=MARGIN_MODES.get(mode),
        margin=reading.amount(raw, "marginSize", ZERO),
        unrealized_pnl=reading.amount(raw, "unrealizedPL", ZERO),
        raw=raw,
    )


def fill(raw: Raw, terms: Terms) -> FillRow:
    """A row of fills."""
    symbol = fields.symbol(raw)
    contract = terms(symbol)
    side, position_side, _ = sides(raw)
    price, quantity = reading.positive(raw, "price"), reading.positive(raw, "baseVolume")
    fee, currency = fields.classic_fee(raw)
    return FillRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        base_asset=contract.base_asset,
        quote_asset=contract.quote_asset,
        fill_id=fields.identity(raw, "tradeId"),
        order_id=fields.identity(raw, "orderId"),
        side=side,
        price=price,
        quantity=quantity,
        quote_quantity=reading.positive(raw, "quoteVolume"),
        fee_amount=fee,
        fee_currency=currency or contract.settle_asset,
        is_maker=reading.one_of(raw, "tradeScope", fields.SCOPES),
        executed_at=fields.moment(raw, "cTime"),
        raw=raw,
        contract=ContractSide(
            settle_asset=contract.settle_asset,
            is_inverse=False,
            position_side=position_side,
            realized_pnl=None if raw.get("profit") in (None, "") else reading.amount(raw, "profit"),
            is_liquidation="burst" in reading.text(raw, "tradeSide", ""),
        ),
    )


def order(raw: Raw) -> OrderRow:
    """A row of orders-pending or orders-history, or the answer of detail."""
    kind = fields.kind(raw)
    side, position_side, closes = sides(raw)
    force, is_maker = fields.force(raw)
    status = reading.one_of(raw, "status" if raw.get("status") else "state", fields.STATUSES)
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=fields.symbol(raw),
        order_id=fields.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=side,
        type=_type(raw, kind, is_maker=is_maker),
        status=status,
        price=None if kind == "MARKET" else reading.amount(raw, "price", ZERO) or None,
        stop_price=None,
        quantity=reading.not_negative(raw, "size"),
        executed_quantity=reading.not_negative(raw, "baseVolume", ZERO),
        executed_quote_quantity=reading.not_negative(raw, "quoteVolume", ZERO),
        time_in_force=force,
        ordered_at=fields.moment(raw, "cTime"),
        updated_at=fields.moment(raw, "uTime", "cTime"),
        raw=raw,
        position_side=position_side,
        reduce_only=closes or reading.text(raw, "reduceOnly", "").upper() == "YES",
    )


def _type(raw: Raw, kind: str, *, is_maker: bool) -> str:
    """What a target or stop of a position placed says so in `orderSource` (`pos_loss_market`, `profit_limit`, …)."""
    words = reading.text(raw, "orderSource", "").removeprefix("pos_").partition("_")[0]
    guards = _GUARDS.get(words)
    if guards is None:
        return "LIMIT_MAKER" if is_maker else kind
    return f"{guards}_LIMIT" if kind == "LIMIT" else guards


def plan(raw: Raw) -> OrderRow:
    """A row of orders-plan-pending or orders-plan-history. It executes nothing by itself.

    Without a size it closes whatever is held when it fires.
    """
    name = reading.text(raw, "planType")
    if name not in _PLAN_TYPES:
        raise UnreadableRow(f"planType {name!r:.40} is unknown")
    side, position_side, closes = sides(raw)
    price = reading.amount(raw, "executePrice", ZERO) or reading.amount(raw, "price", ZERO)
    is_limit = fields.kind(raw) == "LIMIT" and price > 0
    kind = _PLAN_TYPES[name]
    return OrderRow(
        market_type=MarketType.FUTURES,
        symbol=fields.symbol(raw),
        order_id=PLANS[_PLAN_LISTS[name]] + fields.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=side,
        type=f"{kind}_LIMIT" if is_limit and kind != "TRAILING_STOP" else kind,
        status=reading.one_of(raw, "planStatus", fields.PLAN_STATUSES),
        price=price if is_limit else None,
        stop_price=_above_zero(raw, "triggerPrice"),
        quantity=reading.not_negative(raw, "size", ZERO),
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force="",
        ordered_at=fields.moment(raw, "cTime"),
        updated_at=fields.moment(raw, "uTime", "cTime"),
        raw=raw,
        placed_order_id=reading.placed_order(raw, "executeOrderId"),
        position_side=position_side,
        reduce_only=closes or reading.text(raw, "reduceOnly", "").upper() == "YES",
    )


def funding(raw: Raw) -> FundingRow:
    """A bill about funding. Rate and position are not told."""
    return FundingRow(
        symbol=fields.symbol(raw),
        payment_id=fields.identity(raw, "billId"),
        asset=fields.coin(raw),
        amount=reading.amount(raw, "amount"),
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=fields.moment(raw, "cTime"),
        raw=raw,
    )


def income(raw: Raw) -> TransferRow | None:
    """A bill that nothing else tells: what the exchange gave or took; None for the others."""
    name, amount = reading.text(raw, "businessType").lower(), reading.amount(raw, "amount")
    if name.startswith(_TOLD_ELSEWHERE) or not amount:
        return None
    return TransferRow(
        kind=TransferKind.REBATE if amount > 0 else TransferKind.CHARGE,
        transfer_id=fields.identity(raw, "billId"),
        asset=fields.coin(raw),
        amount=abs(amount),
        status=TransferStatus.SUCCESS,
        occurred_at=fields.moment(raw, "cTime"),
        raw=raw,
    )


def sides(raw: Raw) -> tuple[Side, PositionSide, bool]:
    """(what was traded, for which position, whether it closes). In one-way mode only the first is told for sure."""
    told, trade = reading.one_of(raw, "side", fields.SIDES), reading.text(raw, "tradeSide", "").lower()
    if reading.text(raw, "posMode", "") != "hedge_mode":
        return told, PositionSide.BOTH, False
    named = reading.text(raw, "posSide", "") or trade.rpartition("_")[2]
    held = POSITION_SIDES.get(named, PositionSide.LONG if told is Side.BUY else PositionSide.SHORT)
    closes = "close" in trade or "reduce" in trade
    buys = (held is PositionSide.LONG) is not closes
    return Side.BUY if buys else Side.SELL, held, closes


def _above_zero(raw: Raw, key: str) -> Decimal | None:
    value = reading.amount(raw, key, ZERO)
    return value if value > 0 else None
