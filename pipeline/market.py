"""Public data, fetched once for everybody: listings, latest prices, the candles somebody needs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db.models import Count, Max

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges import registry
from exchanges.base import Contracts, Listings, MarketData, Markets
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Contract, MarketType
from marketdata import candles, listings, routes, tickers
from marketdata.candles import CandleNeed
from marketdata.models import Listing, Ticker
from pipeline.breakers import Breakers
from pipeline.budgets import BUDGETS, Purse
from pipeline.governors import Governor
from portfolio.models import AssetDay
from portfolio.valuations import PriceNeed

DAILY_AGAIN: Final = timedelta(days=3)  # closes of the last days are read again: the newest was not final
PRICES_AGAIN: Final = timedelta(minutes=1)
Clock = Callable[[], datetime]
Beat = Callable[[str], None]


@contextmanager
def open_market(exchange: str, *, now: Clock) -> Iterator[MarketData]:
    """A public client for the length of the block."""
    client = registry.open_market(exchange, urls=urls(), now=now, governor=governor(exchange, now=now))
    try:
        yield client
    finally:
        client.close()


def governor(exchange: str, *, account: ExchangeAccount | None = None, now: Clock) -> Governor:
    """What every client of an exchange asks before it sends; None for `account`: public data."""
    return Governor(purse=purse(exchange, account), budgets=BUDGETS, outages=watch(now=now))


def purse(exchange: str, account: ExchangeAccount | None) -> Purse:
    """Two keys of one account at the exchange draw on the same budgets."""
    whose = "" if account is None else account.exchange_uid or str(account.id)
    return Purse(exchange, settings.OUTGOING_ADDRESS, whose)


def watch(*, now: Clock = clock.now) -> Breakers:
    """The breakers, with the way to the exchanges they probe."""
    return Breakers(
        now=now,
        probe=lambda exchange: registry.probe(exchange, urls=urls(), now=now),
        refresh_prices=lambda exchange: refresh_prices(exchange=exchange, now=now),
    )


def urls() -> Mapping[str, str]:
    """Where exchanges answer, when not at their own address."""
    return registry.parse_urls(settings.EXCHANGE_URLS)


def refresh_listings(*, exchange: str, now: Clock = clock.now) -> int:
    with open_market(exchange, now=now) as market:
        rows = market.listings().rows
        if market.has_contracts:
            rows = (*rows, *market.contracts().rows)
    return listings.store(exchange=exchange, rows=rows, at=now())


def refresh_prices(*, exchange: str, now: Clock = clock.now) -> int:
    """Last prices, and mark prices of contracts. Prices of symbols not listed yet wait for the listings. Raises
    ExchangeError; what came before it stays."""
    with open_market(exchange, now=now) as market:
        count = tickers.store(exchange=exchange, rows=market.prices().rows, at=now())
        if market.has_contracts:
            marks = market.contract_prices().rows
            count += tickers.store(exchange=exchange, rows=marks, at=now(), market_type=MarketType.FUTURES)
    return count


def freshen_prices(*, exchange: str, now: Clock = clock.now) -> None:
    """Read listings and prices when nobody did for a while: a first sync does not wait for beat. Raises
    ExchangeError."""
    if not Listing.objects.filter(exchange=exchange).exists():
        refresh_listings(exchange=exchange, now=now)
    newest = Ticker.objects.filter(listing__exchange=exchange).aggregate(at=Max("read_at"))["at"]
    if newest is None or now() - newest > PRICES_AGAIN:
        refresh_prices(exchange=exchange, now=now)


def price_exchanges() -> tuple[str, ...]:
    """Whose latest prices somebody may need."""
    with tenancy.as_system("market-data-needs"):
        used = ExchangeAccount.objects.filter(is_active=True, exchange__in=registry.supported())
        return routes.sources(set(used.values_list("exchange", flat=True).order_by()))


def refresh_daily_candles(*, now: Clock = clock.now) -> int:
    """The last days' candles of every asset anybody holds or held."""
    at = now()
    today = clock.day_start(clock.utc_day(at))
    with tenancy.as_system("market-data-needs"):
        held = list(AssetDay.objects.values_list("asset", "account__exchange").order_by().distinct())
    homes: dict[str, set[str]] = defaultdict(set)
    for asset, exchange in held:
        homes[asset].add(exchange)
    needs = [
        PriceNeed(
            asset, settings.REPORTING_CURRENCY, today - DAILY_AGAIN, today + clock.DAY, "1d", tuple(exchanges)
        )
        for asset, exchanges in sorted(homes.items())
        if asset != settings.REPORTING_CURRENCY
    ]
    return fetch_candles(needs, now=now)


