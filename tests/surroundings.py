"""What every test is given: settings that make it quick, and what workers share of exchanges as its own."""

import re
from typing import Any
from uuid import uuid4

import pytest

from pipeline import shared


def apply(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Hashing is tested where it matters; elsewhere it only costs time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # No worker runs beside the tests: nobody would answer whoever waits for a key's check, or reads live.
    settings.KEY_CHECK_SECONDS = settings.LIVE_READ_SECONDS = 0
    # Each test's client would read all static files' names first.
    settings.WHITENOISE_AUTOREFRESH = True
    # Sweeps make thousands of requests a minute; rate limits have tests of their own.
    settings.RATE_LIMIT = settings.RATE_LIMIT_SENSITIVE = ""
    # A database nobody flushes; simulators allow everything.
    settings.EXCHANGE_STATE_URL = re.sub(r"(db=|/)\d+$", r"\g<1>9", settings.REDIS_URL)
    settings.EXCHANGE_BUDGET_PERCENT = 0
    monkeypatch.setattr(shared, "PREFIX", f"test:{uuid4().hex}")
    # However slow the machine is, Redis is waited for; a dead one refuses at once.
    settings.REDIS_PATIENCE_SECONDS = 20
