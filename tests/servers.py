"""pytest plugin: real PostgreSQL and Valkey for the run, embedded unless DATABASE_URL and REDIS_URL are set."""

import os
import re

import pytest

from config import embedded

_running = embedded.servers("test")


def pytest_load_initial_conftests() -> None:
    """Start before Django's settings are read (`-p tests.servers` is imported first)."""
    _running.__enter__()
    if database := os.environ.get(
        "DJANGO_TEST_REDIS"
    ):  # of its own: whoever runs tests beside us empties the other
        os.environ["REDIS_URL"] = re.sub(r"(db=|/)\d+$", rf"\g<1>{database}", os.environ["REDIS_URL"])


pytest_load_initial_conftests = pytest.hookimpl(tryfirst=True)(pytest_load_initial_conftests)


def pytest_unconfigure() -> None:
    _running.__exit__(None, None, None)