def fetch_candles(
    needs: Iterable[PriceNeed], *, now: Clock = clock.now, beat: Beat = lambda step: None
) -> int:
    """Fetch and store what is missing of the needs; answers how many candles came. Raises ExchangeError."""
    at, wanted = now(), list(needs)
    count = _fetch_all([gap for need in wanted for gap in _gaps(need, at)], now=now, beat=beat)
    # What spot markets have is known only now.
    stand_ins = [gap for need in wanted for gap in _contract_gaps(need, at)]
    return count + _fetch_all(stand_ins, now=now, beat=beat)


_Gap = tuple[str, CandleNeed]  # with its timeframe


def _gaps(need: PriceNeed, at: datetime) -> list[_Gap]:
    missing = candles.missing(
        exchanges=routes.sources(need.also),
        asset=need.asset,
        currency=need.currency,
        timeframe=need.timeframe,
        since=need.since,
        until=need.until,
        at=at,
    )
    return [(need.timeframe, gap) for gap in missing]


def _contract_gaps(need: PriceNeed, at: datetime) -> list[_Gap]:
    if not need.contracts:
        return []
    return [
        (need.timeframe, gap)
        for exchange in need.also
        for gap in candles.missing_of_contracts(
            exchange=exchange,
            contracts=need.contracts,
            exchanges=routes.sources(need.also),
            asset=need.asset,
            currency=need.currency,
            timeframe=need.timeframe,
            since=need.since,
            until=need.until,
            at=at,
        )
    ]


def _fetch_all(wanted: list[_Gap], *, now: Clock, beat: Beat) -> int:
    count = 0
    for exchange in routes.sources({gap.exchange for _, gap in wanted}):
        here = [(timeframe, gap) for timeframe, gap in wanted if gap.exchange == exchange]
        if here:
            with open_market(exchange, now=now) as market:
                count += sum(_fetch(market, timeframe, gap, now=now, beat=beat) for timeframe, gap in here)
    return count


def known_markets(*, exchange: str, now: Clock = clock.now) -> Markets:
    """Every market, also the delisted; asks the exchange when none are stored yet."""
    if not Listing.objects.filter(exchange=exchange).exists():
        refresh_listings(exchange=exchange, now=now)
    stored = Listing.objects.filter(exchange=exchange)
    return _markets(exchange, tuple(stored.aggregate(Max("updated_at"), Max("id"), Count("id")).values()))


@lru_cache(maxsize=8)
def _markets(exchange: str, state: tuple[object, ...]) -> Markets:
    """`state` makes a refreshed table another key."""
    return Markets(spot=_spot(exchange), contracts=_contracts(exchange))


def _contracts(exchange: str) -> Contracts:
    rows = Listing.objects.filter(exchange=exchange, market_type=MarketType.FUTURES, contract_size__gt=0)
    columns = (
        "name",
        "symbol__base_asset",
        "symbol__quote_asset",
        "settle_asset",
        "contract_size",
        "is_inverse",
    )
    return {name: Contract(*terms) for name, *terms in rows.values_list(*columns)}


def _spot(exchange: str) -> Listings:
    rows = Listing.objects.filter(exchange=exchange, market_type=MarketType.SPOT)
    return {
        name: (base, quote)
        for name, base, quote in rows.values_list("name", "symbol__base_asset", "symbol__quote_asset")
    }


def _fetch(market: MarketData, timeframe: str, gap: CandleNeed, *, now: Clock, beat: Beat) -> int:
    """One gap, page by page. A symbol the exchange does not know any more has no candles."""
    is_spot = gap.market_type is MarketType.SPOT
    read = market.candles if is_spot else market.contract_candles
    since, count = gap.since, 0
    while since < gap.until:
        beat(f"Fetching prices of {gap.symbol}")
        try:
            page = read(gap.symbol, timeframe, since, gap.until)
        except ExchangeError as error:
            if error.kind is not ErrorKind.USER:
                raise
            return count
        count += candles.store(
            exchange=gap.exchange,
            timeframe=timeframe,
            rows=page.rows,
            at=now(),
            market_type=gap.market_type,
        )
        if not page.has_more or page.rows[-1].opened_at <= since:
            return count
        since = page.rows[-1].opened_at
    return count
