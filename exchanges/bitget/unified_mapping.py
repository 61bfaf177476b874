"""Raw rows of unified accounts (v3) as ours. Every reader raises UnreadableRow or InvalidAmount.

Here `side` is what was traded, in hedge mode too, and fees above zero are costs.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from core.money import ZERO
from exchanges import reading
from exchanges.bitget import fields
from exchanges.bitget.contracts import MARGIN_MODES, POSITION_SIDES, Terms
from exchanges.bitget.mapping import Assets, transfer_status
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    ContractSide,
    FillRow,
    FundingRow,
    MarketType,
    OrderRow,
    PositionRow,
    PositionSide,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

SPOT: Final = "SPOT"
PREFIX: Final = "strategy-"  # conditional orders have ids of their own
FUNDING: Final = {"in": "CONTRACT_MAIN_SETTLE_FEE_USER_IN", "out": "CONTRACT_MAIN_SETTLE_FEE_USER_OUT"}
# What the exchange gives or takes beside fills: where it is told, and as what.
INCOMES: Final[Mapping[TransferKind, tuple[tuple[str, str], ...]]] = {
    TransferKind.REBATE: (
        ("USDT-FUTURES", "TRACE_SHARE_BENEFIT_USER_IN"),
        ("USDC-FUTURES", "TRACE_SHARE_BENEFIT_USER_IN"),
    ),
    TransferKind.CHARGE: (
        ("USDT-FUTURES", "LIQ_FEE"),
        ("USDC-FUTURES", "LIQ_FEE"),
        ("MARGIN", "INTEREST_SETTLEMENT_OUT"),
    ),
}
_PARTS: Final = ("takeProfit", "stopLoss")


def balance(raw: Raw) -> BalanceRow | None:
    """One asset of the unified wallet: spot and contracts in one, less what is borrowed."""
    total = reading.amount(raw, "balance") - reading.amount(raw, "debt", ZERO)
    if not total:
        return None
    available = max(ZERO, min(reading.amount(raw, "available"), total)) if total > 0 else total
    return BalanceRow(
        asset=fields.coin(raw),
        available=available,
        locked=total - available,
        raw=raw,
        unrealized_pnl=(reading.amount(raw, "equity") - total) or None,
    )


def fill(raw: Raw, assets: Assets) -> FillRow:
    """A row of fills of spot."""
    symbol = fields.symbol(raw)
    base, quote = assets(symbol)
    return _fill(raw, symbol, base, quote, quote, None)


def contract_fill(raw: Raw, terms: Terms, *, is_hedged: bool) -> FillRow:
    """A row of fills of contracts. Which position it belongs to follows from whether it opened or closed."""
    symbol = fields.symbol(raw)
    contract = terms(symbol)
    side, trade = reading.one_of(raw, "side", fields.SIDES), reading.text(raw, "tradeSide", "").lower()
    closes = "close" in trade or "reduce" in trade
    held = PositionSide.LONG if (side is Side.BUY) is not closes else PositionSide.SHORT
    told = ContractSide(
        settle_asset=contract.settle_asset,
        is_inverse=False,
        position_side=held if is_hedged else PositionSide.BOTH,
        realized_pnl=None if raw.get("execPnl") in (None, "") else reading.amount(raw, "execPnl"),
        is_liquidation="burst" in trade,
    )
    return _fill(raw, symbol, contract.base_asset, contract.quote_asset, contract.settle_asset, told)


def order(raw: Raw) -> OrderRow:
    """A row of unfilled-orders or history-orders, or the answer of order-info, of spot or contracts."""
    side, kind = reading.one_of(raw, "side", fields.SIDES), fields.kind(raw)
    status = reading.one_of(raw, "orderStatus", fields.STATUSES)
    executed = reading.not_negative(raw, "cumExecQty", ZERO)
    quantity = reading.not_negative(raw, "qty", ZERO)
    force, is_maker = fields.force(raw, "timeInForce")
    is_spot = is_of_spot(raw)
    # Bought for a sum of the quote: what it is in the base is known only as it fills.
    by_worth = is_spot and not quantity
    return OrderRow(
        market_type=MarketType.SPOT if is_spot else MarketType.FUTURES,
        symbol=fields.symbol(raw),
        order_id=fields.identity(raw, "orderId"),
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=side,
        type="LIMIT_MAKER" if is_maker else kind,
        status=status,
        price=None if kind == "MARKET" else reading.amount(raw, "price", ZERO) or None,
        stop_price=None,
        quantity=(executed if status.is_final else ZERO) if by_worth else quantity,
        executed_quantity=executed,
        executed_quote_quantity=reading.not_negative(raw, "cumExecValue", ZERO),
        time_in_force=force,
        ordered_at=fields.moment(raw, "createdTime"),
        updated_at=fields.moment(raw, "updatedTime", "createdTime"),
        raw=raw,
        position_side=None if is_spot else _held(raw),
        reduce_only=not is_spot and reading.text(raw, "reduceOnly", "").upper() == "YES",
    )


def parts(raws: Iterable[Any]) -> list[Any]:
    """Conditional orders by what they wait for: a target and a stop may stand in one row."""
    found: list[Any] = []
    for raw in raws:
        if not isinstance(raw, Mapping):
            found.append(raw)
            continue
        names = [name for name in _PARTS if raw.get(name) not in (None, "", "0")]
        found += [{**raw, "part": name} for name in names] or [{**raw, "part": ""}]
    return found


def strategy(raw: Raw) -> OrderRow:
    """A conditional order, or its target or stop alone (see `parts`). It executes nothing by itself."""
    part = reading.text(raw, "part", "")
    limit, key = {
        "takeProfit": ("tpLimitPrice", "tpOrderType"),
        "stopLoss": ("slLimitPrice", "slOrderType"),
    }.get(part, ("triggerOrderPrice", "triggerOrderType"))
    kind = {"takeProfit": "TAKE_PROFIT", "stopLoss": "STOP_LOSS"}.get(part, "TRIGGER")
    is_limit = reading.text(raw, key, "market") == "limit"
    suffix = {"takeProfit": "-tp", "stopLoss": "-sl"}.get(part, "")
    is_spot = is_of_spot(raw)
    return OrderRow(
        market_type=MarketType.SPOT if is_spot else MarketType.FUTURES,
        symbol=fields.symbol(raw),
        order_id=f"{PREFIX}{fields.identity(raw, 'orderId')}{suffix}",
        client_order_id=reading.text(raw, "clientOid", ""),
        order_list_id="",
        side=_closing_side(raw),
        type=f"{kind}_LIMIT" if is_limit else kind,
        status=reading.one_of(raw, "status", fields.PLAN_STATUSES),
        price=reading.amount(raw, limit, ZERO) or None if is_limit else None,
        stop_price=reading.positive(raw, part or "triggerPrice"),
        quantity=reading.not_negative(raw, "qty", ZERO),
        executed_quantity=ZERO,
        executed_quote_quantity=ZERO,
        time_in_force="",
        ordered_at=fields.moment(raw, "createdTime"),
        updated_at=fields.moment(raw, "updatedTime", "createdTime"),
        raw=raw,
        position_side=None if is_spot else _held(raw),
        reduce_only=not is_spot and (bool(part) or reading.text(raw, "reduceOnly", "").upper() == "YES"),
    )


def position(raw: Raw, terms: Terms) -> PositionRow | None:
    """A row of current-position; None for one that is closed."""
    quantity = reading.not_negative(raw, "total")
    if not quantity:
        return None
    symbol = fields.symbol(raw)
    contract = terms(symbol)
    liquidation = reading.amount(raw, "liquidationPrice", ZERO)
    return PositionRow(
        symbol=symbol,
        side=reading.one_of(raw, "posSide", POSITION_SIDES),
        is_hedged=reading.text(raw, "holdMode", "") == "hedge_mode",
        quantity=quantity,
        settle_asset=contract.settle_asset,
        is_inverse=False,
        entry_price=reading.positive(raw, "avgPrice"),
        mark_price=reading.amount(raw, "markPrice", ZERO) or None,
        liquidation_price=liquidation if liquidation > 0 else None,
        leverage=reading.amount(raw, "leverage", ZERO) or None,
        margin_mode=MARGIN_MODES.get(reading.text(raw, "marginMode", "")),
        margin=reading.amount(raw, "positionBalance", ZERO),
        unrealized_pnl=reading.amount(raw, "unrealisedPnl", ZERO),
        raw=raw,
    )


def funding(raw: Raw) -> FundingRow:
    """A financial record about funding; which way it went is told by its type. The rate is not told."""
    amount, kind = abs(reading.amount(raw, "amount")), reading.text(raw, "type")
    if kind not in FUNDING.values():
        raise UnreadableRow(f"type {kind!r:.60} is no funding")
    return FundingRow(
        symbol=fields.symbol(raw),
        payment_id=fields.identity(raw, "id"),
        asset=fields.coin(raw),
        amount=amount if kind == FUNDING["in"] else -amount,
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=fields.moment(raw, "ts"),
        raw=raw,
    )


def income(raw: Raw, kind: TransferKind) -> TransferRow:
    """A financial record of what the exchange gave or took."""
    return _moved(raw, kind, abs(reading.amount(raw, "amount")), "", "")


def internal(raw: Raw) -> TransferRow:
    """A row of the funding wallet's ledger: below zero it went to the unified wallet, else it came from there."""
    amount = reading.amount(raw, "amount")
    wallets = ("funding", "spot") if amount < 0 else ("spot", "funding")
    return _moved(raw, TransferKind.INTERNAL, abs(amount), *wallets)


