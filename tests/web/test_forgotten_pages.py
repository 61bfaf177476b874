"""Choosing a new password by a mailed link."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD
from tests.mailbox import Mailbox, mailbox

__all__ = ["mailbox"]
pytestmark = pytest.mark.django_db
NEW = "another horse battery"


@pytest.fixture
def link(client: Client, alice: User, mailbox: Mailbox) -> str:
    client.post("/forgot-password", {"email": alice.email})
    return "/" + mailbox.link().split("/", 3)[3]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_asking_leads_on_alike_for_everybody(
    client: Client, alice: User, email: str, mailbox: Mailbox
) -> None:
    answer = client.post("/forgot-password", {"email": email})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/forgot-password/sent")
    assert "If somebody has an account" in client.get("/forgot-password/sent").content.decode()
    assert mailbox.sent() == [(email, "Choose a new password")] * (email == alice.email)


@pytest.mark.parametrize("email", ["", "nobody", "a\x00@example.com"])
def test_what_is_no_address_is_marked(client: Client, email: str) -> None:
    answer = client.post("/forgot-password", {"email": email})

    assert (answer.status_code, b'id="email-wrong"' in answer.content) == (422, True)


def test_the_link_shows_a_form_that_sets_the_password_once(
    client: Client, alice: User, link: str, mailbox: Mailbox
) -> None:
    token = mailbox.token()
    assert f'name="token" value="{token}"' in client.get(link).content.decode()

    answer = client.post("/reset-password", {"token": token, "password": NEW})

    assert answer.headers["Location"] == "/reset-password/done"
    assert client.get("/reset-password/done").status_code == 200
    assert client.post("/login", {"email": alice.email, "password": NEW}).status_code == 302
    assert client.get(link).status_code == 422


def test_a_refused_password_leaves_the_link_good(
    client: Client, alice: User, link: str, mailbox: Mailbox
) -> None:
    token = mailbox.token()
    answer = client.post("/reset-password", {"token": token, "password": "short"})

    page = answer.content.decode()
    assert (answer.status_code, 'id="password-wrong"' in page) == (422, True)
    assert f'name="token" value="{token}"' in page
    assert client.post("/reset-password", {"token": token, "password": NEW}).status_code == 302


def test_a_reset_ends_the_page_sessions(as_alice: Client, alice: User, mailbox: Mailbox) -> None:
    as_alice.post("/forgot-password", {"email": alice.email})
    assert as_alice.get("/connect").status_code == 200

    Client().post("/reset-password", {"token": mailbox.token(), "password": NEW})

    assert as_alice.get("/connect").status_code == 302


def test_the_password_does_not_come_back(client: Client, link: str, mailbox: Mailbox) -> None:
    answer = client.post("/reset-password", {"token": mailbox.token(), "password": "alice@example.com"})

    assert answer.content.count(b"alice@example.com") == 0
    assert PASSWORD.encode() not in answer.content
