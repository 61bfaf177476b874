"""Sessions over HTTP: listed, ended, all ended, stepped up; and the second factor's own routes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from pytest_django import Settings

from accounts import sessions
from accounts.models import Session, User
from accounts.tokens import session_of
from core import clock
from core.django import actors
from core.django.actors import Actor
from tests.accounts.apps import App, with_app, wrong
from tests.accounts.trails import trail_of
from tests.clients import JsonClient, client_of, log_in, problem, stranger, with_token
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
OLD = timedelta(minutes=10)


def _age_step_ups() -> None:
    """The last step-up of every session was just too long ago."""
    Session.objects.update(stepped_up_at=clock.now() - OLD)


def _client_with_app() -> tuple[App, JsonClient]:
    at = clock.now()
    app = with_app(at)
    tokens = sessions.log_in(email=app.user.email, password=PASSWORD, code=app.recovery_codes[0], at=at)
    return app, with_token(tokens.access_token)


def test_log_in_remembers_address_and_browser_and_counts_as_a_step_up(at_address: Actor) -> None:
    user, at = UserFactory.create(), clock.now()

    sessions.log_in(email=user.email, password=PASSWORD, at=at)

    session = Session.objects.get()
    assert (session.ip_address, session.user_agent) == (at_address.address, at_address.user_agent)
    assert session.stepped_up_at == session.last_used_at == session.created_at == at


def test_log_in_and_out_are_in_the_trail(at_address: Actor) -> None:
    user = UserFactory.create()
    tokens = log_in(user)
    (session,) = Session.objects.all()
    sessions.log_out(refresh_token=tokens.refresh_token, session_id=session.id, at=clock.now())

    log_ins = [row for row in trail_of(user) if row.table_name == "accounts_session"]

    assert [(row.action, row.record_id, row.ip_address) for row in log_ins] == [
        ("log-in", str(session.id), at_address.address),
        ("log-out", str(session.id), at_address.address),
    ]
    assert (log_ins[0].actor_id, log_ins[0].actor_kind) == (user.id, "user")
    assert actors.current() == at_address


def test_a_refused_log_in_is_in_the_trail_of_whom_it_meant(at_address: Actor) -> None:
    user = UserFactory.create()
    with pytest.raises(sessions.InvalidCredentials):
        sessions.log_in(email=user.email, password="wrong", at=clock.now())

    last = trail_of(user)[-1]

    assert (last.action, last.new_values, last.actor_id) == (
        "log-in refused", {"reason": "invalid_credentials"}, None,
    )  # fmt: skip


def test_ones_living_sessions_are_listed_the_current_one_marked() -> None:
    user, at = UserFactory.create(), clock.now()
    other, current, ended, unused = (log_in(user) for _ in range(4))
    log_in(UserFactory.create())
    ids = [session_of(tokens.access_token) for tokens in (other, current, ended, unused)]
    sessions.log_out(refresh_token=None, session_id=ids[2], at=at)
    Session.objects.filter(id=ids[3]).update(last_used_at=at - timedelta(days=7))

    listed = with_token(current.access_token).get("/auth/sessions").json()

    assert {row["id"]: row["is_current"] for row in listed} == {str(ids[0]): False, str(ids[1]): True}
    assert sorted(listed[0]) == [
        "created_at", "expires_at", "id", "ip_address", "is_current", "kind", "last_used_at", "user_agent",
    ]  # fmt: skip


def test_a_session_can_be_ended_from_another() -> None:
    user = UserFactory.create()
    client, other = client_of(user), client_of(user)
    (other_id,) = [row["id"] for row in other.get("/auth/sessions").json() if row["is_current"]]

    assert client.delete(f"/auth/sessions/{other_id}").status_code == 204

    assert problem(other.get("/user/me")) == (401, "invalid_token", [])
    assert client.get("/user/me").status_code == 200
    assert problem(client.delete(f"/auth/sessions/{other_id}")) == (404, "not_found", [])


def test_a_session_of_another_user_is_not_there() -> None:
    other = client_of(UserFactory.create())
    (row,) = other.get("/auth/sessions").json()

    assert problem(client_of(UserFactory.create()).delete(f"/auth/sessions/{row['id']}"))[0] == 404
    assert other.get("/user/me").status_code == 200


@pytest.mark.parametrize(("keep", "status"), [(False, 401), (True, 200)])
def test_logging_out_everywhere_ends_all_but_perhaps_this(keep: bool, status: int) -> None:
    user = UserFactory.create()
    client, other, stays = client_of(user), client_of(user), client_of(UserFactory.create())

    answer = client.post("/auth/logout-everywhere", {"keep_current": keep})

    assert answer.status_code == 204
    assert client.get("/user/me").status_code == status
    assert other.get("/user/me").status_code == 401
    assert stays.get("/user/me").status_code == 200
    assert trail_of(user)[-1].action == "session revoked"


def test_logging_out_everywhere_needs_no_body() -> None:
    client = client_of(UserFactory.create())

    assert client.post("/auth/logout-everywhere").status_code == 204
    assert client.post("/auth/logout-everywhere").status_code == 401


def test_a_step_up_makes_the_log_in_fresh_again() -> None:
    user = UserFactory.create()
    client = client_of(user)
    _age_step_ups()
    assert problem(client.post("/auth/two-factor")) == (403, "step_up_required", [])

    assert client.post("/auth/step-up", {"password": PASSWORD}).status_code == 204

    assert client.post("/auth/two-factor").status_code == 201
    assert "step-up" in [row.action for row in trail_of(user)]


def test_the_step_up_of_one_session_is_not_anothers() -> None:
    user = UserFactory.create()
    client, other = client_of(user), client_of(user)
    _age_step_ups()
    other.post("/auth/step-up", {"password": PASSWORD})

    assert problem(client.post("/auth/two-factor")) == (403, "step_up_required", [])


def test_how_long_a_step_up_counts_is_a_setting(settings: Settings) -> None:
    client = client_of(UserFactory.create())
    _age_step_ups()
    settings.STEP_UP_MINUTES = 11

    assert client.post("/auth/two-factor").status_code == 201


def test_a_step_up_with_a_wrong_password_says_why_and_counts() -> None:
    client = client_of(UserFactory.create())

    answers = [client.post("/auth/step-up", {"password": "wrong"}) for _ in range(6)]

    assert problem(answers[0]) == (403, "unconfirmed", [])
    assert answers[0].json()["reason"] == "invalid_credentials"
    assert problem(answers[5]) == (429, "too_many_attempts", [])
    assert client.get("/user/me").status_code == 200


def test_a_step_up_asks_for_the_second_factor() -> None:
    app, client = _client_with_app()

    missing = client.post("/auth/step-up", {"password": PASSWORD})
    bad = client.post("/auth/step-up", {"password": PASSWORD, "code": wrong(app.code(clock.now()))})
    good = client.post("/auth/step-up", {"password": PASSWORD, "code": app.code(clock.now())})

    assert [answer.json()["reason"] for answer in (missing, bad)] == [
        "second_factor_required", "invalid_code",
    ]  # fmt: skip
    assert good.status_code == 204


def test_log_in_asks_for_the_second_factor() -> None:
    app = with_app(clock.now())
    body = {"email": app.user.email, "password": PASSWORD}

    missing = stranger().post("/auth/login", body)
    empty = stranger().post("/auth/login", {**body, "code": ""})
    bad = stranger().post("/auth/login", {**body, "code": wrong(app.code(clock.now()))})
    good = stranger().post("/auth/login", {**body, "code": app.code(clock.now())})

    assert problem(missing) == problem(empty) == (401, "second_factor_required", [])
    assert problem(bad) == (401, "invalid_code", [])
    assert sorted(good.json()) == ["access_token", "refresh_token", "user"]


def test_who_has_no_second_factor_may_send_a_code_of_nothing() -> None:
    user = UserFactory.create()
    body = {"email": user.email, "password": PASSWORD, "code": None}

    assert stranger().post("/auth/login", body).status_code == 200


def test_the_second_factor_is_set_up_over_http() -> None:
    client = client_of(UserFactory.create())
    off = client.get("/auth/two-factor").json()

    made = client.post("/auth/two-factor")
    totp = pyotp.TOTP(made.json()["secret"])
    refused = client.post("/auth/two-factor/confirm", {"code": wrong(totp.now())})
    confirmed = client.post("/auth/two-factor/confirm", {"code": totp.now()})

    assert off == {"enabled": False, "confirmed_at": None, "recovery_codes_left": 0}
    assert made.json()["otpauth_uri"].startswith("otpauth://totp/")
    assert problem(refused) == (400, "invalid", [("/code", "wrong_code")])
    assert len(confirmed.json()["recovery_codes"]) == 10
    assert client.get("/auth/two-factor").json()["enabled"] is True
    assert problem(client.post("/auth/two-factor")) == (409, "two_factor_on", [])
    assert problem(client.post("/auth/two-factor/confirm", {"code": "123456"}))[0] == 409


def test_the_second_factor_is_switched_off_over_http() -> None:
    _, client = _client_with_app()

    renewed = client.post("/auth/two-factor/recovery-codes")
    off = client.delete("/auth/two-factor")

    assert (renewed.status_code, len(renewed.json()["recovery_codes"])) == (201, 10)
    assert off.status_code == 204
    assert problem(client.delete("/auth/two-factor")) == (409, "two_factor_off", [])
    assert problem(client.post("/auth/two-factor/recovery-codes")) == (409, "two_factor_off", [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/auth/two-factor"), ("delete", "/auth/two-factor"), ("post", "/auth/two-factor/confirm"),
        ("post", "/auth/two-factor/recovery-codes"),
    ],
)  # fmt: skip
def test_changing_the_second_factor_needs_a_fresh_log_in(method: str, path: str) -> None:
    _, client = _client_with_app()
    _age_step_ups()

    assert problem(getattr(client, method)(path)) == (403, "step_up_required", [])


def test_codes_that_do_not_confirm_count_as_attempts() -> None:
    client = client_of(UserFactory.create())
    totp = pyotp.TOTP(client.post("/auth/two-factor").json()["secret"])
    for _ in range(5):
        client.post("/auth/two-factor/confirm", {"code": wrong(totp.now())})

    assert problem(client.post("/auth/two-factor/confirm", {"code": totp.now()}))[0] == 429


PATHS = [
    ("get", "/auth/sessions"), ("delete", f"/auth/sessions/{uuid4()}"), ("post", "/auth/logout-everywhere"),
    ("post", "/auth/step-up"), ("get", "/auth/two-factor"), ("post", "/auth/two-factor"),
    ("delete", "/auth/two-factor"), ("post", "/auth/two-factor/confirm"),
    ("post", "/auth/two-factor/recovery-codes"), ("get", "/auth/api-tokens"), ("post", "/auth/api-tokens"),
    ("delete", f"/auth/api-tokens/{uuid4()}"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger_is_refused(method: str, path: str) -> None:
    assert problem(getattr(stranger(), method)(path)) == (401, "not_authenticated", [])


@pytest.mark.parametrize("path", sorted({path for _, path in PATHS}))
def test_a_wrong_method_is_a_problem(path: str) -> None:
    assert problem(client_of(UserFactory.create()).put(path)) == (405, "method_not_allowed", [])


@pytest.mark.parametrize(
    "path", [f"/auth/sessions/{uuid4()}", f"/auth/api-tokens/{uuid4()}", "/auth/sessions/1"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    answer = client_of(UserFactory.create()).delete(path)

    assert problem(answer) == (404, "not_found", [])


@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        ("/auth/step-up", {}, [("/password", "required")]),
        ("/auth/step-up", {"password": "x" * 129}, [("/password", "max_length")]),
        ("/auth/step-up", {"password": "x", "code": "1" * 41}, [("/code", "max_length")]),
        ("/auth/two-factor/confirm", {}, [("/code", "required")]),
        ("/auth/two-factor/confirm", {"code": ["1"]}, [("/code", "invalid")]),
        ("/auth/two-factor", {"secret": "mine"}, [("/secret", "unknown")]),
        ("/auth/two-factor/recovery-codes", {"count": 99}, [("/count", "unknown")]),
        ("/auth/logout-everywhere", {"keep_current": "perhaps"}, [("/keep_current", "invalid")]),
        ("/auth/logout-everywhere", {"user": "x"}, [("/user", "unknown")]),
    ],
)
def test_bad_input_is_told(path: str, body: dict[str, Any], refused: list[tuple[str, str]]) -> None:
    assert problem(client_of(UserFactory.create()).post(path, body)) == (400, "invalid", refused)


@pytest.mark.parametrize("path", sorted({path for method, path in PATHS if method == "get"}))
def test_an_unknown_parameter_is_refused(path: str) -> None:
    answer = client_of(UserFactory.create()).get(f"{path}?user={uuid4()}")

    assert problem(answer) == (400, "invalid", [("/user", "unknown")])


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_deleted": True}])
def test_who_is_put_out_cannot_step_up_nor_list(change: dict[str, bool]) -> None:
    client = client_of(UserFactory.create())
    User.objects.update(**change)

    answers = [client.get("/auth/sessions"), client.post("/auth/step-up", {"password": PASSWORD})]

    assert {problem(answer)[:2] for answer in answers} == {(401, "invalid_token")}
