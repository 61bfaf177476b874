"""What the API tells of outages, and to whom."""

from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from exchanges.errors import ErrorKind
from pipeline import breakers, pace, pauses, stops
from pipeline.models import Stream, SyncCursor, SyncRun
from pipeline.pace import Load, State
from pipeline.schedule import Pace
from pipeline.stops import Stop
from tests.clients import JsonClient, client_of, problem, stranger
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
PATH = "/api/connectivity"
HOUR = timedelta(hours=1)


@pytest.fixture
def alice(db: None) -> User:
    user: User = UserFactory.create()
    return user


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main", exchange="mexc")
    return made


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


def stop(code: str, key: str, kind: ErrorKind = ErrorKind.DOWN) -> Stop:
    now = clock.now()
    made = Stop(code, kind, "Why.", since=now - HOUR, until=now + HOUR)
    stops.put(key, made, lasts=HOUR)
    return made


def states(answer: Any) -> tuple[bool, list[str], list[str]]:
    body = answer.json()
    assert answer.status_code == 200
    return (
        body["network"]["is_paused"],
        [each["state"] for each in body["exchanges"]],
        [each["state"] for each in body["accounts"]],
    )


def test_all_is_well_until_something_is_known(account: ExchangeAccount, as_alice: JsonClient) -> None:
    answer = as_alice.get(PATH)
    assert states(answer) == (False, ["ok"], ["ok"])
    assert answer.json()["accounts"] == [
        {
            "account_id": str(account.id), "label": "Main", "exchange": "mexc", "state": "ok", "since": None,
            "reason": "", "retry_at": None, "data_as_of": None, "is_stale": True, "next_read_at": None,
            "read_every_seconds": 180, "slowed_by": "",
        }
    ]  # fmt: skip


def test_an_outage_is_told_with_its_reason_and_times(account: ExchangeAccount, as_alice: JsonClient) -> None:
    made = stop(stops.BREAKER, breakers.exchange_key("mexc"))
    body = as_alice.get(PATH).json()
    told = {name: body["exchanges"][0][name] for name in ("state", "reason", "title")}
    assert told == {"state": "down", "reason": "Why.", "title": "MEXC"}
    assert body["accounts"][0]["state"] == "down"
    assert clock.to_ms(made.since) == clock.to_ms(datetime.fromisoformat(body["exchanges"][0]["since"]))
    assert clock.to_ms(made.until) == clock.to_ms(datetime.fromisoformat(body["exchanges"][0]["retry_at"]))


def test_a_network_pause_concerns_every_account(account: ExchangeAccount, as_alice: JsonClient) -> None:
    stop(stops.NETWORK, breakers.network_key(), ErrorKind.NETWORK)
    answer = as_alice.get(PATH)
    assert states(answer) == (True, ["down"], ["down"])
    assert answer.json()["network"]["reason"] == "Why."


def test_a_refusal_of_one_account_is_only_its_own(account: ExchangeAccount, as_alice: JsonClient) -> None:
    AccountFactory.create(user=account.user, exchange="mexc")
    stop(stops.PAUSED, pauses.account_key("mexc", str(account.id)), ErrorKind.RATE)
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["waiting", "ok"])


def test_a_refused_key_is_the_accounts_state(account: ExchangeAccount, as_alice: JsonClient) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.filter(id=account.id).update(key_state=KeyState.DISABLED, key_note="Refused.")
    [told] = as_alice.get(PATH).json()["accounts"]
    assert (told["state"], told["reason"], told["retry_at"]) == ("refused", "Refused.", None)


@pytest.mark.parametrize(("hours", "is_stale"), [(1, False), (3, True)])
def test_what_is_shown_carries_its_age(
    account: ExchangeAccount, as_alice: JsonClient, hours: int, is_stale: bool
) -> None:
    read_at = clock.now() - hours * HOUR
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.create(
            account=account, user=account.user, stream=Stream.BALANCES, due_at=read_at, last_ok_at=read_at
        )
    [told] = as_alice.get(PATH).json()["accounts"]
    assert (datetime.fromisoformat(told["data_as_of"]), told["is_stale"]) == (read_at, is_stale)


def test_others_accounts_and_exchanges_are_not_told(account: ExchangeAccount) -> None:
    AccountFactory.create(exchange="gateio")
    stop(stops.PAUSED, pauses.account_key("mexc", str(account.id)), ErrorKind.RATE)
    body = client_of(UserFactory.create()).get(PATH).json()
    assert (body["exchanges"], body["accounts"]) == ([], [])


