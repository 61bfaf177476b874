"""Public data of Bitget: spot, and the contracts settled in USDT and USDC."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from core import clock
from exchanges import reading
from exchanges.bitget import client as wire
from exchanges.bitget import contracts as contract_rows
from exchanges.bitget import mapping
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.reading import UnreadableRow
from exchanges.rows import BadRow, CandleRow, ListingRow, Page, PriceRow
from exchanges.transport import CcxtClient, unreadable

_SYMBOLS: Final = "public_spot_get_v2_spot_public_symbols"
_TICKERS: Final = "public_spot_get_v2_spot_market_tickers"
_CANDLES: Final = "public_spot_get_v2_spot_market_candles"
_OLD_CANDLES: Final = "public_spot_get_v2_spot_market_history_candles"
_CONTRACT_CANDLES: Final = "public_mix_get_v2_mix_market_candles"
_OLD_CONTRACT_CANDLES: Final = "public_mix_get_v2_mix_market_history_candles"
_CONTRACTS: Final = "public_mix_get_v2_mix_market_contracts"
_CONTRACT_TICKERS: Final = "public_mix_get_v2_mix_market_tickers"
_RECENT_PAGE: Final = 1000
_OLD_PAGE: Final = 200
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# Our name to theirs, its length, and how long `candles` tells it; days begin at 16:00 unless UTC is asked for.
_TIMEFRAMES: Final = {
    **{f"{count}m": (f"{count}min", count * _HOUR / 60, 28 * _DAY) for count in (1, 5, 15, 30)},
    **{f"{count}h": (f"{count}h", count * _HOUR, 80 * _DAY) for count in (1, 4)},
    "1d": ("1Dutc", _DAY, 300 * _DAY),
}


class _Series(NamedTuple):
    """What candles are asked for by, the newest and those older."""

    recent: str
    old: str
    asked: Mapping[str, str]

    def granularity(self, timeframe: str) -> str:
        name = _TIMEFRAMES[timeframe][0]
        return name if self.recent == _CANDLES else name.replace("min", "m").replace("h", "H")


class BitgetMarket:
    """Implements `exchanges.base.MarketData`."""

    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    @property
    def used_weight(self) -> int | None:
        """None: Bitget counts by endpoint and address, and tells nothing."""
        return self._client.used_weight

    @property
    def has_contracts(self) -> bool:
        return True

    def listings(self) -> Page[ListingRow]:
        return listings(self._client)

    def prices(self) -> Page[PriceRow]:
        raws = wire.rows(self._client, _TICKERS)
        rows, bad = reading.rows(raws, mapping.price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def contracts(self) -> Page[ListingRow]:
        return contracts(self._client)

    def contract_prices(self) -> Page[PriceRow]:
        raws = _of_products(self._client, _CONTRACT_TICKERS)
        rows, bad = reading.rows(raws, contract_rows.mark_price)
        return Page(rows, bad, "", has_more=False, raw_count=len(raws))

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        return self._walk(
            _Series(_CANDLES, _OLD_CANDLES, {"symbol": symbol}), symbol, timeframe, since, until
        )

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        asked = {"symbol": symbol, "productType": contract_rows.product(symbol, {})}
        series = _Series(_CONTRACT_CANDLES, _OLD_CONTRACT_CANDLES, asked)
        return self._walk(series, symbol, timeframe, since, until)

    def close(self) -> None:
        self._client.close()

    def _walk(
        self, series: _Series, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        """Empty stretches, before a symbol was listed, are passed over within one call."""
        if timeframe not in _TIMEFRAMES:
            raise ExchangeError(ErrorKind.USER, f"Bitget has no candles of {timeframe!r:.20}.")
        _, length, told = _TIMEFRAMES[timeframe]
        start = _ceil(since, length)
        while start < until:
            is_recent = start >= self._client.now() - told
            end = min(start + (_RECENT_PAGE if is_recent else _OLD_PAGE) * length, _ceil(until, length))
            page = self._candles(series, symbol, timeframe, start, end, is_recent=is_recent)
            if page.raw_count:
                has_more = bool(page.rows) and end < until
                return Page(page.rows, page.bad, page.next_position, has_more, page.raw_count)
            start = end
        return Page((), (), str(clock.to_ms(since)), has_more=False, raw_count=0)

    def _candles(
        self,
        series: _Series,
        symbol: str,
        timeframe: str,
        first: datetime,
        end: datetime,
        *,
        is_recent: bool,
    ) -> Page[CandleRow]:
        """Those opened in [first, end), oldest first. What is older is told by another endpoint, back from an end."""
        name = series.granularity(timeframe)
        asked = {**series.asked, "granularity": name, "endTime": clock.to_ms(end)}
        if is_recent:
            times = {"startTime": clock.to_ms(first), "limit": _RECENT_PAGE}
            raws = wire.rows(self._client, series.recent, {**asked, **times})
        else:
            raws = wire.rows(self._client, series.old, {**asked, "limit": _OLD_PAGE})
        good, bad = _rows(raws, symbol, timeframe)
        rows = sorted((row for row in good if first <= row.opened_at < end), key=lambda row: row.opened_at)
        at = clock.to_ms(rows[-1].opened_at if rows else first)
        return Page(tuple(rows), bad, str(at), has_more=False, raw_count=len(rows) + len(bad))


def listings(client: CcxtClient) -> Page[ListingRow]:
    """Every spot pair, also those not trading now."""
    raws = wire.rows(client, _SYMBOLS)
    if not raws:
        raise unreadable("no pairs")
    rows, bad = reading.rows(raws, mapping.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def _ceil(moment: datetime, length: timedelta) -> datetime:
    """The first candle that opens at or after a moment."""
    return clock.EPOCH - (clock.EPOCH - moment) // length * length


def _rows(raws: list[Any], symbol: str, timeframe: str) -> tuple[tuple[CandleRow, ...], tuple[BadRow, ...]]:
    """Candles are arrays, not objects."""
    good: list[CandleRow] = []
    bad: list[BadRow] = []
    for raw in raws:
        try:
            if not isinstance(raw, list):
                raise UnreadableRow(f"expected an array, not {type(raw).__name__}")
            good.append(mapping.candle(raw, symbol, timeframe))
        except UnreadableRow as error:
            bad.append(BadRow({"row": raw}, str(error)))
    return tuple(good), tuple(bad)


def contracts(client: CcxtClient) -> Page[ListingRow]:
    """Every contract settled in USDT or USDC, also those not trading now."""
    raws = _of_products(client, _CONTRACTS)
    rows, bad = reading.rows(raws, contract_rows.listing)
    return Page(rows, bad, "", has_more=False, raw_count=len(raws))


def _of_products(client: CcxtClient, endpoint: str) -> list[Any]:
    asked = [{"productType": product} for product in contract_rows.PRODUCTS]
    return [raw for each in asked for raw in wire.rows(client, endpoint, each)]
