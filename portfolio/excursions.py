"""Excursions of trades from stored candles, kept beside them. Needs an open door; the candles that are missing are
named first, and fetched by whoever opens it.

Candles are the coin's spot market against the reporting currency, hourly; for trades held longer than HOURLY, daily.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from core.clock import DAY, EPOCH
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from marketdata import candles, routes
from marketdata.models import Candle as StoredCandle
from portfolio import marks
from portfolio.accounting import excursions
from portfolio.accounting.excursions import Candle, Extremes, Held
from portfolio.models import AccountMark, Excursion, PositionSide, Trade, TradeKind
from portfolio.valuations import PriceNeed

BATCH: Final = 300
HOURLY: Final = timedelta(days=30)
_MOST_CANDLES: Final = 20_000  # that a batch may ask for
_GAP: Final = timedelta(days=2)  # needs closer than this are fetched as one range
_HOUR: Final = timedelta(hours=1)
NO_MARKET: Final = "no_direct_market"


class Due(NamedTuple):
    """A trade whose excursion is not of it as it is now."""

    id: int
    asset: str
    entry_time: datetime
    exit_time: datetime
    entry_price: Decimal
    exit_price: Decimal
    quantity: Decimal
    side: str
    is_inverse: bool

    @property
    def timeframe(self) -> str:
        return "1h" if self.exit_time - self.entry_time <= HOURLY else "1d"

    @property
    def length(self) -> timedelta:
        return candles.TIMEFRAMES[self.timeframe]


class _Market(NamedTuple):
    listing_id: int
    name: str


def settled(at: datetime, length: timedelta = _HOUR) -> datetime:
    """Of trades that ended before it, every candle is final."""
    return EPOCH + (at - candles.SETTLING - EPOCH) // length * length


def due(*, account: ExchangeAccount, at: datetime) -> list[Due]:
    """The earliest whose candles are all final, as many as a batch takes."""
    is_short = Q(exit_time__lte=F("entry_time") + HOURLY)
    rows = (
        _unmeasured(account)
        .filter(Q(is_short, exit_time__lt=settled(at)) | Q(~is_short, exit_time__lt=settled(at, DAY)))
        .order_by("exit_time")
        .annotate(of_book=F("position__book__asset"), of_contract=F("first_exit_fill__base_asset"))
    )
    columns = (
        "id",
        "of_book",
        "of_contract",
        "market_type",
        *Due._fields[2:6],
        "exit_quantity",
        *Due._fields[7:],
    )
    found: list[Due] = []
    asked = 0
    for trade_id, coin, base, kind, *rest in rows.values_list(*columns)[:BATCH]:
        trade = Due(trade_id, coin if kind == MarketType.SPOT else base, *rest)
        asked += excursions.opens(trade.entry_time, trade.exit_time, trade.length)[1]
        if found and asked > _MOST_CANDLES:
            break
        found.append(trade)
    return found


def _unmeasured(account: ExchangeAccount) -> QuerySet[Trade]:
    """Trades whose excursion is not of them as they are now."""
    since = AccountMark.objects.filter(account=account).values_list("excursions_from", flat=True).first()
    if since is None:
        return Trade.objects.none()
    current = Excursion.objects.filter(
        trade=OuterRef("pk"),
        entry_time=OuterRef("entry_time"),
        exit_time=OuterRef("exit_time"),
        entry_price=OuterRef("entry_price"),
        quantity=OuterRef("exit_quantity"),
    )
    return Trade.objects.filter(
        ~Exists(current),
        account=account,
        kind=TradeKind.TRADE,
        exit_time__gte=since,
        exit_quantity__gt=0,
        entry_price__gt=0,
    )


def price_needs(trades: Sequence[Due], *, account: ExchangeAccount) -> list[PriceNeed]:
    """Their candles as few ranges."""
    currency, needs = account.user.reporting_currency, []
    for asset, timeframe in sorted({(trade.asset, trade.timeframe) for trade in trades}):
        spans = sorted(
            (t.entry_time, t.exit_time) for t in trades if (t.asset, t.timeframe) == (asset, timeframe)
        )
        first, last = spans[0]
        for since, until in [*spans[1:], (None, None)]:
            if since is not None and until is not None and since - last <= _GAP:
                last = max(last, until)
                continue
            needs.append(PriceNeed(asset, currency, first, last, timeframe, also=(account.exchange,)))
            if since is not None and until is not None:
                first, last = since, until
    return needs


def store(trades: Sequence[Due], *, account: ExchangeAccount, at: datetime) -> int:
    """Measure these, and note from when on some still wait; answers how many were told."""
    markets = _markets(account, {trade.asset for trade in trades})
    rows = [_row(trade, markets.get(trade.asset), account, at) for trade in trades]
    Excursion.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["trade"],
        update_fields=[
            *("entry_time", "exit_time", "entry_price", "quantity", "max_drawdown", "max_runup", "interval"),
            *("source", "reason", "computed_at"),
        ],
    )
    mark = marks.locked(account)  # a fold that ended meanwhile is seen by what follows
    if rows:
        AccountMark.objects.filter(id=mark.pk).update(excursions_told=F("excursions_told") + 1)
    if not due(account=account, at=at):
        gone = Excursion.objects.filter(
            ~Exists(Trade.objects.filter(pk=OuterRef("trade_id"))), account=account
        )
        gone.delete()
        waiting = _unmeasured(account).aggregate(since=Min("exit_time"))["since"]
        AccountMark.objects.filter(id=mark.pk).update(excursions_from=waiting)
    return sum(not row.reason for row in rows)


def wait(*, account: ExchangeAccount, since: datetime) -> None:
    """Trades that ended from a moment on were folded anew."""
    mark = marks.locked(account)
    if mark.excursions_from is None or since < mark.excursions_from:
        AccountMark.objects.filter(id=mark.pk).update(excursions_from=max(since, EPOCH))


def _markets(account: ExchangeAccount, assets: set[str]) -> dict[str, _Market]:
    """Where each coin is traded directly against the reporting currency: a bridge's two candles have no common high."""
    currency = account.user.reporting_currency
    among = routes.markets(exchanges=routes.sources([account.exchange]), assets=assets, currency=currency)
    found = {}
    for asset in assets:
        best = next(iter(routes.find(asset=asset, currency=currency, among=among)), ())
        if len(best) == 1 and not best[0].inverse:
            market = best[0].market
            found[asset] = _Market(market.listing_id, f"{market.exchange}:{market.name}")
    return found


