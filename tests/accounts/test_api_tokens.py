"""API tokens: shown once, held to their scopes, dead when they end or their user does."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from accounts import api_tokens, sessions
from accounts.errors import InvalidToken
from accounts.models import ApiToken, Session, User
from accounts.permissions import RecentLogIn
from core import clock
from core.django.views import Endpoint
from tests.clients import client_of, problem, stranger, with_token
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PROGRAM = {"name": "My program", "expires_in_days": 30}


def _token(user: User | None = None, *, can_trade: bool = False, name: str = "My program") -> str:
    made = api_tokens.create(
        user=user or UserFactory.create(), name=name, can_trade=can_trade, expires_in_days=1, at=clock.now()
    )
    return made.token


class _Trade(Endpoint):
    """Trades; reading it is free."""

    token_scope = "trade"

    def get(self, request: Request) -> Response:
        return Response({})

    post = get


class _RecentTrade(_Trade):
    permission_classes = (RecentLogIn,)


def _ask(view: type[Endpoint], token: str, method: str = "post") -> int:
    request = getattr(APIRequestFactory(), method)("/", HTTP_AUTHORIZATION=f"Bearer {token}")
    answer: Any = view.as_view()(request)
    return int(answer.status_code)


def test_a_token_is_shown_once_and_stored_as_a_hash() -> None:
    user = UserFactory.create()
    client = client_of(user)

    made = client.post("/auth/api-tokens", {**PROGRAM, "can_trade": True})
    listed = client.get("/auth/api-tokens")

    token, row = made.json().pop("token"), ApiToken.objects.get()
    assert made.status_code == 201
    assert token.startswith("cgt_")
    assert len(token) == 4 + 43
    assert listed.json() == [{key: value for key, value in made.json().items() if key != "token"}]
    assert listed.json()[0] | {"created_at": "", "expires_at": ""} == {
        "id": str(row.id), "name": "My program", "hint": token[-4:], "scopes": ["read", "trade"],
        "created_at": "", "expires_at": "", "last_used_at": None, "revoked_at": None,
    }  # fmt: skip
    assert row.expires_at - row.created_at == 30 * DAY
    assert token.encode() not in bytes(row.token_hash)


def test_a_token_reads_for_its_user_by_one_look_up() -> None:
    user = UserFactory.create()
    client = with_token(_token(user))
    first = client.get("/user/me")

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/user/me").json()["id"] == first.json()["id"] == str(user.id)

    asked = [query["sql"] for query in queries.captured_queries]
    assert sum("accounts_apitoken" in sql for sql in asked) == 1
    assert not any("accounts_session" in sql or sql.startswith(("UPDATE", "WITH")) for sql in asked)


def test_the_look_up_is_by_the_unique_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM accounts_apitoken WHERE token_hash = %s", [b"x" * 32])
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "token_hash" in plan
    assert "Index" in plan


def test_its_last_use_is_known_to_the_minute(now: datetime) -> None:
    user = UserFactory.create()
    token = api_tokens.create(user=user, name="x", can_trade=False, expires_in_days=1, at=now).token
    for second in (0, 59, 60, 61):
        api_tokens.authenticate(token=token, at=now + timedelta(seconds=second))

    user.refresh_from_db()
    assert ApiToken.objects.get().last_used_at == user.seen_at == now + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("view", "scope", "method", "status"),
    [
        (_Trade, "read", "get", 200),
        (_Trade, "read", "post", 403),
        (_Trade, "trade", "post", 200),
        (_RecentTrade, "trade", "post", 200),
        (_RecentTrade, "trade", "get", 403),
        (_RecentTrade, "read", "post", 403),
    ],
)
def test_a_token_is_held_to_its_scopes(view: type[Endpoint], scope: str, method: str, status: int) -> None:
    assert _ask(view, _token(can_trade=scope == "trade"), method) == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/auth/sessions"), ("delete", f"/auth/sessions/{'0' * 8}-0000-4000-8000-{'0' * 12}"),
        ("post", "/auth/logout"), ("post", "/auth/logout-everywhere"), ("post", "/auth/step-up"),
        ("get", "/auth/two-factor"), ("post", "/auth/two-factor"), ("delete", "/auth/two-factor"),
        ("post", "/auth/two-factor/confirm"), ("post", "/auth/two-factor/recovery-codes"),
        ("get", "/auth/api-tokens"), ("post", "/auth/api-tokens"),
        ("delete", f"/auth/api-tokens/{'0' * 8}-0000-4000-8000-{'0' * 12}"),
        ("post", "/api-credentials/save-credentials"), ("post", "/api/sync"),
    ],
)  # fmt: skip
def test_no_token_touches_access_keys_or_work(method: str, path: str) -> None:
    answer = getattr(with_token(_token(can_trade=True)), method)(path)

    assert problem(answer) == (403, "token_not_allowed", [])


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_deleted": True}])
def test_a_token_dies_with_its_user(change: dict[str, bool]) -> None:
    token = _token()
    User.objects.update(**change)

    assert problem(with_token(token).get("/user/me")) == (401, "invalid_token", [])


def test_a_token_ends(now: datetime) -> None:
    made = api_tokens.create(user=UserFactory.create(), name="x", can_trade=False, expires_in_days=1, at=now)

    api_tokens.authenticate(token=made.token, at=now + DAY - timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        api_tokens.authenticate(token=made.token, at=now + DAY)


def test_a_revoked_token_is_dead_and_still_listed() -> None:
    user = UserFactory.create()
    token, client = _token(user), client_of(user)
    (row,) = client.get("/auth/api-tokens").json()

    assert client.delete(f"/auth/api-tokens/{row['id']}").status_code == 204

    assert problem(with_token(token).get("/user/me")) == (401, "invalid_token", [])
    assert client.get("/auth/api-tokens").json()[0]["revoked_at"] is not None
    assert problem(client.delete(f"/auth/api-tokens/{row['id']}")) == (404, "not_found", [])


def test_a_token_of_another_user_is_not_there() -> None:
    token = _token()
    row = ApiToken.objects.get()
    client = client_of(UserFactory.create())

    assert problem(client.delete(f"/auth/api-tokens/{row.id}")) == (404, "not_found", [])
    assert client.get("/auth/api-tokens").json() == []
    assert with_token(token).get("/user/me").status_code == 200


def test_a_name_is_free_again_once_its_token_is_revoked() -> None:
    user = UserFactory.create()
    client = client_of(user)
    row = client.post("/auth/api-tokens", PROGRAM).json()

    assert problem(client.post("/auth/api-tokens", PROGRAM)) == (409, "token_name_taken", [])
    client.delete(f"/auth/api-tokens/{row['id']}")
    assert client.post("/auth/api-tokens", PROGRAM).status_code == 201


def test_there_are_fifty_living_tokens_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "_MOST", 2)
    user = UserFactory.create()
    _token(user, name="one"), _token(user, name="two")

    assert problem(client_of(user).post("/auth/api-tokens", PROGRAM)) == (409, "too_many_tokens", [])


def test_making_one_needs_a_fresh_log_in() -> None:
    client = client_of(UserFactory.create())
    Session.objects.update(stepped_up_at=clock.now() - timedelta(minutes=10))

    assert problem(client.post("/auth/api-tokens", PROGRAM)) == (403, "step_up_required", [])
    assert client.get("/auth/api-tokens").status_code == 200


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, [("/name", "required"), ("/expires_in_days", "required")]),
        ({**PROGRAM, "expires_in_days": 0}, [("/expires_in_days", "min_value")]),
        ({**PROGRAM, "expires_in_days": 366}, [("/expires_in_days", "max_value")]),
        ({**PROGRAM, "name": "x" * 101}, [("/name", "max_length")]),
        ({**PROGRAM, "name": ""}, [("/name", "blank")]),
        ({**PROGRAM, "can_trade": "perhaps"}, [("/can_trade", "invalid")]),
        ({**PROGRAM, "user": "x"}, [("/user", "unknown")]),
    ],
)
def test_bad_input_is_told(body: dict[str, Any], refused: list[tuple[str, str]]) -> None:
    answer = client_of(UserFactory.create()).post("/auth/api-tokens", body)

    assert problem(answer) == (400, "invalid", refused)


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_mailed_of_a_new_token_by_its_hint() -> None:
    user = UserFactory.create()
    token = _token(user, can_trade=True)

    (message,) = mail.outbox
    assert (message.to, message.subject) == ([user.email], "A new API token opens your account")
    assert f"It ends in {token[-4:]}, may read and trade, and works for 1 day." in str(message.body)
    assert token not in message.message().as_string()


@pytest.mark.parametrize("path", ["/auth/api-tokens", "/auth/sessions", "/auth/two-factor"])
def test_strangers_have_none(path: str) -> None:
    assert problem(stranger().get(path)) == (401, "not_authenticated", [])


@pytest.mark.parametrize("token", ["cgt_", "cgt_" + "A" * 43, "cgt_" + "☃" * 5, "cgt_" + "A" * 5000])
def test_what_is_no_token_of_ours_opens_nothing(token: str) -> None:
    with pytest.raises(InvalidToken):
        api_tokens.authenticate(token=token, at=clock.now())


def test_what_a_program_changes_is_ascribed_to_its_token() -> None:
    user = UserFactory.create()
    _, claims = api_tokens.authenticate(token=_token(user), at=clock.now())

    assert claims == sessions.Claims(
        user_id=user.id, session_id=None, token_id=ApiToken.objects.get().id, can_trade=False
    )
