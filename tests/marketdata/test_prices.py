from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketdata import prices
from marketdata.prices import PricePoint
from tests.conftest import NOW
from tests.marketdata.conftest import Lister, candle_row, store_candles, store_prices

HOUR = timedelta(hours=1)
THEN = datetime(2026, 2, 10, 15, tzinfo=UTC)
DAY = THEN.date()
MIDNIGHT = datetime(2026, 2, 10, tzinfo=UTC)


def at_hours(asset: str, *hours: datetime, currency: str = "USDT") -> dict[datetime, PricePoint]:
    return prices.at_hours(asset=asset, currency=currency, hours=hours)


def closes(*assets: str, first: date = DAY, last: date = DAY) -> dict[tuple[str, date], PricePoint]:
    return prices.daily_closes(assets=assets, currency="USDT", first=first, last=last)


def test_the_price_of_an_hour_is_the_open_of_its_candle(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", THEN, 100, 105), candle_row("BTCUSDT", THEN - HOUR, 90, 99))

    assert at_hours("BTC", THEN) == {THEN: PricePoint(Decimal(100), "binance:BTCUSDT:1h", THEN)}


def test_what_the_price_exchange_does_not_list_is_priced_where_it_is_held(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    list_pairs("BTC/USDT", "MX/USDT", exchange="mexc")
    store_candles(candle_row("BTCUSDT", THEN, 100))
    store_candles(candle_row("BTCUSDT", THEN, 999), candle_row("MXUSDT", THEN, 2), exchange="mexc")

    def source(asset: str, *also: str) -> list[str]:
        found = prices.at_hours(asset=asset, currency="USDT", hours=[THEN], also=also)
        return [point.source for point in found.values()]

    assert (source("MX"), source("MX", "mexc")) == ([], ["mexc:MXUSDT:1h"])
    assert source("BTC", "mexc") == ["binance:BTCUSDT:1h"]


def test_the_open_of_a_running_candle_is_known_already(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", NOW, 100, 105), at=NOW + HOUR / 2)

    assert at_hours("BTC", NOW)[NOW].price == 100


@pytest.mark.parametrize(("hours_back", "is_known"), [(3, True), (4, False)])
def test_an_older_candle_stands_in_for_three_hours(
    list_pairs: Lister, hours_back: int, is_known: bool
) -> None:
    list_pairs("BTC/USDT")
    opened = THEN - hours_back * HOUR
    store_candles(candle_row("BTCUSDT", opened, 100), candle_row("BTCUSDT", opened - HOUR, 50))

    expected = {THEN: PricePoint(Decimal(100), "binance:BTCUSDT:1h", opened)}
    assert at_hours("BTC", THEN) == (expected if is_known else {})


def test_a_later_candle_never_stands_in(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", THEN + HOUR))

    assert at_hours("BTC", THEN) == {}


def test_the_open_of_the_day_stands_in_for_missing_hours(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", MIDNIGHT, 100, 200, timeframe="1d"))
    store_candles(candle_row("BTCUSDT", THEN, 150))

    assert at_hours("BTC", THEN, THEN - HOUR) == {
        THEN: PricePoint(Decimal(150), "binance:BTCUSDT:1h", THEN),
        THEN - HOUR: PricePoint(Decimal(100), "binance:BTCUSDT:1d", MIDNIGHT),
    }


def test_an_inverse_market_is_turned_around(list_pairs: Lister) -> None:
    list_pairs("USDT/TRY")
    store_candles(candle_row("USDTTRY", THEN, 32))

    assert at_hours("TRY", THEN) == {THEN: PricePoint(Decimal("0.03125"), "1/binance:USDTTRY:1h", THEN)}


def test_a_bridge_multiplies_its_legs_and_is_as_old_as_the_older(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC")
    store_candles(candle_row("ADABTC", THEN, "0.00001234"), candle_row("BTCUSDT", THEN - HOUR, "50000.5"))

    assert at_hours("ADA", THEN) == {
        THEN: PricePoint(Decimal("0.61700617"), "binance:ADABTC:1h*binance:BTCUSDT:1h", THEN - HOUR)
    }


def test_a_bridge_fills_the_hours_that_the_direct_market_lacks(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC", "ADA/USDT")
    early = THEN - 100 * HOUR
    store_candles(
        candle_row("ADAUSDT", THEN, 2), candle_row("ADABTC", early, "0.5"), candle_row("BTCUSDT", early, 2)
    )

    found = at_hours("ADA", THEN, early)

    assert {hour: point.source for hour, point in found.items()} == {
        THEN: "binance:ADAUSDT:1h",
        early: "binance:ADABTC:1h*binance:BTCUSDT:1h",
    }


def test_a_bridge_with_one_leg_known_gives_no_price(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC")
    store_candles(candle_row("ADABTC", THEN))

    assert at_hours("ADA", THEN) == {}


def test_the_currency_itself_is_one(db: None) -> None:
    assert at_hours("USDT", THEN) == {THEN: PricePoint(Decimal(1), "itself", THEN)}


def test_an_asset_without_a_market_has_no_price(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert at_hours("SCAM", THEN) == {}
    assert prices.price_at(asset="SCAM", currency="USDT", at=THEN) is None


def test_candles_of_another_exchange_are_not_used(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", exchange="gateio")

    assert at_hours("BTC", THEN) == {}


def test_the_price_at_a_moment_is_that_of_its_hour(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", THEN))

    point = prices.price_at(asset="BTC", currency="USDT", at=THEN + timedelta(minutes=59, seconds=59))

    assert point == PricePoint(Decimal(100), "binance:BTCUSDT:1h", THEN)


def test_thousands_of_hours_take_as_many_queries_as_one(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC")
    hours = [THEN - number * HOUR for number in range(2000)]
    store_candles(*(candle_row(symbol, hour) for symbol in ("ADABTC", "BTCUSDT") for hour in hours))

    assert _queries("ADA", hours) == _queries("ADA", hours[:1]) == 3
    assert len(at_hours("ADA", *hours)) == 2000


def _queries(asset: str, hours: Iterable[datetime]) -> int:
    with CaptureQueriesContext(connection) as queries:
        at_hours(asset, *hours)
    return len(queries)


def test_a_day_closes_at_its_final_candle(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", MIDNIGHT, 100, 105, timeframe="1d"))

    assert closes("BTC") == {
        ("BTC", DAY): PricePoint(Decimal(105), "binance:BTCUSDT:1d", MIDNIGHT + timedelta(days=1))
    }


def test_a_candle_that_is_not_final_closes_no_day(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", MIDNIGHT, timeframe="1d"), at=THEN)

    assert closes("BTC") == {}


def test_the_present_day_closes_at_the_newest_price_with_its_age(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", MIDNIGHT, 100, 105, timeframe="1d"), at=THEN)
    store_prices(THEN, BTCUSDT=103)

    assert closes("BTC", last=DAY + timedelta(days=1)) == {
        ("BTC", DAY): PricePoint(Decimal(103), "binance:BTCUSDT:ticker", THEN)
    }


def test_a_final_close_is_preferred_to_a_ticker_of_that_day(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_candles(candle_row("BTCUSDT", MIDNIGHT, 100, 105, timeframe="1d"))
    store_prices(THEN, BTCUSDT=103)

    assert closes("BTC")[("BTC", DAY)].price == 105


def test_daily_closes_of_many_assets_and_days_take_as_many_queries_as_of_one(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC", "ETH/USDT")
    days = [MIDNIGHT - timedelta(days=number) for number in range(30)]
    symbols = ("BTCUSDT", "ADABTC", "ETHUSDT")
    store_candles(*(candle_row(symbol, day, 2, timeframe="1d") for symbol in symbols for day in days))

    with CaptureQueriesContext(connection) as one:
        closes("BTC")
    with CaptureQueriesContext(connection) as many:
        found = closes("ADA", "BTC", "ETH", "USDT", first=days[-1].date())

    assert len(one) == len(many)
    assert {
        asset: sum(key[0] == asset for key in found) for asset in ("ADA", "BTC", "ETH", "USDT")
    } == dict.fromkeys(("ADA", "BTC", "ETH", "USDT"), 30)
    assert found[("ADA", DAY)].price == 4


def test_the_latest_price_is_the_ticker_by_the_best_route(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC", "BNB/USDT", "USDT/TRY")
    store_prices(THEN, BTCUSDT=50000, ADABTC="0.00001", USDTTRY=40)

    assert prices.latest(assets=["BTC", "ADA", "BNB", "TRY"], currency="USDT") == {
        "BTC": PricePoint(Decimal(50000), "binance:BTCUSDT:ticker", THEN),
        "ADA": PricePoint(Decimal("0.5"), "binance:ADABTC:ticker*binance:BTCUSDT:ticker", THEN),
        "TRY": PricePoint(Decimal("0.025"), "1/binance:USDTTRY:ticker", THEN),
    }


def test_the_ticker_of_a_delisted_market_comes_last(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "ADA/BTC", "ADA/USDT")
    store_prices(THEN - HOUR, ADAUSDT=9)
    list_pairs("BTC/USDT", "ADA/BTC")
    store_prices(THEN, BTCUSDT=2, ADABTC=3)

    assert prices.latest(assets=["ADA"], currency="USDT")["ADA"].price == 6


def test_the_currency_is_worth_one_of_itself_now(db: None) -> None:
    point = prices.latest(assets=["USDT"], currency="USDT")["USDT"]

    assert (point.price, point.source) == (Decimal(1), "itself")
