"""One wall is enough: with row-level security out of the way, querysets and raw SQL still answer for one owner."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from core.django import roles, tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill
from pipeline.models import SyncRun
from tests.clients import client_of, problem
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LISTS = (
    "/api/positions/open", "/api/trades/history?period=1y", "/api/performance/metrics?period=all_time",
    "/api/portfolio/snapshot", "/api/portfolio/equity-curve?period=1y", "/api/balances", "/api/fills", "/api/orders",
    "/api/sync", "/user/me",
)  # fmt: skip
PAGES = ("/", "/equity", "/fragments/sync", "/fragments/trades", "/fragments/balances", "/fragments/metrics")


@pytest.fixture
def carol(db: None) -> User:
    return UserFactory.create(email="carol@example.com")


@pytest.fixture
def no_row_security(account: ExchangeAccount) -> Iterator[None]:
    """The log-in role owns the tables, so their policies do not bind it."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.APP_ROLE}")


def _without_times(body: Any) -> Any:
    """What differs between two people who own nothing: who they are and when they asked."""
    if isinstance(body, dict):
        names = ("id", "email", "displayName", "createdAt", "calculated_at", "computed_at")
        return {name: _without_times(value) for name, value in body.items() if name not in names}
    return body


def test_row_level_security_is_really_off(no_row_security: None, bob: User) -> None:
    with tenancy.acting_as(bob.id):
        assert Fill.unscoped.count() > 0
        assert Fill.objects.count() == 0


@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_nothing_of_another_user(path: str, no_row_security: None, bob: User, carol: User) -> None:
    """Bob's answer, beside Alice's rows, is that of somebody alone on the server."""
    answer = client_of(bob).get(path)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.APP_ROLE}")

    alone = client_of(carol).get(path)

    assert answer.status_code == 200
    assert _without_times(answer.json()) == _without_times(alone.json())


def test_objects_of_another_user_are_not_there(
    no_row_security: None, bob: User, alice: User, account: ExchangeAccount, trade_id: int
) -> None:
    with tenancy.acting_as(alice.id):
        run = SyncRun.objects.filter(account=account).first()
    client = client_of(bob)
    reads = [
        f"/api/trades/{trade_id}",
        f"/api/trades/{trade_id}/explain",
        f"/api-credentials/user/{alice.id}",
    ]
    reads += [f"{path.partition('?')[0]}?account={account.id}" for path in LISTS[:8]]
    reads += [f"/api/sync/{run.pk}"] if run else []

    answers = [
        *(client.get(path) for path in reads),
        client.put(f"/api-credentials/{account.id}", {"label": "Mine"}),
        client.delete(f"/api-credentials/{account.id}"),
        client.post("/api/sync", {"account": str(account.id)}),
    ]

    assert {problem(answer)[:2] for answer in answers[:-1]} == {(404, "not_found")}
    assert problem(answers[-1])[0] in (404, 409)
    with tenancy.acting_as(alice.id):
        account.refresh_from_db()
    assert (account.label, account.is_active) != ("Mine", False)


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_nothing_of_another_user(
    path: str, no_row_security: None, as_bob: Client, account: ExchangeAccount
) -> None:
    text = as_bob.get(path).content.decode()

    assert str(account.id) not in text
    assert "BTC" not in text