def test_a_stranger_is_told_nothing(db: None) -> None:
    assert problem(stranger().get(PATH))[:2] == (401, "not_authenticated")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(as_alice: JsonClient, method: str) -> None:
    assert getattr(as_alice, method)(PATH).status_code == 405


def test_unknown_parameters_are_refused(as_alice: JsonClient) -> None:
    assert as_alice.get(f"{PATH}?exchange=mexc").status_code == 400


@pytest.mark.usefixtures("no_redis")
def test_while_redis_is_away_it_answers(account: ExchangeAccount, as_alice: JsonClient) -> None:
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["ok"])


def visit(account: ExchangeAccount, *, ago: timedelta, status: str, error_kind: str = "") -> None:
    """A finished go at an account."""
    begun = clock.now() - ago
    with tenancy.acting_as(account.user_id):
        SyncRun.objects.create(
            user_id=account.user_id, account=account, trigger="schedule", status=status, requested_at=begun,
            started_at=begun, finished_at=begun + timedelta(seconds=10), error_kind=error_kind,
        )  # fmt: skip


def test_visits_that_fail_in_a_row_are_an_outage_of_that_account(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    visit(account, ago=6 * HOUR, status="failed", error_kind="network")  # before the last good one
    visit(account, ago=5 * HOUR, status="ok")
    visit(account, ago=2 * HOUR, status="failed", error_kind="network")
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["ok"])  # once happens
    visit(account, ago=HOUR, status="failed", error_kind="down")
    answer = as_alice.get(PATH)
    assert states(answer) == (False, ["down"], ["down"])
    [told] = answer.json()["accounts"]
    assert told["reason"] == "The exchange answers with errors. It is tried again shortly."
    assert abs(datetime.fromisoformat(told["since"]) - (clock.now() - 2 * HOUR)) < timedelta(minutes=1)
    visit(account, ago=timedelta(minutes=1), status="partial")
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["ok"])


def test_visits_that_fail_for_another_reason_are_no_outage(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    for minutes in (3, 2, 1):
        visit(account, ago=timedelta(minutes=minutes), status="failed", error_kind="permission")
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["ok"])


def test_an_exchange_that_answers_for_another_of_its_users_accounts_is_not_down(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    AccountFactory.create(user=account.user, exchange="mexc")
    for minutes in (2, 1):
        visit(account, ago=timedelta(minutes=minutes), status="failed", error_kind="network")
    assert states(as_alice.get(PATH)) == (False, ["ok"], ["down", "ok"])


@pytest.mark.parametrize(
    ("kind", "failures", "state"), [("down", 1, "ok"), ("down", 2, "down"), ("bug", 9, "ok")]
)
def test_balances_that_cannot_be_read_again_and_again_are_told_though_the_rest_can(
    account: ExchangeAccount, as_alice: JsonClient, kind: str, failures: int, state: str
) -> None:
    read_at = clock.now() - HOUR
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.create(
            account=account, user=account.user, stream=Stream.BALANCES, due_at=read_at + 2 * HOUR,
            last_ok_at=read_at, error_kind=kind, error_count=failures,
        )  # fmt: skip
    visit(account, ago=timedelta(minutes=1), status="partial", error_kind=kind)
    [told] = as_alice.get(PATH).json()["accounts"]
    assert told["state"] == state
    assert told["reason"].startswith("Balances cannot be read.") is (state == "down")


def test_an_account_read_less_often_than_usual_is_told_how_often_why_and_when_next(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    read_at, slowed = clock.now() - timedelta(minutes=1), Pace(timedelta(minutes=6.5), 1)
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.create(
            account=account,
            user=account.user,
            stream=Stream.BALANCES,
            due_at=read_at + HOUR,
            last_ok_at=read_at,
        )
    state = State(slowed, Load(400, 0), clock.now())
    with mock.patch.object(pace, "find_all", lambda names: dict.fromkeys(names, state)):
        body = as_alice.get(PATH).json()
        [synced] = as_alice.get("/api/sync").json()["results"]
    words = (
        "Accounts at MEXC are read every 6.5 minutes at present: its limit allows this server no more for all of"
        " them."
    )
    for told in (*body["exchanges"], *body["accounts"], synced):
        assert (told["read_every_seconds"], told["slowed_by"]) == (390, words)
    for told in (*body["accounts"], synced):
        assert datetime.fromisoformat(told["next_read_at"]) == read_at + timedelta(minutes=6.5)
