"""Differences between reports and facts: found after a complete read, kept as items, resolved by later facts.

What is asked of the exchange is `pipeline`'s; it says here what was not read (`Known`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Q

from core import clock, money
from core.django import tenancy
from core.errors import Conflict, NotFound
from credentials.models import ExchangeAccount
from portfolio import comparison, divergence, explanations, marks, shortfalls
from portfolio.accounting.causes import (
    Difference,
    Hole,
    Proposal,
    Surroundings,
    propose,
    propose_shortfall,
)
from portfolio.comparison import Compared, Key
from portfolio.composition import Closes
from portfolio.models import ItemKind, ItemState, Position, ReconciliationItem
from portfolio.reports import read_facts
from portfolio.residuals import residuals

_MOST_EVIDENCE: Final = 8


@dataclass(frozen=True, slots=True)
class Known:
    """What the reading tells: `holes` in the history, the same as `codes` for grades, and when contract positions were
    told last (None: never)."""

    holes: Sequence[Hole] = ()
    positions_heard_at: datetime | None = None
    codes: Sequence[str] = ()


@dataclass(slots=True)
class Outcome:
    """How many items."""

    opened: int = 0
    changed: int = 0
    explained: int = 0
    left_open: int = 0
    undecided: list[str] = field(default_factory=list)


def reconcile(*, user_id: UUID, account_id: UUID, known: Known, at: datetime) -> Outcome:
    """Hold an account's reports against its facts, after a complete read. Idempotent. Opens its own door.

    What is undecided (see `comparison`) leaves the account waiting for the next run.
    """
    with tenancy.acting_as(user_id):
        accounts = ExchangeAccount.objects.select_for_update(of=("self",), no_key=True)  # one at a time
        account = accounts.select_related("user").get(id=account_id)
        work = _Work(account, known, at)
        work.run()
        marks.reconciled(
            account=account, at=None if work.outcome.undecided else at, coverage=sorted(known.codes)
        )
        return work.outcome


def dismiss(*, item_id: int, reason: str, at: datetime) -> ReconciliationItem:
    """It stays closed while the difference stays as it is. Needs an open door; raises NotFound, Conflict."""
    item = _find(item_id)
    if item.state != ItemState.OPEN:
        raise Conflict(f"Only an open difference is dismissed; this one is {item.state}.")
    item.state, item.reason, item.resolved_at, item.changed_at = ItemState.DISMISSED, reason.strip(), at, at
    item.save()
    return item


def reopen(*, item_id: int, at: datetime) -> ReconciliationItem:
    """Take a dismissal back. Needs an open door; raises NotFound, Conflict."""
    item = _find(item_id)
    if item.state != ItemState.DISMISSED:
        raise Conflict(f"Only a dismissed difference is opened again; this one is {item.state}.")
    item.state, item.resolved_at, item.changed_at = ItemState.OPEN, None, at
    item.save()
    return item


def _find(item_id: int) -> ReconciliationItem:
    item = ReconciliationItem.objects.select_for_update().filter(id=item_id).first()
    if item is None:
        raise NotFound("There is no such difference.")
    return item


class _Work:
    """One account at one moment."""

    def __init__(self, account: ExchangeAccount, known: Known, at: datetime) -> None:
        self._account, self._known, self._at = account, known, at
        self._last = marks.compared_at(account=account)
        rows = ReconciliationItem.objects.filter(account=account).exclude(state=ItemState.EXPLAINED)
        self._items: dict[Key, ReconciliationItem] = {(row.kind, row.subject, row.side): row for row in rows}
        self.outcome = Outcome()

    def run(self) -> None:
        found = [*comparison.compare_balances(self._account), *shortfalls.compare(self._account)]
        heard = self._known.positions_heard_at
        if heard is not None:
            found += comparison.compare_positions(self._account, heard=heard)
        compared = {one.key: one for one in found}
        self._note(one for one in found if not one.agrees and not one.is_undecided)
        self.outcome.undecided = [one.subject for one in found if one.is_undecided]
        self._resolve(
            {
                key: item
                for key, item in self._items.items()
                if (key in compared and compared[key].agrees)
                or (item.kind == ItemKind.SHORTFALL and key not in compared)
            },
            compared,
        )
        self._propose()
        self._look_at_days()
        self._save()

    def _look_at_days(self) -> None:
        """Days that do not add up, and by none of the differences that stand."""
        standing = [
            item
            for item in self._items.values()
            if item.kind != ItemKind.RESIDUAL and item.state != ItemState.EXPLAINED
        ]
        left = {
            one.compared.key: one
            for one in residuals(self._account)
            if not any(_covers(item, one.day) for item in standing)
        }
        self._note(one.compared for one in left.values())
        for key, one in left.items():
            _put(self._items[key], one.proposal)
        gone = {k: item for k, item in self._items.items() if k[0] == ItemKind.RESIDUAL and k not in left}
        self._resolve(gone, {})

    def _note(self, found: Iterable[Compared]) -> None:
        """Open what is new, and again what was dismissed and changed."""
        for one in found:
            item = self._items.get(one.key)
            if item is not None and abs(item.difference - one.difference) <= one.step:
                item.reported_at = one.at
                continue
            self.outcome.opened += item is None
            self.outcome.changed += item is not None
            accepted = [item.difference] if item is not None and item.state == ItemState.DISMISSED else []
            self._items[one.key] = self._written(item or self._new(one), one, accepted)

    def _new(self, one: Compared) -> ReconciliationItem:
        return ReconciliationItem(
            user_id=self._account.user_id,
            account=self._account,
            kind=one.kind,
            subject=one.subject,
            side=one.side,
            opened_at=self._at,
        )

    def _written(
        self, item: ReconciliationItem, one: Compared, accepted: Sequence[Decimal]
    ) -> ReconciliationItem:
        item.reported, item.computed, item.difference = one.reported, one.computed, one.difference
        item.reported_at, item.changed_at = one.at, self._at
        item.state, item.resolved_at = ItemState.OPEN, None
        if one.kind == ItemKind.BALANCE:
            interval = divergence.find(
                account=self._account,
                asset=one.subject,
                known=read_facts(self._account),
                step=one.step,
                until=one.at,
                accepted=accepted,
            )
            item.diverged_from, item.diverged_to = interval.since, interval.until
            item.value = self._value(one.subject, one.difference, interval.until)
        elif one.kind == ItemKind.POSITION:
            item.diverged_from, item.diverged_to = self._last, one.at
        elif one.kind == ItemKind.SHORTFALL:
            item.diverged_from, item.diverged_to = None, one.at
            item.value = self._value(one.subject, one.difference, one.at - clock.DAY)
        else:
            day = date.fromisoformat(one.subject)
            item.diverged_from, item.diverged_to = clock.day_start(day), clock.day_end(day)
            item.value = one.difference
        return item

    def _value(self, asset: str, amount: Decimal, at: datetime) -> Decimal | None:
        """At the close of the day it diverged."""
        day, currency = clock.utc_day(at), self._account.user.reporting_currency
        closes = Closes([asset], currency, day - clock.DAY, day, exchange=self._account.exchange)
        price = closes.price(asset, day)
        return None if price is None else money.multiply(amount, price)

    def _resolve(self, agreed: dict[Key, ReconciliationItem], compared: dict[Key, Compared]) -> None:
        for key, item in agreed.items():
            item.explanation = explanations.explain(item, compared.get(key))
            item.state, item.resolved_at, item.changed_at = ItemState.EXPLAINED, self._at, self._at
            self.outcome.explained += 1

    def _propose(self) -> None:
        """Once more for every item: what is found later may explain an earlier one."""
        items = [item for item in self._items.values() if item.kind != ItemKind.RESIDUAL]
        standing = [item for item in items if item.state != ItemState.EXPLAINED]
        differences = [_difference(item) for item in standing]
        for item, difference in zip(standing, differences, strict=True):
            around = Surroundings(
                currency=self._account.user.reporting_currency,
                differences=differences,
                holes=self._known.holes,
                settles=self._settles(item),
            )
            rule = propose_shortfall if item.kind == ItemKind.SHORTFALL else propose
            _put(item, rule(difference, around))

    def _settles(self, item: ReconciliationItem) -> dict[str, list[str]]:
        """Contracts that settle in the item's asset and were open in its interval."""
        if item.kind != ItemKind.BALANCE:
            return {}
        held = Position.objects.filter(account=self._account, settle_asset=item.subject)
        held = held.filter(opened_at__lt=item.diverged_to)
        if item.diverged_from is not None:
            held = held.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=item.diverged_from))
        names = held.order_by("symbol").values_list("symbol", flat=True).distinct()
        return {item.subject: list(names[:_MOST_EVIDENCE])}

    def _save(self) -> None:
        for item in self._items.values():
            item.save()
            self.outcome.left_open += item.state == ItemState.OPEN


def _difference(item: ReconciliationItem) -> Difference:
    return Difference(
        subject=item.subject,
        amount=item.difference,
        reported=item.reported,
        value=item.value,
        since=item.diverged_from,
        until=item.diverged_to or item.reported_at,
        is_position=item.kind == ItemKind.POSITION,
    )


def _put(item: ReconciliationItem, proposal: Proposal) -> None:
    item.cause, item.evidence = proposal.cause, proposal.evidence[:_MOST_EVIDENCE]


def _covers(item: ReconciliationItem, day: date) -> bool:
    """Whether the day is among those over which the difference came."""
    since, until = item.diverged_from, item.diverged_to or item.reported_at
    return (since is None or clock.utc_day(since) <= day) and day <= clock.utc_day(until)
