"""Gate's own gate-api and ccxt's unified `gate` take the simulated contracts for Gate.io's."""

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from exchanges.simulators.clock import DAY_MS, RealClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.profiles import SMALL_CONTRACTS
from exchanges.transport import point_at

with warnings.catch_warnings():
    # Its sources hold escape sequences that newer Pythons warn of.
    warnings.simplefilter("ignore", DeprecationWarning)
    import gate_api

SETTLE = "usdt"


@pytest.fixture(scope="module")
def simulator() -> Iterator[GateioSimulator]:
    """On real time, which the clients stamp their requests with."""
    profiles = [each for each in SMALL_CONTRACTS if each.label != "leveraged"]
    with GateioSimulator(seed=1, clock=RealClock(), profiles=profiles) as running:
        yield running


@pytest.fixture(scope="module")
def told(simulator: GateioSimulator) -> dict[str, Any]:
    facts: dict[str, Any] = simulator.truth()["accounts"]["hedged"]["futures"]
    return facts


def official_of(simulator: GateioSimulator, label: str = "hedged") -> Any:
    keys = simulator.accounts[label]
    configuration = gate_api.Configuration(
        host=f"{simulator.url}/api/v4", key=keys.api_key, secret=keys.api_secret
    )
    return gate_api.FuturesApi(gate_api.ApiClient(configuration))


@pytest.fixture
def official(simulator: GateioSimulator) -> Any:
    return official_of(simulator)


