from typing import Any
from uuid import uuid4

import pytest

from core.django import kept

ALICE, BOB = uuid4(), uuid4()


class Maker:
    """Makes a new answer each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> bytes:
        self.count += 1
        return b"answer %d" % self.count


@pytest.fixture
def make() -> Maker:
    return Maker()


def ask(make: Maker, owner: object = ALICE, version: str = "1") -> bytes:
    return kept.answer(owner=owner, version=version, seconds=60, make=make)  # type: ignore[arg-type]


def test_an_answer_is_made_once(make: Maker) -> None:
    assert [ask(make), ask(make)] == [b"answer 1", b"answer 1"]


def test_another_version_is_made_anew(make: Maker) -> None:
    assert [ask(make), ask(make, version="2")] == [b"answer 1", b"answer 2"]


def test_another_owner_never_gets_it(make: Maker) -> None:
    assert [ask(make), ask(make, owner=BOB)] == [b"answer 1", b"answer 2"]


def test_it_goes_when_its_time_is_over(settings: Any, make: Maker) -> None:
    ask(make)
    shelf = kept._shelf(settings.REDIS_URL)
    [key] = shelf._redis.keys(f"kept:{ALICE}:*")
    assert 0 < shelf._redis.ttl(key) <= 60


def test_without_redis_everything_is_made(settings: Any, make: Maker) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert [ask(make), ask(make)] == [b"answer 1", b"answer 2"]
