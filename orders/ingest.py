"""Facts as the exchange reports them, stored once. Every function works inside the owner's open door.

Fills, funding and transfers happen in whole milliseconds: the order in which books are folded knows no finer.
Fills and funding are append-only. Orders and transfers change state: a stored state gives way only to a later one, so
pages may come twice and in any order.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db.models import Min

from core import clock
from core.django import bulk
from credentials.models import ExchangeAccount
from exchanges.rows import ContractSide, FillRow, MarketType, OrderRow, OrderStatus
from marketdata.models import Listing
from orders import inference, linking, strategies
from orders.models import Fill, Order
from orders.movements import store_funding, store_transfers
from orders.touched import Touched

__all__ = ("store_fills", "store_funding", "store_orders", "store_transfers")

_FILL_KEY: Final = ("account_id", "market_type", "symbol", "exchange_fill_id")
_FILL_CONTENT: Final = (
    *("base_asset", "quote_asset", "exchange_order_id", "side", "price", "quantity", "quote_quantity"),
    *("fee_amount", "fee_currency", "is_maker", "executed_at"),
    *("position_side", "settle_asset", "is_inverse", "is_liquidation"),
)
_FILL_COLUMNS: Final = (
    "market_type",
    "symbol",
    "exchange_fill_id",
    *_FILL_CONTENT,
    "realized_pnl",
    "pair_id",
    "raw",
)
# Contracts hold no assets: what a fill of theirs moves is the settle asset and the coin of its fee.
_FILL_SUMMARY: Final = """
    SELECT settle_asset, CASE settle_asset WHEN '' THEN '' ELSE symbol END, position_side,
           CASE settle_asset WHEN '' THEN base_asset END, CASE settle_asset WHEN '' THEN quote_asset END,
           CASE WHEN fee_amount <> 0 THEN fee_currency END,
           (executed_at AT TIME ZONE 'UTC')::date, min(executed_at), count(*) FILTER (WHERE inserted),
           coalesce(array_agg(id) FILTER (WHERE NOT inserted), '{}')
    FROM written GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_FILL_RETURNING: Final = (
    *(
        "id",
        "symbol",
        "position_side",
        "settle_asset",
        "base_asset",
        "quote_asset",
        "fee_currency",
        "fee_amount",
    ),
    "executed_at",
)
_OTHER_CONTENT: Final = " OR ".join(f"stored.{name} <> excluded.{name}" for name in _FILL_CONTENT)

_ORDER_KEY: Final = ("account_id", "market_type", "symbol", "exchange_order_id")
# Taken together from the latest state; executed quantities stand apart, as they only grow.
_ORDER_STATE: Final = (
    *("client_order_id", "order_list_id", "side", "type", "status", "price", "stop_price", "time_in_force"),
    *("ordered_at", "filled_at", "exchange_updated_at", "position_side", "reduce_only", "raw"),
)
_ORDER_COLUMNS: Final = (
    *(
        "market_type",
        "symbol",
        "exchange_order_id",
        "quantity",
        "executed_quantity",
        "executed_quote_quantity",
        "placed_order_id",
    ),
    *_ORDER_STATE,
)
_STANDING: Final = (
    "CASE {row}.status WHEN 'NEW' THEN 0 WHEN 'PARTIALLY_FILLED' THEN 1 WHEN 'FILLED' THEN 3 ELSE 2 END"
)
_AGE: Final = f"({_STANDING}) > 1, {{row}}.exchange_updated_at, ({_STANDING}), {{row}}.raw"
# Final over open, then later over earlier; of one moment the further state, then whatever sorts last: any order
# of arrival ends in the same row.
_NEWER: Final = f"ROW({_AGE.format(row='excluded')}) > ROW({_AGE.format(row='stored')})"
_FURTHER: Final = (
    "ROW(excluded.executed_quantity, excluded.executed_quote_quantity)"
    " > ROW(stored.executed_quantity, stored.executed_quote_quantity)"
)


