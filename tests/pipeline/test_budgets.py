"""Budgets in a real Redis: never over, whoever asks at once, and the highest priority longest."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from exchanges.limits import Bucket, Charge, Payer
from pipeline import shared
from pipeline.budgets import ALONE_PERCENT, COUNTED, SLICES, Budgets, LocalWindows, Purse
from pipeline.priorities import SHARES, Priority

MINUTE = Bucket("minute", 100, 60, Payer.ADDRESS)
OWN = Bucket("own", 10, 10, Payer.ACCOUNT)
PURSE = Purse("binance", "here", "one")


class Clock:
    """Milliseconds in the test's hand."""

    def __init__(self, now_ms: int = 1_772_366_400_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def wait(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@pytest.fixture(autouse=True)
def _counted(settings: Settings) -> None:
    settings.EXCHANGE_BUDGET_PERCENT = 100


def spend(budgets: Budgets, bucket: Bucket, priority: Priority = Priority.ORDERS, cost: int = 1) -> int:
    """How many requests go out at this moment."""
    count = 0
    while not budgets.take(PURSE, [Charge(bucket, cost)], priority).wait:
        count += 1
    return count


def test_a_budget_is_spent_to_its_end_and_comes_back() -> None:
    clock = Clock()
    budgets = Budgets(clock)

    assert spend(budgets, MINUTE) == 100
    wait = budgets.take(PURSE, [Charge(MINUTE, 1)], Priority.ORDERS).wait
    assert 60 <= wait <= 60 * COUNTED / SLICES
    clock.wait(wait - 0.001)
    assert spend(budgets, MINUTE) == 0
    clock.wait(0.001)
    assert spend(budgets, MINUTE) == 100


@pytest.mark.parametrize("priority", list(Priority))
def test_a_priority_leaves_the_rest_to_those_above(priority: Priority) -> None:
    budgets = Budgets(Clock())

    assert spend(budgets, MINUTE, priority) == SHARES[priority]
    above = [each for each in Priority if each > priority]
    assert [spend(budgets, MINUTE, each) for each in above] == [
        SHARES[each] - SHARES[Priority(each - 1)] for each in above
    ]


def test_the_lowest_stop_first() -> None:
    budgets = Budgets(Clock())
    spend(budgets, MINUTE, Priority.INCREMENTAL)

    passed = [each for each in Priority if not budgets.take(PURSE, [Charge(MINUTE, 1)], each).wait]
    assert passed == [Priority.INTERACTIVE, Priority.ORDERS]


def test_only_a_part_of_what_is_allowed_is_spent(settings: Settings) -> None:
    settings.EXCHANGE_BUDGET_PERCENT = 50

    assert spend(Budgets(Clock()), MINUTE) == 50


def test_a_request_larger_than_its_share_goes_out_alone() -> None:
    budgets = Budgets(Clock())

    assert spend(budgets, MINUTE, Priority.DISCOVERY, cost=70) == 1


def test_a_request_is_charged_to_all_of_its_buckets_or_to_none() -> None:
    budgets = Budgets(Clock())
    both = [Charge(MINUTE, 1), Charge(OWN, 1)]

    taken = [budgets.take(PURSE, both, Priority.ORDERS).wait for _ in range(11)]
    assert [bool(wait) for wait in taken] == [False] * 10 + [True]
    assert spend(budgets, MINUTE) == 90


def test_accounts_have_their_own_budgets_and_share_the_addresses() -> None:
    budgets, other = Budgets(Clock()), Purse("binance", "here", "two")
    spend(budgets, OWN)
    spend(budgets, MINUTE)

    assert budgets.take(other, [Charge(OWN, 1)], Priority.ORDERS).wait == 0
    assert budgets.take(other, [Charge(MINUTE, 1)], Priority.ORDERS).wait > 0
    assert budgets.take(Purse("binance", "there", "one"), [Charge(MINUTE, 1)], Priority.ORDERS).wait == 0
    assert budgets.take(Purse("mexc", "here", "one"), [Charge(MINUTE, 1)], Priority.ORDERS).wait == 0


def test_the_exchange_is_believed_when_it_counted_more() -> None:
    budgets = Budgets(Clock())
    budgets.take(PURSE, [Charge(MINUTE, 10)], Priority.ORDERS)
    budgets.raise_level(PURSE, MINUTE, 70)

    assert spend(budgets, MINUTE) == 30


def test_the_exchange_is_not_believed_when_it_counted_less() -> None:
    """Its period began anew; ours has requests in it that may count in that."""
    budgets = Budgets(Clock())
    budgets.take(PURSE, [Charge(MINUTE, 60)], Priority.ORDERS)
    budgets.raise_level(PURSE, MINUTE, 5)

    assert spend(budgets, MINUTE) == 40


def test_redis_counts_by_its_own_clock() -> None:
    quick = Bucket("quick", 5, 1, Payer.ADDRESS)
    budgets = Budgets()
    begun = time.monotonic()

    assert spend(budgets, quick) >= 5
    wait = budgets.take(PURSE, [Charge(quick, 1)], Priority.ORDERS).wait
    assert 0 < wait <= COUNTED / SLICES
    time.sleep(wait)
    assert spend(budgets, quick) > 0
    assert time.monotonic() - begun >= 0.9


def test_nobody_counts_where_nobody_is_to(settings: Settings) -> None:
    settings.EXCHANGE_BUDGET_PERCENT = 0

    assert [Budgets(Clock()).take(PURSE, [Charge(OWN, 9)], Priority.ORDERS).wait for _ in range(5)] == [0] * 5


@pytest.mark.usefixtures("no_redis")
def test_without_redis_each_process_spends_a_little(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    budgets = Budgets(clock)

    assert spend(budgets, MINUTE) == 100 * ALONE_PERCENT // 100
    clock.wait(66)
    assert spend(budgets, MINUTE) == 10
    assert [record.getMessage() for record in caplog.records if "Redis" in record.getMessage()] == [
        "Redis does not answer (ConnectionError): each worker counts alone."
    ]


def test_losing_what_redis_knew_is_harmless() -> None:
    budgets = Budgets(Clock())
    spend(budgets, MINUTE)
    shared.state().ask(lambda redis: redis.delete(PURSE.key(MINUTE)))

    assert spend(budgets, MINUTE) == 100


def test_workers_at_once_never_spend_more_than_there_is() -> None:
    """Sixteen threads with connections of their own ask as fast as they can, by Redis's clock."""
    bucket = Bucket("contended", 50, 1, Payer.ADDRESS)
    sent: list[float] = []
    until = time.monotonic() + 2.5

    def work() -> None:
        budgets = Budgets()
        while time.monotonic() < until:
            before = time.time()
            wait = budgets.take(PURSE, [Charge(bucket, 1)], Priority.ORDERS).wait
            if not wait:
                sent.append(before)
            time.sleep(min(wait, 0.01))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) >= 100
    assert most_in_a_period(sorted(sent), 1.0) <= 50


def most_in_a_period(moments: Sequence[float], seconds: float) -> int:
    """The fullest period of this length, wherever it begins."""
    return max(
        sum(begin <= moment < begin + seconds for moment in moments[index:])
        for index, begin in enumerate(moments)
    )


STEPS = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(1, 7), st.sampled_from(list(Priority))), max_size=60
)


