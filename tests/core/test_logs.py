"""Log lines name their request or task, and keep secrets to themselves."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest

from core.django import actors
from core.django.actors import Actor, ActorKind
from pipeline import broker
from tests.logs import Log

logger = logging.getLogger("tests.logs")


@pytest.fixture
def log() -> Iterator[Log]:
    with Log.captured() as log:
        yield log


def test_a_line_names_request_and_user(log: Log) -> None:
    user_id = uuid4()
    with actors.acting(Actor(ActorKind.USER, user_id, request_id="request-1")):
        logger.info("Stored %d rows", 3)

    [line] = log.lines()
    assert line.pop("time")
    assert line == {
        "level": "INFO", "logger": "tests.logs", "message": "Stored 3 rows", "request_id": "request-1",
        "user_id": str(user_id), "actor_kind": "user",
    }  # fmt: skip


def test_a_tasks_lines_name_the_task(log: Log) -> None:
    @broker.app.task(name="tests.log_something")
    def log_something() -> None:
        logger.info("Working")

    result = log_something.apply()
    broker.app.tasks.pop("tests.log_something")

    [line] = [line for line in log.lines() if line["message"] == "Working"]
    assert (line["request_id"], line["actor_kind"]) == (result.id, "worker")


def test_without_a_request_the_line_is_whole_too(log: Log) -> None:
    logger.warning("Starting")

    [line] = log.lines()
    assert (line["message"], line["request_id"], "user_id" in line) == ("Starting", "", False)


def test_secrets_are_blanked_in_messages_tracebacks_and_extras(log: Log) -> None:
    try:
        raise ValueError("https://api.example.com/order?symbol=BTCUSDT&signature=canary")
    except ValueError:
        logger.exception("Sent with apiKey=%s", "canary", extra={"headers": {"Authorization": "canary"}})

    [line] = log.lines()
    assert "ValueError" in line["exc_info"]
    assert "canary" not in repr(line)
