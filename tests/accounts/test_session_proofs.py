"""Proofs of the sessions: parallel refreshes, replays and thefts, forged tokens, and everything that ends one.

CGT_ROUNDS sets the number of rounds of 8 parallel refreshes: `CGT_ROUNDS=60 make test`; 12 without it.
"""

import base64
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.core import mail
from pytest_django import Settings
from rest_framework_simplejwt.tokens import RefreshToken as ForeignRefreshToken

from accounts import api_tokens, one_time, passwords, sessions
from accounts.models import RefreshToken, Session, User
from accounts.tokens import Tokens, session_of
from core import clock
from tests.accounts.threads import at_once
from tests.accounts.trails import trail_of
from tests.clients import log_in, problem, stranger, with_token
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
ROUNDS = int(os.environ.get("CGT_ROUNDS", "12"))
PARALLEL = 8


def _refresh(token: str) -> Tokens | None:
    """The child, unless it was refused."""
    try:
        return sessions.refresh(refresh_token=token, at=clock.now())
    except sessions.InvalidToken:
        return None


def _opens(access_token: str) -> bool:
    try:
        sessions.authenticate(access_token=access_token, at=clock.now())
    except sessions.InvalidToken:
        return False
    return True


def _is_dead(tokens: Tokens) -> bool:
    """Neither token of it opens anything, over HTTP."""
    refreshed = stranger().post("/auth/refresh", {"refresh_token": tokens.refresh_token})
    asked = with_token(tokens.access_token).get("/user/me")
    return refreshed.status_code == asked.status_code == 401


@pytest.mark.django_db(transaction=True)
def test_every_round_of_parallel_refreshes_has_one_child() -> None:
    user = UserFactory.create()
    for _ in range(ROUNDS):
        token = log_in(user).refresh_token

        children = at_once(PARALLEL, lambda _, token=token: _refresh(token))  # type: ignore[misc]

        assert sum(child is not None for child in children) == 1
    assert RefreshToken.objects.filter(parent__isnull=False).count() == ROUNDS
    assert not sessions.living(clock.now()).exists()  # the seven who lost were replays


@pytest.mark.parametrize("generation", range(5))
def test_the_replay_of_any_ancestor_kills_the_family(generation: int) -> None:
    family = [log_in(UserFactory.create())]
    for _ in range(5):
        family.append(sessions.refresh(refresh_token=family[-1].refresh_token, at=clock.now()))

    answer = stranger().post("/auth/refresh", {"refresh_token": family[generation].refresh_token})

    assert problem(answer) == (401, "token_reused", [])
    assert all(_is_dead(member) for member in family)


def test_a_stolen_token_is_worth_nothing_once_both_used_it() -> None:
    stolen = log_in(UserFactory.create())
    child = sessions.refresh(refresh_token=stolen.refresh_token, at=clock.now())
    assert _opens(child.access_token)

    assert _refresh(stolen.refresh_token) is None

    assert _is_dead(child)
    assert _is_dead(stolen)


def test_a_stolen_child_dies_with_the_family() -> None:
    parent = log_in(UserFactory.create())
    child = sessions.refresh(refresh_token=parent.refresh_token, at=clock.now())
    thief = sessions.refresh(refresh_token=child.refresh_token, at=clock.now())

    assert _refresh(child.refresh_token) is None  # the owner's next refresh finds out

    assert _is_dead(thief)


@pytest.mark.django_db(transaction=True)
def test_a_replay_is_in_the_trail_and_mailed_once_although_it_was_refused() -> None:
    user = UserFactory.create()
    parent = log_in(user)
    session_id = session_of(parent.access_token)
    sessions.refresh(refresh_token=parent.refresh_token, at=clock.now())

    for _ in range(3):
        assert _refresh(parent.refresh_token) is None

    events = [row for row in trail_of(user) if row.action == "refresh token reused"]
    assert [row.record_id for row in events] == [str(session_id)]
    assert [(message.to, "used twice" in str(message.body)) for message in mail.outbox] == [
        ([user.email], True)
    ]


