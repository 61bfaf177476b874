"""Users over HTTP: signing up, confirming addresses, forgotten and changed passwords."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.clients import JsonClient, client_of, log_in, problem, stranger, with_token
from tests.factories import PASSWORD, UserFactory
from tests.mailbox import Mailbox

pytestmark = pytest.mark.django_db
PERSON = {"email": "alice@example.com", "name": "Alice", "password": PASSWORD}
NEW = "another horse battery"
PUBLIC = {
    "/user/register-user": PERSON,
    "/user/verify-email": {"token": "x"},
    "/user/confirm-email": {"token": "x"},
    "/auth/forgot-password": {"email": "alice@example.com"},
    "/auth/reset-password": {"token": "x", "password": NEW},
}
PRIVATE: dict[str, Any] = {
    "/user/resend-verification": None,
    "/user/change-password": {"current_password": PASSWORD, "new_password": NEW},
    "/user/change-email": {"email": "new@example.com"},
}


@pytest.fixture
def alice() -> User:
    return UserFactory.create(email="alice@example.com", is_verified=False)


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


def test_signing_up_answers_the_user(mailbox: Mailbox) -> None:
    response = stranger().post("/user/register-user", {**PERSON, "date_of_birth": "1990-05-17"})

    user = User.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(user.id),
        "email": "alice@example.com",
        "displayName": "Alice",
        "createdAt": user.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert str(user.date_of_birth) == "1990-05-17 00:00:00+00:00"


def test_a_taken_address_answers_like_a_free_one(mailbox: Mailbox) -> None:
    free = stranger().post("/user/register-user", PERSON)

    taken = stranger().post("/user/register-user", {**PERSON, "email": "ALICE@example.com"})

    assert (taken.status_code, taken.json().keys()) == (free.status_code, free.json().keys())
    assert {**taken.json(), "id": "", "createdAt": ""} == {
        "id": "",
        "email": "ALICE@example.com",
        "displayName": "Alice",
        "createdAt": "",
    }
    assert len(taken.json()["createdAt"]) == len(free.json()["createdAt"])
    assert taken.json()["id"] != free.json()["id"]
    assert taken.headers.keys() == free.headers.keys()


def test_where_no_mail_is_sent_a_taken_address_is_a_conflict(settings: Settings) -> None:
    settings.VERIFY_EMAIL = False
    UserFactory.create(email="ALICE@example.com")

    assert problem(stranger().post("/user/register-user", PERSON)) == (409, "email_taken", [])


def test_where_signing_up_is_closed_nobody_signs_up(settings: Settings) -> None:
    settings.SIGN_UP_OPEN = False

    assert problem(stranger().post("/user/register-user", PERSON)) == (403, "sign_up_closed", [])


def test_every_wrong_member_is_told() -> None:
    response = stranger().post("/user/register-user", {"email": "no", "password": "", "is_staff": True})

    assert problem(response) == (
        400,
        "invalid",
        [("/email", "invalid"), ("/name", "required"), ("/password", "blank"), ("/is_staff", "unknown")],
    )
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "x" * 250 + "@example.com"}, "/email"),
        ({"email": "a\x00@example.com"}, "/email"),
        ({"email": '"a\x01b"@example.com'}, "/email"),
        ({"name": "x" * 151}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": "a\x1bb"}, "/name"),
        ({"password": "x" * 129}, "/password"),
        ({"password": "long enough \x00"}, "/password"),
        ({"password": "password123"}, "/password"),
        ({"date_of_birth": "3000-01-01"}, "/date_of_birth"),
        ({"date_of_birth": "0001-01-01T00:00:00+14:00"}, "/date_of_birth"),
        ({"date_of_birth": "yesterday"}, "/date_of_birth"),
    ],
)
def test_bad_input_is_refused_at_its_member(changes: dict[str, Any], pointer: str) -> None:
    status, code, errors = problem(stranger().post("/user/register-user", {**PERSON, **changes}))

    assert (status, code, {where for where, _ in errors}) == (400, "invalid", {pointer})
    assert User.objects.count() == 0


def test_a_mailed_token_verifies_the_address_once(mailbox: Mailbox) -> None:
    stranger().post("/user/register-user", PERSON)
    body = {"token": mailbox.token()}

    assert stranger().post("/user/verify-email", body).status_code == 204
    assert User.objects.get().is_verified
    assert problem(stranger().post("/user/verify-email", body)) == (400, "invalid_one_time_token", [])


def test_the_link_is_sent_again(as_alice: JsonClient, mailbox: Mailbox) -> None:
    assert as_alice.post("/user/resend-verification").status_code == 202
    assert stranger().post("/user/verify-email", {"token": mailbox.token()}).status_code == 204
    assert problem(as_alice.post("/user/resend-verification")) == (409, "already_verified", [])


def test_asking_for_a_reset_does_not_tell_whether_the_address_is_known(
    alice: User, mailbox: Mailbox, hashes: list[str]
) -> None:
    known = stranger().post("/auth/forgot-password", {"email": alice.email})
    unknown = stranger().post("/auth/forgot-password", {"email": "nobody@example.com"})

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert known.headers.keys() == unknown.headers.keys()
    assert mailbox.sent() == [(alice.email, "Choose a new password")]
    assert hashes == []


def test_a_forgotten_password_is_replaced_and_ends_the_sessions(
    alice: User, as_alice: JsonClient, mailbox: Mailbox
) -> None:
    stranger().post("/auth/forgot-password", {"email": alice.email})
    body = {"token": mailbox.token(), "password": NEW}

    assert stranger().post("/auth/reset-password", body).status_code == 204

    assert problem(as_alice.get("/user/me"))[:2] == (401, "invalid_token")
    old = stranger().post("/auth/login", {"email": alice.email, "password": PASSWORD})
    assert problem(old)[:2] == (401, "invalid_credentials")
    assert stranger().post("/auth/login", {"email": alice.email, "password": NEW}).status_code == 200
    assert problem(stranger().post("/auth/reset-password", body)) == (400, "invalid_one_time_token", [])


def test_a_token_to_verify_resets_no_password(mailbox: Mailbox) -> None:
    stranger().post("/user/register-user", PERSON)

    response = stranger().post("/auth/reset-password", {"token": mailbox.token(), "password": NEW})

    assert problem(response) == (400, "invalid_one_time_token", [])


def test_the_password_is_changed_by_the_old_one(alice: User) -> None:
    here, there = (with_token(log_in(alice).access_token) for _ in range(2))

    assert here.post("/user/change-password", PRIVATE["/user/change-password"]).status_code == 204

    assert here.get("/user/me").status_code == 200
    assert problem(there.get("/user/me"))[0] == 401


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"current_password": "wrong"}, ("/current_password", "wrong_password")),
        ({"new_password": "short"}, ("/new_password", "password_too_short")),
        ({"new_password": "x" * 129}, ("/new_password", "max_length")),
    ],
)
def test_a_refused_change_is_told_at_its_member(
    as_alice: JsonClient, changes: dict[str, str], refused: tuple[str, str]
) -> None:
    response = as_alice.post("/user/change-password", {**PRIVATE["/user/change-password"], **changes})

    assert problem(response) == (400, "invalid", [refused])


def test_a_new_address_is_confirmed_by_mail(alice: User, as_alice: JsonClient, mailbox: Mailbox) -> None:
    assert as_alice.post("/user/change-email", {"email": "new@example.com"}).status_code == 202
    body = {"token": mailbox.token()}
    assert as_alice.get("/user/me").json()["email"] == "alice@example.com"

    assert stranger().post("/user/confirm-email", body).status_code == 204

    assert as_alice.get("/user/me").json()["email"] == "new@example.com"
    assert problem(stranger().post("/user/confirm-email", body))[:2] == (400, "invalid_one_time_token")


def test_somebody_elses_address_answers_alike(as_alice: JsonClient, mailbox: Mailbox) -> None:
    UserFactory.create(email="bob@example.com")

    free = as_alice.post("/user/change-email", {"email": "new@example.com"})
    taken = as_alice.post("/user/change-email", {"email": "bob@example.com"})

    assert (taken.status_code, taken.content) == (free.status_code, free.content)


@pytest.mark.parametrize("path", PRIVATE)
def test_a_stranger_is_refused(path: str) -> None:
    assert problem(stranger().post(path, PRIVATE[path])) == (401, "not_authenticated", [])


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_wrong_method_is_a_problem(path: str, method: str, as_alice: JsonClient) -> None:
    response = getattr(as_alice, method)(path)

    assert problem(response) == (405, "method_not_allowed", [])
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE])
def test_unknown_members_and_parameters_are_refused(
    path: str, as_alice: JsonClient, mailbox: Mailbox
) -> None:
    body = {**PUBLIC, **PRIVATE}[path] or {}

    assert ("/stray", "unknown") in problem(as_alice.post(path, {**body, "stray": 1}))[2]
    assert problem(as_alice.post(f"{path}?stray=1", body)) == (400, "invalid", [("/stray", "unknown")])


@pytest.mark.parametrize(
    "path", [path for path in [*PUBLIC, *PRIVATE] if path != "/user/resend-verification"]
)
def test_every_member_is_required_and_a_text(path: str, as_alice: JsonClient) -> None:
    members = {**PUBLIC, **PRIVATE}[path]

    missing = problem(as_alice.post(path, {}))
    wrong = problem(as_alice.post(path, {name: [] for name in members}))

    assert missing == (400, "invalid", [(f"/{name}", "required") for name in members])
    assert (wrong[0], [pointer for pointer, _ in wrong[2]]) == (400, [f"/{name}" for name in members])


@pytest.mark.parametrize("path", ["/user/verify-email", "/user/confirm-email", "/auth/reset-password"])
@pytest.mark.parametrize("token", ["x" * 201, "a\x00b", "☃" * 30, " "])
def test_what_is_no_token_is_refused(path: str, token: str) -> None:
    response = stranger().post(path, {**PUBLIC[path], "token": token})

    assert problem(response)[0] == 400


@pytest.mark.parametrize("path", PUBLIC)
def test_answers_are_kept_by_nobody(path: str, mailbox: Mailbox) -> None:
    assert "no-store" in stranger().post(path, PUBLIC[path]).headers["Cache-Control"]