@pytest.fixture(scope="module")
def unified(simulator: GateioSimulator) -> Any:
    keys = simulator.accounts["hedged"]
    options = {"defaultType": "swap", "unifiedAccount": False, "fetchMarkets": {"types": ["swap"]}}
    client = ccxt.gate(
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


def settled(told: dict[str, Any], what: str) -> list[dict[str, Any]]:
    """Facts of the contracts that settle in USDT."""
    return [row for name, rows in told[what].items() if name.endswith("_USDT") for row in rows]


def lately(rows: list[dict[str, Any]], simulator: GateioSimulator, days: int = 29) -> list[dict[str, Any]]:
    """A second aside, as asked for in seconds."""
    return [row for row in rows if row["time"] > simulator.clock.now_ms() - days * DAY_MS]


def span(simulator: GateioSimulator) -> dict[str, int]:
    now = simulator.clock.now_ms() // 1000 + 1
    return {"_from": now - 29 * 86_400, "to": now}


def test_gate_api_reads_the_wallet(official: Any, told: dict[str, Any]) -> None:
    row = official.list_futures_accounts(SETTLE)
    assert (Decimal(row.total), row.in_dual_mode) == (Decimal(told["balances"]["USDT"]["balance"]), True)


def test_gate_api_reads_positions_of_both_sides(official: Any, told: dict[str, Any]) -> None:
    rows = official.list_positions(SETTLE, holding="true")
    assert {(row.contract, row.mode) for row in rows} == {
        (row["contract"], f"dual_{row['side'].lower()}")
        for row in told["positions"]
        if row["contract"].endswith("_USDT")
    }


def test_gate_api_reads_fills(official: Any, simulator: GateioSimulator, told: dict[str, Any]) -> None:
    rows = official.get_my_trades_with_time_range(SETTLE, limit=1000, **span(simulator))
    truth = lately(settled(told, "fills"), simulator)
    assert {str(fact["id"]) for fact in truth} <= {row.trade_id for row in rows}
    assert {row.trade_id for row in rows} <= {str(fact["id"]) for fact in settled(told, "fills")}
    assert any(Decimal(row.close_size) for row in rows)


def test_gate_api_reads_the_ledger(official: Any, simulator: GateioSimulator, told: dict[str, Any]) -> None:
    rows = official.list_futures_account_book(SETTLE, limit=1000, type="fund", **span(simulator))
    truth = {
        str(fact["id"]): Decimal(fact["amount"])
        for fact in lately(told["funding"], simulator)
        if fact["asset"] == "USDT"
    }
    assert {row.id: Decimal(row.change) for row in rows}.items() >= truth.items()
    assert {row.type for row in rows} == {"fund"}


def test_gate_api_reads_orders_and_those_that_wait(official: Any, told: dict[str, Any]) -> None:
    open_ids = {row["id"] for row in settled(told, "orders") if row["status"] in ("NEW", "PARTIALLY_FILLED")}
    waiting = {row["id"] for row in settled(told, "conditional_orders") if row["status"] == "NEW"}
    assert {row.id for row in official.list_futures_orders(SETTLE, "open")} == open_ids
    assert {row.id for row in official.list_price_triggered_orders(SETTLE, "open")} == waiting


def test_gate_api_reads_contracts_and_prices(official: Any, told: dict[str, Any]) -> None:
    contracts = {row.name: row for row in official.list_futures_contracts(SETTLE)}
    tickers = {row.contract for row in official.list_futures_tickers(SETTLE)}
    assert contracts.keys() == tickers >= {name for name in told["fills"] if name.endswith("_USDT")}
    assert (contracts["BTC_USDT"].type, contracts["BTC_USDT"].quanto_multiplier) == ("direct", "0.0001")


def test_gate_api_is_told_that_there_is_no_wallet(simulator: GateioSimulator) -> None:
    with pytest.raises(gate_api.exceptions.GateApiException) as raised:
        official_of(simulator, "quiet").list_futures_accounts(SETTLE)
    assert raised.value.label == "USER_NOT_FOUND"


def unify(contract: str) -> str:
    base, _, quote = contract.partition("_")
    return f"{base}/{quote}:{'BTC' if quote == 'USD' else quote}"


def test_ccxt_reads_positions(unified: Any, told: dict[str, Any]) -> None:
    rows = unified.fetch_positions(params={"settle": SETTLE})
    got = {
        (row["symbol"], row["side"], abs(Decimal(row["contracts"])) * Decimal(row["contractSize"]))
        for row in rows
    }
    assert got == {
        (unify(row["contract"]), row["side"].lower(), Decimal(row["quantity"]))
        for row in told["positions"]
        if row["contract"].endswith("_USDT")
    }


def test_ccxt_reads_fills(unified: Any, simulator: GateioSimulator, told: dict[str, Any]) -> None:
    name = max(told["fills"], key=lambda each: len(told["fills"][each]))
    since = simulator.clock.now_ms() - 29 * DAY_MS
    rows = unified.fetch_my_trades(
        unify(name), since=since, limit=1000, params={"until": simulator.clock.now_ms() + 1000}
    )
    truth = lately(told["fills"][name], simulator, 28)
    assert {row["id"]: Decimal(row["price"]) for row in rows}.items() >= {
        str(fact["id"]): Decimal(fact["price"]) for fact in truth
    }.items()


def test_ccxt_reads_funding_and_open_orders(
    unified: Any, simulator: GateioSimulator, told: dict[str, Any]
) -> None:
    paid = unified.fetch_funding_history(
        "BTC/USDT:USDT", since=simulator.clock.now_ms() - 6 * DAY_MS, limit=1000
    )
    truth = [row for row in lately(told["funding"], simulator, 6) if row["contract"] == "BTC_USDT"]
    assert len(truth) <= len(paid) <= len(truth) + 2
    open_ids = {
        str(row["id"]) for row in settled(told, "orders") if row["status"] in ("NEW", "PARTIALLY_FILLED")
    }
    assert {row["id"] for row in unified.fetch_open_orders(params={"settle": SETTLE})} == open_ids


def test_ccxt_reads_the_wallet(unified: Any, told: dict[str, Any]) -> None:
    balance = unified.fetch_balance({"settle": SETTLE})
    assert Decimal(balance["total"]["USDT"]) == Decimal(told["balances"]["USDT"]["balance"])
