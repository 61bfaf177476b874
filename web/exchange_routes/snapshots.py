"""What accounts were worth day by day, in the frontend's shape. Needs an open door."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db.models import Q

from core import clock
from core.errors import Invalid
from core.money import CONTEXT, ZERO, quantize, text
from marketdata import prices
from portfolio.accounting import returns
from portfolio.accounting.measure import percent
from portfolio.accounting.periods import Period
from portfolio.accounting.returns import EquityDay, IndexPoint
from portfolio.models import AssetSnapshot
from portfolio.selectors import equity, performance
from portfolio.selectors.equity import AccountDay
from web.exchange_routes.asking import Answer, Asked
from web.exchange_routes.shapes import (
    AccountSnapshotResponse,
    Balance,
    SnapshotDay,
    SnapshotPerformance,
    SnapshotSummary,
    TopAsset,
)

MOST_DAYS: Final = 5 * 366
TOP: Final = 10
_BTC: Final = "BTC"
_HUNDRED: Final = Decimal(100)
_ONE: Final = Decimal(1)
_SECOND: Final = timedelta(seconds=1)
_COLUMNS: Final = ("snapshot__snapshot_date", "account_id", "asset", "quantity", "value")


@dataclass(slots=True)
class _Asset:
    quantity: Decimal = ZERO
    value: Decimal | None = None

    def add(self, other: "_Asset") -> None:
        self.quantity += other.quantity
        if other.value is not None:
            self.value = (self.value or ZERO) + other.value


_Assets = dict[str, _Asset]


def account_snapshot(asked: Asked, *, currency: str) -> Answer:
    """The days of a period, with their composition. Raises Invalid for one of more than `MOST_DAYS` days."""
    period = _period(asked)
    days = equity.read(account_ids=asked.scope.account_ids, since=period.first_day, until=period.last_day)
    with localcontext(CONTEXT):
        index = returns.chain(days.line)
        compositions = _compositions(asked, period, [point.day for point in index], days.before.values())
        btc = _btc_prices(currency, index)
        snapshots = [_day(point, compositions[point.day], btc.get(point.day), asked.at) for point in index]
        return Answer(
            AccountSnapshotResponse(
                totalSnapshots=len(snapshots),
                period=asked.query["period"],
                snapshots=snapshots,
                currentValue=index[-1].equity if index else None,
                initialValue=index[0].equity if index else None,
                meaningfulInitialValue=next((p.equity for p in index if p.equity >= returns.DUST), None),
                performance=_performance(days.line, index),
                summary=_summary(index, compositions),
                currency=currency,
            )
        )


def _period(asked: Asked) -> Period:
    period = performance.period_for(asked.query["period"], scope=asked.scope, at=asked.at)
    if (period.end - period.start).days > MOST_DAYS:
        detail = f"At most {MOST_DAYS} days here; GET /api/portfolio/equity-curve has any length."
        raise Invalid(detail, errors=[{"pointer": "/period", "code": "invalid_period", "detail": detail}])
    return period


def _compositions(
    asked: Asked, period: Period, days: Sequence[date], before: Iterable[AccountDay]
) -> dict[date, _Assets]:
    """By day over all accounts; one without a snapshot on a day stands as it last did, `before` the period too."""
    within = Q(
        snapshot__account_id__in=asked.scope.account_ids,
        snapshot__snapshot_date__gte=period.first_day,
        snapshot__snapshot_date__lte=period.last_day,
    )
    older = (Q(snapshot__account_id=each.account_id, snapshot__snapshot_date=each.day) for each in before)
    rows = AssetSnapshot.objects.filter(reduce(or_, older, within))
    stored: dict[date, dict[UUID, _Assets]] = defaultdict(dict)
    for day, account_id, asset, quantity, value in rows.values_list(*_COLUMNS):
        stored[day].setdefault(account_id, {})[asset] = _Asset(quantity, value)
    standing: dict[UUID, _Assets] = {}
    for day in sorted(day for day in stored if day < period.first_day):
        standing |= stored[day]
    found = {}
    for day in days:
        standing |= stored.get(day, {})
        total: _Assets = {}
        for assets in standing.values():
            for asset, held in assets.items():
                total.setdefault(asset, _Asset()).add(held)
        found[day] = total
    return found


def _btc_prices(currency: str, index: Sequence[IndexPoint]) -> Mapping[date, Decimal]:
    """Of the days' closes; of the present day the latest."""
    if not index:
        return {}
    closes = prices.daily_closes(assets=[_BTC], currency=currency, first=index[0].day, last=index[-1].day)
    return {day: point.price for (_, day), point in closes.items()}


def _day(point: IndexPoint, assets: _Assets, btc: Decimal | None, at: datetime) -> SnapshotDay:
    return SnapshotDay(
        date=point.day.isoformat(),
        totalValueUSD=point.equity,
        totalAssetOfBtc=quantize(point.equity / btc) if btc else None,
        balances=[
            Balance(asset, text(held.quantity), "0")
            for asset, held in sorted(assets.items())
            if held.quantity
        ],
        updateTime=clock.to_ms(min(clock.day_end(point.day) - _SECOND, at)),
        change24h=None if point.change is None else quantize(point.change * _HUNDRED, 4),
    )


def _performance(line: Sequence[EquityDay], index: Sequence[IndexPoint]) -> SnapshotPerformance:
    """From the first day worth something: before it there is nothing to make a return on."""
    first = next((point.day for point in index if point.equity >= returns.DUST), None)
    if first is None:
        return SnapshotPerformance(None, None, 0, None)
    worth = returns.chain(row for row in line if row.day >= first)
    days = (worth[-1].day - first).days
    growth = worth[-1].index if days else None
    initial, current = index[0].equity, index[-1].equity
    return SnapshotPerformance(
        totalReturn=_text(growth),
        rawTotalReturn=_text(current / initial if initial else None),
        days=days,
        avgDailyReturn=_text(None if growth is None else growth ** (_ONE / days)),
    )


def _text(growth: Decimal | None) -> str | None:
    """A growth as a return in percent."""
    return None if growth is None else text(quantize((growth - _ONE) * _HUNDRED, 4))


def _summary(index: Sequence[IndexPoint], compositions: Mapping[date, _Assets]) -> SnapshotSummary:
    if not index:
        return SnapshotSummary("0", [])
    last = index[-1]
    held = sorted(
        compositions[last.day].items(),
        key=lambda row: (row[1].value is None, -(row[1].value or ZERO), row[0]),
    )
    return SnapshotSummary(
        totalPortfolioValue=text(last.equity),
        topAssets=[
            TopAsset(
                asset=asset,
                quantity=text(each.quantity),
                usdValue=each.value,
                percentage=(
                    percent(each.value, last.equity).value
                    if each.value is not None and last.equity > 0
                    else None
                ),
            )
            for asset, each in held[:TOP]
            if each.quantity
        ],
    )
