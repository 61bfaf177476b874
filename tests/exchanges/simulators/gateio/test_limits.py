"""Requests by endpoint: told on every answer, refused above the limit, new after ten seconds."""

from collections.abc import Iterator

import pytest

from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits
from exchanges.simulators.profiles import SMALL
from tests.exchanges.simulators.gateio.http import BASE, Answer, ask, send

LIMIT, REMAIN, RESET = (
    f"x-gate-ratelimit-{name}" for name in ("limit", "requests-remain", "reset-timestamp")
)


@pytest.fixture
def strict(clock: FixedClock) -> Iterator[GateioSimulator]:
    with GateioSimulator(
        seed=1, clock=clock, profiles=SMALL[1:], limits=Limits(public=2, private=3)
    ) as simulator:
        yield simulator


def balances(simulator: GateioSimulator, account: str = "holes") -> Answer:
    return ask(simulator, "/spot/accounts", account=account)


def test_the_level_is_told(strict: GateioSimulator) -> None:
    answers = [balances(strict) for _ in range(3)]
    assert [answer.headers[REMAIN] for answer in answers] == ["2", "1", "0"]
    assert {answer.headers[LIMIT] for answer in answers} == {"3"}
    assert answers[0].headers[RESET] == str(strict.clock.now_ms() // 1000)


def test_one_too_many_is_told_when_to_come_back(strict: GateioSimulator, clock: FixedClock) -> None:
    clock.advance(seconds=4)
    refused = [balances(strict) for _ in range(4)][-1]
    assert (refused.error, refused.headers[REMAIN]) == ((429, "TOO_MANY_REQUESTS"), "0")
    assert int(refused.headers[RESET]) == clock.now_ms() // 1000 + 6
    clock.advance(seconds=6)
    assert balances(strict).status == 200


def test_endpoints_and_accounts_are_counted_apart(strict: GateioSimulator) -> None:
    assert [balances(strict).status for _ in range(4)][-1] == 429
    assert ask(strict, "/spot/open_orders", account="holes").status == 200
    assert balances(strict, "quiet").status == 200


def test_ids_in_a_path_are_one_endpoint(strict: GateioSimulator) -> None:
    codes = [ask(strict, f"/spot/orders/{number}", account="holes").status for number in range(4)]
    assert codes == [404, 404, 404, 429]


def test_public_endpoints_are_counted_by_address(strict: GateioSimulator) -> None:
    path = f"{BASE}/spot/time"
    assert [send(strict, path).status for _ in range(3)] == [200, 200, 429]
    assert send(strict, path, source="127.0.0.2").status == 200
    assert send(strict, f"{BASE}/spot/tickers").status == 200
