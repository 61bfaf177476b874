"""How far the totals can be trusted, in words, and where each doubt can be looked into."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse

from portfolio.accounting.periods import Period, PeriodKind
from portfolio.models import Grade
from portfolio.scope import Scope
from portfolio.selectors.confidence import Code, Confidence, GradeReason, confidence
from web.pages.stream_names import STREAM_NAMES

_TONES: Final[Mapping[str, str]] = {Grade.COMPLETE: "good", Grade.PARTIAL: "warn", Grade.UNRELIABLE: "bad"}
_INBOX: Final = "web:reconciliation"
_COVERAGE: Final = "web:coverage"
_DASHBOARD: Final = "web:dashboard"
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    Code.NOT_READ: ("An account has not been read yet.", _DASHBOARD),
    Code.STALE: ("An exchange has not been heard for longer than it should be.", _DASHBOARD),
    Code.READING: ("The history is still being read.", _COVERAGE),
    Code.NOT_COMPARED: (
        "What came last has not been held against the exchange's report yet.",
        _INBOX,
    ),
    Code.GAP: ("{stream}: a time of the history was missed.", _COVERAGE),
    Code.OLDER_HISTORY: ("{stream}: the exchange had forgotten the beginning.", _COVERAGE),
    Code.REFUSED: ("{stream}: the exchange refuses to tell them.", _COVERAGE),
    Code.UNREADABLE: ("{stream}: rows of the exchange could not be read, and are set aside.", _DASHBOARD),
    Code.DIFFERENCE: ("{about} differs from what the exchange reports.", _INBOX),
    Code.COST_UNKNOWN: (
        "Trades that sold coins of unknown cost, and are in no profit: {about}.",
        "web:transfers",
    ),
    Code.UNPRICED: ("{about} has no price, and is in no total.", ""),
    Code.STALE_PRICE: ("{about} is valued at an old price.", ""),
    Code.BELOW_ZERO: ("The facts of {about} contradict each other.", _INBOX),
    Code.WAITING: ("The book of {about} waits, for want of a price say.", _DASHBOARD),
    Code.RECOMPUTING: ("Books are being folded anew.", ""),
    Code.MORE: ("And {about} more.", ""),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """`link`: where it can be looked into, or empty."""

    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Trust:
    """`tone` is the chip's."""

    grade: str
    tone: str
    doubts: list[Doubt]

    @property
    def words(self) -> str:
        return " ".join(doubt.words for doubt in self.doubts)


def of(scope: Scope, *, at: datetime, period: Period | None = None) -> Trust | None:
    """Of the scope's totals (all time is no `period`); None where there are none, as no account was ever connected.
    Inside an open door."""
    if not scope.account_ids:
        return None
    bounds = None if period is None or period.kind is PeriodKind.ALL_TIME else period
    return in_words(confidence(scope=scope, at=at, period=bounds))


def in_words(told: Confidence) -> Trust:
    return Trust(
        grade=told.grade,
        tone=_TONES[told.grade],
        doubts=[_doubt(reason) for reason in told.reasons],
    )


def _doubt(reason: GradeReason) -> Doubt:
    """A code that has no words yet stands for itself."""
    words, page = WORDS.get(reason.code, (str(reason), ""))
    kind, _, subject = reason.about.partition(":")
    about = f"{subject} ({kind})" if reason.code == Code.DIFFERENCE else reason.about
    stream = STREAM_NAMES.get(reason.about, reason.about)
    return Doubt(words.format(about=about, stream=stream), reverse(page) if page else "")
