"""What an exchange reports held against what its facts give, as of the moment of the report. Needs an open door.

A fact within a minute of the report may be in it or not: either is agreement, and while such facts could make up for
a difference it is left undecided, until the next report.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders import facts
from orders.models import Fill, Side
from portfolio import marks
from portfolio.accounting.reconstruction import TOLERANCE
from portfolio.balances import computed_totals, latest_rows
from portfolio.books import FINEST_STEP
from portfolio.models import Book, ItemKind, Position, PositionSide, PositionStatus, ReportedPosition
from portfolio.reports import IN_FLIGHT

Key = tuple[str, str, str]
"""Kind, subject and side of a difference."""
_BOTH: Final = "BOTH"


@dataclass(frozen=True, slots=True)
class Compared:
    """An asset, or a side of a contract. `step`: what a difference must exceed to be one."""

    kind: ItemKind
    subject: str
    side: str
    reported: Decimal
    computed: Decimal
    at: datetime
    step: Decimal
    is_undecided: bool = False

    @property
    def key(self) -> Key:
        return self.kind.value, self.subject, self.side

    @property
    def difference(self) -> Decimal:
        return self.reported - self.computed

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= self.step


def steps(account_id: UUID) -> Mapping[str, Decimal]:
    """The smallest amount that counts, by asset: what it trades in; of cash, a cent."""
    books = Book.objects.filter(account_id=account_id, market_type=MarketType.SPOT, pool="")
    found: dict[str, Decimal] = defaultdict(lambda: FINEST_STEP)
    found |= dict.fromkeys(settings.CASH_ASSETS, TOLERANCE) | dict(books.values_list("asset", "step"))
    return found


def compare_balances(account: ExchangeAccount) -> list[Compared]:
    """Every asset that is reported or has facts, all wallets together, as of the exchange's last word."""
    heard = marks.heard_at(account_ids=[account.id]).get(account.id)
    if heard is None:
        return []
    day = clock.utc_day(heard)
    reported = {row.asset: row.available + row.locked for row in latest_rows(account_ids=[account.id])}
    computed = {
        asset: total for (_, asset), total in computed_totals(account_ids=[account.id], until=day).items()
    }
    step = steps(account.id)
    pairs = {
        asset: (reported.get(asset, ZERO), computed.get(asset, ZERO)) for asset in {*reported, *computed}
    }
    doubtful = [asset for asset, (told, ours) in pairs.items() if abs(told - ours) > step[asset]]
    around = _around(account.id, dict.fromkeys(doubtful, (day, heard)))
    return [
        _settled(asset, *pairs[asset], around.get(asset, (ZERO, ZERO)), heard, step[asset])
        for asset in sorted(pairs)
    ]


def _around(
    account_id: UUID, reports: Mapping[str, tuple[date, datetime]]
) -> dict[str, tuple[Decimal, Decimal]]:
    """By asset: what facts changed from a minute before its report on until that day's end, and what of it later than
    a minute after."""
    moments = {(asset, day): at - IN_FLIGHT for asset, (day, at) in reports.items()}
    found = facts.changes_after(account_id=account_id, moments=moments, margin=2 * IN_FLIGHT)
    return {asset: sums for (asset, _), sums in found.items()}


def closest(
    total: Decimal, computed: Decimal, after: Decimal, late: Decimal, expected: Decimal = ZERO
) -> Decimal:
    """Reported less computed, facts around the report's moment taken as being in it or not, whichever comes nearest to
    what was `expected`; `after` and `late` as `facts.changes_after` gives them."""
    ways = (total - computed + late, total - computed + after, total - computed)
    return min(ways, key=lambda difference: abs(difference - expected))


def _settled(
    asset: str,
    reported: Decimal,
    computed: Decimal,
    around: tuple[Decimal, Decimal],
    at: datetime,
    step: Decimal,
) -> Compared:
    after, late = around
    nearest = closest(reported, computed, after, late)
    if abs(nearest) <= step:
        return Compared(ItemKind.BALANCE, asset, "", reported, reported - nearest, at, step)
    in_flight = abs(after - late)
    undecided = ZERO < abs(reported - computed + late) <= in_flight
    return Compared(ItemKind.BALANCE, asset, "", reported, computed - late, at, step, undecided)


