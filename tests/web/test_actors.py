"""Whoever changes something, and by whatever way, the audit trail names them."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import api_tokens
from accounts.models import AuditLog, User
from core import clock
from core.django import actors, tenancy
from credentials.models import ExchangeAccount, KeyState
from pipeline import broker
from tests.clients import client_of, with_token
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
FROM: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.9", "HTTP_USER_AGENT": "terminal/1"}


@pytest.fixture
def alice() -> User:
    return UserFactory.create()


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return AccountFactory.create(user=alice, label="Before")


def last(user: User, **filters: Any) -> AuditLog:
    with tenancy.acting_as(user.id):
        return AuditLog.objects.filter(**filters).latest("id")


def told(entry: AuditLog) -> tuple[Any, ...]:
    return entry.actor_kind, entry.actor_id, entry.ip_address, entry.user_agent


def test_a_change_over_the_api(alice: User, account: ExchangeAccount) -> None:
    answer = client_of(alice).put(f"/api-credentials/{account.id}", {"label": "After"}, **FROM)

    entry = last(alice, action="UPDATE", table_name="credentials_exchangeaccount")
    assert answer.status_code == 200
    assert (entry.old_values, entry.new_values) == ({"label": "Before"}, {"label": "After"})
    assert told(entry) == ("user", alice.id, "192.0.2.9", "terminal/1")
    assert entry.request_id == answer.headers["X-Request-ID"]
    assert entry.token_id is None


def test_a_read_by_a_program_that_may_not_names_its_token(alice: User, account: ExchangeAccount) -> None:
    made = api_tokens.create(user=alice, name="bot", can_trade=False, expires_in_days=30, at=clock.now())
    answer = with_token(made.token).delete(f"/api-credentials/{account.id}", **FROM)

    entry = last(alice, action="access refused")
    assert answer.status_code == 403
    assert told(entry) == ("user", alice.id, "192.0.2.9", "terminal/1")
    assert entry.token_id == made.row.id


def test_a_page(alice: User, client: Client) -> None:
    client.force_login(alice)
    answer = client.post("/logout", **FROM)

    entry = last(alice, action="log-out")
    assert told(entry) == ("user", alice.id, "192.0.2.9", "terminal/1")
    assert entry.request_id == answer.headers["X-Request-ID"]


def test_a_worker(alice: User, account: ExchangeAccount) -> None:
    @broker.app.task(name="tests.disable")
    def disable() -> None:
        with tenancy.acting_as(alice.id):
            ExchangeAccount.objects.filter(id=account.id).update(key_state=KeyState.DISABLED)

    result = disable.apply()
    broker.app.tasks.pop("tests.disable")

    entry = last(alice, action="UPDATE")
    assert told(entry) == ("worker", None, None, "")
    assert entry.request_id == result.id


def test_a_command() -> None:
    with actors.running_command("create_user"):
        call_command("createsuperuser", email="root@example.com", name="Root", interactive=False)

    user = User.objects.get(email="root@example.com")
    assert told(last(user, action="INSERT")) == ("command", None, None, "manage.py create_user")


def test_a_stranger_signing_up(client: Client) -> None:
    body = {"email": "new@example.com", "name": "New", "password": "correct horse battery"}
    answer = client.post("/user/register-user", body, content_type="application/json", **FROM)

    user = User.objects.get(email="new@example.com")
    assert answer.status_code == 201
    assert told(last(user, action="INSERT")) == ("anonymous", None, "192.0.2.9", "terminal/1")
