"""Nobody fills somebody's mailbox by our forms."""

from datetime import timedelta

import pytest

from accounts import mail_limits, one_time, passwords, profile, users
from accounts.mail_limits import TooManyMails
from accounts.models import User
from accounts.one_time import Purpose
from core import clock
from tests.factories import PASSWORD, UserFactory
from tests.mailbox import Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return UserFactory.create(email="alice@example.com", is_verified=False)


def test_five_mails_fit_in_a_quarter_of_an_hour_whatever_the_spelling() -> None:
    at = clock.now()
    fits = [mail_limits.take(address, at=at) for address in ["a@example.com", "A@example.com"] * 3]

    assert fits == [True] * 5 + [False]
    assert mail_limits.take("b@example.com", at=at)
    assert not mail_limits.take("a@example.com", at=at + timedelta(minutes=14))
    assert mail_limits.take("a@example.com", at=at + timedelta(minutes=15))


def test_what_does_not_fit_is_silently_left_out_and_the_last_link_goes_on_working(
    alice: User, mailbox: Mailbox
) -> None:
    for _ in range(9):
        passwords.ask_reset(email=alice.email, at=clock.now())

    assert len(mailbox) == 5
    assert one_time.find(purpose=Purpose.RESET, token=mailbox.token(), at=clock.now()) == alice


def test_signing_up_with_a_taken_address_mails_its_owner_five_times(alice: User, mailbox: Mailbox) -> None:
    for _ in range(9):
        users.register(email=alice.email, name="Eve", password=PASSWORD, at=clock.now())

    assert mailbox.sent() == [(alice.email, "You have an account already")] * 5


def test_who_asks_for_the_own_address_is_told(alice: User, mailbox: Mailbox) -> None:
    for _ in range(5):
        users.resend_verification(user=alice, at=clock.now())

    with pytest.raises(TooManyMails):
        users.resend_verification(user=alice, at=clock.now())
    users.verify_email(token=mailbox.token(), at=clock.now())


@pytest.mark.parametrize("target", ["bob@example.com", "nobody@example.com"])
def test_a_change_of_address_is_refused_alike_for_free_and_taken_ones(
    alice: User, target: str, mailbox: Mailbox
) -> None:
    UserFactory.create(email="bob@example.com")
    for _ in range(5):
        profile.ask_email_change(user=alice, email=target, at=clock.now())

    with pytest.raises(TooManyMails):
        profile.ask_email_change(user=alice, email=target, at=clock.now())
    assert len(mailbox) == 5
