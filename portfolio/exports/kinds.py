"""Which files there are: each kind with the sections it holds."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from accounts.models import User
from credentials.models import ExchangeAccount
from portfolio.exports import books, bundle, ledger, lots
from portfolio.exports.sections import Selection
from portfolio.exports.tables import Counts, Row, Table, csv_file, json_lines

COMPLETE: Final = "complete"
CSV: Final = "csv"
JSONL: Final = "jsonl"
MEDIA_TYPES: Final = {CSV: "text/csv; charset=utf-8", JSONL: "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a file."""

    table: Table
    rows: Callable[[Selection], Iterator[Row]]


KINDS: Final[dict[str, tuple[Part, ...]]] = {
    "trades": (Part(books.TRADES.table, books.trades),),
    "fills": (Part(books.FILLS.table, books.fills),),
    "ledger": (Part(ledger.TABLE, ledger.entries),),
    "tax_lots": (Part(lots.LOTS.table, lots.lots),),
    "snapshots": (Part(books.SNAPSHOTS.table, books.snapshots),),
    "holdings": (Part(books.HOLDINGS.table, books.holdings),),
    COMPLETE: tuple(Part(section.table, rows) for section, rows in bundle.SECTIONS),
}
"""By name, in the order they are offered."""


def formats(kind: str) -> tuple[str, ...]:
    """A file of several kinds of rows is no table."""
    return (CSV, JSONL) if len(KINDS[kind]) == 1 else (JSONL,)


def write(
    *,
    kind: str,
    file_format: str,
    user: User,
    selection: Selection,
    at: datetime,
    counts: Counts,
    more: Sequence[Part] = (),
) -> Generator[bytes, None, None]:
    """The file, bit by bit; `more`: what a complete one has from elsewhere. Needs an open door until its end."""
    parts = KINDS[kind] + (tuple(more) if kind == COMPLETE else ())
    if file_format == CSV:
        (part,) = parts
        return csv_file(part.table, part.rows(selection), counts)
    sections = ((part.table, part.rows(selection)) for part in parts)
    return json_lines(_header(kind, user, selection, at), sections, counts)


def _header(kind: str, user: User, selection: Selection, at: datetime) -> dict[str, Any]:
    accounts = ExchangeAccount.objects.filter(id__in=selection.account_ids).order_by("created_at", "id")
    return {
        "kind": kind,
        "generated_at": _moment(at),
        "currency": user.reporting_currency,
        "method": user.cost_method,
        "cost_scope": user.cost_scope,
        "accounts": list(accounts.values_list("label", flat=True)),
        "since": _moment(selection.since),
        "until": _moment(selection.until),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
