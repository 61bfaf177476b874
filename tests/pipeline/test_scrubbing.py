"""Whatever an exchange or the way to it does, no key, secret or signature reaches a log or a row."""

import io
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.apps import apps
from django.db import connection

from core.django import tenancy
from exchanges.errors import ExchangeError
from exchanges.simulators.faults import ACTIONS
from pipeline.models import Trigger
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every signature that leaves."""
    sent: list[str] = []
    send = requests.Session.send

    def recorded(
        self: requests.Session, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        sent.extend(parse_qs(urlsplit(request.url or "").query).get("signature", ()))
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", recorded)
    return sent


def _rows() -> str:
    """Every row of every model, as text."""
    with tenancy.as_system("admin"), connection.cursor() as cursor, io.StringIO() as text:
        for model in apps.get_models():
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} AS t")
            text.write("\n".join(row[0] for row in cursor.fetchall()))
        return text.getvalue()


_PROPERTIES: dict[str, dict[str, Any]] = {
    "clock_offset": {"ms": 90_000},
    "latency": {"ms": 10},
    "rate_limit": {"retry_after": 1},
    "ban": {"retry_after": 1},
    "many_decimals": {"path": "/api/v3/myTrades"},
    "unreadable_row": {"path": "/api/v3/myTrades"},
}


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_no_fault_brings_a_secret_into_a_log_or_a_row(
    action: str,
    make_world: Callable[..., World],
    caplog: pytest.LogCaptureFixture,
    signatures: list[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    world = make_world()
    theirs = world.simulator.accounts[world.label]
    world.sync(Trigger.CONNECT)
    world.fault(action, **_PROPERTIES.get(action, {}))
    for _ in range(2):
        world.wait(minutes=15)
        with suppress(ExchangeError):
            world.sync(Trigger.USER)
    world.simulator.faults.clear()

    written = caplog.text + _rows()

    assert signatures
    assert [secret for secret in (theirs.api_key, theirs.api_secret, *signatures) if secret in written] == []


def test_an_unforeseen_error_of_a_library_is_named_and_nothing_more(
    make_world: Callable[..., World], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    world = make_world()
    theirs = world.simulator.accounts[world.label]

    def broken(self: requests.Session, request: requests.PreparedRequest, **options: object) -> None:
        raise RuntimeError(f"{request.method} {request.url} {dict(request.headers)}")

    monkeypatch.setattr(requests.Session, "send", broken)
    run = world.sync(Trigger.CONNECT)

    assert (run.status, run.error_detail) == ("failed", "RuntimeError before anything was sent.")
    written = caplog.text + _rows()
    assert [text for text in (theirs.api_key, theirs.api_secret, "signature=") if text in written] == []
