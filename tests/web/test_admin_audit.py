"""The audit trail as operators see it: everybody's, to read."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import audit
from accounts.audit import Action
from accounts.models import AuditLog, User
from core import clock
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/auditlog/"


@pytest.fixture
def operator() -> User:
    return UserFactory.create(is_staff=True, is_superuser=True)


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def found(page: Client, **query: str) -> list[str]:
    """Actions in the list, newest first, but those of looking at it."""
    answer = page.get(LIST, query)
    assert answer.status_code == 200
    return [row.action for row in answer.context["cl"].result_list if row.action != Action.SYSTEM_DOOR]


def test_operators_see_everybodys_entries(page: Client) -> None:
    for user in (UserFactory.create(), UserFactory.create()):
        audit.record(Action.EXPORT, user_id=user.id)

    assert found(page).count("export") == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "export"}, ["export"]),
        ({"action": "INSERT", "table_name": "credentials_exchangeaccount"}, ["INSERT"]),
        ({"table_name": "accounts_apitoken"}, []),
        ({"actor_kind": "worker"}, ["decrypt"]),
    ],
)
def test_filters(page: Client, query: dict[str, str], expected: list[str]) -> None:
    AccountFactory.create()
    audit.record(Action.EXPORT)
    with actors.acting(Actor(ActorKind.WORKER)):
        audit.record(Action.DECRYPT)

    assert found(page, **query) == expected


def test_the_filter_by_date(page: Client) -> None:
    audit.record(Action.EXPORT)
    tomorrow = f"{(clock.now() + timedelta(days=1)).date()} 00:00:00+00:00"

    assert found(page, action="export", created_at__gte=tomorrow) == []
    assert found(page, action="export", created_at__lt=tomorrow) == ["export"]


def test_search_takes_any_whole_id(page: Client) -> None:
    account = AccountFactory.create()
    with actors.acting(Actor(ActorKind.USER, account.user_id, None, "request-77")):
        audit.record(Action.EXPORT, user_id=account.user_id, record_id="41")

    assert found(page, q="request-77") == ["export"] == found(page, q="41")
    assert found(page, q=str(account.id)) == ["INSERT"]
    assert found(page, q=str(account.user_id), action="export") == ["export"]
    assert found(page, q="request") == []


def test_an_entry_opens_and_offers_no_change(page: Client) -> None:
    audit.record(Action.EXPORT, rows=3)
    with tenancy.as_system("admin"):
        entry = AuditLog.objects.get(action="export")
    path = reverse("admin:accounts_auditlog_change", args=[entry.pk])

    answer = page.get(path)

    assert answer.status_code == 200
    assert b"_save" not in answer.content
    assert page.post(path, {"action": "x"}).status_code == 403
    assert page.get(f"{LIST}add/").status_code == 403
    assert page.post(reverse("admin:accounts_auditlog_delete", args=[entry.pk])).status_code == 403


def test_every_page_of_the_admin_leaves_a_trace(page: Client, operator: User) -> None:
    page.get(LIST, {"q": "somebody@example.com"})

    with tenancy.as_system("admin"):
        [entry] = AuditLog.objects.filter(action=Action.SYSTEM_DOOR, actor_id=operator.id)
    assert entry.actor_kind == "operator"
    assert entry.new_values == {"place": "admin", "method": "GET", "path": LIST}


def test_a_user_who_is_no_operator_sees_nothing(client: Client) -> None:
    client.force_login(UserFactory.create())

    assert client.get(LIST).status_code == 302


def test_a_change_in_the_admin_is_the_operators(page: Client, operator: User) -> None:
    user = UserFactory.create()
    form = {"email": user.email, "name": user.name, "is_active": ""}
    page.post(reverse("admin:accounts_user_change", args=[user.pk]), form)

    with tenancy.acting_as(user.id):
        entry = AuditLog.objects.filter(action="UPDATE").latest("id")
    assert (entry.actor_id, entry.actor_kind, entry.ip_address) == (operator.id, "operator", "127.0.0.1")
    assert (entry.new_values or {})["is_active"] is False


def test_a_path_or_filter_of_control_characters_breaks_nothing(page: Client) -> None:
    assert page.get("/admin/%00%0A").status_code == 404
    assert found(page, action="a\0b") == []
