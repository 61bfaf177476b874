"""Signing up by hand, and the links that come by mail."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import profile
from accounts.models import User
from core import clock
from tests.factories import PASSWORD
from tests.mailbox import Mailbox, mailbox

__all__ = ["mailbox"]
pytestmark = pytest.mark.django_db
FORM = {"name": "Carol", "email": "carol@example.com", "password": PASSWORD}


def _path(mailbox: Mailbox) -> str:
    """The mailed link without the server's name."""
    return "/" + mailbox.link().split("/", 3)[3]


def test_signing_up_leads_to_the_mail_and_its_link_verifies_by_a_click(
    client: Client, mailbox: Mailbox
) -> None:
    answer = client.post("/signup", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/signup/done")
    assert "Look into your mail" in client.get("/signup/done").content.decode()

    for _ in range(2):  # mail scanners open links
        page = client.get(_path(mailbox)).content.decode()
    assert f'name="token" value="{mailbox.token()}"' in page
    assert not User.objects.get().is_verified

    assert "is confirmed" in client.post("/verify-email", {"token": mailbox.token()}).content.decode()
    assert User.objects.get().is_verified
    again = client.post("/verify-email", {"token": mailbox.token()})
    assert (again.status_code, b"does not work any more" in again.content) == (422, True)


def test_a_taken_address_leads_on_like_a_free_one(client: Client, alice: User, mailbox: Mailbox) -> None:
    answer = client.post("/signup", {**FORM, "email": alice.email.upper()})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/signup/done")
    assert mailbox.sent() == [(alice.email, "You have an account already")]


def test_where_no_mail_is_sent_the_form_says_that_the_address_is_taken(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.VERIFY_EMAIL = False
    answer = client.post("/signup", {**FORM, "email": alice.email})

    assert (answer.status_code, b"log in instead" in answer.content) == (422, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 151),
        ("name", "a\x00b"),
        ("email", "nobody"),
        ("email", "a\x00@example.com"),
        ("email", "x" * 300),
        ("password", "short"),
        ("password", "x" * 129),
    ],
)
def test_bad_input_is_marked_at_its_field(client: Client, field: str, value: str) -> None:
    answer = client.post("/signup", {**FORM, field: value})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in page
    assert PASSWORD not in page
    assert User.objects.count() == 0


def test_where_it_is_closed_nobody_signs_up_and_no_link_leads_there(
    client: Client, settings: Settings
) -> None:
    assert 'href="/signup"' in client.get("/login").content.decode()
    settings.SIGN_UP_OPEN = False

    assert 'href="/signup"' not in client.get("/login").content.decode()
    assert client.get("/signup").status_code == client.post("/signup", FORM).status_code == 403
    assert User.objects.count() == 0


def test_who_is_logged_in_passes_the_sign_up(as_alice: Client) -> None:
    assert as_alice.get("/signup").headers["Location"] == "/"


def test_a_changed_address_is_confirmed_by_a_click(client: Client, alice: User, mailbox: Mailbox) -> None:
    profile.ask_email_change(user=alice, email="new@example.com", at=clock.now())

    assert client.get(_path(mailbox)).status_code == 200
    assert User.objects.get().email == "alice@example.com"
    client.post("/confirm-email", {"token": mailbox.token()})
    assert User.objects.get().email == "new@example.com"


@pytest.mark.parametrize("path", ["/verify-email", "/confirm-email", "/reset-password"])
@pytest.mark.parametrize("token", ["", "x", "a\x00b", "☃", "x" * 3000])
def test_what_is_no_token_does_nothing(client: Client, path: str, token: str) -> None:
    answer = client.post(path, {"token": token, "password": PASSWORD})

    assert (answer.status_code, b"does not work any more" in answer.content) == (422, True)


@pytest.mark.parametrize("path", ["/verify-email", "/confirm-email", "/reset-password"])
def test_an_address_with_a_token_does_not_travel_on(client: Client, path: str) -> None:
    answer = client.get(f"{path}?token=x")

    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/signup", "/forgot-password", "/reset-password", "/verify-email", "/confirm-email"]
)
def test_forms_take_our_token_and_no_other_method(path: str) -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post(path, FORM).status_code == 403
    assert Client().put(path).status_code == 405
