"""Having read again what a difference may come from, over the API."""

from datetime import timedelta

import pytest

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, SyncRun, Trigger
from portfolio.accounting.causes import Cause
from portfolio.models import ReconciliationItem
from tests.clients import client_of, problem
from tests.factories import AccountFactory, UserFactory
from tests.web.differences import differ

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """Fills of two symbols and two kinds of movements were read to their end."""
    made: ExchangeAccount = AccountFactory.create()
    streams = [
        (Stream.DEPOSITS, ""),
        (Stream.CONVERSIONS, ""),
        (Stream.FILLS, "ABCUSDT"),
        (Stream.FILLS, "XYZUSDT"),
    ]
    with tenancy.acting_as(made.user_id):
        for stream, scope in streams:
            SyncCursor.objects.create(
                user_id=made.user_id, account=made, stream=stream, scope=scope, position="9",
                state=CursorState.INCREMENTAL, due_at=clock.now() + timedelta(hours=1),
            )  # fmt: skip
    return made


def begun_anew(account: ExchangeAccount) -> list[tuple[str, str]]:
    with tenancy.acting_as(account.user_id):
        rows = SyncCursor.objects.filter(
            position="",
            state=CursorState.BACKFILL,
            stream__in=(Stream.DEPOSITS, Stream.CONVERSIONS, Stream.FILLS),
        )
        return list(rows.order_by("stream", "scope").values_list("stream", "scope"))


def path(item: ReconciliationItem) -> str:
    return f"/api/reconciliation/{item.pk}/read-again"


@pytest.mark.parametrize(
    ("cause", "streams"),
    [
        (Cause.MISSING_DEPOSIT, [("deposits", "")]),
        (Cause.CONVERSION, [("conversions", ""), ("fills", "ABCUSDT")]),
        (Cause.UNKNOWN, [("conversions", ""), ("deposits", ""), ("fills", "ABCUSDT")]),
    ],
)
def test_what_its_cause_is_told_by_begins_anew(
    account: ExchangeAccount, cause: Cause, streams: list[tuple[str, str]]
) -> None:
    answer = client_of(account.user).post(path(differ(account, "ABC", cause=cause)))

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.headers["Location"] == f"/api/sync/{answer.json()['id']}"
    assert begun_anew(account) == streams


def test_while_it_is_read_it_is_not_begun_anew(account: ExchangeAccount) -> None:
    item, now = differ(account, "ABC"), clock.now()
    with tenancy.acting_as(account.user_id):
        run = SyncRun.objects.create(
            user_id=account.user_id, account=account, trigger=Trigger.SCHEDULE, status=RunStatus.RUNNING,
            requested_at=now, started_at=now, heartbeat_at=now,
        )  # fmt: skip
    client = client_of(account.user)
    assert problem(client.post(path(item))) == (409, "conflict", [])

    with tenancy.acting_as(account.user_id):
        SyncRun.objects.filter(id=run.id).update(status=RunStatus.OK, finished_at=now)
    assert client.post(path(item)).status_code == 202
    assert problem(client.post(path(item))) == (409, "conflict", [])


def test_only_an_open_one_of_ones_own_is_looked_into(account: ExchangeAccount) -> None:
    item = differ(account, "ABC")
    closed = differ(account, "XYZ", state="dismissed", reason="A gift.", resolved_at=clock.now())

    assert problem(client_of(UserFactory.create()).post(path(item)))[0] == 404
    assert problem(client_of(account.user).post(path(closed))) == (409, "conflict", [])
    assert begun_anew(account) == []
