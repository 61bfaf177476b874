from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc.market import CANDLES_PER_PAGE, MexcMarket
from exchanges.rows import PriceRow
from exchanges.transport import CcxtClient
from tests.exchanges.mexc.conftest import NOW
from tests.exchanges.stub import Asked, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
Samples = dict[str, Any]
HOUR_MS = 3_600_000


def candles_since(opened: datetime) -> Script:
    """klines of 60m from a moment on; the last 500 of a window, as MEXC gives them."""

    def answer(asked: Asked) -> Any:
        start, end = (int(asked.query[name]) for name in ("startTime", "endTime"))
        first = max(-(-start // HOUR_MS) * HOUR_MS, clock.to_ms(opened))
        times = range(first, end + 1, HOUR_MS)[-CANDLES_PER_PAGE:]
        return [[at, "5", "6", "4", "5", "1", at + HOUR_MS, "5"] for at in times]

    return answer


def test_prices_of_all_symbols(samples: Samples, serve: Serve) -> None:
    _, client = serve(lambda _: samples["ticker/price"])
    assert MexcMarket(client).prices().rows == (
        PriceRow("BTCUSDT", Decimal("6.65")),
        PriceRow("ETHUSDT", Decimal("5.65")),
    )


def test_listings_report_what_is_unreadable(samples: Samples, serve: Serve) -> None:
    _, client = serve(lambda _: {"symbols": [*samples["exchangeInfo"]["symbols"], {"symbol": "X"}]})
    page = MexcMarket(client).listings()
    assert ([row.symbol for row in page.rows], [each.reason for each in page.bad]) == (
        ["BROCKUSDT"],
        ["status is missing"],
    )


def test_no_symbols_is_no_answer(serve: Serve) -> None:
    _, client = serve(lambda _: {"timezone": "CST"})
    with pytest.raises(ExchangeError) as raised:
        MexcMarket(client).listings()
    assert raised.value.kind is ErrorKind.DOWN


def test_an_hour_is_called_sixty_minutes(samples: Samples, serve: Serve) -> None:
    stub, client = serve(lambda _: samples["klines"])
    page = MexcMarket(client).candles("BTCUSDT", "1h", NOW - timedelta(hours=2), NOW)
    assert (stub.asked[0].query["interval"], page.rows[0].timeframe) == ("60m", "1h")


def test_no_window_holds_more_candles_than_a_page(serve: Serve) -> None:
    since = NOW - timedelta(hours=1200)
    stub, client = serve(candles_since(since))
    market, rows = MexcMarket(client), list[datetime]()
    at, has_more = since, True
    while has_more:
        page = market.candles("BTCUSDT", "1h", at, NOW)
        rows += [row.opened_at for row in page.rows if row.opened_at not in rows]
        at, has_more = page.rows[-1].opened_at, page.has_more
    assert rows == [since + timedelta(hours=number) for number in range(1200)]
    spans = [int(each.query["endTime"]) - int(each.query["startTime"]) + 1 for each in stub.asked]
    assert max(spans) <= CANDLES_PER_PAGE * HOUR_MS


def test_windows_before_a_market_opened_are_passed_by(serve: Serve) -> None:
    _, client = serve(candles_since(NOW - timedelta(hours=3)))
    page = MexcMarket(client).candles("BTCUSDT", "1h", NOW - timedelta(days=90), NOW)
    assert (len(page.rows), page.has_more) == (3, False)


def test_an_unknown_timeframe_is_the_callers_mistake(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        MexcMarket(client).candles("BTCUSDT", "2h", NOW, NOW)
    assert raised.value.kind is ErrorKind.USER
