"""The pages' sessions are rows like any other: dead at the next request once they are ended, on admin pages too."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import page_sessions, passwords, sessions, tokens
from accounts.models import Session, User
from core import clock
from tests.accounts.apps import with_app, wrong
from tests.clients import client_of
from tests.factories import PASSWORD, UserFactory
from web.pages.access import recent_member_page

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PUT_OUT: dict[str, Callable[[User], object]] = {
    "logged out everywhere": lambda user: sessions.revoke_all(
        user_id=user.id, except_session=None, reason="test", at=clock.now()
    ),
    "session ended": lambda user: sessions.revoke(
        user_id=user.id, session_id=Session.objects.get(user=user).id, reason="test", at=clock.now()
    ),
    "locked out": lambda user: User.objects.filter(id=user.id).update(is_active=False),
    "deleted": lambda user: User.objects.filter(id=user.id).update(is_deleted=True),
    "password changed": lambda user: passwords.change(
        user=user,
        current_password=PASSWORD,
        new_password="quite another one",
        session_id=None,
        at=clock.now(),
    ),
    "password changed behind our back": lambda user: User.objects.filter(id=user.id).update(password="x"),
    "over": lambda user: Session.objects.filter(user=user).update(expires_at=clock.now()),
    "unused": lambda user: Session.objects.filter(user=user).update(last_used_at=clock.now() - 7 * DAY),
}


def _log_in(client: Client, user: User, **more: str) -> HttpResponse:
    return client.post("/login", {"email": user.email, "password": PASSWORD, **more})  # type: ignore[return-value]


@pytest.fixture
def operator(db: None) -> User:
    return UserFactory.create(is_staff=True, is_superuser=True)


def test_logging_in_begins_a_session_like_any_other(client: Client, alice: User) -> None:
    client.post(
        "/login",
        {"email": alice.email, "password": PASSWORD},
        REMOTE_ADDR="192.0.2.7",
        HTTP_USER_AGENT="Firefox",
    )

    session = Session.objects.get()
    assert (session.kind, session.user, session.ip_address, session.user_agent) == (
        "page", alice, "192.0.2.7", "Firefox",
    )  # fmt: skip
    assert session.stepped_up_at == session.created_at
    assert client.session["session_id"] == str(session.id)


def test_the_api_lists_and_ends_a_session_of_the_pages(client: Client, alice: User) -> None:
    _log_in(client, alice)
    page = Session.objects.get()
    api = client_of(alice)

    listed = {row["id"]: row["kind"] for row in api.get("/auth/sessions").json()}
    api.delete(f"/auth/sessions/{page.id}")

    assert listed[str(page.id)] == "page"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("how", PUT_OUT)
def test_who_is_put_out_is_out_at_the_next_page(how: str, client: Client, alice: User) -> None:
    _log_in(client, alice)
    assert client.get("/").status_code == 200

    PUT_OUT[how](alice)

    assert client.get("/").headers["Location"].startswith("/login")
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("how", PUT_OUT)
def test_who_is_put_out_is_out_at_the_next_admin_page(how: str, client: Client, operator: User) -> None:
    _log_in(client, operator)
    assert client.get(reverse("admin:index")).status_code == 200

    PUT_OUT[how](operator)

    assert client.get(reverse("admin:index")).headers["Location"].startswith(reverse("admin:login"))


def test_a_changed_password_keeps_the_page_it_was_changed_on_if_its_cookie_is_renewed(
    client: Client, alice: User
) -> None:
    _log_in(client, alice)
    session = Session.objects.get()

    passwords.change(
        user=alice, current_password=PASSWORD, new_password="quite another one",
        session_id=session.id, at=clock.now(),
    )  # fmt: skip
    alice.refresh_from_db()
    stored = client.session
    stored["_auth_user_hash"] = alice.get_session_auth_hash()
    stored.save()

    assert client.get("/").status_code == 200


def test_logging_out_ends_the_row(client: Client, alice: User) -> None:
    _log_in(client, alice)

    client.post("/logout")

    assert Session.objects.get().revoked_reason == "log-out"


@pytest.mark.parametrize("forged", ["", "x", str(uuid4())])
def test_a_cookie_without_a_living_session_of_ours_opens_nothing(
    forged: str, client: Client, alice: User
) -> None:
    _log_in(client, alice)
    stored = client.session
    stored["session_id"] = forged
    stored.save()

    assert client.get("/").status_code == 302


def test_a_session_of_somebody_else_does_not_change_who_one_is(
    client: Client, alice: User, bob: User
) -> None:
    other = sessions.start(bob, kind=Session.Kind.PAGE, at=clock.now())
    _log_in(client, alice)
    stored = client.session
    stored["session_id"] = str(other.id)
    stored["_auth_user_hash"] = bob.get_session_auth_hash()
    stored.save()

    assert client.get("/").status_code == 302


def test_an_api_session_is_no_cookie_and_a_page_session_no_token(client: Client, alice: User) -> None:
    api = sessions.start(alice, kind=Session.Kind.API, at=clock.now())
    page = sessions.start(alice, kind=Session.Kind.PAGE, at=clock.now())
    _log_in(client, alice)
    stored = client.session
    stored["session_id"] = str(api.id)
    stored.save()

    assert client.get("/").status_code == 302
    token = tokens.issue(page, parent=None, at=clock.now()).access_token
    with pytest.raises(sessions.InvalidToken):
        sessions.authenticate(access_token=token, at=clock.now())


def test_a_page_looks_its_session_up_once_and_notes_it_once_a_minute(client: Client, alice: User) -> None:
    _log_in(client, alice)
    client.get("/connect")

    with CaptureQueriesContext(connection) as queries:
        client.get("/connect")

    asked = [query["sql"] for query in queries.captured_queries]
    assert sum("accounts_session" in sql for sql in asked) == 1
    assert not any(sql.startswith(("UPDATE", "WITH")) for sql in asked)


def test_attempts_are_counted_on_the_page(client: Client, alice: User) -> None:
    form = {"email": alice.email, "password": "wrong"}
    statuses = [client.post("/login", form).status_code for _ in range(6)]

    answer = client.post("/login", {**form, "password": PASSWORD})

    assert statuses == [422] * 5 + [429]
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert b"Too many failed attempts" in answer.content


def test_the_admin_has_no_log_in_of_its_own(client: Client) -> None:
    answer = client.get(reverse("admin:login"), {"next": "/admin/accounts/user/"})

    assert answer.headers["Location"] == "/login?next=%2Fadmin%2Faccounts%2Fuser%2F"
    form = {"username": "x", "password": "y"}
    assert client.post(reverse("admin:login"), form).headers["Location"].startswith("/login")


def test_an_operator_logs_in_by_the_page_and_lands_in_the_admin(client: Client, operator: User) -> None:
    assert _log_in(client, operator, next=reverse("admin:index")).headers["Location"] == reverse(
        "admin:index"
    )
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:login")).headers["Location"] == reverse("admin:index")


def test_who_is_no_operator_is_told_so_instead_of_asked_again(as_alice: Client) -> None:
    assert as_alice.get(reverse("admin:login"), {"next": "/admin/"}).status_code == 403


def test_logging_out_of_the_admin_ends_the_row(client: Client, operator: User) -> None:
    _log_in(client, operator)

    client.post(reverse("admin:logout"))

    assert Session.objects.get().revoked_reason == "log-out"
    assert client.get(reverse("admin:index")).status_code == 302


def test_the_admin_changes_no_passwords(client: Client, operator: User) -> None:
    _log_in(client, operator)
    form = {"old_password": PASSWORD, "new_password1": "a new one 123", "new_password2": "a new one 123"}

    assert client.post(reverse("admin:password_change"), form).status_code == 302
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


def test_the_second_factor_is_asked_for_on_a_page_of_its_own(client: Client) -> None:
    at = clock.now()
    app = with_app(at)

    asked = _log_in(client, app.user, next="/connect")
    assert b"Enter your code" in asked.content
    assert client.get("/").status_code == 302

    refused = client.post("/login/code", {"code": wrong(app.code(at)), "next": "/connect"})
    accepted = client.post("/login/code", {"code": app.code(at), "next": "/connect"})

    assert (refused.status_code, b"This code is wrong" in refused.content) == (422, True)
    assert (accepted.status_code, accepted.headers["Location"]) == (302, "/connect")
    assert client.get("/connect").status_code == 200
    assert "awaits_code" not in client.session


def test_the_admin_asks_operators_for_their_second_factor(client: Client) -> None:
    at = clock.now()
    app = with_app(at)
    User.objects.filter(id=app.user.id).update(is_staff=True, is_superuser=True)

    _log_in(client, app.user, next="/admin/")
    assert client.get(reverse("admin:index")).status_code == 302
    client.post("/login/code", {"code": app.recovery_codes[0]})

    assert client.get(reverse("admin:index")).status_code == 200


def test_codes_on_the_page_are_counted(client: Client) -> None:
    at = clock.now()
    app = with_app(at)
    _log_in(client, app.user)
    statuses = [client.post("/login/code", {"code": wrong(app.code(at))}).status_code for _ in range(6)]

    assert statuses == [422] * 5 + [429]
    assert client.post("/login/code", {"code": app.code(at)}).status_code == 429


def test_a_code_without_a_password_before_it_opens_nothing(client: Client) -> None:
    at = clock.now()
    app = with_app(at)

    answer = client.post("/login/code", {"code": app.code(at)})

    assert (answer.status_code, b"log in again" in answer.content) == (422, True)
    assert Session.objects.count() == 0


@pytest.mark.parametrize("how", ["locked out", "deleted", "password changed behind our back"])
def test_who_is_put_out_between_password_and_code_stays_out(how: str, client: Client) -> None:
    at = clock.now()
    app = with_app(at)
    _log_in(client, app.user)

    PUT_OUT[how](app.user)

    assert client.post("/login/code", {"code": app.code(at)}).status_code == 422
    assert Session.objects.count() == 0


def test_the_code_is_awaited_for_five_minutes(client: Client) -> None:
    at = clock.now()
    app = with_app(at)
    _log_in(client, app.user)
    stored = client.session
    stored["awaits_code"] = {**stored["awaits_code"], "until": at.isoformat()}
    stored.save()

    assert client.post("/login/code", {"code": app.code(at)}).status_code == 422


@recent_member_page
def _sensitive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("sensitive")


def _ask(client: Client, path: str = "/sensitive?a=1") -> HttpResponse:
    """The sensitive page, asked by this client's cookie."""
    request = HttpRequest()
    request.method, request.path, request.META["QUERY_STRING"] = "GET", path.partition("?")[0], "a=1"
    request.session = client.session
    page_sessions.PageSessions(lambda _: HttpResponse()).process_request(request)
    return _sensitive(request)


