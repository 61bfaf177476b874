"""Public data of MEXC: spot symbols and contracts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from core import clock
from exchanges import binance_like, reading
from exchanges.base import Contracts
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import contracts, mapping
from exchanges.mexc.envelope import item, items
from exchanges.rows import BadRow, CandleRow, ListingRow, Page, PriceRow
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import MILLISECOND, ceil_ms

CANDLES_PER_PAGE: Final = 500  # documented as 1000, kept at 500
# Our name to MEXC's, and the shortest such a candle can be.
TIMEFRAMES: Final = {
    "1m": ("1m", timedelta(minutes=1)),
    "5m": ("5m", timedelta(minutes=5)),
    "15m": ("15m", timedelta(minutes=15)),
    "30m": ("30m", timedelta(minutes=30)),
    "1h": ("60m", timedelta(hours=1)),
    "4h": ("4h", timedelta(hours=4)),
    "1d": ("1d", timedelta(days=1)),
    "1w": ("1W", timedelta(days=7)),
    "1M": ("1M", timedelta(days=28)),
}


class MexcMarket:
    """Implements `exchanges.base.MarketData`."""

    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    @property
    def used_weight(self) -> int | None:
        """MEXC does not tell it."""
        return self._client.used_weight

    @property
    def has_contracts(self) -> bool:
        return True

    def listings(self) -> Page[ListingRow]:
        return listings(self._client)

    def contracts(self) -> Page[ListingRow]:
        return contract_listings(self._client)

    def contract_prices(self) -> Page[PriceRow]:
        raws = items(self._client, "contract_public_get_ticker")
        rows, bad = reading.rows(raws, contracts.fair_price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def prices(self) -> Page[PriceRow]:
        raws = self._client.records("spot_public_get_ticker_price")
        rows, bad = reading.rows(raws, binance_like.price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        interval, shortest = _timeframe(timeframe)

        def ask(start: int, stop: int) -> list[Any]:
            query = {"interval": interval, "startTime": start, "endTime": stop - 1, "limit": CANDLES_PER_PAGE}
            return self._client.records("spot_public_get_klines", {"symbol": symbol, **query})

        return _walk(ask, shortest, symbol, timeframe, since, until)

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        interval, shortest = contracts.INTERVALS.get(timeframe, ""), _timeframe(timeframe)[1]

        def ask(start: int, stop: int) -> list[Any]:
            """By seconds, both ends counting."""
            query = {"interval": interval, "start": -(-start // 1000), "end": (stop - 1) // 1000}
            told = item(self._client, "contract_public_get_kline_symbol", {"symbol": symbol, **query})
            return contracts.candle_rows(told)

        return _walk(ask, shortest, symbol, timeframe, since, until)

    def close(self) -> None:
        self._client.close()


def _walk(
    ask: Callable[[int, int], list[Any]],
    shortest: timedelta,
    symbol: str,
    timeframe: str,
    since: datetime,
    until: datetime,
) -> Page[CandleRow]:
    """Windows so narrow that none holds more than a page; empty ones are passed by."""
    start, end = clock.to_ms(since), ceil_ms(until)
    rows, bad, count = list[CandleRow](), list[BadRow](), 0
    while start < end and not any(row.opened_at > since for row in rows):
        stop = min(start + CANDLES_PER_PAGE * (shortest // MILLISECOND), end)
        raws = ask(start, stop)
        good, worse = binance_like.candles(raws, symbol, timeframe)
        rows += good
        bad += worse
        count += len(raws)
        start = stop
    rows.sort(key=lambda row: row.opened_at)
    at = clock.to_ms(rows[-1].opened_at if rows else since)
    return Page(tuple(rows), tuple(bad), str(at), has_more=start < end, raw_count=count)


def _timeframe(name: str) -> tuple[str, timedelta]:
    if name not in TIMEFRAMES:
        raise ExchangeError(ErrorKind.USER, f"MEXC has no candles of {name!r:.20}.")
    return TIMEFRAMES[name]


def listings(client: CcxtClient) -> Page[ListingRow]:
    """Every spot symbol, also those that pause."""
    raws = client.record("spot_public_get_exchangeinfo").get("symbols")
    if not isinstance(raws, list):
        raise unreadable("no symbols")
    rows, bad = reading.rows(raws, mapping.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def contract_listings(client: CcxtClient) -> Page[ListingRow]:
    """Every contract, also those that pause."""
    raws = items(client, "contract_public_get_detail")
    if not raws:
        raise unreadable("no contracts")
    rows, bad = reading.rows(raws, contracts.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def contract_terms(client: CcxtClient) -> Contracts:
    """What every listed contract is."""
    return {row.symbol: row.contract for row in contract_listings(client).rows if row.contract is not None}
