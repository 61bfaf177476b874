"""Money that moves without a trade: transfers and funding, stored once. Inside the owner's open door."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.clock import floor_ms, utc_day
from core.django import bulk
from credentials.models import ExchangeAccount
from exchanges.rows import REPORTED_WALLETS, FundingRow, TransferKind, TransferRow, TransferStatus
from orders.models import FundingPayment, Transfer
from orders.touched import Touched

_TRANSFER_KEY: Final = ("account_id", "kind", "exchange_transfer_id")
_TRANSFER_STATE: Final = (
    *("asset", "amount", "fee_amount", "network", "address", "tx_id", "from_wallet", "to_wallet"),
    *("status", "occurred_at", "raw"),
)
_TRANSFER_COLUMNS: Final = ("kind", "exchange_transfer_id", *_TRANSFER_STATE)
_NOT_BACK: Final = "excluded.status IN ('success', 'failed') OR stored.status NOT IN ('success', 'failed')"

_FUNDING_KEY: Final = ("account_id", "symbol", "exchange_payment_id")
_FUNDING_CONTENT: Final = ("position_side", "asset", "amount", "paid_at")
_FUNDING_COLUMNS: Final = ("symbol", "exchange_payment_id", *_FUNDING_CONTENT, "rate", "quantity", "raw")
_FUNDING_SUMMARY: Final = """
    SELECT symbol, position_side, asset, (paid_at AT TIME ZONE 'UTC')::date, min(paid_at),
           count(*) FILTER (WHERE inserted), coalesce(array_agg(id) FILTER (WHERE NOT inserted), '{}')
    FROM written GROUP BY 1, 2, 3, 4
"""
_OTHER_PAYMENT: Final = " OR ".join(f"stored.{name} <> excluded.{name}" for name in _FUNDING_CONTENT)


def store_transfers(
    *, account: ExchangeAccount, rows: Sequence[TransferRow], source: str, run_id: int | None
) -> Touched:
    """Insert or advance transfers; a final state never turns back into an open one.

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


def store_funding(
    *, account: ExchangeAccount, rows: Sequence[FundingRow], source: str, run_id: int | None
) -> Touched:
    """Append payments not known yet. One that is known with other content stays as it is and is a conflict."""
    touched = Touched()
    if not rows:
        return touched
    values = [_funding_values(row) for row in rows]
    written = bulk.upsert(
        table=FundingPayment._meta.db_table,
        columns=_FUNDING_COLUMNS,
        rows=values,
        key=_FUNDING_KEY,
        # A payment in conflict is set to what it is: only so does PostgreSQL answer which they are.
        update={"source": "stored.source"},
        where=_OTHER_PAYMENT,
        returning=("id", "symbol", "position_side", "asset", "paid_at"),
        fixed={"user_id": account.user_id, "account_id": account.id, "source": source, "run_id": run_id},
        stamps=("created_at",),
        summary=_FUNDING_SUMMARY,
    )
    in_conflict: set[int] = set()
    for symbol, side, asset, day, at, count, conflicting in written:
        in_conflict.update(conflicting)
        touched.stored += count
        if count:
            touched.note_contract(symbol, side, at)
            touched.days.add((asset, day))
    if in_conflict:
        touched.conflicts = _funding_conflicts(in_conflict, values)
    return touched


def counts(*, kind: str, status: str) -> bool:
    """Whether a transfer has happened for the balance: a withdrawal unless it failed, others once they succeeded."""
    if kind == TransferKind.WITHDRAWAL:
        return status != TransferStatus.FAILED
    return status == TransferStatus.SUCCESS


class _Counted(NamedTuple):
    """What of a transfer changes a balance, and how."""

    asset: str
    at: datetime
    amount: Any
    fee: Any
    enters: bool
    """Of internal ones: whether it comes into a wallet whose balance is reported."""
    leaves: bool

    @property
    def is_neutral(self) -> bool:
        """From one reported wallet to another, or past all of them."""
        return self.enters == self.leaves and not (self.leaves and self.fee)


def _counted(account: ExchangeAccount, rows: Sequence[TransferRow]) -> dict[int, _Counted]:
    """The stored transfers among `rows` that change a balance."""
    known = Transfer.objects.filter(
        account_id=account.id, exchange_transfer_id__in={row.transfer_id for row in rows}
    ).values_list(
        *("id", "kind", "status", "from_wallet", "to_wallet", "asset", "occurred_at", "amount", "fee_amount")
    )
    found: dict[int, _Counted] = {}
    for transfer_id, kind, status, source, target, asset, at, amount, fee in known:
        enters, leaves = target in REPORTED_WALLETS, source in REPORTED_WALLETS
        counted = _Counted(asset, at, amount, fee, enters, leaves)
        is_neutral = kind == TransferKind.INTERNAL and counted.is_neutral
        if counts(kind=kind, status=status) and not is_neutral:
            found[transfer_id] = counted
    return found


def _note_change(touched: Touched, before: _Counted | None, after: _Counted | None) -> None:
    if before == after:
        return
    for state in (before, after):
        if state is not None:
            touched.note(state.asset, state.at)
            touched.days.add((state.asset, utc_day(state.at)))


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
        ),
        *(row.from_wallet, row.to_wallet, row.status, floor_ms(row.occurred_at), row.raw),
    )


def _funding_values(row: FundingRow) -> tuple[Any, ...]:
    return (
        *(
            row.symbol,
            row.payment_id,
            row.position_side,
            row.asset,
            row.amount,
            floor_ms(row.paid_at),
            row.rate,
        ),
        *(row.quantity, row.raw),
    )


def _funding_conflicts(ids: Collection[int], values: Sequence[tuple[Any, ...]]) -> list[str]:
    """In words, what each differing payment would have changed."""
    columns = _FUNDING_COLUMNS[: 2 + len(_FUNDING_CONTENT)]
    rows = FundingPayment.objects.filter(id__in=ids).values_list(*columns)
    stored: Mapping[tuple[str, str], Sequence[Any]] = {row[:2]: row[2:] for row in rows}
    found = []
    for symbol, payment_id, *given in values:
        pairs = zip(_FUNDING_CONTENT, stored.get((symbol, payment_id), ()), given, strict=False)
        changes = ", ".join(f"{name} {ours} → {theirs}" for name, ours, theirs in pairs if ours != theirs)
        if changes:
            found.append(
                f"Funding {payment_id} of {symbol} came again with other content, the first is kept: {changes}."
            )
    return found