def test_a_sensitive_page_asks_who_logged_in_long_ago_to_confirm_it(client: Client, alice: User) -> None:
    _log_in(client, alice)
    assert _ask(client).content == b"sensitive"
    Session.objects.update(stepped_up_at=clock.now() - timedelta(minutes=10))

    assert _ask(client).headers["Location"] == "/confirm?next=%2Fsensitive%3Fa%3D1"


def test_confirming_leads_back_and_opens_it(client: Client, alice: User) -> None:
    _log_in(client, alice)
    Session.objects.update(stepped_up_at=None)
    page = client.get("/confirm", {"next": "/connect"})

    refused = client.post("/confirm", {"password": "wrong", "next": "/connect"})
    accepted = client.post("/confirm", {"password": PASSWORD, "next": "/connect"})

    assert (page.status_code, b'value="/connect"' in page.content) == (200, True)
    assert (refused.status_code, b"wrong." in refused.content) == (422, True)
    assert accepted.headers["Location"] == "/connect"
    assert _ask(client).content == b"sensitive"


def test_confirming_asks_for_the_second_factor(client: Client) -> None:
    at = clock.now()
    app = with_app(at)
    client.force_login(app.user)

    assert b'name="code"' in client.get("/confirm").content
    assert client.post("/confirm", {"password": PASSWORD}).status_code == 422
    assert client.post("/confirm", {"password": PASSWORD, "code": app.code(at)}).status_code == 302


def test_confirming_counts_attempts(as_alice: Client) -> None:
    statuses = [as_alice.post("/confirm", {"password": "wrong"}).status_code for _ in range(6)]

    assert statuses == [422] * 5 + [429]


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example"])
def test_confirming_leads_to_no_other_site(as_alice: Client, wanted: str) -> None:
    answer = as_alice.post("/confirm", {"password": PASSWORD, "next": wanted})

    assert answer.headers["Location"] == "/"


def test_strangers_are_led_to_the_log_in(client: Client) -> None:
    assert client.get("/confirm").headers["Location"].startswith("/login")
    assert client.get("/login/code").status_code == 405
