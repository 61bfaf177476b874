"""What users change about themselves, and how they leave."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts import one_time, profile, sessions, users
from accounts.models import ApiToken, RecoveryCode, TwoFactor, User
from accounts.one_time import InvalidOneTimeToken, Purpose
from core import clock
from core.errors import Invalid
from tests.clients import log_in
from tests.factories import UserFactory
from tests.mailbox import Mailbox

pytestmark = pytest.mark.django_db
BIRTH = datetime.fromisoformat("1990-05-17T00:00+00:00")


@pytest.fixture
def alice() -> User:
    return UserFactory.create(email="alice@example.com", name="Alice")


def test_what_is_given_is_changed(alice: User) -> None:
    profile.update(user=alice, at=clock.now(), name=" Alicia ", date_of_birth=BIRTH)

    alice.refresh_from_db()
    assert (alice.name, alice.date_of_birth, alice.cost_method) == ("Alicia", BIRTH, "average")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"name": " "}, "/name"), ({"date_of_birth": clock.now() + timedelta(days=1)}, "/date_of_birth")],
)
def test_bad_input_changes_nothing(alice: User, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        profile.update(user=alice, at=clock.now(), **changes)

    alice.refresh_from_db()
    assert [error["pointer"] for error in caught.value.details["errors"]] == [pointer]
    assert (alice.name, alice.date_of_birth) == ("Alice", None)


def test_an_address_changes_when_the_new_one_confirms(alice: User, mailbox: Mailbox) -> None:
    profile.ask_email_change(user=alice, email="Alicia@Example.com", at=clock.now())
    alice.refresh_from_db()
    assert (alice.email, alice.pending_email) == ("alice@example.com", "Alicia@example.com")

    token = mailbox.token()
    profile.confirm_email(token=token, at=clock.now())

    alice.refresh_from_db()
    with pytest.raises(InvalidOneTimeToken):
        profile.confirm_email(token=token, at=clock.now())
    assert (alice.email, alice.pending_email, alice.is_verified) == ("Alicia@example.com", "", True)
    assert mailbox.sent() == [
        ("Alicia@example.com", "Confirm your new e-mail address"),
        ("alice@example.com", "Your e-mail address was changed"),
    ]


def test_asking_for_somebody_elses_address_tells_only_its_owner(alice: User, mailbox: Mailbox) -> None:
    UserFactory.create(email="bob@example.com")

    profile.ask_email_change(user=alice, email="BOB@example.com", at=clock.now())

    alice.refresh_from_db()
    assert alice.pending_email == "BOB@example.com"
    assert mailbox.sent() == [("bob@example.com", "You have an account already")]


def test_an_address_that_was_taken_meanwhile_is_a_conflict(alice: User, mailbox: Mailbox) -> None:
    profile.ask_email_change(user=alice, email="new@example.com", at=clock.now())
    UserFactory.create(email="new@example.com")

    with pytest.raises(users.EmailTaken):
        profile.confirm_email(token=mailbox.token(), at=clock.now())

    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


@pytest.mark.parametrize(("email", "code"), [("alice@example.com", "unchanged"), ("nobody", "invalid")])
def test_an_address_that_is_none_or_the_same_is_refused(
    alice: User, email: str, code: str, mailbox: Mailbox
) -> None:
    with pytest.raises(Invalid) as caught:
        profile.ask_email_change(user=alice, email=email, at=clock.now())

    assert [(e["pointer"], e["code"]) for e in caught.value.details["errors"]] == [("/email", code)]
    assert len(mailbox) == 0


def test_who_leaves_is_forgotten_and_locked_out(alice: User, mailbox: Mailbox) -> None:
    at, tokens = clock.now(), log_in(alice)
    token = one_time.issue(user_id=alice.id, purpose=Purpose.RESET, at=at)
    ApiToken.objects.create(
        user=alice,
        name="bot",
        token_hash=b"x" * 32,
        hint="abcd",
        created_at=at,
        expires_at=at + timedelta(days=1),
    )
    TwoFactor.objects.create(user=alice, secret="sealed", created_at=at)
    RecoveryCode.objects.create(user=alice, code_hash=b"y" * 32)

    profile.erase(user=alice, at=at)

    stored = User.objects.get(id=alice.id)
    assert (stored.is_deleted, stored.is_active, stored.deleted_at) == (True, False, at)
    assert (stored.email, stored.name, stored.date_of_birth) == (f"{alice.id}@erased.invalid", "", None)
    assert not stored.has_usable_password()
    assert (TwoFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert ApiToken.objects.get().revoked_at == at
    with pytest.raises(sessions.InvalidToken):
        sessions.authenticate(access_token=tokens.access_token, at=at)
    with pytest.raises(InvalidOneTimeToken):
        one_time.find(purpose=Purpose.RESET, token=token, at=at)
    assert mailbox.sent() == [("alice@example.com", "Your account was closed")]


def test_the_address_of_who_left_is_free(alice: User, mailbox: Mailbox) -> None:
    profile.erase(user=alice, at=clock.now())

    assert UserFactory.create(email="alice@example.com").id != alice.id
