"""Public data of Gate.io: spot pairs and perpetual contracts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from core import clock
from exchanges import reading
from exchanges.base import Contracts
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio import contracts, mapping
from exchanges.reading import UnreadableRow
from exchanges.rows import BadRow, CandleRow, ListingRow, Page, PriceRow
from exchanges.transport import CcxtClient, unreadable

ReadCandle = Callable[[Any, str, str], CandleRow]
CANDLES_PER_PAGE: Final = 1000
# Older ones are refused; a few less, because the newest begins while we ask.
CANDLES_KEPT: Final = 10_000 - 10
TIMEFRAMES: Final = {
    **{f"{count}m": timedelta(minutes=count) for count in (1, 5, 15, 30)},
    **{f"{count}h": timedelta(hours=count) for count in (1, 4, 8)},
    "1d": timedelta(days=1),
}


class GateioMarket:
    """Implements `exchanges.base.MarketData`."""

    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    @property
    def used_weight(self) -> int | None:
        """None: Gate.io counts by endpoint, and tells what is left."""
        return self._client.used_weight

    @property
    def has_contracts(self) -> bool:
        return True

    def listings(self) -> Page[ListingRow]:
        return listings(self._client)

    def contracts(self) -> Page[ListingRow]:
        return contract_listings(self._client)

    def contract_prices(self) -> Page[PriceRow]:
        raws = [
            raw
            for settle in contracts.SETTLES
            for raw in self._client.records("public_futures_get_settle_tickers", {"settle": settle})
        ]
        rows, bad = reading.rows(raws, contracts.mark_price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def prices(self) -> Page[PriceRow]:
        raws = self._client.records("public_spot_get_tickers")
        rows, bad = reading.rows(raws, mapping.price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        asked = {"currency_pair": symbol}
        ask = partial(self._candles, "public_spot_get_candlesticks", asked, mapping.candle, symbol, timeframe)
        return self._walk(ask, timeframe, since, until)

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        asked = {"settle": contracts.settle_of(symbol), "contract": symbol}
        endpoint = "public_futures_get_settle_candlesticks"
        ask = partial(self._candles, endpoint, asked, contracts.candle, symbol, timeframe)
        return self._walk(ask, timeframe, since, until)

    def close(self) -> None:
        self._client.close()

    def _walk(
        self,
        ask: Callable[[datetime, datetime], Page[CandleRow]],
        timeframe: str,
        since: datetime,
        until: datetime,
    ) -> Page[CandleRow]:
        """Empty stretches, before a symbol was listed, are passed over within one call."""
        if timeframe not in TIMEFRAMES:
            raise ExchangeError(ErrorKind.USER, f"Gate.io has no candles of {timeframe!r:.20}.")
        length = TIMEFRAMES[timeframe]
        start = _ceil(max(since, self._client.now() - CANDLES_KEPT * length), length)
        while start < until:
            last = min(start + (CANDLES_PER_PAGE - 1) * length, _ceil(until, length) - length)
            page = ask(start, last)
            if page.raw_count:
                has_more = bool(page.rows) and last + length < until
                return Page(page.rows, page.bad, page.next_position, has_more, page.raw_count)
            start = last + length
        return Page((), (), str(clock.to_ms(since)), has_more=False, raw_count=0)

    def _candles(
        self,
        endpoint: str,
        asked: Mapping[str, str],
        read: ReadCandle,
        symbol: str,
        timeframe: str,
        first: datetime,
        last: datetime,
    ) -> Page[CandleRow]:
        """Those opened in [first, last], oldest first."""
        raws = self._client.records(
            endpoint,
            {
                **asked,
                "interval": timeframe,
                "from": clock.to_ms(first) // 1000,
                "to": clock.to_ms(last) // 1000,  # both ends count
            },
        )
        good, bad = _rows(raws, read, symbol, timeframe)
        rows = sorted((row for row in good if first <= row.opened_at <= last), key=lambda row: row.opened_at)
        at = clock.to_ms(rows[-1].opened_at if rows else first)
        return Page(tuple(rows), bad, str(at), has_more=False, raw_count=len(raws))


def listings(client: CcxtClient) -> Page[ListingRow]:
    """Every spot pair, also those not trading now."""
    raws = client.records("public_spot_get_currency_pairs")
    if not raws:
        raise unreadable("no pairs")
    rows, bad = reading.rows(raws, mapping.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def contract_listings(client: CcxtClient) -> Page[ListingRow]:
    """Every contract of every wallet, also those being delisted."""
    rows, bad, count = list[ListingRow](), list[BadRow](), 0
    for settle in contracts.SETTLES:
        raws = client.records("public_futures_get_settle_contracts", {"settle": settle})
        good, worse = reading.rows(raws, partial(contracts.listing, settle=settle))
        rows, bad, count = [*rows, *good], [*bad, *worse], count + len(raws)
    if not count:
        raise unreadable("no contracts")
    return Page(tuple(rows), tuple(bad), "", has_more=False, raw_count=count)


def contract_terms(client: CcxtClient) -> Contracts:
    """What every listed contract is."""
    return {row.symbol: row.contract for row in contract_listings(client).rows if row.contract is not None}


def _ceil(moment: datetime, length: timedelta) -> datetime:
    """The first candle that opens at or after a moment."""
    return clock.EPOCH - (clock.EPOCH - moment) // length * length


def _rows(
    raws: list[Any], read: ReadCandle, symbol: str, timeframe: str
) -> tuple[tuple[CandleRow, ...], tuple[BadRow, ...]]:
    """Candles of spot are arrays, not objects."""
    good: list[CandleRow] = []
    bad: list[BadRow] = []
    for raw in raws:
        try:
            good.append(read(raw, symbol, timeframe))
        except UnreadableRow as error:
            bad.append(BadRow({"row": raw}, str(error)))
    return tuple(good), tuple(bad)
