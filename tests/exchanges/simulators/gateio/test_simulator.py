"""One world a seed: the same facts in any process, and other people than at another exchange."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.profiles import SMALL

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def told(make: Callable[..., SimulatedExchange] = GateioSimulator, **options: Any) -> dict[str, Any]:
    """The accounts of a world of its own."""
    given: dict[str, Any] = {"seed": 5, "clock": FixedClock(NOON), "profiles": SMALL} | options
    with make(**given) as simulator:
        accounts: dict[str, Any] = simulator.truth()["accounts"]
        return accounts


def test_the_same_seed_and_moment_make_the_same_truth() -> None:
    assert told() == told()


def test_a_world_goes_on_after_a_restart() -> None:
    later = FixedClock(NOON + timedelta(hours=6))
    before, after = told()["holes"], told(clock=later, live_from=NOON)["holes"]
    assert (after["api_key"], after["uid"]) == (before["api_key"], before["uid"])
    for pair, fills in before["fills"].items():
        assert after["fills"][pair][: len(fills)] == fills


def test_the_same_seed_makes_other_people_elsewhere() -> None:
    keys = [{each["api_key"] for each in told(make).values()} for make in (GateioSimulator, BinanceSimulator)]
    assert keys[0].isdisjoint(keys[1])


def test_nobody_has_order_lists_and_ids_are_of_the_whole_account() -> None:
    orders = [each for rows in told()["demo"]["orders"].values() for each in rows]
    assert {each["list_id"] for each in orders} == {-1}
    assert len({each["id"] for each in orders}) == len(orders)
