"""What every task has in common."""

from collections.abc import Iterator

import pytest

from core.django import actors
from core.django.actors import Actor, ActorKind
from pipeline import broker


@pytest.fixture
def seen() -> Iterator[list[Actor]]:
    """The actors that ran a task made for the test."""
    ran: list[Actor] = []

    @broker.app.task(name="tests.note_actor")
    def note_actor() -> None:
        ran.append(actors.current())

    yield ran
    broker.app.tasks.pop("tests.note_actor")


def test_a_task_is_a_workers_doing_under_its_own_id(seen: list[Actor]) -> None:
    result = broker.app.tasks["tests.note_actor"].apply()

    assert seen == [Actor(kind=ActorKind.WORKER, request_id=result.id)]


def test_a_task_that_is_called_like_a_function_has_an_id_too(seen: list[Actor]) -> None:
    broker.app.tasks["tests.note_actor"]()

    assert (seen[0].kind, len(seen[0].request_id)) == (ActorKind.WORKER, 32)


def test_after_a_task_nobody_acts(seen: list[Actor]) -> None:
    broker.app.tasks["tests.note_actor"].apply()

    assert actors.current() == actors.NOBODY