def _latest(column: str) -> str:
    return f"CASE WHEN {_NEWER} THEN excluded.{column} ELSE stored.{column} END"


_EXECUTED: Final = "GREATEST(stored.executed_quantity, excluded.executed_quantity)"
_ORDER_MERGE: Final[Mapping[str, str]] = {
    **{column: _latest(column) for column in _ORDER_STATE},
    # 0 is an order by its worth; otherwise nothing executes more than was ordered.
    "quantity": f"CASE {_latest('quantity')} WHEN 0 THEN 0 ELSE GREATEST({_latest('quantity')}, {_EXECUTED}) END",
    "executed_quantity": _EXECUTED,
    "executed_quote_quantity": (
        f"CASE WHEN {_FURTHER} THEN excluded.executed_quote_quantity ELSE stored.executed_quote_quantity END"
    ),
    "placed_order_id": "coalesce(nullif(excluded.placed_order_id, ''), stored.placed_order_id)",
    "updated_at": "excluded.updated_at",
}
_UNLINKED: Final = {"role": "", "group_id": "", "linked_by": "", "strategy": "", "note": ""}


def store_fills(
    *,
    account: ExchangeAccount,
    rows: Sequence[FillRow],
    source: str,
    run_id: int | None,
    is_conversion: bool = False,
    is_inferred: bool = False,
) -> Touched:
    """Append fills not known yet. One that is known with other content stays as it is and is a conflict; what was
    inferred for their orders goes."""
    touched = Touched()
    if not rows:
        return touched
    if not is_inferred:
        touched.merge(inference.give_way(account_id=account.id, rows=rows))
    pairs = _pairs(account, rows)
    values = [_fill_values(row, pairs.get((row.market_type.value, row.symbol))) for row in rows]
    fixed = {"user_id": account.user_id, "account_id": account.id, "source": source, "run_id": run_id}
    fixed["is_conversion"] = is_conversion
    fixed["is_inferred"] = is_inferred
    written = bulk.upsert(
        table=Fill._meta.db_table,
        columns=_FILL_COLUMNS,
        rows=values,
        key=_FILL_KEY,
        # A fill in conflict is set to what it is: only so does PostgreSQL answer which they are.
        update={"source": "stored.source"},
        where=_OTHER_CONTENT,
        returning=_FILL_RETURNING,
        fixed=fixed,
        stamps=("created_at",),
        summary=_FILL_SUMMARY,
    )
    in_conflict: set[int] = set()
    for settle_asset, symbol, side, base, quote, fee_currency, day, at, count, conflicting in written:
        in_conflict.update(conflicting)
        touched.stored += count
        if not count:
            continue
        for asset in {base, quote, fee_currency} - {None}:
            touched.note(asset, at)
            touched.days.add((asset, day))
        if settle_asset:
            touched.note_contract(symbol, side, at)
            touched.days.add((settle_asset, day))
    if in_conflict:
        touched.conflicts = _fill_conflicts(in_conflict, values)
    return touched


def store_orders(
    *, account: ExchangeAccount, rows: Sequence[OrderRow], source: str, run_id: int | None
) -> Touched:
    """Insert or advance orders, then link the groups they belong to.

    Books are touched where a link changed: their exits may be told apart differently now.
    """
    fixed = {"user_id": account.user_id, "account_id": account.id, "source": source, "run_id": run_id}
    written = bulk.upsert(
        table=Order._meta.db_table,
        columns=_ORDER_COLUMNS,
        rows=map(_order_values, rows),
        key=_ORDER_KEY,
        update=_ORDER_MERGE,
        where=f"{_NEWER} OR {_FURTHER}",
        returning=("id",),
        fixed={**fixed, **_UNLINKED},
        stamps=("created_at", "updated_at"),
    )
    new = {order_id for inserted, order_id in written if inserted}
    advanced = {order_id for inserted, order_id in written if not inserted} - new
    if named := new | linking.placed_by(account=account, order_ids=new | advanced):
        strategies.apply_rules(user_id=account.user_id, order_ids=sorted(named))
    relinked = linking.relink(account=account, order_ids=sorted(new | advanced))
    touched = Touched(stored=len(new), changed=len(advanced))
    _note_trades(touched, account, relinked)
    return touched


