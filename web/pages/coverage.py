"""What is known of every account: from when on, what is missing, and what the exchange forgets next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from exchanges import registry
from pipeline import coverage as known
from pipeline.coverage import Gap, StreamCoverage
from web.pages.access import member, member_page
from web.pages.stream_names import STREAM_NAMES


@dataclass(frozen=True, slots=True)
class StreamLine:
    """A stream over all its symbols: the worst of them speaks for it."""

    name: str
    parts: Sequence[StreamCoverage]

    @property
    def unread(self) -> int:
        """Symbols not read to their end yet."""
        return sum(not part.is_complete for part in self.parts)

    @property
    def known_from(self) -> datetime | None:
        """None: from the beginning."""
        return max((part.known_from for part in self.parts if part.known_from), default=None)

    @property
    def known_to(self) -> datetime | None:
        """None: nothing was read yet."""
        moments = [part.known_to for part in self.parts]
        return min((at for at in moments if at), default=None) if all(moments) else None

    @property
    def vanishes_at(self) -> datetime | None:
        return min((part.vanishes_at for part in self.parts if part.vanishes_at), default=None)

    @property
    def is_at_risk(self) -> bool:
        return any(part.is_at_risk for part in self.parts)

    @property
    def retention_days(self) -> int | None:
        hours = min((part.retention_hours for part in self.parts if part.retention_hours), default=None)
        return None if hours is None else round(hours / 24)

    @property
    def rows(self) -> int:
        return sum(part.row_count for part in self.parts)

    @property
    def gaps(self) -> list[tuple[str, Gap]]:
        return [(part.scope, gap) for part in self.parts for gap in part.gaps]

    @property
    def has_scopes(self) -> bool:
        return any(part.scope for part in self.parts)


@dataclass(frozen=True, slots=True)
class AccountLines:
    label: str
    exchange: str
    lines: list[StreamLine]


@member_page
@require_safe
def coverage(request: HttpRequest) -> HttpResponse:
    """The same rows as `GET /api/coverage`, gathered by account and stream."""
    found = known.coverage(user_id=member(request).id, at=clock.now()).results
    return render(request, "coverage.html", {"accounts": _accounts(found)})


def _accounts(rows: Iterable[StreamCoverage]) -> list[AccountLines]:
    accounts = []
    for _, group in groupby(rows, key=lambda row: row.account_id):
        parts = list(group)
        title = registry.supported().get(parts[0].exchange)
        lines = [
            StreamLine(name, [part for part in parts if part.stream == stream])
            for stream, name in STREAM_NAMES.items()
        ]
        accounts.append(
            AccountLines(
                label=parts[0].label,
                exchange=title.title if title else parts[0].exchange,
                lines=[line for line in lines if line.parts],
            )
        )
    return accounts
