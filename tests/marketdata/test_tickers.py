from datetime import timedelta
from decimal import Decimal

from exchanges.rows import MarketType, PriceRow
from marketdata import tickers
from marketdata.models import Listing, Symbol, Ticker
from tests.conftest import NOW
from tests.marketdata.conftest import Lister, store_prices


def test_the_latest_price_is_kept_with_its_moment(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_prices(NOW - timedelta(minutes=1), BTCUSDT=99)

    assert store_prices(NOW, BTCUSDT="100.5") == 1
    assert Ticker.objects.values_list("price", "read_at").get() == (Decimal("100.5"), NOW)


def test_a_reading_that_comes_late_changes_nothing(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_prices(NOW, BTCUSDT=100)

    assert store_prices(NOW - timedelta(seconds=1), BTCUSDT=99) == 0
    assert Ticker.objects.get().price == 100


def test_the_same_price_read_again_is_younger(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    store_prices(NOW - timedelta(minutes=1), BTCUSDT=100)

    store_prices(NOW, BTCUSDT=100)

    assert Ticker.objects.get().read_at == NOW


def test_a_symbol_that_is_not_listed_is_passed_over(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert store_prices(NOW, BTCUSDT=100, NEWUSDT=1) == 1


def test_a_contract_has_a_price_of_its_own(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    pair = Symbol.objects.get(symbol_name="BTC_USDT")
    contract = Listing.objects.create(
        symbol=pair,
        exchange="binance",
        market_type="futures",
        name="BTCUSDT",
        is_trading=True,
        updated_at=NOW,
    )
    store_prices(NOW, BTCUSDT=100)
    mark = [PriceRow("BTCUSDT", Decimal(101))]

    assert tickers.store(exchange="binance", rows=mark, at=NOW, market_type=MarketType.FUTURES) == 1
    assert dict(Ticker.objects.values_list("listing__market_type", "price")) == {"spot": 100, "futures": 101}
    assert Ticker.objects.get(listing=contract).price == 101
