"""Facts as the exchange reports them, stored once. Every function works inside the owner's open door.

Fills are append-only. Orders and transfers change state: a stored state gives way only to a later one, so pages may
come twice and in any order.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Min

from core.clock import utc_day
from core.django import bulk
from credentials.models import ExchangeAccount
from exchanges.rows import (
    ContractSide,
    FillRow,
    OrderRow,
    OrderStatus,
    TransferKind,
    TransferRow,
    TransferStatus,
)
from marketdata.models import Listing
from orders import linking
from orders.models import Fill, Order, Transfer
from orders.touched import Touched

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
_FILL_SUMMARY: Final = """
    SELECT base_asset, quote_asset, CASE WHEN fee_amount <> 0 THEN fee_currency END,
           (executed_at AT TIME ZONE 'UTC')::date, min(executed_at), count(*) FILTER (WHERE inserted),
           coalesce(array_agg(id) FILTER (WHERE NOT inserted), '{}')
    FROM written GROUP BY 1, 2, 3, 4
"""
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
    "updated_at": "excluded.updated_at",
}
_UNLINKED: Final = {"role": "", "group_id": "", "linked_by": "", "strategy": "", "note": ""}

_TRANSFER_KEY: Final = ("account_id", "kind", "exchange_transfer_id")
_TRANSFER_STATE: Final = (
    *("asset", "amount", "fee_amount", "network", "address", "tx_id", "from_wallet", "to_wallet"),
    *("status", "occurred_at", "raw"),
)
_TRANSFER_COLUMNS: Final = ("kind", "exchange_transfer_id", *_TRANSFER_STATE)
_NOT_BACK: Final = "excluded.status IN ('success', 'failed') OR stored.status NOT IN ('success', 'failed')"


def store_fills(
    *, account: ExchangeAccount, rows: Sequence[FillRow], source: str, run_id: int | None
) -> Touched:
    """Append fills not known yet. One that is known with other content stays as it is and is a conflict."""
    touched = Touched()
    if not rows:
        return touched
    pairs = _pairs(account, rows)
    values = [_fill_values(row, pairs.get((row.market_type.value, row.symbol))) for row in rows]
    fixed = {"user_id": account.user_id, "account_id": account.id, "source": source, "run_id": run_id}
    written = bulk.upsert(
        table=Fill._meta.db_table,
        columns=_FILL_COLUMNS,
        rows=values,
        key=_FILL_KEY,
        # A fill in conflict is set to what it is: only so does PostgreSQL answer which they are.
        update={"source": "stored.source"},
        where=_OTHER_CONTENT,
        returning=("id", "base_asset", "quote_asset", "fee_currency", "fee_amount", "executed_at"),
        fixed=fixed,
        stamps=("created_at",),
        summary=_FILL_SUMMARY,
    )
    in_conflict: set[int] = set()
    for base, quote, fee_currency, day, at, count, conflicting in written:
        in_conflict.update(conflicting)
        touched.stored += count
        for asset in {base, quote, fee_currency} - {None} if count else ():
            touched.note(asset, at)
            touched.days.add((asset, day))
    if in_conflict:
        touched.conflicts = _fill_conflicts(in_conflict, values)
    return touched


def store_orders(
    *, account: ExchangeAccount, rows: Sequence[OrderRow], source: str, run_id: int | None
) -> Touched:
    """Insert or advance orders, then link the groups they belong to.

    Assets are touched where a link changed: the exits of their books may be told apart differently now.
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
    relinked = linking.relink(account=account, order_ids=sorted(new | advanced))
    touched = Touched(stored=len(new), changed=len(advanced))
    for asset, at in _traded_by(account, relinked):
        touched.note(asset, at)
    return touched


def store_transfers(
    *, account: ExchangeAccount, rows: Sequence[TransferRow], source: str, run_id: int | None
) -> Touched:
    """Insert or advance deposits and withdrawals; a final state never turns back into an open one.

    Touches assets whose balance it changes: by a transfer that begins or ceases to count, or counts differently.
    """
    before = _counted(account, rows)
    written = bulk.upsert(
        table=Transfer._meta.db_table,
        columns=_TRANSFER_COLUMNS,
        rows=map(_transfer_values, rows),
        key=_TRANSFER_KEY,
        update=(*_TRANSFER_STATE, "updated_at"),
        where=_NOT_BACK,
        returning=("id",),
        fixed={"user_id": account.user_id, "account_id": account.id, "source": source, "run_id": run_id},
        stamps=("created_at", "updated_at"),
    )
    new = {transfer_id for inserted, transfer_id in written if inserted}
    touched = Touched(stored=len(new), changed=len({transfer_id for _, transfer_id in written} - new))
    if written:
        after = _counted(account, rows)
        for transfer in before.keys() | after.keys():
            _note_change(touched, before.get(transfer), after.get(transfer))
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
        row.executed_at,
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
        ),
        *(row.client_order_id, row.order_list_id, row.side, row.type, row.status, row.price, row.stop_price),
        *(row.time_in_force, row.ordered_at, row.updated_at if row.status is OrderStatus.FILLED else None),
        *(row.updated_at, row.position_side or "", row.reduce_only, row.raw),
    )


def _traded_by(account: ExchangeAccount, order_ids: Collection[int]) -> list[tuple[str, datetime]]:
    """Base assets of the orders' fills, with the first of them."""
    if not order_ids:
        return []
    orders: dict[tuple[str, str], list[str]] = defaultdict(list)
    keys = Order.objects.filter(id__in=order_ids).values_list("market_type", "symbol", "exchange_order_id")
    for market_type, symbol, order_id in keys:
        orders[market_type, symbol].append(order_id)
    bases: list[tuple[str, datetime]] = []
    for (market_type, symbol), ids in orders.items():
        fills = Fill.objects.filter(
            account_id=account.id, market_type=market_type, symbol=symbol, exchange_order_id__in=ids
        )
        bases += fills.values_list("base_asset").annotate(first=Min("executed_at"))
    return bases


def _transfer_values(row: TransferRow) -> tuple[Any, ...]:
    return (
        *(
            row.kind,
            row.transfer_id,
            row.asset,
            row.amount,
            row.fee_amount,
            row.network,
            row.address,
            row.tx_id,
            row.from_wallet,
            row.to_wallet,
        ),
        *(row.status, row.occurred_at, row.raw),
    )


_Counted = tuple[str, datetime, Any, Any]


def _counted(account: ExchangeAccount, rows: Sequence[TransferRow]) -> dict[int, _Counted]:
    """(asset, moment, amount, fee) of the stored transfers among `rows` that change a balance."""
    known = Transfer.objects.filter(
        account_id=account.id, exchange_transfer_id__in={row.transfer_id for row in rows}
    ).values_list("id", "kind", "status", "asset", "occurred_at", "amount", "fee_amount")
    return {
        transfer_id: (asset, at, amount, fee)
        for transfer_id, kind, status, asset, at, amount, fee in known
        if counts(kind=kind, status=status)
    }


def counts(*, kind: str, status: str) -> bool:
    """Whether a transfer changes the balance: a deposit once it succeeded, a withdrawal unless it failed."""
    if kind == TransferKind.DEPOSIT:
        return status == TransferStatus.SUCCESS
    return status != TransferStatus.FAILED


def _note_change(touched: Touched, before: _Counted | None, after: _Counted | None) -> None:
    if before == after:
        return
    for state in (before, after):
        if state is not None:
            asset, at, _, _ = state
            touched.note(asset, at)
            touched.days.add((asset, utc_day(at)))
