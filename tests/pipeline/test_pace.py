"""How often accounts are read when an exchange allows less than all of them could use."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from exchanges.limits import Bucket, Charge, Payer
from pipeline import pace, priorities, schedule, shared
from pipeline.models import Stream
from pipeline.pace import Load
from pipeline.priorities import Priority
from pipeline.schedule import USUAL, Pace
from tests.pipeline.test_schedule import ACCOUNTS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPOT = Bucket("spot", 6_000, 60, Payer.ADDRESS)
OWN = Bucket("own", 10, 1, Payer.ACCOUNT)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(shared, "PREFIX", f"pace:{request.node.name}")


def fit(active: int, calm: int = 0, cost: float = 30) -> Pace:
    return pace.fit(Load(active, calm), {SPOT: cost}, percent=90)


def asked_a_minute(active: int, calm: int, cost: float, found: Pace) -> float:
    """Weight of all visits in the middle of their rhythm."""
    return cost * (active * (MINUTE / found.prompt) + calm * (MINUTE / pace.CALM) / found.calm)


def test_while_there_is_enough_the_rhythm_is_the_usual() -> None:
    assert fit(200) == fit(0) == pace.fit(Load(200, 0), {}, percent=90) == USUAL


@pytest.mark.parametrize(("active", "calm"), [(500, 0), (300, 9_000), (10, 9_000), (2_000, 50)])
def test_a_crowd_asks_together_what_there_is_and_no_more(active: int, calm: int) -> None:
    found = fit(active, calm)
    assert found.prompt >= schedule.PROMPT
    assert found.calm >= 1
    assert asked_a_minute(active, calm, 30, found) == pytest.approx(2_700)  # half of nine tenths of the limit


def test_whom_somebody_looks_at_goes_first_and_the_others_keep_a_quarter() -> None:
    found = fit(500, 90_000)
    assert asked_a_minute(500, 0, 30, found) == pytest.approx(2_700 * 0.75)
    assert found.prompt < pace.CALM * found.calm


def test_few_calm_accounts_are_not_slowed_for_the_others_sake() -> None:
    assert fit(500, 20).calm == 1


def test_the_scarcest_budget_decides() -> None:
    futures = Bucket("futures", 2_400, 60, Payer.ADDRESS)
    found = pace.fit(Load(200, 0), {SPOT: 30, futures: 40}, percent=90)
    assert found.prompt == schedule.PROMPT * (200 * 40 / 3) / (2_400 * 0.45)


@pytest.mark.parametrize(
    ("stream", "is_active", "wait"),
    [
        (Stream.BALANCES, True, 7 * MINUTE),
        (Stream.OPEN_ORDERS, True, 7 * MINUTE),
        (Stream.DEPOSITS, True, 15 * MINUTE),
    ],
)
def test_the_rhythm_is_kept(stream: Stream, is_active: bool, wait: timedelta) -> None:
    due = schedule.next_due(
        stream, account_id=ACCOUNTS[0], at=AT, is_active=is_active, pace=Pace(7 * MINUTE, 2)
    )
    assert due - AT == wait


def test_calm_accounts_wait_so_many_times_as_long() -> None:
    for each in ACCOUNTS[:20]:
        usual, slowed = (
            schedule.next_due(Stream.BALANCES, account_id=each, at=AT, is_active=False, pace=rhythm) - AT
            for rhythm in (USUAL, Pace(7 * MINUTE, 2))
        )
        assert slowed == 2 * usual


def test_what_a_visit_costs_is_measured() -> None:
    with pace.tallied() as tally:
        for priority in (Priority.INCREMENTAL, Priority.INTERACTIVE, Priority.BACKFILL):
            with priorities.using(priority):
                pace.count((Charge(SPOT, 20), Charge(OWN, 1)))
    assert dict(tally) == {SPOT: 40}  # of history, and of what each account has for itself, there is no crowd
    pace.note(exchange="binance", tally=tally, at=AT)
    pace.note(exchange="binance", tally=pace.Tally({SPOT: 20}), at=AT + 5 * MINUTE)
    assert pace.costs(exchange="binance", at=AT + 10 * MINUTE) == {SPOT: 30}
    assert pace.costs(exchange="binance", at=AT + 40 * MINUTE) == {}


def test_a_rhythm_worked_out_is_everybodys(settings: Settings) -> None:
    settings.EXCHANGE_BUDGET_PERCENT = 90
    with pace.tallied() as tally:
        pace.count((Charge(SPOT, 60),))
    pace.note(exchange="binance", tally=tally, at=AT)
    load = Load(270, 5, behind=90 * timedelta(seconds=1), waiting=3)
    state = pace.work_out(exchange="binance", load=load, at=AT)
    assert pace.find("binance") == state
    assert state.pace == pace.fit(load, {SPOT: 60}, percent=90) != USUAL
    assert (pace.find("mexc").pace, pace.find("mexc").is_known) == (USUAL, False)


@pytest.mark.usefixtures("no_redis")
def test_without_redis_everybody_has_the_usual_rhythm() -> None:
    pace.note(exchange="binance", tally=pace.Tally({SPOT: 60}), at=AT)
    assert pace.work_out(exchange="binance", load=Load(10**6, 0), at=AT).pace == USUAL
    assert pace.find("binance").pace == USUAL
