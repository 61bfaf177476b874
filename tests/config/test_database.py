"""How long the database may take, by what kind of process asks."""

from typing import Any

import psycopg
import pytest
from django.db import connection

from config import database


def shown(options: str) -> list[str]:
    """The three limits as a connection with these options has them."""
    given: dict[str, Any] = {
        **connection.get_connection_params(), "dbname": "postgres", "options": options,
    }  # fmt: skip
    for name in ("assume_role", "cursor_factory", "context", "prepare_threshold"):
        given.pop(name, None)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with psycopg.connect(**given) as db:
        return [row[0] for name in names if (row := db.execute(f"SHOW {name}").fetchone())]


@pytest.mark.parametrize(
    ("process", "expected"),
    [("web", ["8s", "3s", "30s"]), ("worker", ["5min", "30s", "10min"]), ("command", ["0", "0", "0"])],
)
def test_a_connection_has_its_processs_limits(process: str, expected: list[str]) -> None:
    assert shown(database.options(process)) == expected


def test_what_the_address_of_the_database_says_wins() -> None:
    assert shown(database.options("web", given="-c statement_timeout=15s")) == ["15s", "3s", "30s"]


def test_an_unknown_kind_of_process_does_not_start() -> None:
    with pytest.raises(KeyError):
        database.options("elsewhere")
