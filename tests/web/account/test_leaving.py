"""Closing one's account by hand."""

from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, AccountFactory
from tests.mailbox import Mailbox


def test_the_page_says_what_will_be_lost(as_alice: Client, alice: User) -> None:
    AccountFactory.create(user=alice)

    assert (
        "The keys of your 1 connected account are destroyed"
        in as_alice.get("/account/close").content.decode()
    )


def test_the_password_closes_the_account_and_logs_out(
    as_alice: Client, alice: User, mailbox: Mailbox
) -> None:
    answer = as_alice.post("/account/close", {"password": PASSWORD})

    assert (answer.status_code, b"Your account is closed" in answer.content) == (200, True)
    assert User.objects.get(id=alice.id).is_deleted
    assert as_alice.get("/account").status_code == 302
    assert mailbox.sent() == [("alice@example.com", "Your account was closed")]


def test_a_wrong_password_closes_nothing(as_alice: Client, alice: User) -> None:
    answer = as_alice.post("/account/close", {"password": "wrong"})

    assert (answer.status_code, b'id="password-wrong"' in answer.content) == (422, True)
    assert not User.objects.get(id=alice.id).is_deleted
    assert as_alice.get("/account").status_code == 200
