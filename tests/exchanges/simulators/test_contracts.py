"""The simulated world of contracts holds together."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.simulators.clock import FixedClock
from exchanges.simulators.houses import BINANCE, MEXC, House
from exchanges.simulators.profiles import SMALL, SMALL_CONTRACTS
from exchanges.simulators.world import World

NOON = datetime(2026, 11, 21, 12, 3, tzinfo=UTC)


def world(house: House = BINANCE, seed: int = 1) -> World:
    return World(seed=seed, clock=FixedClock(NOON), profiles=SMALL_CONTRACTS, house=house)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    made = world()
    assert isinstance(made.clock, FixedClock)
    made.clock.advance(hours=9)
    accounts: dict[str, Any] = made.truth()["accounts"]
    return accounts


def test_going_there_in_many_steps_gives_the_same_facts(told: dict[str, Any]) -> None:
    made = world()
    assert isinstance(made.clock, FixedClock)
    for minutes in (1, 7, 59, 60, 60, 113, 240):
        made.clock.advance(minutes=minutes)
        made.refresh()
    assert made.truth()["accounts"] == told


def test_an_account_without_contracts_tells_nothing_of_them(told: dict[str, Any]) -> None:
    assert "futures" not in told["quiet"]
    plain = World(seed=1, clock=FixedClock(NOON), profiles=SMALL, house=BINANCE).truth()["accounts"]
    assert all("futures" not in account for account in plain.values())


@pytest.mark.parametrize("house", [BINANCE, MEXC], ids=lambda house: house.name)
def test_the_wallet_is_the_sum_of_what_happened(house: House) -> None:
    for account in world(house).truth()["accounts"].values():
        futures = account.get("futures")
        if futures:
            reported = {asset: Decimal(row["balance"]) for asset, row in futures["balances"].items()}
            assert {asset: amount for asset, amount in _summed(futures).items() if amount} == reported


def test_positions_follow_from_the_fills(told: dict[str, Any]) -> None:
    for label in ("leveraged", "hedged"):
        futures = told[label]["futures"]
        held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for name, rows in futures["fills"].items():
            for row in rows:
                change = Decimal(row["quantity"])
                held[name, row["position_side"]] += change if row["side"] == "BUY" else -change
        positions = {
            (row["contract"], row["position_side"]): Decimal(row["quantity"])
            * (1 if row["side"] == "LONG" else -1)
            for row in futures["positions"]
        }
        assert positions == {key: quantity for key, quantity in held.items() if quantity}


def test_hedge_mode_holds_both_sides_and_one_way_mode_flips(told: dict[str, Any]) -> None:
    kept = {
        row["position_side"] for row in told["hedged"]["futures"]["positions"] if row["contract"] == "BTCUSDT"
    }
    assert kept == {"LONG", "SHORT"}
    assert {row["position_side"] for row in told["leveraged"]["futures"]["positions"]} == {"BOTH"}
    assert _flips(told["leveraged"]["futures"]) > 0


def test_everything_a_trader_of_contracts_meets_is_there(told: dict[str, Any]) -> None:
    futures = told["leveraged"]["futures"]
    fills = [row for rows in futures["fills"].values() for row in rows]
    orders = [row for rows in futures["orders"].values() for row in rows]
    conditionals = [row for rows in futures["conditional_orders"].values() for row in rows]
    assert {row["status"] for row in orders} >= {"NEW", "FILLED", "CANCELED"}
    assert any(row["status"] == "CANCELED" and Decimal(row["executed"]) for row in orders)
    assert {row["status"] for row in conditionals} == {"NEW", "TRIGGERED", "CANCELED", "EXPIRED"}
    assert {row["fee_asset"] for row in fills} >= {"BNB", "USDT"}
    assert any(Decimal(row["fee"]) < 0 for row in fills)
    assert sum(row["is_liquidation"] for row in fills) > 0
    assert {row["kind"] for row in futures["rebates"]} >= {"kickback"}
    assert {row["kind"] for row in futures["charges"]} == {"insurance"}
    assert {(row["from"], row["to"]) for row in futures["transfers"]} >= {
        ("spot", "futures"),
        ("futures", "spot"),
    }
    assert {Decimal(row["amount"]) > 0 for row in futures["funding"]} == {True, False}


def _summed(futures: dict[str, Any]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for name, rows in futures["fills"].items():
        for row in rows:
            settle = {"BTCUSD": "BTC", "BTCUSDC": "USDC"}.get(name, "USDT")
            sums[settle] += Decimal(row["realized_pnl"])
            sums[row["fee_asset"]] -= Decimal(row["fee"])
    for row in (*futures["funding"], *futures["rebates"], *futures["charges"]):
        sums[row["asset"]] += Decimal(row["amount"])
    for row in futures["transfers"]:
        sums[row["asset"]] += Decimal(row["amount"]) * ((row["to"] == "futures") - (row["from"] == "futures"))
    return sums


def _flips(futures: dict[str, Any]) -> int:
    """Fills that close a position and open the opposite one."""
    count = 0
    for rows in futures["fills"].values():
        held = Decimal(0)
        for row in rows:
            after = held + (Decimal(row["quantity"]) if row["side"] == "BUY" else -Decimal(row["quantity"]))
            count += held * after < 0
            held = after
    return count
