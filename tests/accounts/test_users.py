"""Signing up and confirming the address."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accounts import users
from accounts.models import AuditLog, User
from accounts.one_time import InvalidOneTimeToken
from core import clock
from core.errors import Invalid
from tests.factories import PASSWORD, UserFactory
from tests.mailbox import Mailbox

pytestmark = pytest.mark.django_db


def _register(**changes: Any) -> User:
    person = {"email": "alice@example.com", "name": "Alice", "password": PASSWORD, "at": clock.now()}
    return users.register(**{**person, **changes})


def test_a_new_user_can_use_the_password_and_is_not_verified(mailbox: Mailbox) -> None:
    user = _register()

    assert User.objects.get() == user
    assert user.check_password(PASSWORD)
    assert (user.is_verified, user.is_staff, user.is_superuser) == (False, False, False)


def test_a_new_user_is_mailed_a_link_that_verifies_once(mailbox: Mailbox, settings: Settings) -> None:
    settings.SITE_URL = "https://cgt.example"
    user = _register()

    assert mailbox.sent() == [("alice@example.com", "Confirm your e-mail address")]
    assert mailbox.link().startswith("https://cgt.example/verify-email?token=")
    users.verify_email(token=mailbox.token(), at=clock.now())
    user.refresh_from_db()
    assert user.is_verified
    with pytest.raises(InvalidOneTimeToken):
        users.verify_email(token=mailbox.token(), at=clock.now())


@pytest.mark.parametrize("taken", ["alice@example.com", "ALICE@Example.com"])
def test_a_taken_address_answers_like_a_free_one_and_its_owner_is_told(
    taken: str, mailbox: Mailbox, hashes: list[str]
) -> None:
    owner = UserFactory.create(email=taken)
    hashes.clear()

    decoy = _register(date_of_birth=datetime.fromisoformat("1990-05-17T00:00Z"))

    assert (decoy.email, decoy.name, decoy.is_verified) == ("alice@example.com", "Alice", False)
    assert decoy.created_at - clock.now() < timedelta(seconds=5)
    assert decoy.id != owner.id
    assert User.objects.get() == owner
    assert mailbox.sent() == [(taken, "You have an account already")]
    assert hashes == [PASSWORD]


def test_a_free_address_costs_as_many_hashes_as_a_taken_one(mailbox: Mailbox, hashes: list[str]) -> None:
    _register()

    assert hashes == [PASSWORD]


def test_without_mails_a_taken_address_is_a_conflict(settings: Settings, mailbox: Mailbox) -> None:
    settings.VERIFY_EMAIL = False
    _register()

    with pytest.raises(users.EmailTaken):
        _register(email="ALICE@example.com")
    assert len(mailbox) == 0


def test_the_email_of_a_deleted_user_is_free(mailbox: Mailbox) -> None:
    UserFactory.create(email="alice@example.com", is_deleted=True)

    assert User.objects.get(is_deleted=False, id=_register().id).email == "alice@example.com"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"email": "nobody"}, "/email"),
        ({"name": "a\x00"}, "/name"),
        ({"date_of_birth": clock.now() + timedelta(days=1)}, "/date_of_birth"),
    ],
)
def test_bad_input_makes_no_user(changes: dict[str, Any], pointer: str, mailbox: Mailbox) -> None:
    with pytest.raises(Invalid) as caught:
        _register(**changes)

    assert [error["pointer"] for error in caught.value.details["errors"]] == [pointer]
    assert (User.objects.count(), len(mailbox)) == (0, 0)


def test_nobody_signs_up_where_it_is_closed(settings: Settings) -> None:
    settings.SIGN_UP_OPEN = False

    with pytest.raises(users.SignUpClosed):
        _register()


def test_another_link_replaces_the_last(mailbox: Mailbox) -> None:
    user = _register()
    first = mailbox.token()

    users.resend_verification(user=user, at=clock.now())

    with pytest.raises(InvalidOneTimeToken):
        users.verify_email(token=first, at=clock.now())
    users.verify_email(token=mailbox.token(), at=clock.now())


def test_a_verified_address_needs_no_other_link(mailbox: Mailbox) -> None:
    with pytest.raises(users.AlreadyVerified):
        users.resend_verification(user=UserFactory.create(), at=clock.now())
    assert len(mailbox) == 0


@pytest.mark.parametrize(
    ("asked", "verified", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_only_the_unverified_are_refused_and_only_where_it_is_asked_for(
    asked: bool, verified: bool, refused: bool, settings: Settings
) -> None:
    settings.VERIFY_EMAIL = asked
    user = User(is_verified=verified)

    if refused:
        with pytest.raises(users.EmailNotVerified):
            users.require_verified(user)
    else:
        users.require_verified(user)


def test_neither_mails_nor_the_audit_trail_hold_secrets(mailbox: Mailbox) -> None:
    user = _register()

    assert PASSWORD not in mailbox.last().body
    trail = str(list(AuditLog.unscoped.values("old_values", "new_values")))
    assert all(secret not in trail for secret in (PASSWORD, mailbox.token(), user.email, user.password))