def compare_positions(account: ExchangeAccount, *, heard: datetime) -> list[Compared]:
    """Every side of a contract that is reported or open in our books, as of the report `heard` last. Contracts whose
    book waits to be folded are left out."""
    waiting = Book.objects.filter(account=account, stale_from__isnull=False).exclude(
        market_type=MarketType.SPOT
    )
    unknown = set(waiting.values_list("asset", flat=True))
    told = ReportedPosition.objects.filter(account=account).exclude(symbol__in=unknown)
    reported = list(told.values_list("symbol", "side", "is_hedged", "quantity"))
    ours = Position.objects.filter(account=account, status=PositionStatus.OPEN).exclude(
        book__asset__in=unknown
    )
    ours = ours.exclude(market_type=MarketType.SPOT)
    computed = list(ours.values_list("book__asset", "side", "book__side", "quantity"))
    hedged = {symbol for symbol, _, is_hedged, _ in reported if is_hedged}
    hedged |= {symbol for symbol, _, book_side, _ in computed if book_side != _BOTH}
    sums: dict[_Place, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    sources: tuple[list[tuple[Any, ...]], ...] = (reported, computed)
    for place, rows in enumerate(sources):
        for symbol, side, _, quantity in rows:
            is_short = side == PositionSide.SHORT and symbol not in hedged
            sums[symbol, side if symbol in hedged else _BOTH][place] += -quantity if is_short else quantity
    moved = _moved(
        account, {symbol for (symbol, _), (one, other) in sums.items() if one != other}, hedged, heard
    )
    return [
        compared
        for place, (one, other) in sorted(sums.items())
        for compared in _settled_position(place, one, other, moved.get(place, []), heard)
    ]


_Place = tuple[str, str]
"""A contract, and LONG or SHORT where both can be held, else BOTH: one position, below zero when short."""
_Moves = list[tuple[datetime, Decimal]]


def _moved(
    account: ExchangeAccount, symbols: Iterable[str], hedged: Collection[str], heard: datetime
) -> dict[_Place, _Moves]:
    """What fills around the report and after it changed each position by."""
    moved: dict[_Place, _Moves] = defaultdict(list)
    fills = Fill.objects.filter(account=account, symbol__in=list(symbols), executed_at__gt=heard - IN_FLIGHT)
    columns = ("symbol", "position_side", "side", "quantity", "executed_at")
    for symbol, side, way, quantity, at in fills.exclude(market_type=MarketType.SPOT).values_list(*columns):
        adds = (way == Side.BUY) is not (side == PositionSide.SHORT)
        moved[symbol, side if symbol in hedged else _BOTH].append((at, quantity if adds else -quantity))
    return moved


def _settled_position(
    place: _Place, reported: Decimal, computed: Decimal, moved: _Moves, heard: datetime
) -> Iterator[Compared]:
    symbol, side = place
    late = sum((amount for at, amount in moved if at > heard + IN_FLIGHT), ZERO)
    after = sum((amount for _, amount in moved), ZERO)
    agrees = reported in (computed, computed - after, computed - late)
    ours = reported if agrees else computed - late
    in_flight = sum((abs(amount) for at, amount in moved if at <= heard + IN_FLIGHT), ZERO)
    undecided = ZERO < abs(reported - ours) <= in_flight
    pairs = {side: (reported, ours)}
    if side == _BOTH:
        pairs = {
            PositionSide.LONG.value: (max(reported, ZERO), max(ours, ZERO)),
            PositionSide.SHORT.value: (max(-reported, ZERO), max(-ours, ZERO)),
        }
    for name, (one, other) in pairs.items():
        yield Compared(ItemKind.POSITION, symbol, name, one, other, heard, ZERO, undecided and one != other)
