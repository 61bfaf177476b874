"""Sessions: a refresh token works once, and whoever uses it again ends the session for everybody."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts import proofs, sessions, usage
from accounts.models import RefreshToken, Session, User
from accounts.tokens import session_of
from core import clock
from tests.clients import log_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _refuses(token: str, at: datetime | None = None) -> type[Exception]:
    with pytest.raises(sessions.InvalidToken) as caught:
        sessions.refresh(refresh_token=token, at=at or clock.now())
    return caught.type


def test_a_refresh_token_is_exchanged_for_its_child() -> None:
    first = log_in(UserFactory.create())

    second = sessions.refresh(refresh_token=first.refresh_token, at=clock.now())

    user, _ = sessions.authenticate(access_token=second.access_token, at=clock.now())
    assert user == first.user
    assert second.refresh_token != first.refresh_token


def test_only_hashes_of_refresh_tokens_are_stored() -> None:
    tokens = log_in(UserFactory.create())

    stored = RefreshToken.objects.get()

    assert bytes(stored.token_hash) != tokens.refresh_token.encode()
    assert len(stored.token_hash) == 32


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_the_replay_of_any_ancestor_ends_the_session(generation: int) -> None:
    tokens = [log_in(UserFactory.create())]
    for _ in range(3):
        tokens.append(sessions.refresh(refresh_token=tokens[-1].refresh_token, at=clock.now()))

    assert _refuses(tokens[generation].refresh_token) is sessions.TokenReused

    assert _refuses(tokens[-1].refresh_token) is sessions.InvalidToken
    with pytest.raises(sessions.InvalidToken):
        sessions.authenticate(access_token=tokens[-1].access_token, at=clock.now())
    assert Session.objects.get().revoked_reason == "refresh token reused"


def test_the_replay_of_one_session_leaves_the_users_other_one_alive() -> None:
    user = UserFactory.create()
    first, other = log_in(user), log_in(user)
    sessions.refresh(refresh_token=first.refresh_token, at=clock.now())

    _refuses(first.refresh_token)

    assert sessions.refresh(refresh_token=other.refresh_token, at=clock.now()).user == user


def test_a_refresh_token_ends_when_idle_for_seven_days() -> None:
    at = clock.now()
    user = UserFactory.create()
    tokens = sessions.log_in(email=user.email, password=PASSWORD, at=at)

    assert _refuses(tokens.refresh_token, at + 7 * DAY) is sessions.InvalidToken
    assert sessions.refresh(refresh_token=tokens.refresh_token, at=at + 7 * DAY - timedelta(seconds=1))


def test_a_session_ends_after_thirty_days_however_often_it_is_refreshed() -> None:
    at = clock.now()
    user = UserFactory.create()
    tokens = sessions.log_in(email=user.email, password=PASSWORD, at=at)
    for day in range(6, 30, 6):
        tokens = sessions.refresh(refresh_token=tokens.refresh_token, at=at + day * DAY)

    assert _refuses(tokens.refresh_token, at + 30 * DAY) is sessions.InvalidToken


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_deleted": True}])
def test_a_user_put_out_is_out_at_the_next_request(change: dict[str, bool]) -> None:
    tokens = log_in(UserFactory.create())
    User.objects.update(**change)

    with pytest.raises(sessions.InvalidToken):
        sessions.authenticate(access_token=tokens.access_token, at=clock.now())
    assert _refuses(tokens.refresh_token) is sessions.InvalidToken


def test_log_out_ends_both_named_sessions() -> None:
    user = UserFactory.create()
    one, two, three = log_in(user), log_in(user), log_in(user)
    one_id = session_of(one.access_token)

    sessions.log_out(refresh_token=two.refresh_token, session_id=one_id, at=clock.now())

    assert _refuses(one.refresh_token) is sessions.InvalidToken
    assert _refuses(two.refresh_token) is sessions.InvalidToken
    assert sessions.refresh(refresh_token=three.refresh_token, at=clock.now()).user == user


def test_an_older_hash_is_upgraded_at_log_in(settings: Settings) -> None:
    user = UserFactory.create()
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2id", *settings.PASSWORD_HASHERS]

    log_in(user)

    user.refresh_from_db()
    assert hashers.identify_hasher(user.password).algorithm == Argon2PasswordHasher.algorithm
    assert "$argon2id$v=19$m=47104,t=1,p=1$" in user.password
    assert log_in(user).user == user


def test_the_email_is_found_in_any_case_among_the_living() -> None:
    UserFactory.create(email="Alice@example.com", is_deleted=True)
    user = UserFactory.create(email="alice@example.com")

    assert proofs.identify(email="ALICE@Example.com", password=PASSWORD, at=clock.now()) == user


def test_the_email_is_looked_up_by_the_unique_index() -> None:
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as queries:
        User.objects.filter(email="x").count()
        with pytest.raises(User.DoesNotExist):
            User.objects.get_by_natural_key("alice@example.com")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + queries.captured_queries[1]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "user_email_unique_among_the_living" in plan


def _session(at: datetime) -> Session:
    return sessions.start(UserFactory.create(), kind=Session.Kind.API, at=at)


def test_a_session_and_its_user_are_noted_once_a_minute() -> None:
    at = clock.now()
    session = _session(at)
    usage.note(session, at)

    with CaptureQueriesContext(connection) as none:
        usage.note(session, at + timedelta(seconds=59))
    with CaptureQueriesContext(connection) as one:
        usage.note(session, at + timedelta(seconds=60))

    session.refresh_from_db()
    assert (len(none), len(one)) == (0, 1)
    assert session.last_used_at == session.user.seen_at == at + timedelta(seconds=60)


def test_of_parallel_requests_one_notes_the_session() -> None:
    at = clock.now()
    session = _session(at)
    twin = Session.objects.select_related("user").get(id=session.id)
    usage.note(session, at)

    usage.note(twin, at + timedelta(seconds=1))

    session.refresh_from_db()
    assert session.last_used_at == session.user.seen_at == at
