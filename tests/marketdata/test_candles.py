from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.errors import Invalid, NotFound
from marketdata import candles
from marketdata.candles import CandleNeed
from marketdata.models import Candle
from tests.conftest import NOW
from tests.marketdata.conftest import Lister, candle_row, store_candles

HOUR = timedelta(hours=1)


def missing(
    asset: str = "BTC", *, since: datetime = NOW - 5 * HOUR, until: datetime = NOW, timeframe: str = "1h"
) -> list[CandleNeed]:
    return candles.missing(
        exchanges=["binance"],
        asset=asset,
        currency="USDT",
        timeframe=timeframe,
        since=since,
        until=until,
        at=NOW,
    )


def test_a_candle_is_final_once_it_closed_and_settled(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    for seconds, is_final in ((59, False), (60, True)):
        store_candles(candle_row("BTCUSDT", NOW - HOUR), at=NOW + timedelta(seconds=seconds))
        assert Candle.objects.get().is_final is is_final


def test_a_running_candle_is_brought_up_to_date(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW, 100, 101))

    assert store_candles(candle_row("BTCUSDT", NOW, 100, 102)) == 1
    assert Candle.objects.get().close == 102


def test_an_unfinished_reading_never_replaces_a_final_candle(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW - HOUR, 100, 103), at=NOW + HOUR)

    assert store_candles(candle_row("BTCUSDT", NOW - HOUR, 100, 101), at=NOW - HOUR / 2) == 0
    assert Candle.objects.get().close == 103


def test_a_final_candle_is_mended_by_a_final_one(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW - 2 * HOUR, 100, 103))

    assert store_candles(candle_row("BTCUSDT", NOW - 2 * HOUR, 100, 104)) == 1


def test_an_unchanged_candle_is_not_written(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW))

    assert store_candles(candle_row("BTCUSDT", NOW)) == 0


def test_candle_prices_come_back_exactly(list_pairs: Lister) -> None:
    list_pairs("PEPE/USDT")
    store_candles(
        candle_row("PEPEUSDT", NOW, "0.000000000000000001", "99999999999999999999.123456789012345678")
    )

    assert Candle.objects.values_list("low", "high").get() == (
        Decimal("0.000000000000000001"),
        Decimal("99999999999999999999.123456789012345678"),
    )


def test_candles_of_an_unknown_symbol_or_timeframe_are_refused(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    with pytest.raises(NotFound, match="binance does not list NEWUSDT"):
        store_candles(candle_row("NEWUSDT", NOW))
    with pytest.raises(Invalid, match="Timeframe '7h'"):
        store_candles(candle_row("BTCUSDT", NOW, timeframe="7h"))


def test_all_is_missing_when_nothing_is_stored(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert missing() == [CandleNeed("binance", "BTCUSDT", NOW - 5 * HOUR, NOW)]


def test_the_candle_the_first_moment_lies_in_is_missing_too(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert missing(since=NOW - HOUR / 2) == [CandleNeed("binance", "BTCUSDT", NOW - HOUR, NOW)]


def test_the_future_is_never_missing(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert missing(since=NOW + HOUR, until=NOW + 9 * HOUR) == []
    assert missing(since=NOW - HOUR, until=NOW + 9 * HOUR) == [
        CandleNeed("binance", "BTCUSDT", NOW - HOUR, NOW)
    ]


def test_stored_final_candles_are_not_missing(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(*(candle_row("BTCUSDT", NOW - back * HOUR) for back in (5, 4, 2)))

    assert missing() == [CandleNeed("binance", "BTCUSDT", NOW - 3 * HOUR, NOW)]


def test_a_candle_that_was_still_running_is_missing(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW - HOUR), at=NOW - HOUR / 2)

    assert missing(since=NOW - HOUR) == [CandleNeed("binance", "BTCUSDT", NOW - HOUR, NOW)]


def test_gaps_far_apart_are_asked_for_one_by_one(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(*(candle_row("BTCUSDT", NOW - back * HOUR) for back in range(2, 503)))

    assert missing(since=NOW - 503 * HOUR) == [
        CandleNeed("binance", "BTCUSDT", NOW - 503 * HOUR, NOW - 502 * HOUR),
        CandleNeed("binance", "BTCUSDT", NOW - HOUR, NOW),
    ]


def test_an_inverse_market_is_asked_where_there_is_no_direct_one(list_pairs: Lister) -> None:
    list_pairs("USDT/TRY")

    assert missing("TRY") == [CandleNeed("binance", "USDTTRY", NOW - 5 * HOUR, NOW)]


def test_both_legs_of_a_bridge_are_asked(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC")

    assert missing("ADA") == [
        CandleNeed("binance", "ADABTC", NOW - 5 * HOUR, NOW),
        CandleNeed("binance", "BTCUSDT", NOW - 5 * HOUR, NOW),
    ]


def test_a_direct_market_is_preferred_to_a_bridge(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC", "ADA/USDT")

    assert [need.symbol for need in missing("ADA")] == ["ADAUSDT"]


def test_nothing_is_missing_for_the_currency_itself_or_an_asset_without_a_market(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert missing("USDT") == missing("SCAM") == []
