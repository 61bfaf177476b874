from collections.abc import Iterator

import pytest
from django.db import connection

from core.django import roles


@pytest.fixture
def as_table_owner(db: None) -> Iterator[None]:
    """Policies do not bind the log-in role: what refuses is the rule under test."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.APP_ROLE}")
