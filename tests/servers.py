"""pytest plugin: real PostgreSQL and Valkey for the run, embedded unless DATABASE_URL and REDIS_URL are set."""

import pytest

from config import embedded

_running = embedded.servers("test")


def pytest_load_initial_conftests() -> None:
    """Start before Django's settings are read (`-p tests.servers` is imported first)."""
    _running.__enter__()


pytest_load_initial_conftests = pytest.hookimpl(tryfirst=True)(pytest_load_initial_conftests)


def pytest_unconfigure() -> None:
    _running.__exit__(None, None, None)
