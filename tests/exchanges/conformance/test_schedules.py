"""Whatever faults a walk meets, in whatever order and however often it is taken up again, it ends in the truth."""

from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges.base import Account
from exchanges.errors import ErrorKind, ExchangeError
from tests.exchanges.conformance.house import Facts, World, fill_facts, walk

BREAKING = ("rate_limit", "ban", "bad_gateway", "truncate", "reset", "bad_signature")
DISORDER = ("duplicate_rows", "out_of_order_rows", "latency")
KINDS = {ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.DOWN, ErrorKind.NETWORK, ErrorKind.AUTH, None}

rules = st.fixed_dictionaries(
    {
        "action": st.sampled_from(BREAKING + DISORDER),
        "skip": st.integers(0, 4),
        "times": st.integers(1, 3),
    }
)
schedules = st.lists(st.tuples(st.lists(rules, max_size=3), st.booleans()), min_size=1, max_size=4)


def attempt(account: Account, symbol: str, position: str, found: Facts) -> tuple[str, ErrorKind | None]:
    """Walk until it ends or breaks; answers where to go on, and by what it broke."""
    while True:
        try:
            page = account.fills(symbol, position)
        except ExchangeError as error:
            return position, error.kind
        for key, fill in fill_facts(page.rows).items():
            assert found.setdefault(key, fill) == fill
        position = page.next_position
        if not page.has_more:
            return position, None


@given(schedule=schedules)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_schedule_of_faults_and_sessions_ends_in_the_truth(
    still: World, schedule: list[tuple[list[dict[str, Any]], bool]]
) -> None:
    symbol, found, position = still.busiest(), Facts(), ""
    account = still.account()
    for faults, reopens in schedule:
        for rule in faults:
            still.simulator.faults.add(**rule, path=still.house.fills_path, ms=1)
        if reopens:
            account = still.account()
        position, broken_by = attempt(account, symbol, position, found)
        assert broken_by in KINDS
        still.simulator.faults.clear()
    rows, bad, _ = walk(partial(account.fills, symbol), position)
    assert (found | fill_facts(rows), bad) == (still.fills(symbol), [])