def _row(trade: Due, market: _Market | None, account: ExchangeAccount, at: datetime) -> Excursion:
    measured = _measure(trade, market) if market else NO_MARKET
    told = measured if isinstance(measured, Extremes) else None
    return Excursion(
        user_id=account.user_id,
        account=account,
        trade_id=trade.id,
        entry_time=trade.entry_time,
        exit_time=trade.exit_time,
        entry_price=trade.entry_price,
        quantity=trade.quantity,
        max_drawdown=told.drawdown if told else None,
        max_runup=told.runup if told else None,
        interval=trade.timeframe if market else "",
        source=market.name if market else "",
        reason="" if isinstance(measured, Extremes) else measured,
        computed_at=at,
    )


def _measure(trade: Due, market: _Market) -> Extremes | str:
    first, _ = excursions.opens(trade.entry_time, trade.exit_time, trade.length)
    rows: Any = StoredCandle.objects.filter(
        listing_id=market.listing_id,
        timeframe=trade.timeframe,
        opened_at__gte=first,
        opened_at__lt=max(trade.exit_time, first + trade.length),
        is_final=True,
    ).order_by("opened_at")
    found = [Candle(*row) for row in rows.values_list(*Candle._fields)]
    held = Held(
        is_long=trade.side == PositionSide.LONG,
        is_inverse=trade.is_inverse,
        quantity=trade.quantity,
        entry_price=trade.entry_price,
        exit_price=trade.exit_price,
        since=trade.entry_time,
        until=trade.exit_time,
    )
    return excursions.measure(held, found, length=trade.length)
