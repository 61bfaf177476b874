"""Acting from an address, as requests do; counting hashes."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from core.django import actors
from core.django.actors import Actor, ActorKind
from tests.mailbox import mailbox

__all__ = ["mailbox"]
ADDRESS = "192.0.2.7"


@pytest.fixture
def at_address() -> Iterator[Actor]:
    """A stranger at ADDRESS."""
    actor = Actor(kind=ActorKind.ANONYMOUS, address=ADDRESS, user_agent="test browser")
    with actors.acting(actor):
        yield actor


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that was hashed, in any thread (appending is atomic)."""
    computed: list[str] = []
    encode: Callable[[MD5PasswordHasher, str, str], str] = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        computed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return computed
