"""Prepared cursors: read and planned once a connection, and otherwise as Django's own."""

import pytest
from django.db import OperationalError, ProgrammingError, close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from core.django import prepared

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "SELECT %s::int + 40 AS the_sum_asked_for"


def _ask(number: int) -> int:
    with prepared.cursor() as cursor:
        cursor.execute(QUESTION, [number])
        (answer,) = cursor.fetchone()
    return int(answer)


def _count_prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%the_sum_asked_for%'"
        )
        return int(cursor.fetchone()[0])


def test_a_statement_is_prepared_at_its_first_use_and_once() -> None:
    answers = [_ask(number) for number in (1, 2, 3)]

    assert answers == [41, 42, 43]
    assert _count_prepared() == 1


def test_another_connection_prepares_it_anew() -> None:
    _ask(1)
    connection.close()

    assert (_ask(2), _count_prepared()) == (42, 1)


def test_djangos_own_cursors_prepare_nothing_even_then() -> None:
    _ask(1)
    with connection.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT %s::int AS the_sum_asked_for_by_django", [number])

    assert _count_prepared() == 1


def test_its_queries_are_seen_like_others() -> None:
    with CaptureQueriesContext(connection) as queries:
        _ask(1)

    assert [query["sql"] for query in queries] == [QUESTION]


def test_its_errors_are_djangos() -> None:
    with pytest.raises(ProgrammingError), prepared.cursor() as cursor:
        cursor.execute("SELECT no_such_column", [])


def test_a_lost_connection_is_djangos_error_and_replaced_for_the_next_request() -> None:
    _ask(1)
    connection.connection.close()

    with pytest.raises(OperationalError):
        _ask(2)
    close_old_connections()

    assert _ask(2) == 42
