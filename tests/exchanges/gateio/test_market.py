from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio.market import GateioMarket
from exchanges.rows import Page, PriceRow
from exchanges.transport import CcxtClient
from tests.exchanges.gateio.conftest import NOW
from tests.exchanges.stub import Asked, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
Samples = dict[str, Any]
NOW_S = clock.to_ms(NOW) // 1000
HOUR = timedelta(hours=1)


def test_prices_of_all_pairs(samples: Samples, serve: Serve) -> None:
    stub, client = serve(lambda _: samples["tickers"])
    assert GateioMarket(client).prices().rows == (PriceRow("BTC3L_USDT", Decimal("2.46140352")),)
    assert stub.paths() == ["/api/v4/spot/tickers"]


def test_listings_report_what_is_unreadable(samples: Samples, serve: Serve) -> None:
    _, client = serve(lambda _: [*samples["currency_pairs"], {"id": "X"}])
    page = GateioMarket(client).listings()
    assert ([row.symbol for row in page.rows], [each.reason for each in page.bad]) == (
        ["ETH_USDT"],
        ["trade_status is missing"],
    )


def test_no_pairs_is_no_answer(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        GateioMarket(client).listings()
    assert raised.value.kind is ErrorKind.DOWN


def candles(first: int, length: int = 3600) -> Script:
    """Both ends count; a span of 1,000 intervals is one too many; nothing before `first`."""

    def answer(asked: Asked) -> Any:
        start, end = int(asked.query["from"]), int(asked.query["to"])
        assert (end - start) // length < 1000
        assert NOW_S - start <= 10_000 * length
        opened = range(max(start, first), end + 1, length)
        return [[str(at), "9", "2", "3", "1", "2", "5", "true"] for at in opened]

    return answer


def test_candles_are_asked_half_open(serve: Serve) -> None:
    stub, client = serve(candles(0))
    page = GateioMarket(client).candles("BTC_USDT", "1h", NOW - 3 * HOUR, NOW)
    assert (stub.asked[0].query["from"], stub.asked[0].query["to"]) == (
        str(NOW_S - 3 * 3600),
        str(NOW_S - 3600),
    )
    assert ([row.opened_at for row in page.rows], page.has_more) == (
        [NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR],
        False,
    )


def test_candles_between_full_hours_begin_with_the_next(serve: Serve) -> None:
    _, client = serve(candles(0))
    minute = timedelta(minutes=1)
    page = GateioMarket(client).candles("BTC_USDT", "1h", NOW - 2 * HOUR + minute, NOW + minute)
    assert [row.opened_at for row in page.rows] == [NOW - HOUR, NOW]


def test_many_candles_go_on_at_the_last(serve: Serve) -> None:
    _, client = serve(candles(0))
    market, since, found = GateioMarket(client), NOW - 2500 * HOUR, []
    while True:
        page = market.candles("BTC_USDT", "1h", since, NOW)
        found += [row.opened_at for row in page.rows]
        if not page.has_more:
            break
        since = page.rows[-1].opened_at
    assert sorted(set(found)) == [NOW - number * HOUR for number in range(2500, 0, -1)]


def test_the_time_before_a_pair_was_listed_is_passed_over(serve: Serve) -> None:
    stub, client = serve(candles(NOW_S - 5 * 3600))
    page = GateioMarket(client).candles("BTC_USDT", "1h", NOW - 4500 * HOUR, NOW)
    assert (len(page.rows), page.has_more, len(stub.asked)) == (5, False, 5)


def test_what_is_kept_no_more_is_not_asked_for(serve: Serve) -> None:
    stub, client = serve(candles(0, 60))
    page = GateioMarket(client).candles("BTC_USDT", "1m", NOW - timedelta(days=30), NOW - timedelta(days=20))
    assert (page.rows, page.has_more, stub.asked) == ((), False, [])


def test_a_bad_candle_leaves_the_good_ones(samples: Samples, serve: Serve) -> None:
    good = [str(NOW_S - 3600), "9", "2", "3", "1", "2", "5", "true"]
    _, client = serve(lambda _: [good, [str(NOW_S - 7200), "1"], {"open": 1}])
    page = GateioMarket(client).candles("BTC_USDT", "1h", NOW - 2 * HOUR, NOW)
    assert (len(page.rows), [each.reason for each in page.bad]) == (
        1,
        ["open is missing", "expected an array, not dict"],
    )


def test_an_empty_range_asks_nothing(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    page = GateioMarket(client).candles("BTC_USDT", "1d", NOW, NOW)
    assert (page, stub.asked) == (Page((), (), str(NOW_S * 1000), has_more=False, raw_count=0), [])


def test_an_unknown_timeframe_is_the_callers_mistake(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        GateioMarket(client).candles("BTC_USDT", "7m", NOW, NOW)
    assert raised.value.kind is ErrorKind.USER