ENDINGS: dict[str, Callable[[User, Tokens], object]] = {
    "log-out": lambda user, tokens: with_token(tokens.access_token).post("/auth/logout"),
    "log-out by refresh token": lambda user, tokens: with_token(log_in(user).access_token).post(
        "/auth/logout", {"refresh_token": tokens.refresh_token}
    ),
    "log-out everywhere": lambda user, tokens: with_token(log_in(user).access_token).post(
        "/auth/logout-everywhere"
    ),
    "password changed": lambda user, tokens: with_token(log_in(user).access_token).post(
        "/user/change-password", {"current_password": PASSWORD, "new_password": "quite another one"}
    ),
    "password reset": lambda user, tokens: passwords.reset(
        token=one_time.issue(user_id=user.id, purpose=one_time.Purpose.RESET, at=clock.now()),
        password="quite another one",
        at=clock.now(),
    ),
    "disabled": lambda user, tokens: User.objects.filter(id=user.id).update(is_active=False),
    "deleted": lambda user, tokens: User.objects.filter(id=user.id).update(is_deleted=True),
    "over": lambda user, tokens: Session.objects.filter(user=user).update(expires_at=clock.now()),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_what_ends_a_session_ends_it_at_the_next_request(how: str) -> None:
    user = UserFactory.create()
    tokens = log_in(user)
    assert _opens(tokens.access_token)

    ENDINGS[how](user, tokens)

    assert _is_dead(tokens)


def test_changing_the_password_keeps_the_session_that_did() -> None:
    user = UserFactory.create()
    client = with_token(log_in(user).access_token)
    body = {"current_password": PASSWORD, "new_password": "quite another one"}

    assert client.post("/user/change-password", body).status_code == 204
    assert client.get("/user/me").status_code == 200


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_no_forged_access_token_is_accepted(settings: Settings) -> None:
    user = UserFactory.create()
    tokens = log_in(user)
    key = settings.JWT_TOKEN_SECRET
    claims: dict[str, Any] = jwt.decode(tokens.access_token, options={"verify_signature": False})
    header, payload, signature = tokens.access_token.split(".")
    foreign = ForeignRefreshToken()
    foreign["sid"] = claims["sid"]
    api_token = api_tokens.create(
        user=user, name="x", can_trade=True, expires_in_days=1, at=clock.now()
    ).token
    forged = [
        jwt.encode(claims, "", algorithm="none"),
        *(f"{_encoded({'alg': name, 'typ': 'JWT'})}.{payload}." for name in ("none", "None", "NONE", "nOnE")),
        f"{_encoded({'alg': 'none'})}.{payload}.{signature}",
        jwt.encode(claims, "another-key-of-a-sufficient-length-0123456789", algorithm="HS256"),
        jwt.encode(claims, settings.SECRET_KEY + "x", algorithm="HS256"),
        jwt.encode(claims, key.ljust(64), algorithm="HS512"),
        jwt.encode({**claims, "sid": None}, key, algorithm="HS256"),
        jwt.encode({**claims, "token_type": "refresh"}, key, algorithm="HS256"),
        jwt.encode({name: claims[name] for name in claims if name != "sid"}, key, algorithm="HS256"),
        jwt.encode({name: claims[name] for name in claims if name != "exp"}, key, algorithm="HS256"),
        jwt.encode({**claims, "exp": 1}, key, algorithm="HS256"),
        f"{header}.{payload}", f"{header}.{payload}.", f".{payload}.{signature}", f"{header}..{signature}",
        str(foreign), tokens.refresh_token, api_token, "", "a.b.c", "☃", "..", "\0",
    ]  # fmt: skip

    assert _opens(tokens.access_token)
    assert [text for text in forged if _opens(text)] == []


def test_no_access_token_is_a_refresh_token_nor_an_api_token() -> None:
    tokens = log_in(UserFactory.create())

    assert _refresh(tokens.access_token) is None
    assert _opens(tokens.access_token)  # nothing was killed by that
    assert problem(with_token(f"cgt_{tokens.access_token}").get("/user/me"))[1] == "invalid_token"
    assert problem(with_token(tokens.refresh_token).get("/user/me"))[1] == "invalid_token"


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_no_access_token_with_a_flipped_bit_is_accepted(part: int) -> None:
    token = log_in(UserFactory.create()).access_token
    parts = token.split(".")
    start = sum(len(text) + 1 for text in parts[:part])
    flipped = [
        token[:i] + chr(ord(token[i]) ^ 1 << bit) + token[i + 1 :]
        for i in range(start, start + len(parts[part]))
        for bit in range(7)
    ]
    # Some bits of the last letter of a signature stand for nothing.
    meant = [text for text in flipped if _signed(text) != _signed(token)]

    assert [text for text in meant if _opens(text)] == []
    assert len(meant) >= len(flipped) - 7


def _signed(token: str) -> tuple[str, bytes] | None:
    """What of a token counts: the signed text as written, and the bytes of the signature."""
    text, _, signature = token.rpartition(".")
    try:
        return text, jwt.utils.base64url_decode(signature)
    except ValueError:
        return None


def test_tokens_signed_with_the_key_before_a_change_are_refused(settings: Settings) -> None:
    user = UserFactory.create()
    session = sessions.start(user, kind=Session.Kind.API, at=clock.now())
    claims = jwt.decode(log_in(user).access_token, options={"verify_signature": False})
    old = jwt.encode({**claims, "sid": str(session.id)}, settings.JWT_TOKEN_SECRET[::-1], algorithm="HS256")

    assert not _opens(old)


def test_an_access_token_of_fifteen_minutes_ago_is_refused() -> None:
    user = UserFactory.create()
    tokens = sessions.log_in(email=user.email, password=PASSWORD, at=clock.now() - timedelta(minutes=15))

    assert not _opens(tokens.access_token)
    assert _refresh(tokens.refresh_token) is not None
