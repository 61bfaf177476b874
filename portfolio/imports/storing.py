"""Records of a file into tables, a batch of one kind and account at a time. Inside the owner's open door.

Each raises DomainError or a database's error for a batch with a row that cannot be stored; who calls tries its rows one
by one then.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from accounts.models import User
from core import money
from core.django import bulk
from core.errors import Invalid
from credentials.models import ExchangeAccount
from exchanges.rows import (
    ContractSide,
    FillRow,
    FundingRow,
    MarketType,
    OrderRow,
    PositionSide,
    TransferKind,
    TransferRow,
)
from orders import giving_way, ingest
from orders.models import Order, OwnTransfer, StatedCost, Transfer
from orders.touched import Touched
from portfolio import marks
from portfolio.exports.records import (
    Balance,
    BookRecord,
    DismissalRecord,
    FillRecord,
    FundingRecord,
    OrderRecord,
    OwnTransferRecord,
    Position,
    TransferRecord,
    ValuationRecord,
)
from portfolio.imports import words
from portfolio.imports.beside import let_go
from portfolio.models import Book, ReportedPosition, Valuation, WalletBalance

Store = Callable[[ExchangeAccount, Sequence[Any]], Touched]
_LINKS: Final = ("role", "group_id", "linked_by", "strategy", "strategy_by", "note", "tags")


def source_of(account: UUID) -> str:
    """What facts name as their source: the account they were exported from."""
    return f"export:{account.hex}"


def store_orders(account: ExchangeAccount, rows: Sequence[OrderRecord]) -> Touched:
    return ingest.store_orders(
        account=account, rows=[_order(row) for row in rows], source=source_of(rows[0].account), run_id=None
    )


def store_fills(account: ExchangeAccount, rows: Sequence[FillRecord]) -> Touched:
    """Conversions and inferred fills are told apart."""
    told = [_fill(row) for row in rows if "lines" not in row.raw]
    touched = let_go(account, giving_way.to_executions(account, told))
    for (is_inferred, is_conversion), group in groupby(sorted(rows, key=_kind), key=_kind):
        stored = ingest.store_fills(
            account=account,
            rows=[_fill(row) for row in group],
            source=source_of(rows[0].account),
            run_id=None,
            is_conversion=is_conversion,
            is_inferred=is_inferred,
        )
        touched.merge(stored)
    return touched


def _kind(row: FillRecord) -> tuple[bool, bool]:
    return row.is_inferred, row.is_conversion


def store_funding(account: ExchangeAccount, rows: Sequence[FundingRecord]) -> Touched:
    given = [
        FundingRow(
            symbol=row.symbol,
            payment_id=row.exchange_payment_id,
            asset=row.asset,
            amount=money.parse(row.amount),
            rate=_amount(row.rate),
            quantity=_amount(row.quantity),
            position_side=row.position_side,
            paid_at=row.paid_at,
            raw=row.raw,
        )
        for row in rows
    ]
    return ingest.store_funding(account=account, rows=given, source=source_of(rows[0].account), run_id=None)


def store_transfers(account: ExchangeAccount, rows: Sequence[TransferRecord]) -> Touched:
    """With what the user stated of them; what was stated here stands."""
    given = [_transfer(row) for row in rows]
    touched = ingest.store_transfers(
        account=account, rows=given, source=source_of(rows[0].account), run_id=None
    )
    stated = {row.exchange_transfer_id: row for row in rows if row.stated_cost is not None}
    deposits = Transfer.objects.filter(
        account=account, kind=TransferKind.DEPOSIT, exchange_transfer_id__in=stated, stated_cost=None
    )
    costs = [
        StatedCost(
            user_id=account.user_id,
            account=account,
            transfer=deposit,
            cost=_amount(stated[deposit.exchange_transfer_id].stated_cost),
            note=stated[deposit.exchange_transfer_id].stated_note or "",
        )
        for deposit in deposits
    ]
    StatedCost.objects.bulk_create(costs)
    for cost in costs:
        touched.note(cost.transfer.asset, cost.transfer.occurred_at)
    return touched


def store_own_transfers(
    user: User, rows: Sequence[OwnTransferRecord], accounts: Mapping[UUID, UUID]
) -> Touched:
    """Between accounts of the file (`accounts`: theirs to ours). Raises Invalid where an end is missing."""
    names = [row.outgoing for row in rows] + [row.incoming for row in rows]
    found = Transfer.objects.filter(account_id__in=accounts.values(), exchange_transfer_id__in=names)
    ends = {
        (account, kind, name): row_id
        for account, kind, name, row_id in found.values_list(
            "account_id", "kind", "exchange_transfer_id", "id"
        )
    }
    pairs = []
    for row in rows:
        outgoing = ends.get((accounts[row.outgoing_account], "WITHDRAWAL", row.outgoing))
        incoming = ends.get((accounts[row.incoming_account], "DEPOSIT", row.incoming))
        if outgoing is None or incoming is None:
            raise Invalid(
                "An end of this transfer between accounts is not among the transfers that were stored."
            )
        pair = OwnTransfer(user_id=user.id, outgoing_id=outgoing, incoming_id=incoming)
        pair.state, pair.matched_by, pair.note = row.state, row.matched_by, row.note
        pairs.append(pair)
    before = OwnTransfer.objects.count()
    OwnTransfer.objects.bulk_create(pairs, ignore_conflicts=True)
    return Touched(stored=OwnTransfer.objects.count() - before)


def store_valuations(user: User, rows: Sequence[ValuationRecord]) -> int:
    """Prices that nothing here has used yet; those that were used stay. Answers how many of these are others."""
    given = [
        Valuation(
            user_id=user.id,
            asset=row.asset,
            currency=row.currency,
            at=row.at,
            price=money.parse(row.price),
            source=row.source,
            source_at=row.source_at,
            version=row.version,
        )
        for row in rows
    ]
    Valuation.objects.bulk_create(given, ignore_conflicts=True)
    moments = [row.at for row in given]
    stored = Valuation.objects.filter(at__gte=min(moments), at__lte=max(moments))
    pinned = {
        (asset, currency, at, version): price
        for asset, currency, at, version, price in stored.values_list(
            "asset", "currency", "at", "version", "price"
        )
    }
    return sum(pinned[row.asset, row.currency, row.at, row.version] != row.price for row in given)


def store_balances(account: ExchangeAccount, rows: Sequence[Balance]) -> Touched:
    moments = [row.reported_at for row in rows]
    known = set(
        WalletBalance.objects.filter(
            account=account, reported_at__gte=min(moments), reported_at__lte=max(moments)
        ).values_list("wallet", "asset", "reported_at")
    )
    new = [
        WalletBalance(
            user_id=account.user_id,
            account=account,
            wallet=row.wallet,
            asset=row.asset,
            available=money.parse(row.available),
            locked=money.parse(row.locked),
            computed=money.parse(row.computed),
            unrealized_pnl=_amount(row.unrealized_pnl),
            reported_at=row.reported_at,
        )
        for row in rows
        if (row.wallet, row.asset, row.reported_at) not in known
    ]
    WalletBalance.objects.bulk_create(new)
    marks.heard(account=account, at=max(moments))
    return Touched(stored=len(new))


def store_positions(account: ExchangeAccount, rows: Sequence[Position]) -> Touched:
    amounts = (
        "quantity", "entry_price", "mark_price", "liquidation_price", "leverage", "margin", "unrealized_pnl",
    )  # fmt: skip
    reports = [
        ReportedPosition(
            user_id=account.user_id,
            account=account,
            symbol=row.symbol,
            side=row.side,
            is_hedged=row.is_hedged,
            settle_asset=row.settle_asset,
            is_inverse=row.is_inverse,
            margin_mode=row.margin_mode,
            reported_at=row.reported_at,
            **{name: _amount(getattr(row, name)) for name in amounts},
        )
        for row in rows
    ]
    ReportedPosition.objects.bulk_create(reports, ignore_conflicts=True)
    return Touched()


def store_steps(account: ExchangeAccount, rows: Sequence[BookRecord]) -> Touched:
    """Books of coins, each with the smallest step that was pinned on it; what facts make stale comes to them."""
    for row in rows:
        Book.objects.get_or_create(
            account=account,
            pool="",
            market_type=MarketType.SPOT.value,
            asset=row.asset,
            side="",
            defaults={
                "user_id": account.user_id,
                "currency": account.user.reporting_currency,
                "method": account.user.cost_method,
                "step": money.parse(row.step),
            },
        )
    return Touched()


def link_orders(account: ExchangeAccount, rows: Sequence[OrderRecord], *, after: int) -> Touched:
    """What the file's orders say of each other and carry of the user's, for those with ids beyond `after`: those that
    this import stored.
    """
    ids = {row.exchange_order_id for row in rows} | {row.parent for row in rows if row.parent}
    columns = ("market_type", "symbol", "exchange_order_id", "id")
    stored = Order.objects.filter(account=account, exchange_order_id__in=ids).values_list(*columns)
    known = {(market, symbol, name): row_id for market, symbol, name, row_id in stored}
    values = [
        (
            known[place],
            known.get((row.market_type.value, row.symbol, row.parent)) if row.parent else None,
            *(getattr(row, name) for name in _LINKS),
        )
        for row in rows
        if known.get(place := (row.market_type.value, row.symbol, row.exchange_order_id), 0) > after
    ]
    bulk.update(table=Order._meta.db_table, columns=("id", "parent_id", *_LINKS), rows=values, key=("id",))
    return Touched()


def _order(row: OrderRecord) -> OrderRow:
    return OrderRow(
        market_type=row.market_type,
        symbol=row.symbol,
        order_id=row.exchange_order_id,
        client_order_id=row.client_order_id,
        order_list_id=row.order_list_id,
        side=row.side,
        type=row.type,
        status=row.status,
        price=_amount(row.price),
        stop_price=_amount(row.stop_price),
        quantity=money.parse(row.quantity),
        executed_quantity=money.parse(row.executed_quantity),
        executed_quote_quantity=money.parse(row.executed_quote_quantity),
        time_in_force=row.time_in_force,
        ordered_at=row.ordered_at,
        updated_at=row.exchange_updated_at,
        raw=row.raw,
        position_side=PositionSide(row.position_side) if row.position_side else None,
        reduce_only=row.reduce_only,
        placed_order_id=row.placed_order_id,
    )


def _fill(row: FillRecord) -> FillRow:
    contract = None
    if row.market_type is not MarketType.SPOT:
        contract = ContractSide(
            settle_asset=row.settle_asset,
            is_inverse=row.is_inverse,
            position_side=PositionSide(row.position_side),
            realized_pnl=_amount(row.realized_pnl),
            is_liquidation=row.is_liquidation,
        )
    return FillRow(
        market_type=row.market_type,
        symbol=row.symbol,
        base_asset=row.base_asset,
        quote_asset=row.quote_asset,
        fill_id=row.exchange_fill_id,
        order_id=row.exchange_order_id,
        side=row.side,
        price=money.parse(row.price),
        quantity=money.parse(row.quantity),
        quote_quantity=money.parse(row.quote_quantity),
        fee_amount=money.parse(row.fee_amount),
        fee_currency=row.fee_currency,
        is_maker=row.is_maker,
        executed_at=row.executed_at,
        raw=row.raw,
        contract=contract,
    )


def _transfer(row: TransferRecord) -> TransferRow:
    return TransferRow(
        kind=row.kind,
        transfer_id=row.exchange_transfer_id,
        asset=row.asset,
        amount=money.parse(row.amount),
        fee_amount=money.parse(row.fee_amount),
        network=row.network,
        address=row.address,
        tx_id=row.tx_id,
        status=row.status,
        occurred_at=row.occurred_at,
        raw=row.raw,
        from_wallet=row.from_wallet,
        to_wallet=row.to_wallet,
    )


def _amount(text: str | None) -> Any:
    return None if text is None else money.parse(text)


STORES: Final[dict[type[Any], Store]] = {
    OrderRecord: store_orders,
    FillRecord: store_fills,
    FundingRecord: store_funding,
    TransferRecord: store_transfers,
    Balance: store_balances,
    Position: store_positions,
    BookRecord: store_steps,
    DismissalRecord: words.store_dismissals,
}
"""Of an account."""
REPORTS: Final = (Balance, Position)
"""What the exchange said of what is held."""