def _pairs(account: ExchangeAccount, rows: Sequence[FillRow]) -> dict[tuple[str, str], int]:
    """(market type, wire symbol) to the canonical symbol, where the exchange lists it."""
    listings = Listing.objects.filter(exchange=account.exchange, name__in={row.symbol for row in rows})
    return {
        (kind, name): symbol
        for kind, name, symbol in listings.values_list("market_type", "name", "symbol_id")
    }


def _fill_values(row: FillRow, pair_id: int | None) -> tuple[Any, ...]:
    return (
        *(row.market_type, row.symbol, row.fill_id, row.base_asset, row.quote_asset, row.order_id, row.side),
        *(row.price, row.quantity, row.quote_quantity, row.fee_amount, row.fee_currency, row.is_maker),
        clock.floor_ms(row.executed_at),
        *_contract_values(row.contract),
        *(pair_id, row.raw),
    )


def _contract_values(side: ContractSide | None) -> tuple[Any, ...]:
    if side is None:
        return "", "", False, False, None
    return side.position_side, side.settle_asset, side.is_inverse, side.is_liquidation, side.realized_pnl


def _fill_conflicts(ids: Collection[int], values: Sequence[tuple[Any, ...]]) -> list[str]:
    """In words, what each differing row would have changed."""
    columns = _FILL_COLUMNS[: 3 + len(_FILL_CONTENT)]
    stored = {row[:3]: row[3:] for row in Fill.objects.filter(id__in=ids).values_list(*columns)}
    found = []
    for market_type, symbol, fill_id, *given in values:
        kept = stored.get((market_type, symbol, fill_id))
        pairs = zip(_FILL_CONTENT, kept or (), given, strict=False)
        changes = ", ".join(f"{name} {ours} → {theirs}" for name, ours, theirs in pairs if ours != theirs)
        if changes:
            found.append(
                f"Fill {fill_id} of {symbol} came again with other content, the first is kept: {changes}."
            )
    return found


def _order_values(row: OrderRow) -> tuple[Any, ...]:
    quantity = max(row.quantity, row.executed_quantity) if row.quantity else row.quantity
    return (
        *(
            row.market_type,
            row.symbol,
            row.order_id,
            quantity,
            row.executed_quantity,
            row.executed_quote_quantity,
            row.placed_order_id,
        ),
        *(row.client_order_id, row.order_list_id, row.side, row.type, row.status, row.price, row.stop_price),
        *(row.time_in_force, row.ordered_at, row.updated_at if row.status is OrderStatus.FILLED else None),
        *(row.updated_at, row.position_side or "", row.reduce_only, row.raw),
    )


def _note_trades(touched: Touched, account: ExchangeAccount, order_ids: Collection[int]) -> None:
    """The books of the orders' fills are affected, from the first of them on."""
    if not order_ids:
        return
    orders: dict[tuple[str, str], list[str]] = defaultdict(list)
    keys = Order.objects.filter(id__in=order_ids).values_list("market_type", "symbol", "exchange_order_id")
    for market_type, symbol, order_id in keys:
        orders[market_type, symbol].append(order_id)
    for (market_type, symbol), ids in orders.items():
        fills = Fill.objects.filter(
            account_id=account.id, market_type=market_type, symbol=symbol, exchange_order_id__in=ids
        )
        grouped = fills.values_list("base_asset", "position_side").annotate(first=Min("executed_at"))
        for base_asset, position_side, first in grouped:
            if market_type == MarketType.SPOT:
                touched.note(base_asset, first)
            else:
                touched.note_contract(symbol, position_side, first)
