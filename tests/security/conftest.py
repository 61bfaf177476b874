import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from core.django import roles
from tests.security.people import Person, newcomer, trader, undone

SETTINGS = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "KEY_CHECK_SECONDS": 0,  # no worker listens
    "RATE_LIMIT": "",
    "RATE_LIMIT_SENSITIVE": "",
}


@pytest.fixture
def as_table_owner(db: None) -> Iterator[None]:
    """Policies do not bind the log-in role: what refuses is the rule under test."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.APP_ROLE}")


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Person]]:
    """Alice and Robert, who own rows everywhere, and Caroline, who owns none: for all tests of a module."""
    logging.disable()  # thousands of refusals, each of them wanted
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # requests that come by WSGI would close ours
    with django_db_blocker.unblock(), override_settings(**SETTINGS), undone():
        yield [
            trader("alice", size=Decimal("1.0137219"), first_id=7_100_000_000_000),
            trader("robert", size=Decimal("2.0291413"), first_id=7_200_000_000_000),
            newcomer("caroline"),
        ]
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    logging.disable(logging.NOTSET)
