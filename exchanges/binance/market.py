"""Public data of Binance: spot markets, and what USD-M futures are."""

from datetime import datetime
from typing import Final

from core import clock
from exchanges import binance_like, reading
from exchanges.binance import contracts as futures
from exchanges.binance import mapping
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import CandleRow, ListingRow, Page, PriceRow
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import ceil_ms

CANDLES_PER_PAGE: Final = 1000
TIMEFRAMES: Final = frozenset(
    ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
)


class BinanceMarket:
    """Implements `exchanges.base.MarketData`."""

    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    @property
    def used_weight(self) -> int | None:
        """Weight this address used in the running minute, as the last answer told."""
        return self._client.used_weight

    def listings(self) -> Page[ListingRow]:
        return listings(self._client)

    def prices(self) -> Page[PriceRow]:
        raws = self._client.records("public_get_ticker_price")
        rows, bad = reading.rows(raws, binance_like.price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    @property
    def has_contracts(self) -> bool:
        return True

    def contracts(self) -> Page[ListingRow]:
        return contracts(self._client)

    def contract_prices(self) -> Page[PriceRow]:
        raws = self._client.records("fapipublic_get_premiumindex")
        rows, bad = reading.rows(raws, futures.mark_price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        return self._candles("public_get_klines", symbol, timeframe, since, until)

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        return self._candles("fapipublic_get_klines", symbol, timeframe, since, until)

    def close(self) -> None:
        self._client.close()

    def _candles(
        self, endpoint: str, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        if timeframe not in TIMEFRAMES:
            raise ExchangeError(ErrorKind.USER, f"Binance has no candles of {timeframe!r:.20}.")
        start = clock.to_ms(since)
        if since >= until:
            return Page((), (), str(start), has_more=False, raw_count=0)
        raws = self._client.records(
            endpoint,
            {
                "symbol": symbol,
                "interval": timeframe,
                "startTime": start,
                "endTime": ceil_ms(until) - 1,  # inclusive
                "limit": CANDLES_PER_PAGE,
            },
        )
        rows, bad = binance_like.candles(raws, symbol, timeframe)
        rows = tuple(sorted(rows, key=lambda row: row.opened_at))
        at = clock.to_ms(rows[-1].opened_at) if rows else start
        # Without one readable candle there is nowhere to go on from.
        has_more = bool(rows) and len(raws) >= CANDLES_PER_PAGE
        return Page(rows, bad, str(at), has_more, raw_count=len(raws))


def listings(client: CcxtClient) -> Page[ListingRow]:
    """Every spot symbol, also those no longer trading."""
    raws = client.record("public_get_exchangeinfo", {"showPermissionSets": "false"}).get("symbols")
    if not isinstance(raws, list):
        raise unreadable("no symbols")
    rows, bad = reading.rows(raws, mapping.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def contracts(client: CcxtClient) -> Page[ListingRow]:
    """Every USD-M contract, also those no longer trading."""
    raws = client.record("fapipublic_get_exchangeinfo").get("symbols")
    if not isinstance(raws, list):
        raise unreadable("no symbols")
    rows, bad = reading.rows(raws, futures.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))
