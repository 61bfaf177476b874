"""What identity costs: row-level security, the session look-up, log-ins, sealed keys.

`python -m benchmarks.identity [--rounds N]` prints one JSON line per measurement. Requests go through the whole stack
in process, each in transactions of its own; the sides of a ratio take turns in blocks, and each is given by the mean
of its best block, so that other work on the machine falls on neither. Targets: row-level security ≤ 10 % of a request;
an authenticated request ≥ 0.5 × the speed of the same view without a log-in; a credential of three fields sealed or
opened in ≤ 15 µs of CPU time.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from benchmarks.database import prepared
from benchmarks.engine import SHAPES, make_fills

BLOCK: Final = 40  # requests
FILLS: Final = 20_000
PASSWORD: Final = "a password for measurements"
PATHS: Final = ("/user/me", "/api/fills?limit=100", "/api/sync", "/api/balances")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args(arguments).rounds
    with prepared():
        without_limits()
        client, email = _trader()
        for path in PATHS:
            _row_level_security(client, path, rounds)
        _session_look_up(client, rounds)
        _log_ins(email)
    _sealing()


def without_limits() -> None:
    """Requests are counted as ever, but there is always room; lines of the access log are not written."""
    import logging

    from django.conf import settings

    settings.RATE_LIMIT = settings.RATE_LIMIT_SENSITIVE = "1000000000/minute"
    settings.ALLOWED_HOSTS = ["testserver"]
    logging.disable()


def _trader() -> tuple[Any, str]:
    """A client of one of two traders with the same history, and the trader's e-mail."""
    from rest_framework.test import APIClient

    from accounts import sessions
    from accounts.models import User
    from benchmarks import accounts
    from core import clock

    for label in ("identity", "beside"):
        account = accounts.create(make_fills(FILLS, 1, SHAPES[0]), label=label)
    user = User.objects.get(id=account.user_id)
    user.set_password(PASSWORD)
    user.save()
    tokens = sessions.log_in(email=user.email, password=PASSWORD, at=clock.now())
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.access_token}"), user.email


def _row_level_security(client: Any, path: str, rounds: int) -> None:
    """The tables' owner is not bound by policies: the same queries, planned and run without them."""
    from django.db import connection

    def become(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def ask() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content

    bound, free = take_turns(
        lambda: _block(ask, lambda: become("SET ROLE cgt_app")),
        lambda: _block(ask, lambda: become("RESET ROLE")),
        rounds=rounds,
    )
    become("SET ROLE cgt_app")
    _print(
        "row-level security in a request",
        path=path, milliseconds=bound * 1000, without=free * 1000, share=max(bound - free, 0) / bound, target="<= 0.1",
    )  # fmt: skip


def _session_look_up(client: Any, rounds: int) -> None:
    """One view that answers a word, behind the default authentication and permission, and open to all."""
    from django.test import override_settings
    from rest_framework.test import APIClient

    stranger = APIClient()

    def ask(who: Any, path: str) -> None:
        answer = who.get(path)
        assert answer.status_code == 200, answer.content

    with override_settings(ROOT_URLCONF="benchmarks.identity_urls"):
        known, unknown = take_turns(
            lambda: _block(lambda: ask(client, "/known")),
            lambda: _block(lambda: ask(stranger, "/anybody")),
            rounds=rounds,
        )
    _print(
        "an authenticated request",
        milliseconds=known * 1000, unauthenticated=unknown * 1000, speed=unknown / known, target=">= 0.5",
    )  # fmt: skip


def _log_ins(email: str, count: int = 20) -> None:
    from accounts import sessions
    from core import clock

    started = time.perf_counter()
    for _ in range(count):
        sessions.log_in(email=email, password=PASSWORD, at=clock.now())
    seconds = (time.perf_counter() - started) / count
    _print("log-ins (Argon2id), one after another", per_second=1 / seconds, milliseconds=seconds * 1000)


def _sealing(count: int = 20_000) -> None:
    """A credential as it is stored: key, secret and passphrase, each bound to its place."""
    from core import vault

    ring = vault.KeyRing.parse(f"bench:{vault.generate_key()}")
    fields = {"api_key": "k" * 64, "secret_key": "s" * 64, "passphrase": "p" * 16}
    places = {
        name: vault.Place(table="credentials_apicredential", row="0" * 36, user="1" * 36, field=name)
        for name in fields
    }
    sealed = {name: ring.seal(text, places[name]) for name, text in fields.items()}

    def seal() -> None:
        for name, text in fields.items():
            ring.seal(text, places[name])

    def unseal() -> None:
        for name, text in sealed.items():
            ring.open(text, places[name])

    for what, work in (("sealed", seal), ("opened", unseal)):
        best = min(_mean(work, count // 10, clock=time.process_time) for _ in range(10))
        _print(f"credentials {what}", per_second=1 / best, microseconds=best * 1_000_000, target="<= 15")


def take_turns(*sides: Callable[[], float], rounds: int) -> list[float]:
    """The best of each side's blocks, in seconds; the first round warms up."""
    for side in sides:
        side()
    seconds = [[side() for side in sides] for _ in range(rounds)]
    return [min(column) for column in zip(*seconds, strict=True)]


def _block(work: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> float:
    prepare()
    return _mean(work, BLOCK)


def _mean(work: Callable[[], None], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    for _ in range(times):
        work()
    return (clock() - started) / times


def _print(what: str, **figures: object) -> None:
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
    }
    print(json.dumps({"measure": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
