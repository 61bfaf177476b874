"""ccxt's unified `mexc` takes the simulated contracts for MEXC's."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from exchanges.simulators.clock import DAY_MS, RealClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import SMALL_CONTRACTS
from exchanges.transport import point_at

LIMITS = Limits(contract_details=10**6)


@pytest.fixture(scope="module")
def simulator() -> Iterator[MexcSimulator]:
    """On real time, which the client stamps its requests with."""
    profiles = [each for each in SMALL_CONTRACTS if each.label == "hedged"]
    with MexcSimulator(seed=1, clock=RealClock(), profiles=profiles, limits=LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def told(simulator: MexcSimulator) -> dict[str, Any]:
    facts: dict[str, Any] = simulator.truth()["accounts"]["hedged"]["futures"]
    return facts


@pytest.fixture(scope="module")
def unified(simulator: MexcSimulator) -> Any:
    keys = simulator.accounts["hedged"]
    options = {"defaultType": "swap", "fetchMarkets": {"types": {"spot": False, "swap": {"linear": True}}}}
    client = ccxt.mexc(
        {
            "apiKey": keys.api_key,
            "secret": keys.api_secret,
            "enableRateLimit": False,
            "number": str,
            "options": options,
        }
    )
    client.urls["api"] = point_at(client.urls["api"], simulator.url)
    return client


def unify(contract: str) -> str:
    base, _, quote = contract.partition("_")
    return f"{base}/{quote}:{'BTC' if quote == 'USD' else quote}"


def busiest(told: dict[str, Any]) -> str:
    name: str = max(told["fills"], key=lambda each: len(told["fills"][each]))
    return name


def test_ccxt_reads_the_wallet(unified: Any, told: dict[str, Any]) -> None:
    free = unified.fetch_balance({"type": "swap"})["free"]
    assert {asset: Decimal(free[asset]) for asset in told["balances"]} == {
        asset: Decimal(row["available"]) for asset, row in told["balances"].items()
    }


def test_ccxt_reads_positions(unified: Any, told: dict[str, Any]) -> None:
    rows = unified.fetch_positions()
    got = {
        (row["symbol"], row["side"], Decimal(row["contracts"]) * Decimal(row["contractSize"])) for row in rows
    }
    assert got == {
        (unify(row["contract"]), row["side"].lower(), Decimal(row["quantity"])) for row in told["positions"]
    }


def test_ccxt_reads_fills(unified: Any, simulator: MexcSimulator, told: dict[str, Any]) -> None:
    name = busiest(told)
    since = simulator.clock.now_ms() - 60 * DAY_MS
    rows = unified.fetch_my_trades(
        unify(name), since=since, limit=100, params={"end_time": simulator.clock.now_ms()}
    )
    newest = sorted(told["fills"][name], key=lambda fact: (fact["time"], fact["id"]))[-100:]
    assert {row["id"]: (row["order"], Decimal(row["price"])) for row in rows} == {
        str(fact["id"]): (str(fact["order_id"]), Decimal(fact["price"])) for fact in newest
    }


def test_ccxt_reads_open_orders_and_those_that_wait(unified: Any, told: dict[str, Any]) -> None:
    open_ids = {
        str(row["id"])
        for rows in told["orders"].values()
        for row in rows
        if row["status"] in ("NEW", "PARTIALLY_FILLED")
    }
    waiting = {
        row["id"].removeprefix("plan-")
        for rows in told["conditional_orders"].values()
        for row in rows
        if row["status"] == "NEW" and row["id"].startswith("plan-")
    }
    assert {row["id"] for row in unified.fetch_open_orders()} == open_ids
    assert {row["id"] for row in unified.fetch_open_orders(params={"trigger": True})} == waiting


def test_ccxt_reads_funding_and_transfers(unified: Any, told: dict[str, Any]) -> None:
    paid = unified.fetch_funding_history(limit=100)
    newest = sorted(told["funding"], key=lambda fact: fact["id"])[-100:]
    assert {str(row["id"]): Decimal(row["amount"]) for row in paid} == {
        str(fact["id"]): Decimal(fact["amount"]) for fact in newest
    }
    moved = unified.contract_private_get_account_transfer_record()["data"]["resultList"]
    assert {row["txid"] for row in moved} == {row["id"] for row in told["transfers"]}


def test_ccxt_is_refused_by_a_wrong_secret(simulator: MexcSimulator, unified: Any) -> None:
    stranger = ccxt.mexc({"apiKey": unified.apiKey, "secret": "wrong", "options": {"defaultType": "swap"}})
    stranger.urls["api"] = point_at(stranger.urls["api"], simulator.url)
    with pytest.raises(ccxt.ExchangeError, match="602"):
        stranger.contract_private_get_account_assets()
