"""Accounts: exact, within the exchange's rules, and the same every time."""

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.simulators import late
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.profiles import DEFAULT, SHOWN, SMALL
from exchanges.simulators.symbols import SYMBOLS
from exchanges.simulators.world import World
from tests.exchanges.simulators.folding import fold, reported

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABELS = ["demo", "holes", "quiet"]
ROLES = ["ENTRY", "SL", "TP1", "TP2"]
ELSEWHERE = """
import hashlib, json
from datetime import UTC, datetime
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.profiles import SMALL
from exchanges.simulators.world import World
clock = FixedClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
truth = World(seed=5, clock=clock, profiles=SMALL).truth()
print(hashlib.sha256(json.dumps(truth).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return World(seed=1, clock=FixedClock(NOON), profiles=DEFAULT).truth()


@pytest.fixture
def world() -> World:
    return World(seed=1, clock=FixedClock(NOON), profiles=SMALL)


def rows(account: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [row for rows in account[kind].values() for row in rows]


@pytest.mark.parametrize("label", LABELS)
def test_balances_are_the_fold_of_all_facts(truth: dict[str, Any], label: str) -> None:
    account = truth["accounts"][label]
    assert fold(account) == reported(account)


def test_only_the_account_with_holes_differs_from_its_told_facts(truth: dict[str, Any]) -> None:
    differs = {
        label: fold(account, holes=False) != reported(account) for label, account in truth["accounts"].items()
    }
    assert differs == {"demo": False, "holes": True, "quiet": False}


def test_holes_are_interest_and_conversions(truth: dict[str, Any]) -> None:
    kinds = {(row["kind"], row["asset"]) for row in truth["accounts"]["holes"]["holes"]}
    assert kinds == {("earn_interest", "USDT"), ("convert", "USDT"), ("convert", "BNB")}


@pytest.mark.parametrize("label", LABELS)
def test_locked_is_what_open_orders_hold(truth: dict[str, Any], label: str) -> None:
    """Legs of one list sell the same coins and hold them once; legs that wait for their entry hold
    nothing."""
    account = truth["accounts"][label]
    held: dict[tuple[str, int, str], Decimal] = {}
    for name, orders in account["orders"].items():
        for row in orders:
            if row["status"] not in ("NEW", "PARTIALLY_FILLED"):
                continue
            rest = Decimal(row["quantity"]) - Decimal(row["executed"])
            buys = row["side"] == "BUY"
            asset = SYMBOLS[name].quote if buys else SYMBOLS[name].base
            own = row["id"] if row["list_id"] == -1 else row["list_id"]
            held[asset, own, name] = rest * Decimal(row["price"]) if buys else rest
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (asset, _, _), amount in held.items():
        sums[asset] += amount
    locked = {asset: Decimal(row["locked"]) for asset, row in account["balances"].items()}
    assert {asset: amount for asset, amount in locked.items() if amount} == dict(sums)


def test_fills_obey_tick_step_and_exact_quote(truth: dict[str, Any]) -> None:
    for name, fills in truth["accounts"]["demo"]["fills"].items():
        symbol = SYMBOLS[name]
        for row in fills:
            price, quantity = Decimal(row["price"]), Decimal(row["quantity"])
            assert price * 10**8 % symbol.tick == 0
            assert quantity > 0
            assert quantity * 10**8 % symbol.step == 0
            assert price * quantity == Decimal(row["quote_quantity"])


def test_an_orders_fills_add_up_to_it(truth: dict[str, Any]) -> None:
    account = truth["accounts"]["demo"]
    for name, orders in account["orders"].items():
        sums: dict[int, list[Decimal]] = {}
        for row in account["fills"].get(name, []):
            total = sums.setdefault(row["order_id"], [Decimal(0), Decimal(0)])
            total[0] += Decimal(row["quantity"])
            total[1] += Decimal(row["quote_quantity"])
        told = {
            row["id"]: [Decimal(row["executed"]), Decimal(row["executed_quote"])]
            for row in orders
            if Decimal(row["executed"])
        }
        assert told == sums


def test_orders_state_agrees_with_what_was_executed(truth: dict[str, Any]) -> None:
    for row in rows(truth["accounts"]["demo"], "orders"):
        executed, quantity = Decimal(row["executed"]), Decimal(row["quantity"])
        assert (row["status"] == "FILLED") == (executed == quantity)
        assert executed <= quantity
        assert row["updated"] >= row["time"]


def test_ids_rise_per_symbol_and_recur_across_symbols(truth: dict[str, Any]) -> None:
    fills = truth["accounts"]["demo"]["fills"]
    ids = {name: [row["id"] for row in rows] for name, rows in fills.items()}
    assert all(sorted(set(numbers)) == numbers for numbers in ids.values())
    assert set(ids["BTCUSDT"]) & set(ids["ETHUSDT"])


def test_the_demo_account_looks_like_a_year_of_a_persons_trading(truth: dict[str, Any]) -> None:
    account = truth["accounts"]["demo"]
    fills = rows(account, "fills")
    assert 1_500 <= len(fills) <= 3_000
    assert {SYMBOLS[name].quote for name in account["fills"]} == {"USDT", "USDC", "BTC"}
    assert {"BNB", "USDT", "BTC", "SOL"} <= {row["fee_asset"] for row in fills}
    assert min(row["time"] for row in fills) < truth["now"] - 410 * DAY_MS
    assert {row["asset"] for row in account["deposits"]} == {"USDT", "BTC"}
    assert {row["status"] for row in account["withdrawals"]} == {3, 6}
    assert {row["status"] for row in rows(account, "orders")} >= {"NEW", "FILLED", "CANCELED", "EXPIRED"}


def test_orders_of_one_idea_share_a_prefix(truth: dict[str, Any]) -> None:
    orders = rows(truth["accounts"]["demo"], "orders")
    linked = [row["client_order_id"] for row in orders if row["client_order_id"].startswith("cgt-")]
    assert sorted({name.rsplit("-", 1)[1] for name in linked}) == ROLES
    assert len(set(linked)) == len(linked)


def test_lists_of_the_exchange_carry_no_such_prefix(truth: dict[str, Any]) -> None:
    listed = [row for row in rows(truth["accounts"]["demo"], "orders") if row["list_id"] != -1]
    assert len(listed) > 50
    assert not [row for row in listed if row["client_order_id"].startswith("cgt-")]
    assert set(Counter(row["list_id"] for row in listed).values()) <= {2, 3, 4}


def test_the_oracle_agrees_with_cash_flow_where_everything_was_sold() -> None:
    """Over closed episodes gross profit is what sales brought less what purchases took, up to the dust's
    cost."""
    account = World(seed=1, clock=FixedClock(NOON), profiles=DEFAULT).truth()["accounts"]["quiet"]
    profit = account["pnl"]["by_asset"]["XRP"]
    flow = sum(
        (1 if row["side"] == "SELL" else -1) * Decimal(row["quote_quantity"])
        for row in account["fills"]["XRPUSDT"]
    )
    bought_in_coins = sum(
        Decimal(row["fee"]) * Decimal(row["price"])
        for row in account["fills"]["XRPUSDT"]
        if row["fee_asset"] == "XRP"
    )
    held = Decimal(profit["open_quantity"]) * Decimal(profit["average_cost"])
    gap = Decimal(profit["realised_gross"]) - (flow + held)
    assert profit["closed_episodes"] > 0
    assert abs(gap - bought_in_coins) < profit["closed_episodes"] * Decimal("0.3")


def test_the_same_seed_and_clock_tell_the_same_truth_in_another_process() -> None:
    here = World(seed=5, clock=FixedClock(NOON), profiles=SMALL).truth()
    digest = hashlib.sha256(json.dumps(here).encode()).hexdigest()
    there = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == digest


def test_another_seed_tells_another_truth(world: World) -> None:
    other = World(seed=2, clock=FixedClock(NOON), profiles=SMALL).truth()["accounts"]["demo"]
    assert world.truth()["accounts"]["demo"]["fills"] != other["fills"]
    assert world.accounts["demo"].api_key != other["api_key"]


def test_a_world_begun_at_another_time_has_other_keys(world: World) -> None:
    """Its facts contradict those of the first: nobody shall take the one for the other."""
    other = World(seed=1, clock=FixedClock(NOON + timedelta(days=1)), profiles=SMALL).accounts["demo"]
    assert world.accounts["demo"].api_key != other.api_key
    assert world.accounts["demo"].uid != other.uid


def test_small_steps_and_one_leap_lead_to_the_same_facts() -> None:
    walking, leaping = FixedClock(NOON), FixedClock(NOON)
    walker = World(seed=3, clock=walking, profiles=SMALL)
    leaper = World(seed=3, clock=leaping, profiles=SMALL)
    for _ in range(180):
        walking.advance(seconds=47)
        walker.refresh()
    leaping.advance(seconds=180 * 47)
    assert walker.truth() == leaper.truth()


def test_a_world_goes_on_after_a_restart(world: World) -> None:
    before = world.truth()["accounts"]["demo"]["fills"]
    later = FixedClock(NOON + timedelta(hours=30))
    again = World(seed=1, clock=later, profiles=SMALL, live_from=NOON).truth()["accounts"]["demo"]
    assert {name: again["fills"][name][: len(rows)] for name, rows in before.items()} == before
    assert len(rows(again, "fills")) > sum(map(len, before.values())) + 1_000
    assert fold(again) == reported(again)


def test_the_demo_account_trades_on_every_minute() -> None:
    clock = FixedClock(NOON)
    world = World(seed=1, clock=clock, profiles=SMALL)
    sizes = []
    for _ in range(10):
        clock.advance(minutes=1)
        sizes.append(len(rows(world.truth()["accounts"]["demo"], "orders")))
    assert sizes == sorted(set(sizes))
    assert len(rows(world.truth()["accounts"]["demo"], "fills")) > 0


@pytest.mark.parametrize(("newest_id", "position"), [(False, -2), (True, -1)])
def test_a_late_fill_appears_with_an_old_time(world: World, newest_id: bool, position: int) -> None:
    before = world.truth()["accounts"]["demo"]["fills"]["BTCUSDT"]
    fill = world.report_late_fill("demo", "BTCUSDT", days=2, newest_id=newest_id)
    account = world.truth()["accounts"]["demo"]
    after = account["fills"]["BTCUSDT"]
    assert after[position]["id"] == fill.fill_id
    assert [row for row in after if row["id"] != fill.fill_id] == before
    assert after[position]["time"] == world.clock.now_ms() - 2 * DAY_MS
    assert fold(account) == reported(account)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_no_balance_goes_below_zero_whatever_the_seed(seed: int) -> None:
    """The books themselves refuse it; here they are given the chance."""
    world = World(seed=seed, clock=FixedClock(NOON), profiles=DEFAULT)
    account = world.truth()["accounts"]["demo"]
    assert fold(account) == reported(account)
    assert min(Decimal(row[part]) for row in account["balances"].values() for part in row) >= 0


def test_a_late_fill_needs_a_market_the_account_trades(world: World) -> None:
    with pytest.raises(late.NothingToReport):
        world.report_late_fill("quiet", "DOGEUSDT", days=2, newest_id=False)


def test_a_large_account_is_built_exactly(world: World) -> None:
    world.add_bulk_account(label="bulk", symbol="SOLUSDT", fills=5_003)
    account = world.truth()["accounts"]["bulk"]
    assert {name: len(fills) for name, fills in account["fills"].items()} == {"SOLUSDT": 5_003}
    assert fold(account) == reported(account)


def test_the_demo_that_is_shown_holds_contracts_of_its_last_sixty_days() -> None:
    shown = World(seed=7, clock=FixedClock(NOON), profiles=SHOWN[:1]).truth()["accounts"]["demo"]
    futures = shown["futures"]
    fills = rows(futures, "fills")
    began = (NOON - timedelta(days=60)).timestamp() * 1000
    assert futures["positions"]
    assert futures["funding"]
    assert len(fills) > 50
    assert min(row["time"] for row in fills) > began > min(row["time"] for row in rows(shown, "fills"))
    assert min(row["time"] for row in futures["transfers"]) > began
