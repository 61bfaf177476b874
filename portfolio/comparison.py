"""What an exchange reports held against what its facts give, as of the moment of the report. Needs an open door.

A fact within a minute of the report may be in it or not: either is agreement, and while such facts could make up for
a difference it is left undecided, until the next report.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from portfolio.models import (
    Book,
    ItemKind,
    Position,
    PositionSide,
    PositionStatus,
    ReportedPosition,
    WalletBalance,
)
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


@dataclass(frozen=True, slots=True)
class Balance:
    """An asset's latest report, and the balance its facts gave at the exchange's last word."""

    account_id: UUID
    asset: str
    available: Decimal
    locked: Decimal
    computed: Decimal
    reported_at: datetime

    @property
    def total(self) -> Decimal:
        return self.available + self.locked

    @property
    def difference(self) -> Decimal:
        """Reported less computed: zero when the facts explain everything."""
        return self.total - self.computed


def steps(account_id: UUID) -> Mapping[str, Decimal]:
    """The smallest amount that counts, by asset: what it trades in; of cash, a cent."""
    return _steps([account_id])[account_id]


def _steps(account_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, Decimal]]:
    books = Book.objects.filter(account_id__in=account_ids, market_type=MarketType.SPOT, pool="")
    cash = dict.fromkeys(settings.CASH_ASSETS, TOLERANCE)
    found = {account_id: defaultdict(lambda: FINEST_STEP, cash) for account_id in account_ids}
    for account_id, asset, step in books.values_list("account_id", "asset", "step"):
        found[account_id][asset] = step
    return found


def compare_balances(account: ExchangeAccount) -> list[Compared]:
    """Every asset that is reported or has facts, all wallets together, as of the exchange's last word."""
    heard = marks.heard_at(account_ids=[account.id])
    return _compare(heard, latest_rows(account_ids=[account.id])).get(account.id, [])


def side_by_side(*, account_ids: Sequence[UUID]) -> list[Balance]:
    """As `compare_balances` for every asset of these accounts that is not at zero, by account and asset."""
    latest = latest_rows(account_ids=account_ids)
    reported = {(row.account_id, row.asset): row for row in latest}
    told = {row.account_id: row.reported_at for row in sorted(latest, key=lambda row: row.reported_at)}
    heard = told | marks.heard_at(account_ids=account_ids)
    balances = [
        Balance(
            account_id=account_id,
            asset=one.subject,
            available=row.available if row else ZERO,  # an asset the exchange does not report is at zero
            locked=row.locked if row else ZERO,
            computed=one.computed,
            reported_at=row.reported_at if row else one.at,
        )
        for account_id, compared in _compare(heard, latest).items()
        for one in compared
        for row in [reported.get((account_id, one.subject))]
    ]
    return sorted(
        (balance for balance in balances if balance.total or balance.computed),
        key=lambda balance: (str(balance.account_id), balance.asset),
    )


def _compare(heard: Mapping[UUID, datetime], latest: Iterable[WalletBalance]) -> dict[UUID, list[Compared]]:
    """Of each account, as of when the exchange was `heard` last."""
    reported: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    for row in latest:
        reported[row.account_id][row.asset] = row.available + row.locked
    computed: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    for day in sorted({clock.utc_day(at) for at in heard.values()}):
        those = [account_id for account_id, at in heard.items() if clock.utc_day(at) == day]
        for (account_id, asset), total in computed_totals(account_ids=those, until=day).items():
            computed[account_id][asset] = total
    step = _steps(heard.keys())
    return {
        account_id: _compare_one(account_id, at, reported[account_id], computed[account_id], step[account_id])
        for account_id, at in heard.items()
    }


def _compare_one(
    account_id: UUID,
    heard: datetime,
    reported: Mapping[str, Decimal],
    computed: Mapping[str, Decimal],
    step: Mapping[str, Decimal],
) -> list[Compared]:
    """`computed`: at the end of the day of the report."""
    pairs = {
        asset: (reported.get(asset, ZERO), computed.get(asset, ZERO)) for asset in {*reported, *computed}
    }
    doubtful = [asset for asset, (told, ours) in pairs.items() if abs(told - ours) > step[asset]]
    around = _around(account_id, dict.fromkeys(doubtful, (clock.utc_day(heard), heard)))
    found = [
        _settled(asset, *pairs[asset], around.get(asset, (ZERO, ZERO)), heard, step[asset])
        for asset in sorted(pairs)
    ]
    unsure = _realised_untold(account_id, [one.subject for one in found if not one.agrees], heard)
    return [replace(one, is_undecided=True) if one.subject in unsure else one for one in found]


def _realised_untold(account_id: UUID, assets: Sequence[str], heard: datetime) -> set[str]:
    """Of these, in which contracts settled around the report or after it without telling the profit, which books know
    by days only."""
    if not assets:
        return set()
    fills = Fill.objects.filter(
        account_id=account_id,
        settle_asset__in=assets,
        realized_pnl__isnull=True,
        executed_at__gt=heard - IN_FLIGHT,
    )
    traded = fills.exclude(market_type=MarketType.SPOT).order_by()
    return set(traded.values_list("settle_asset", flat=True).distinct())


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
