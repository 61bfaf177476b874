from datetime import timedelta
from decimal import Decimal

from marketdata import listings
from marketdata.models import Listing, Symbol
from tests.conftest import NOW
from tests.marketdata.conftest import Lister, listing_row

LATER = NOW + timedelta(hours=1)


def test_a_listing_has_a_canonical_symbol(list_pairs: Lister) -> None:
    assert list_pairs("BTC/USDT") == 1

    assert Listing.objects.values_list(
        "symbol__symbol_name",
        "symbol__base_asset",
        "exchange",
        "name",
        "is_trading",
        "price_step",
        "min_quantity",
    ).get() == ("BTC_USDT", "BTC", "binance", "BTCUSDT", True, Decimal("0.01"), None)


def test_two_exchanges_share_a_symbol(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")
    list_pairs("BTC/USDT", exchange="gateio")

    assert (Symbol.objects.count(), Listing.objects.count()) == (1, 2)


def test_an_unchanged_listing_is_not_written_again(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert list_pairs("BTC/USDT", at=LATER) == 0
    assert Listing.objects.values_list("updated_at", flat=True).get() == NOW


def test_a_changed_listing_is_brought_up_to_date(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    changed = listings.store(
        exchange="binance", rows=[listing_row("BTC", "USDT", is_trading=False)], at=LATER
    )

    assert changed == 1
    assert Listing.objects.values_list("status", "is_trading", "updated_at").get() == ("BREAK", False, LATER)


def test_a_listing_that_is_gone_stays_and_trades_no_more(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "LUNA/USDT")

    assert list_pairs("BTC/USDT", at=LATER) == 1
    assert Listing.objects.values_list("status", "is_trading", "updated_at").get(name="LUNAUSDT") == (
        "DELISTED",
        False,
        LATER,
    )


def test_a_listing_that_comes_back_trades_again(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", "LUNA/USDT")
    list_pairs("BTC/USDT")

    list_pairs("BTC/USDT", "LUNA/USDT")

    assert Listing.objects.get(name="LUNAUSDT").is_trading


def test_an_empty_answer_delists_nothing(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT")

    assert list_pairs() == 0
    assert Listing.objects.get().is_trading


def test_one_exchange_delists_nothing_of_another(list_pairs: Lister) -> None:
    list_pairs("BTC/USDT", exchange="gateio")

    list_pairs("ETH/USDT")

    assert Listing.objects.get(exchange="gateio").is_trading
