"""Forgotten and changed passwords end every other way in."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import passwords, sessions
from accounts.errors import InvalidCredentials, TooManyAttempts
from accounts.models import ApiToken, User
from accounts.one_time import InvalidOneTimeToken
from core import clock
from core.errors import Invalid
from tests.clients import log_in
from tests.factories import PASSWORD, UserFactory
from tests.mailbox import Mailbox

pytestmark = pytest.mark.django_db
NEW = "another horse battery"


@pytest.fixture
def alice() -> User:
    return UserFactory.create(email="alice@example.com")


def _alive(tokens: sessions.Tokens) -> bool:
    try:
        sessions.authenticate(access_token=tokens.access_token, at=clock.now())
    except sessions.InvalidToken:
        return False
    return True


def _asked(mailbox: Mailbox) -> str:
    passwords.ask_reset(email="alice@example.com", at=clock.now())
    return mailbox.token()


def _api_token(user: User) -> ApiToken:
    at = clock.now()
    return ApiToken.objects.create(
        user=user,
        name="bot",
        token_hash=b"x" * 32,
        hint="abcd",
        created_at=at,
        expires_at=at + timedelta(days=1),
    )


def test_a_mailed_link_sets_a_new_password(alice: User, mailbox: Mailbox) -> None:
    passwords.reset(token=_asked(mailbox), password=NEW, at=clock.now())

    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert alice.secret_token is None
    assert mailbox.sent() == [
        ("alice@example.com", "Choose a new password"),
        ("alice@example.com", "Your password was changed"),
    ]


def test_a_reset_ends_all_sessions_and_api_tokens_and_verifies_the_address(
    alice: User, mailbox: Mailbox
) -> None:
    User.objects.update(is_verified=False)
    tokens, api_token = log_in(alice), _api_token(alice)
    others = log_in(UserFactory.create())

    passwords.reset(token=_asked(mailbox), password=NEW, at=clock.now())

    alice.refresh_from_db()
    api_token.refresh_from_db()
    assert (_alive(tokens), _alive(others)) == (False, True)
    assert api_token.revoked_at is not None
    assert alice.is_verified


def test_a_reset_lets_in_who_was_locked_out_by_failed_log_ins(alice: User, mailbox: Mailbox) -> None:
    for _ in range(6):
        with pytest.raises((InvalidCredentials, TooManyAttempts)):
            sessions.log_in(email=alice.email, password="wrong", at=clock.now())

    passwords.reset(token=_asked(mailbox), password=NEW, at=clock.now())

    assert sessions.log_in(email=alice.email, password=NEW, at=clock.now()).user == alice


def test_a_link_sets_a_password_once(alice: User, mailbox: Mailbox) -> None:
    token = _asked(mailbox)
    passwords.reset(token=token, password=NEW, at=clock.now())

    with pytest.raises(InvalidOneTimeToken):
        passwords.reset(token=token, password="a third horse battery", at=clock.now())


def test_a_refused_password_leaves_the_link_good(alice: User, mailbox: Mailbox) -> None:
    token = _asked(mailbox)

    with pytest.raises(Invalid):
        passwords.reset(token=token, password="short", at=clock.now())

    passwords.reset(token=token, password=NEW, at=clock.now())


@pytest.mark.parametrize(
    "change", [{"is_deleted": True}, {"is_active": False}, {"email": "other@example.com"}]
)
def test_only_the_living_are_mailed(alice: User, change: dict[str, object], mailbox: Mailbox) -> None:
    User.objects.update(**change)

    passwords.ask_reset(email="alice@example.com", at=clock.now())

    assert len(mailbox) == 0


def test_asking_computes_no_hash_whether_the_address_is_known_or_not(
    alice: User, mailbox: Mailbox, hashes: list[str]
) -> None:
    passwords.ask_reset(email="ALICE@example.com", at=clock.now())
    passwords.ask_reset(email="nobody@example.com", at=clock.now())

    assert hashes == []
    assert mailbox.sent() == [("alice@example.com", "Choose a new password")]


def test_asking_does_the_same_whether_the_address_is_known_or_not(alice: User, mailbox: Mailbox) -> None:
    done = []
    for address in ("alice@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            passwords.ask_reset(email=address, at=clock.now())
        done.append([query["sql"].split()[:3] for query in queries if "SAVEPOINT" not in query["sql"]])

    assert done[0] == done[1]
    assert len(mailbox) == 1


def test_the_current_password_changes_it_and_ends_the_other_sessions(alice: User, mailbox: Mailbox) -> None:
    here, there = log_in(alice), log_in(alice)
    _, claims = sessions.authenticate(access_token=here.access_token, at=clock.now())

    passwords.change(
        user=alice, current_password=PASSWORD, new_password=NEW, session_id=claims.session_id, at=clock.now()
    )

    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert (_alive(here), _alive(there)) == (True, False)
    assert mailbox.sent() == [("alice@example.com", "Your password was changed")]


def test_a_change_kills_a_link_mailed_before(alice: User, mailbox: Mailbox) -> None:
    token = _asked(mailbox)

    passwords.change(user=alice, current_password=PASSWORD, new_password=NEW, session_id=None, at=clock.now())

    with pytest.raises(InvalidOneTimeToken):
        passwords.reset(token=token, password="a third horse battery", at=clock.now())


@pytest.mark.parametrize(
    ("current", "new", "refused"),
    [
        ("wrong", NEW, ("/current_password", "wrong_password")),
        (PASSWORD, "short", ("/new_password", "password_too_short")),
        (PASSWORD, "alice@example.com", ("/new_password", "password_too_similar")),
    ],
)
def test_a_refused_change_changes_nothing(
    alice: User, current: str, new: str, refused: tuple[str, str], mailbox: Mailbox
) -> None:
    tokens = log_in(alice)

    with pytest.raises(Invalid) as caught:
        passwords.change(
            user=alice, current_password=current, new_password=new, session_id=None, at=clock.now()
        )

    alice.refresh_from_db()
    assert [(e["pointer"], e["code"]) for e in caught.value.details["errors"]] == [refused]
    assert (alice.check_password(PASSWORD), _alive(tokens), len(mailbox)) == (True, True, 0)
