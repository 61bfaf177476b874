import pytest

from exchanges.binance import listings
from exchanges.reading import UnreadableRow

LISTED = {
    "ADABNB": ("ADA", "BNB"),
    "ADABTC": ("ADA", "BTC"),
    "ADAGYEN": ("ADA", "GYEN"),
    "ADAUSDT": ("ADA", "USDT"),
    "BTCUSDT": ("BTC", "USDT"),
    "ETHBTC": ("ETH", "BTC"),
    "USDTTRY": ("USDT", "TRY"),
    "XRPUSDT": ("XRP", "USDT"),
}


def test_candidates_are_the_pairs_of_what_was_touched_likely_quotes_first() -> None:
    assert listings.traded(["ADA"], [], LISTED) == ["ADAUSDT", "ADABTC", "ADABNB", "ADAGYEN"]


def test_pairs_of_two_touched_assets_come_first() -> None:
    assert listings.traded(["ADA", "BNB"], [], LISTED) == ["ADABNB", "ADAUSDT", "ADABTC", "ADAGYEN"]


def test_what_is_known_is_not_named_again() -> None:
    assert listings.traded(["BTC", "USDT"], ["BTCUSDT"], LISTED) == ["USDTTRY"]


def test_asking_again_with_found_assets_comes_to_an_end() -> None:
    touched, known = {"ADA"}, set[str]()
    while found := listings.traded(sorted(touched), sorted(known), LISTED):
        known.update(found)
        touched.update(LISTED[symbol][1] for symbol in found)
    assert sorted(known) == ["ADABNB", "ADABTC", "ADAGYEN", "ADAUSDT", "BTCUSDT", "USDTTRY"]


def test_the_sweep_names_every_other_symbol() -> None:
    assert listings.rest(["ADAUSDT", "BTCUSDT"], LISTED) == [
        *("XRPUSDT", "ADABTC", "ETHBTC", "ADABNB", "USDTTRY", "ADAGYEN"),
    ]


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("ADAUSDT", ("ADA", "USDT")),
        ("LUNABUSD", ("LUNA", "BUSD")),
        ("BTCTUSD", ("BTC", "TUSD")),
        ("WAVESBNB", ("WAVES", "BNB")),
        ("SUSDUSDT", ("SUSD", "USDT")),
    ],
)
def test_assets_of_a_symbol_listed_or_not(symbol: str, pair: tuple[str, str]) -> None:
    assert listings.assets(symbol, LISTED) == pair


@pytest.mark.parametrize("symbol", ["USDT", "NOPE", ""])
def test_a_symbol_that_cannot_be_divided_says_so(symbol: str) -> None:
    with pytest.raises(UnreadableRow, match="is not listed"):
        listings.assets(symbol, LISTED)
