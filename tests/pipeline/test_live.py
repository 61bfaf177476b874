"""Waiting for a live read: asked once however many wait, told once, given up in time."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django.fixtures import Settings

from pipeline import broker, live, tasks
from pipeline.live import Reading, What

USER, ACCOUNT = uuid4(), uuid4()
BALANCES = Reading(What.BALANCES, "binance", USER, ACCOUNT)


class Worker:
    """Takes hints; answers them after a moment, if it is told what."""

    def __init__(self, reason: str | None = "", *, seconds: float = 0.3) -> None:
        self.reason, self.seconds = reason, seconds
        self.taken: list[tuple[str, Reading, str]] = []

    def hint(self, task: str, arguments: Sequence[Any], *, queue: str, expires: int) -> bool:
        words, token = arguments
        self.taken.append((task, Reading.parse(words), token))
        if self.reason is not None:
            threading.Timer(self.seconds, live.tell, (Reading.parse(words), token, self.reason)).start()
        return True


@pytest.fixture(autouse=True)
def _waiting(settings: Settings) -> None:
    settings.LIVE_READ_SECONDS = 10


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(broker, "hint", made.hint)
    return made


@pytest.mark.parametrize("reason", ["", "down"])
def test_what_the_worker_tells_is_the_answer(reason: str, worker: Worker) -> None:
    worker.reason = reason

    assert live.read([BALANCES]) == reason
    assert [(task, reading) for task, reading, _ in worker.taken] == [(broker.LIVE_TASK, BALANCES)]


def test_parallel_reads_of_the_same_are_one(worker: Worker) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: live.read([BALANCES]), range(4)))

    assert (answers, len(worker.taken)) == ([""] * 4, 1)


@pytest.mark.parametrize(
    "other",
    [
        Reading(What.FILLS, "binance", USER, ACCOUNT),
        Reading(What.BALANCES, "binance", USER, UUID(int=1)),
        Reading(What.BALANCES, "binance", USER, ACCOUNT, contracts=True),
        Reading(What.BALANCES, "binance", USER, ACCOUNT, symbol="BTCUSDT"),
        Reading(What.TICKERS, "binance"),
    ],
)
def test_reads_of_something_else_are_their_own(other: Reading, worker: Worker) -> None:
    assert live.read([BALANCES, other]) == ""
    assert [reading for _, reading, _ in worker.taken] == [BALANCES, other]


def test_one_failure_of_several_is_told(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Reading(What.BALANCES, "binance", USER, uuid4())

    def hint(task: str, arguments: Sequence[Any], *, queue: str, expires: int) -> bool:
        reading = Reading.parse(arguments[0])
        live.tell(reading, arguments[1], "down" if reading == other else "")
        return True

    monkeypatch.setattr(broker, "hint", hint)

    assert live.read([BALANCES, other]) == "down"


def test_nobody_waits_longer_than_is_set(worker: Worker, settings: Settings) -> None:
    worker.reason, settings.LIVE_READ_SECONDS, begun = None, 0.4, time.monotonic()

    assert live.read([BALANCES]) == "timeout"
    assert 0.4 <= time.monotonic() - begun < 2


def test_a_broker_that_takes_no_hint_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "hint", lambda *given, **more: False)
    begun = time.monotonic()

    assert live.read([BALANCES]) == "unavailable"
    assert time.monotonic() - begun < 2


@pytest.mark.usefixtures("no_redis")
def test_without_redis_there_are_no_live_reads(worker: Worker) -> None:
    assert live.read([BALANCES]) == "unavailable"
    assert worker.taken == []


def test_some_threads_are_left_for_those_who_do_not_wait(worker: Worker) -> None:
    readings = [Reading(What.BALANCES, "binance", USER, uuid4()) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda reading: live.read([reading]), readings))

    assert sorted(answers) == [""] * 4 + ["busy"] * 2


def test_live_reads_can_be_turned_off(worker: Worker, settings: Settings) -> None:
    settings.LIVE_READ_SECONDS = 0

    assert (live.read([BALANCES]), worker.taken) == ("unavailable", [])


def test_a_worker_that_comes_too_late_does_nothing(
    worker: Worker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.reason, settings.LIVE_READ_SECONDS = None, 0.1
    live.read([BALANCES])
    performed: list[Reading] = []

    def perform(reading: Reading) -> str:
        performed.append(reading)
        return ""

    monkeypatch.setattr("pipeline.live_reads.perform", perform)
    words, (_, _, token) = BALANCES.words(), worker.taken[0]

    assert (tasks.read_live(words, "another"), performed) == ("late", [])
    assert (tasks.read_live(words, token), performed) == ("", [BALANCES])
    assert (tasks.read_live(words, token), len(performed)) == ("late", 1)


def test_a_fault_of_ours_is_told_too(
    worker: Worker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.reason, settings.LIVE_READ_SECONDS = None, 0.1
    live.read([BALANCES])

    def break_down(reading: Reading) -> str:
        raise RuntimeError

    monkeypatch.setattr("pipeline.live_reads.perform", break_down)
    with pytest.raises(RuntimeError):
        tasks.read_live(BALANCES.words(), worker.taken[0][2])

    assert live.read([BALANCES]) == "fault"
