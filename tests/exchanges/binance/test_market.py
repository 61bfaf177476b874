from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.binance.market import BinanceMarket
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Page, PriceRow
from exchanges.transport import CcxtClient
from tests.exchanges.binance.conftest import NOW
from tests.exchanges.stub import Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
Samples = dict[str, Any]


def test_prices_of_all_symbols(samples: Samples, serve: Serve) -> None:
    stub, client = serve(lambda _: samples["ticker/price"])
    assert BinanceMarket(client).prices().rows == (PriceRow("LTCBTC", Decimal("4.00000200")),)
    assert stub.paths() == ["/api/v3/ticker/price"]


def test_listings_report_what_is_unreadable(samples: Samples, serve: Serve) -> None:
    _, client = serve(lambda _: {"symbols": [*samples["exchangeInfo"]["symbols"], {"symbol": "X"}]})
    page = BinanceMarket(client).listings()
    assert ([row.symbol for row in page.rows], [each.reason for each in page.bad]) == (
        ["ETHBTC"],
        ["status is missing"],
    )


def test_no_symbols_is_no_answer(serve: Serve) -> None:
    _, client = serve(lambda _: {"timezone": "UTC"})
    with pytest.raises(ExchangeError) as raised:
        BinanceMarket(client).listings()
    assert raised.value.kind is ErrorKind.DOWN


def test_candles_are_asked_half_open_and_go_on_at_the_last(samples: Samples, serve: Serve) -> None:
    stub, client = serve(lambda _: samples["klines"])
    since, until = NOW - timedelta(hours=1), NOW
    page = BinanceMarket(client).candles("BTCUSDT", "5m", since, until)
    assert (stub.asked[0].query["startTime"], stub.asked[0].query["endTime"]) == (
        str(clock.to_ms(since)),
        str(clock.to_ms(until) - 1),
    )
    assert ([row.close for row in page.rows], page.next_position, page.has_more) == (
        [Decimal("6727.14"), Decimal("6727.4")],
        "1586987700000",
        False,
    )


def test_a_bad_candle_leaves_the_good_ones(samples: Samples, serve: Serve) -> None:
    _, client = serve(lambda _: [samples["klines"][0], [1586987700000, "1"], {"open": 1}])
    page = BinanceMarket(client).candles("BTCUSDT", "5m", NOW - timedelta(hours=1), NOW)
    assert (len(page.rows), [each.reason for each in page.bad]) == (
        1,
        ["high is missing", "expected an array, not dict"],
    )


def test_an_empty_range_asks_nothing(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    at = str(clock.to_ms(NOW))
    page = BinanceMarket(client).candles("BTCUSDT", "1d", NOW, NOW)
    assert (page, stub.asked) == (Page((), (), at, has_more=False, raw_count=0), [])


def test_an_unknown_timeframe_is_the_callers_mistake(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        BinanceMarket(client).candles("BTCUSDT", "7m", NOW, NOW)
    assert raised.value.kind is ErrorKind.USER
