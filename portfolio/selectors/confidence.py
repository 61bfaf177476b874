"""How far the totals of a scope can be trusted, and why not further: one grade for every answer made of its books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote
from uuid import UUID

from django.db.models import Max, Q, Sum

from core import clock
from core.money import ZERO
from credentials.scope import Scope
from portfolio.accounting.holdings import DoubtKind
from portfolio.accounting.periods import Period
from portfolio.models import BookDay, Grade, ItemKind, TradeDay, WalletBalance
from portfolio.selectors import standing
from portfolio.selectors.freshness import Freshness, freshness
from portfolio.selectors.standing import MarkState, OpenItem, Standing

ONE_IN: Final = 100
"""Open differences worth more than this part of the equity make it unreliable."""
MOST_REASONS: Final = 20


class Code(StrEnum):
    """Why totals are not complete. `about` says of what."""

    NOT_READ = "not_read"
    """An account's balances were never told, or none is connected."""
    STALE = "stale"
    """The exchange has not been heard for longer than it should be."""
    READING = "reading"
    """The history is not read to its end yet."""
    NOT_COMPARED = "not_compared"
    """Reports and facts were not held against each other since something came."""
    GAP = "gap"
    """A time of the history was missed; about: the stream."""
    OLDER_HISTORY = "older_history"
    """The exchange had forgotten the beginning; about: the stream."""
    REFUSED = "refused"
    """The exchange does not tell it; about: the stream."""
    UNREADABLE = "unreadable"
    """Rows were set aside; about: the stream."""
    DIFFERENCE = "difference"
    """Open in the inbox; about: kind and subject."""
    COST_UNKNOWN = "cost_unknown"
    """Coins of unknown cost were sold, which are in no profit; about: how many trades."""
    UNPRICED = "unpriced"
    """In no total; about: the asset."""
    STALE_PRICE = "stale_price"
    """About: the asset."""
    BELOW_ZERO = "below_zero"
    """Facts contradict each other; about: the asset."""
    WAITING = "waiting"
    """A book cannot be folded, for want of a price say; about: the asset."""
    RECOMPUTING = "recomputing"
    """Books are being folded anew, or metrics drawn of what was folded."""
    MORE = "more"
    """Further reasons; about: how many."""


@dataclass(frozen=True, slots=True)
class GradeReason:
    """A stable code, and what it is about, where it is about something."""

    code: str
    about: str

    def __str__(self) -> str:
        return f"{self.code}:{self.about}" if self.about else self.code


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the totals can be trusted: `complete`, `partial` or `unreliable`; the first twenty reasons why."""

    grade: str
    reasons: list[GradeReason]

    @property
    def line(self) -> str:
        """The reasons for a header: `code` or `code:about`, percent-encoded, with commas between."""
        return ",".join(quote(str(reason), safe=":._-") for reason in self.reasons)


def confidence(
    *,
    scope: Scope,
    at: datetime,
    stands: Standing | None = None,
    fresh: Freshness | None = None,
    period: Period | None = None,
) -> Confidence:
    """Of everything the scope's books add up to; of a `period`, without what only bears on the time before or after:
    history forgotten before it, gaps that were over before what it begins with, sales of unknown cost and days that do
    not add up outside it. Needs an open door; what is given is not read again."""
    stands = stands or standing.read(scope)
    fresh = fresh or freshness(scope=scope, at=at, stands=stands)
    if period is not None:
        stands = _within(stands, scope, period)
    found = list(dict.fromkeys(_reasons(scope, stands, fresh)))
    return Confidence(_grade(found, stands), _shortened(found))


def _within(stands: Standing, scope: Scope, period: Period) -> Standing:
    """What of it bears on a period."""
    marks = [
        mark._replace(coverage=[code for code in mark.coverage if not _is_older(code, period)])
        for mark in stands.marks
    ]
    gapped = [mark.account_id for mark in marks if any(_gap_before(code, period) for code in mark.coverage)]
    if gapped:
        anchors = _anchors(gapped, period)
        marks = [
            mark._replace(
                coverage=[
                    code for code in mark.coverage if not _is_over(code, period, anchors.get(mark.account_id))
                ]
            )
            for mark in marks
        ]
    if any(mark.cost_unknown_trades for mark in marks):
        days = TradeDay.objects.filter(
            account_id__in=scope.account_ids, day__gte=period.first_day, day__lte=period.last_day
        )
        rows = days.order_by().values_list("account_id").annotate(count=Sum("unknown_cost_trades"))
        sold: dict[UUID, int] = dict(rows)
        marks = [mark._replace(cost_unknown_trades=sold.get(mark.account_id, 0)) for mark in marks]
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    differences = [
        one for one in stands.differences if one.kind != ItemKind.RESIDUAL or first <= one.subject <= last
    ]
    return replace(stands, marks=marks, differences=differences)


def _is_older(code: str, period: Period) -> bool:
    """What the exchange forgot before a period, if it told all from a day before it on."""
    reason, _, known_from = code.partition("@")
    is_older = reason.startswith(f"{Code.OLDER_HISTORY}:")
    return bool(is_older and known_from and known_from < period.first_day.isoformat())


def _gap_before(code: str, period: Period) -> str:
    """The last day of a gap that lies before a period; empty of anything else."""
    reason, _, days = code.partition("@")
    until = days.rpartition("/")[2]
    is_before = reason.startswith(f"{Code.GAP}:") and until and until < period.first_day.isoformat()
    return until if is_before else ""


def _is_over(code: str, period: Period, anchor: date | None) -> bool:
    """Whether it is a gap that was over before anything that the period's figures begin with."""
    until = _gap_before(code, period)
    return bool(until and anchor is not None and until < anchor.isoformat())