@profile(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 10_000))
def test_no_period_ever_holds_more_than_the_budget(
    steps: list[tuple[int, int, Priority]], start: int
) -> None:
    """Whatever is asked when: no window of the exchange's, wherever it begins; and Redis agrees with the model."""
    bucket = Bucket(f"any-{uuid4().hex}", 20, 10, Payer.ADDRESS)
    clock = Clock(1_772_366_400_000 + start)
    budgets, model = Budgets(clock), LocalWindows(clock)
    spent: list[tuple[int, int]] = []
    for pause, cost, priority in steps:
        clock.now_ms += pause
        charge = Charge(bucket, cost)
        limit = max(20 * SHARES[priority] // 100, cost)
        taken = budgets.take(PURSE, [charge], priority)
        assert [round(taken.wait * 1000), taken.levels[bucket]] == model.take(["key"], [charge], [limit])
        if not taken.wait:
            spent.append((clock.now_ms, cost))
    for begin, _ in spent:
        within = sum(cost for moment, cost in spent if begin <= moment < begin + 10_000)
        assert within <= 20


def test_a_wait_is_never_longer_than_needed() -> None:
    clock = Clock()
    budgets = Budgets(clock)
    waits: Counter[bool] = Counter()
    for _ in range(300):
        wait = budgets.take(PURSE, [Charge(OWN, 3)], Priority.ORDERS).wait
        waits[bool(wait)] += 1
        clock.wait(wait)
    assert waits[True] <= waits[False]  # after the wait the very next try succeeds