def deposit(raw: Raw) -> TransferRow:
    """A row of deposit-records. Deposits cost nothing."""
    return _outer(raw, TransferKind.DEPOSIT, "fromAddress", ZERO)


def withdrawal(raw: Raw) -> TransferRow:
    """A row of withdrawal-records: the fee is taken beside what was sent."""
    return _outer(raw, TransferKind.WITHDRAWAL, "toAddress", abs(reading.amount(raw, "fee", ZERO)))


def is_of_spot(raw: Raw) -> bool:
    return reading.text(raw, "category").upper() in ("SPOT", "MARGIN")


def _fill(
    raw: Raw, symbol: str, base: str, quote: str, settle: str, contract: ContractSide | None
) -> FillRow:
    fee, currency = fields.unified_fee(raw)
    return FillRow(
        market_type=MarketType.SPOT if contract is None else MarketType.FUTURES,
        symbol=symbol,
        base_asset=base,
        quote_asset=quote,
        fill_id=fields.identity(raw, "execId"),
        order_id=fields.identity(raw, "orderId"),
        side=reading.one_of(raw, "side", fields.SIDES),
        price=reading.positive(raw, "execPrice"),
        quantity=reading.positive(raw, "execQty"),
        quote_quantity=reading.positive(raw, "execValue"),
        fee_amount=fee,
        fee_currency=currency or settle,
        is_maker=reading.one_of(raw, "tradeScope", fields.SCOPES),
        executed_at=fields.moment(raw, "createdTime"),
        raw=raw,
        contract=contract,
    )