def _anchors(account_ids: Sequence[UUID], period: Period) -> dict[UUID, date]:
    """By account the day of its newest report before a period: balances before are nothing to it. Left out where a book
    held something when the period began: what exits it cost goes back to before."""
    begin = period.first_day
    held = BookDay.objects.filter(Q(account_id__in=account_ids) | ~Q(book__pool=""), day__lt=begin)
    newest = held.order_by("book_id", "-day").distinct("book_id")
    rows = newest.values_list("account_id", "book__pool", "quantity", "book__step")
    holding = {(account_id, pool) for account_id, pool, quantity, step in rows if abs(quantity) >= step}
    if any(pool for _, pool in holding):
        return {}
    told = WalletBalance.objects.filter(account_id__in=account_ids, reported_at__lt=clock.day_start(begin))
    last = told.order_by().values_list("account_id").annotate(at=Max("reported_at"))
    return {account_id: clock.utc_day(at) for account_id, at in last if (account_id, "") not in holding}


def _reasons(scope: Scope, stands: Standing, fresh: Freshness) -> Iterator[GradeReason]:
    if _is_any_unread(scope, stands):
        yield GradeReason(Code.NOT_READ, "")
    elif fresh.is_stale:
        yield GradeReason(Code.STALE, "")
    yield from _history(stands.marks)
    for one in stands.differences:
        yield GradeReason(Code.DIFFERENCE, f"{one.kind}:{one.subject}")
    if unknown := sum(mark.cost_unknown_trades or 0 for mark in stands.marks):
        yield GradeReason(Code.COST_UNKNOWN, str(unknown))
    yield from _prices(stands)
    yield from _books(stands)


def _is_any_unread(scope: Scope, stands: Standing) -> bool:
    drawn = {row.account_id for row in stands.snapshots}
    return not scope.account_ids or any(account_id not in drawn for account_id in scope.living_ids)


def _history(marks: Sequence[MarkState]) -> Iterator[GradeReason]:
    for mark in marks:
        for code in mark.coverage:
            yield _read(code.partition("@")[0])
        if not mark.is_compared and Code.READING not in mark.coverage:
            yield GradeReason(Code.NOT_COMPARED, "")


def _prices(stands: Standing) -> Iterator[GradeReason]:
    told = (DoubtKind.UNPRICED, DoubtKind.STALE_PRICE, DoubtKind.BELOW_ZERO)
    for row in stands.snapshots:
        yield from (_read(doubt) for doubt in row.grade_reason.split(", ") if doubt.startswith(told))


def _books(stands: Standing) -> Iterator[GradeReason]:
    for asset in sorted(book.asset for book in stands.books if book.stale_from and book.blocked_reason):
        yield GradeReason(Code.WAITING, asset)
    if stands.is_undrawn or any(book.stale_from and not book.blocked_reason for book in stands.books):
        yield GradeReason(Code.RECOMPUTING, "")


def _read(text: str) -> GradeReason:
    code, _, about = text.partition(":")
    return GradeReason(code, about)


def _shortened(reasons: list[GradeReason]) -> list[GradeReason]:
    if len(reasons) <= MOST_REASONS:
        return reasons
    shown = reasons[: MOST_REASONS - 1]
    return [*shown, GradeReason(Code.MORE, str(len(reasons) - len(shown)))]


def _grade(reasons: Sequence[GradeReason], stands: Standing) -> str:
    contradicted = (
        any(reason.code == Code.NOT_READ for reason in reasons)
        or any(row.grade == Grade.UNRELIABLE for row in stands.snapshots)
        or any(one.kind == ItemKind.POSITION for one in stands.differences)
        or _is_much(stands.differences, stands)
    )
    if contradicted:
        return Grade.UNRELIABLE.value
    return (Grade.PARTIAL if reasons else Grade.COMPLETE).value


def _is_much(differences: Sequence[OpenItem], stands: Standing) -> bool:
    """Days that do not add up (residuals) are worth what passed then, not what is held now: they count too, as the
    curve and the returns are made of them."""
    equity = abs(sum((row.total_balance for row in stands.snapshots), ZERO))
    off = sum((abs(one.value) for one in differences if one.value is not None), ZERO)
    return off * ONE_IN > equity
