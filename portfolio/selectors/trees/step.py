"""From one day of an account to the next: its snapshots, what they held, and the closes they took."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import F, Min, Window
from django.db.models.functions import RowNumber

from core import clock
from core.money import ZERO
from portfolio.composition import Closes
from portfolio.models import AssetSnapshot, PortfolioSnapshot

_LOOK_BACK: Final = timedelta(days=30)


class Close(NamedTuple):
    """A price and where it is from."""

    price: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """An account's snapshot of a day and the one before it, if any."""

    row: PortfolioSnapshot
    before: PortfolioSnapshot | None

    @property
    def rows(self) -> list[PortfolioSnapshot]:
        return [self.row] if self.before is None else [self.row, self.before]

    @property
    def unrealized(self) -> Decimal:
        return self.row.unrealized_pnl - (self.before.unrealized_pnl if self.before else ZERO)

    @property
    def change(self) -> Decimal:
        return self.row.total_balance - (self.before.total_balance if self.before else ZERO)

    def column(self, name: str) -> Any:
        return self.unrealized if name == "unrealized" else getattr(self.row, name)


def steps(account_ids: Sequence[Any], day: date) -> list[Step]:
    """One statement: of each account the day's row and the newest before it."""
    place = Window(RowNumber(), partition_by=F("account_id"), order_by=F("snapshot_date").desc())
    rows = PortfolioSnapshot.objects.filter(account_id__in=account_ids, snapshot_date__lte=day)
    pairs: dict[Any, list[PortfolioSnapshot]] = {}
    newest = rows.annotate(place=place).filter(place__lte=2).order_by("account_id", "-snapshot_date")
    for row in newest.select_related("account__user"):
        pairs.setdefault(row.account_id, []).append(row)
    return [
        Step(found[0], found[1] if len(found) > 1 else None)
        for found in pairs.values()
        if found[0].snapshot_date == day
    ]


def assets_of(rows: Sequence[PortfolioSnapshot]) -> dict[int, dict[str, AssetSnapshot]]:
    """By snapshot and asset, in one statement."""
    found: dict[int, dict[str, AssetSnapshot]] = {row.pk: {} for row in rows}
    for each in AssetSnapshot.objects.filter(snapshot_id__in=list(found)).order_by("asset"):
        found[each.snapshot_id][each.asset] = each
    return found


class DayCloses:
    """Closes of a snapshot's day: of what it held those that it took, of anything else what stood then."""

    def __init__(self, row: PortfolioSnapshot, held: Mapping[str, AssetSnapshot]) -> None:
        self.row, self.held = row, held
        self._known = {asset: Close(each.price, each.price_source) for asset, each in held.items()}
        self._known[row.currency] = Close(Decimal(1), "")

    def read(self, assets: Collection[str]) -> None:
        """Look up what is not known, at once: the newest close up to the day, however old it is."""
        day = self.row.snapshot_date
        wanted = sorted(set(assets) - self.held.keys() - self._known.keys())
        for since in self._stretches() if wanted else ():
            closes = Closes(wanted, self.row.currency, since, day, exchange=self.row.exchange)
            for asset in wanted:
                price, price_day = closes.standing(asset, day)
                self._known[asset] = Close(price, closes.source(asset, price_day or day))
            wanted = [asset for asset in wanted if self._known[asset].price is None]
            if not wanted:
                return

    def _stretches(self) -> Iterator[date]:
        """First some days, then all since the account's first: no snapshot knows closes from before it."""
        recent = self.row.snapshot_date - _LOOK_BACK
        days = PortfolioSnapshot.objects.filter(account_id=self.row.account_id)
        first = days.aggregate(first=Min("snapshot_date"))["first"] or self.row.snapshot_date
        yield max(first, recent)
        if first < recent:
            yield first

    def of(self, asset: str) -> Close:
        if asset not in self._known:
            self.read([asset])
        return self._known[asset]

    def price(self, asset: str, _: date) -> Decimal | None:
        return self.of(asset).price

    def source(self, asset: str, _: date) -> str:
        return self.of(asset).source


def span(day: date) -> tuple[datetime, datetime]:
    return clock.day_start(day), clock.day_end(day)