def _held(raw: Raw) -> PositionSide:
    """In one-way mode the side of the one position is told, too."""
    if reading.text(raw, "holdMode", "hedge_mode") != "hedge_mode":
        return PositionSide.BOTH
    return POSITION_SIDES.get(reading.text(raw, "posSide", ""), PositionSide.BOTH)


def _closing_side(raw: Raw) -> Side:
    """As told, else what closes the position a target or stop is for."""
    if raw.get("side") not in (None, ""):
        return reading.one_of(raw, "side", fields.SIDES)
    return Side.SELL if reading.one_of(raw, "posSide", POSITION_SIDES) is PositionSide.LONG else Side.BUY


def _moved(raw: Raw, kind: TransferKind, amount: Decimal, from_wallet: str, to_wallet: str) -> TransferRow:
    return TransferRow(
        kind=kind,
        transfer_id=fields.identity(raw, "id"),
        asset=fields.coin(raw),
        amount=amount,
        status=TransferStatus.SUCCESS,
        occurred_at=fields.moment(raw, "ts"),
        raw=raw,
        from_wallet=from_wallet,
        to_wallet=to_wallet,
    )


def _outer(raw: Raw, kind: TransferKind, address: str, fee: Decimal) -> TransferRow:
    order_id, record_id = fields.identity(raw, "orderId"), reading.text(raw, "recordId", "")
    return TransferRow(
        kind=kind,
        transfer_id=order_id,
        asset=fields.coin(raw),
        amount=reading.not_negative(raw, "size"),
        fee_amount=fee,
        network=reading.text(raw, "chain", ""),
        address=reading.text(raw, address, ""),
        tx_id="" if record_id == order_id else record_id,
        status=transfer_status(reading.text(raw, "status", "")),
        occurred_at=fields.moment(raw, "createdTime"),
        raw=raw,
    )
