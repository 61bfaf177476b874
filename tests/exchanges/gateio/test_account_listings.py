"""Listings that an account's reader was given, or asks for itself."""

from collections.abc import Callable
from typing import Any

from exchanges.gateio.account import GateioAccount
from tests.exchanges.gateio.conftest import LISTINGS
from tests.exchanges.stub import Script, Stub

Open = Callable[[Script], tuple[Stub, GateioAccount]]
Samples = dict[str, Any]


def test_listings_are_asked_once_when_not_given(samples: Samples, serve: Any) -> None:
    stub, client = serve(lambda asked: samples["currency_pairs"] if "pairs" in asked.path else [])
    reader = GateioAccount(client)
    assert reader.traded_symbols(["ETH"], []) == ["ETH_USDT"]
    reader.traded_symbols(["ETH"], ["ETH_USDT"])
    assert stub.paths().count("/api/v4/spot/currency_pairs") == 1


def test_given_listings_are_not_asked_for(account: Open) -> None:
    stub, reader = account(lambda _: [])
    assert reader.traded_symbols(["ETH"], []) == ["ETH_USDT", "ETH_BTC"]
    assert (set(LISTINGS) - {"BTC_USDT"}, stub.paths()) == (
        {"ETH_USDT", "ETH_BTC"},
        ["/api/v4/spot/my_trades"],
    )
