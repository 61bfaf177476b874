"""A complete export into accounts: the same facts, and so the same books.

Works in one transaction: a file that is cut off, foreign, or of another version leaves nothing. Lines that cannot be
read or stored are set aside with their number, and the others stay. A second import changes nothing: facts are known by
the exchange's ids, accounts by the one they were exported from. What is of an account at the exchange that the user has
here, too, joins it.
"""

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from typing import IO, Any, Final
from uuid import UUID

import msgspec
from django.db import DataError, IntegrityError, transaction

from accounts import audit
from accounts.models import User
from core.django import tenancy
from core.errors import DomainError, Invalid
from credentials.models import ExchangeAccount
from orders import giving_way
from orders.models import Order
from orders.touched import Touched
from portfolio import books
from portfolio.exports import records
from portfolio.exports.kinds import COMPLETE
from portfolio.exports.tables import PRODUCER, VERSION
from portfolio.imports import beside, leverages, storing, targets, words
from portfolio.imports.beside import Beside

LONGEST_LINE: Final = 4_000_000
MOST_ASIDE: Final = 10_000
"""Lines set aside, beyond which a file is broken."""
_BATCH: Final = 1_000
_NO_EXPORT: Final = "This is no export of this platform."
_AFTERWARDS: Final[dict[type[Any], Callable[[ExchangeAccount, list[Any]], int]]] = {
    records.PositionLeverage: leverages.restore_positions,
    records.TradeLeverage: leverages.restore_trades,
}
Numbered = tuple[int, Any]
Stores = Mapping[type[Any], storing.Store]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A line that was not taken over."""

    line: int
    reason: str


@dataclass(slots=True)
class Outcome:
    """What was read: rows by record, of which so many were new; accounts by their id in the file."""

    rows: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    accounts: dict[UUID, ExchangeAccount] = field(default_factory=dict)


def read(
    *, user: User, file: IO[bytes], label: str | None = None, is_dry: bool = False, more: Stores | None = None
) -> Outcome:
    """Import a file for a user: into new accounts without keys, those of an earlier import of it, or those that are the
    same at the exchange. `label`: the name of the account to import into, where the file has one; it must be empty.
    `more`: how records are stored that are no facts. Opens its own door. Raises Invalid."""
    with tenancy.acting_as(user.id), transaction.atomic():
        reader = _Reader(user, label, storing.STORES | dict(more or {}))
        reader.read_facts(file)
        file.seek(0)
        reader.read_links(file)
        reader.finish()
        if is_dry:
            transaction.set_rollback(True)
    return reader.outcome


def restore(*, user: User, file: IO[bytes], accounts: Mapping[UUID, ExchangeAccount]) -> int:
    """What a file says of positions and trades that no fact tells, once they are folded; answers of how many. Opens its
    own door."""
    file.seek(0)
    next(_lines(file), None)
    restored = 0
    with tenancy.acting_as(user.id):
        for kind, batch in _batches(_decoded(file)):
            if (put := _AFTERWARDS.get(kind)) is None:
                continue
            for source, rows in groupby(batch, key=lambda one: one[1].account):
                if source in accounts:
                    restored += put(accounts[source], [row for _, row in rows])
    return restored


class _Reader:
    def __init__(self, user: User, label: str | None, stores: Stores) -> None:
        self.user, self.label, self._stores = user, label, stores
        self.outcome = Outcome()
        self._described: dict[UUID, records.Account] = {}
        self._touched: dict[UUID, Touched] = {}
        self._last_order = _last_id(Order)
        self._other_prices = 0
        self._besides: dict[UUID, Beside] = {}

    def read_facts(self, file: IO[bytes]) -> None:
        """All but what orders say of each other. Raises Invalid."""
        self._check(next(_lines(file), (1, b""))[1])
        end: records.End | None = None
        for kind, batch in _batches(self._records(file)):
            if end is not None:
                raise Invalid(f"Line {batch[0][0]}: something comes after the end.")
            if kind is records.End:
                end = batch[0][1]
            elif kind is records.Account:
                self._described |= {one.id: one for _, one in batch}
            else:
                self._store(kind, batch)
        if end is None:
            raise Invalid("The file is cut off: its end is missing.")
        missing = {
            name: count for name, count in end.counts.items() if self.outcome.rows.get(name, 0) != count
        }
        if missing:
            raise Invalid(f"The file is not whole: it should hold {missing}, and holds {self.outcome.rows}.")

    def read_links(self, file: IO[bytes]) -> None:
        """Once all orders are stored: roles, groups, parents, strategies and notes of those that are new."""
        next(_lines(file))
        aside = {one.line for one in self.outcome.set_aside}
        taken = (one for one in _decoded(file) if one[0] not in aside)
        for kind, batch in _batches(taken):
            if kind is records.OrderRecord:
                for account, rows in self._by_account(batch):
                    self._try(rows, partial(storing.link_orders, account, after=self._last_order))

    def finish(self) -> None:
        """Let books follow."""
        self.outcome.set_aside.sort(key=lambda one: one.line)
        if self._other_prices:
            self.outcome.notes.append(
                f"{self._other_prices} prices of the file are others than those used here, which stay: worths may"
                " differ."
            )
        self.outcome.notes += [
            f"{each.left_out} facts of files are left out: the exchange itself told them here."
            for each in self._besides.values()
            if each.left_out
        ]
        for source, account in self.outcome.accounts.items():
            touched = self._touched.get(source, Touched())
            touched.merge(beside.let_go(account, giving_way.to_told(account)))
            books.mark_stale(account=account, touched=touched)
            audit.record(
                audit.Action.IMPORT,
                user_id=self.user.id,
                table=ExchangeAccount._meta.db_table,
                record_id=str(account.id),
                facts=touched.stored,
            )

    def _check(self, line: bytes) -> None:
        try:
            header = msgspec.json.decode(line)
        except ValueError:
            raise Invalid(_NO_EXPORT) from None
        if not isinstance(header, dict) or header.get("producer") != PRODUCER:
            raise Invalid(_NO_EXPORT)
        if header.get("version") != VERSION:
            raise Invalid(
                f"The file is of version {header.get('version')!r:.20}; this reads version {VERSION}."
            )
        if header.get("kind") != COMPLETE:
            raise Invalid(
                f"This is an export of {header.get('kind')!r:.20}: only a {COMPLETE!r} one can be imported."
            )
        if header.get("currency") != self.user.reporting_currency:
            raise Invalid(
                f"The file's books are in {header.get('currency')!r:.20}, this user's in"
                f" {self.user.reporting_currency}."
            )
        ours = {"method": self.user.cost_method, "cost_scope": self.user.cost_scope}
        self.outcome.notes += [
            f"The file's books go by {name} {header.get(name)!r:.20}; here they go by {value!r}."
            for name, value in ours.items()
            if header.get(name) != value
        ]

    def _records(self, file: IO[bytes]) -> Iterator[Numbered]:
        for number, line in _lines(file, first=2):
            try:
                record = records.DECODER.decode(line)
            except (ValueError, RecursionError) as error:
                self._set_aside(number, f"It cannot be read: {error}")
                self._count(_kind_of(line))
                continue
            if not isinstance(record, records.End):
                self._count(record.__struct_config__.tag)
            yield number, record

    def _store(self, kind: type[Any], batch: list[Numbered]) -> None:
        if kind is records.ValuationRecord:
            self._try(batch, self._store_valuations)
        elif kind is records.StrategyPrefixRecord:
            self._try(batch, partial(words.store_prefixes, self.user))
        elif kind is records.OwnTransferRecord:
            self._try(batch, self._store_own_transfers)
        elif kind in _AFTERWARDS:
            return
        elif (store := self._stores.get(kind)) is None:
            for number, _ in batch:
                self._set_aside(number, "A record of this kind has no place here.")
        else:
            for account, rows in self._by_account(batch):
                if wanted := self._wanted(kind, account, rows):
                    self._try(wanted, partial(store, account), account)

    def _wanted(self, kind: type[Any], account: ExchangeAccount, rows: list[Numbered]) -> list[Numbered]:
        """But what the exchange itself tells."""
        if not targets.is_reported(account):
            return rows
        if account.id not in self._besides:
            self._besides[account.id] = Beside(account)
        return [] if kind in storing.REPORTS else self._besides[account.id].wanted(rows)

    def _store_valuations(self, rows: list[Any]) -> Touched:
        self._other_prices += storing.store_valuations(self.user, rows)
        return Touched()

    def _store_own_transfers(self, rows: list[Any]) -> Touched:
        by_file = {source: account.id for source, account in self.outcome.accounts.items()}
        left_out = [row for row in rows if not {row.outgoing_account, row.incoming_account} <= by_file.keys()]
        self.outcome.notes += [
            f"Transfer {row.incoming} came from an account that is not in the file: state what it cost."
            for row in left_out
            if row.state == "confirmed" and row.incoming_account in by_file
        ]
        return storing.store_own_transfers(self.user, [row for row in rows if row not in left_out], by_file)

    def _try(
        self,
        batch: list[Numbered],
        store: Callable[[list[Any]], Touched],
        account: ExchangeAccount | None = None,
    ) -> None:
        """All at once; if that is refused, each row by itself, and those that are refused aside."""
        try:
            with transaction.atomic():
                touched = store([row for _, row in batch])
        except (DomainError, DataError, IntegrityError, ValueError, ArithmeticError) as error:
            if len(batch) == 1:
                self._set_aside(batch[0][0], _reason(error))
                return
            for one in batch:
                self._try([one], store, account)
            return
        self.outcome.stored += touched.stored
        self.outcome.set_aside += [SetAside(_line_of(text, batch), text) for text in touched.conflicts]
        if account is not None:
            source = next(source for source, known in self.outcome.accounts.items() if known is account)
            self._touched.setdefault(source, Touched()).merge(touched)

    def _by_account(self, batch: list[Numbered]) -> Iterator[tuple[ExchangeAccount, list[Numbered]]]:
        rows = sorted(batch, key=lambda one: (str(one[1].account), one[0]))
        for source, group in groupby(rows, key=lambda one: one[1].account):
            account = self._target(source)
            if account is None:
                for number, _ in group:
                    self._set_aside(number, f"The file does not tell of its account {source}.")
            else:
                yield account, list(group)

    def _target(self, source: UUID) -> ExchangeAccount | None:
        """The account here; None: the file has none of that id. Raises Invalid."""
        if (
            not self.outcome.accounts
        ):  # in the order in which they were connected: it decides where pools hang
            self.outcome.accounts = {each.id: self._open(each) for each in self._described.values()}
        return self.outcome.accounts.get(source)

    def _open(self, described: records.Account) -> ExchangeAccount:
        """Raises Invalid."""
        if self.label is not None and len(self._described) > 1:
            labels = ", ".join(repr(one.label) for one in self._described.values())
            raise Invalid(f"The file has several accounts ({labels}): they keep their labels, name none.")
        target = targets.find(user=self.user, described=described, label=self.label)
        self.outcome.notes += target.notes
        return target.account

    def _count(self, record: str) -> None:
        self.outcome.rows[record] = self.outcome.rows.get(record, 0) + 1

    def _set_aside(self, line: int, reason: str) -> None:
        """Raises Invalid beyond MOST_ASIDE."""
        if len(self.outcome.set_aside) >= MOST_ASIDE:
            raise Invalid(
                f"More than {MOST_ASIDE} lines cannot be taken over, so nothing was; the last: {reason[:100]}"
            )
        self.outcome.set_aside.append(SetAside(line, reason[:300]))


def _decoded(file: IO[bytes]) -> Iterator[Numbered]:
    """Those lines that can be read."""
    for number, line in _lines(file, first=2):
        try:
            yield number, records.DECODER.decode(line)
        except (ValueError, RecursionError):
            continue


def _last_id(model: Any) -> int:
    return model.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _lines(file: IO[bytes], first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Numbered; blank ones are left out. Raises Invalid for one too long to be ours."""
    number = first
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise Invalid(_NO_EXPORT if number == 1 else f"Line {number} is too long.")
        if not line.isspace():
            yield number, line.removeprefix(codecs.BOM_UTF8)
        number += 1


def _batches(rows: Iterator[Numbered]) -> Iterator[tuple[type[Any], list[Numbered]]]:
    for kind, group in groupby(rows, key=lambda one: type(one[1])):
        while batch := list(islice(group, _BATCH)):
            yield kind, batch


def _kind_of(line: bytes) -> str:
    """The record of a line that cannot be read, where it tells."""
    try:
        told = msgspec.json.decode(line)
        return str(told["record"])[:20]
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _line_of(conflict: str, batch: list[Numbered]) -> int:
    """Where the fact stands that a conflict names."""
    for number, row in batch:
        name = getattr(row, "exchange_fill_id", None) or getattr(row, "exchange_payment_id", None)
        if name and f" {name} of {row.symbol} " in conflict:
            return number
    return batch[0][0]


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, DomainError) else str(error).splitlines()[0]
