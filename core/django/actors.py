"""Who is acting, for the audit trail: set once at the edge, read by every door, written by the database's triggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from django.db import connection, transaction


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"  # a request without a known user
    USER = "user"
    OPERATOR = "operator"  # staff, in the admin
    WORKER = "worker"
    COMMAND = "command"
    UNKNOWN = "unknown"  # nobody said: raw SQL, a shell


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where. `address` is an IP address in text; everything unknown is empty."""

    kind: ActorKind = ActorKind.UNKNOWN
    user_id: UUID | None = None
    token_id: UUID | None = None
    """The API token of a program that acts for the user."""
    request_id: str = ""
    address: str = ""
    user_agent: str = ""


NOBODY: Final = Actor()
_current: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def current() -> Actor:
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything inside is done by `actor`."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def running_command(name: str) -> Iterator[None]:
    """Everything inside is done by `manage.py <name>`; its arguments may name people and are left out."""
    with acting(Actor(kind=ActorKind.COMMAND, request_id=uuid4().hex, user_agent=f"manage.py {name}"[:300])):
        yield


def identify(*, user_id: UUID, kind: ActorKind = ActorKind.USER, token_id: UUID | None = None) -> None:
    """The actor of this request turned out to be this user."""
    _current.set(replace(_current.get(), kind=kind, user_id=user_id, token_id=token_id))


def settings_for(actor: Actor) -> list[str]:
    """The actor as values of `SETTINGS`, in their order."""
    user_id = "" if actor.user_id is None else str(actor.user_id)
    token_id = "" if actor.token_id is None else str(actor.token_id)
    return [user_id, actor.kind.value, token_id, actor.request_id, actor.address, actor.user_agent]


SETTINGS: Final = (
    "app.actor_id", "app.actor_kind", "app.token_id", "app.request_id", "app.address", "app.user_agent",
)  # fmt: skip
STAMP: Final = ", ".join(f"set_config('{name}', %s, true)" for name in SETTINGS)


@contextmanager
def stamped() -> Iterator[None]:
    """A transaction whose changes the audit trail ascribes to the current actor; for tables outside any door."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {STAMP}", settings_for(_current.get()))
        yield
