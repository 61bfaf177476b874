"""The pages of name, birth and address."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.factories import UserFactory
from tests.mailbox import Mailbox

FORM = {"name": "Alicia", "date_of_birth": "1990-05-17", "cost_method": "fifo", "cost_scope": "all"}


def test_the_page_shows_what_is_stored(as_alice: Client) -> None:
    page = as_alice.get("/account").content.decode()

    assert 'name="name" type="text" value="Alice"' in page
    assert "alice@example.com" in page
    assert '<option value="average" selected>' in page


def test_what_is_saved_is_shown_again(as_alice: Client, alice: User) -> None:
    answer = as_alice.post("/account", FORM)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    page = as_alice.get("/account").content.decode()
    alice.refresh_from_db()
    assert (alice.name, str(alice.date_of_birth), alice.cost_method, alice.cost_scope) == (
        "Alicia",
        "1990-05-17 00:00:00+00:00",
        "fifo",
        "all",
    )
    assert "Saved." in page
    assert 'value="1990-05-17"' in page
    assert "Saved." not in as_alice.get("/account").content.decode()


def test_a_birth_may_be_taken_back(as_alice: Client, alice: User) -> None:
    as_alice.post("/account", FORM)
    as_alice.post("/account", {**FORM, "date_of_birth": ""})

    alice.refresh_from_db()
    assert alice.date_of_birth is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\x00b"),
        ("name", "x" * 151),
        ("date_of_birth", "tomorrow"),
        ("date_of_birth", "3000-01-01"),
        ("cost_method", "best"),
        ("cost_scope", "some"),
    ],
)
def test_bad_input_is_marked_at_its_field(as_alice: Client, alice: User, field: str, value: str) -> None:
    answer = as_alice.post("/account", {**FORM, field: value})

    alice.refresh_from_db()
    assert (answer.status_code, f'id="{field}-wrong"' in answer.content.decode()) == (422, True)
    assert (alice.name, alice.cost_method) == ("Alice", "average")


def test_markup_in_a_name_is_text(as_alice: Client) -> None:
    as_alice.post("/account", {**FORM, "name": '"><script>alert(1)</script>'})

    assert "<script>alert" not in as_alice.get("/account").content.decode()


def test_who_is_not_verified_is_told_everywhere_and_gets_the_link_again(
    as_alice: Client, alice: User, mailbox: Mailbox, settings: Settings
) -> None:
    User.objects.update(is_verified=False)
    assert "not confirmed yet" in as_alice.get("/").content.decode()

    as_alice.post("/account/resend-verification")
    as_alice.post("/verify-email", {"token": mailbox.token()})

    assert "not confirmed yet" not in as_alice.get("/").content.decode()
    as_alice.post("/account/resend-verification")
    assert "confirmed already" in as_alice.get("/account").content.decode()
    assert len(mailbox) == 1


def test_opening_the_address_of_the_button_mails_nothing(as_alice: Client, mailbox: Mailbox) -> None:
    User.objects.update(is_verified=False)

    assert as_alice.get("/account/resend-verification").headers["Location"] == "/account"
    assert len(mailbox) == 0


def test_where_no_mail_is_sent_nobody_is_told_to_confirm(as_alice: Client, settings: Settings) -> None:
    settings.VERIFY_EMAIL = False
    User.objects.update(is_verified=False)

    assert "not confirmed yet" not in as_alice.get("/").content.decode()


def test_another_address_waits_for_its_mail(as_alice: Client, alice: User, mailbox: Mailbox) -> None:
    answer = as_alice.post("/account/email", {"email": "new@example.com"})

    page = as_alice.get("/account").content.decode()
    assert answer.headers["Location"] == "/account"
    assert "new@example.com takes its place" in page
    assert mailbox.sent() == [("new@example.com", "Confirm your new e-mail address")]


@pytest.mark.parametrize("email", ["", "nobody", "alice@example.com", "a\x00@example.com"])
def test_an_address_that_is_none_is_marked(as_alice: Client, email: str, mailbox: Mailbox) -> None:
    answer = as_alice.post("/account/email", {"email": email})

    assert (answer.status_code, b'id="email-wrong"' in answer.content) == (422, True)
    assert len(mailbox) == 0


def test_somebody_elses_address_leads_on_alike(as_alice: Client, mailbox: Mailbox) -> None:
    UserFactory.create(email="bob@example.com")

    assert as_alice.post("/account/email", {"email": "bob@example.com"}).headers["Location"] == "/account"
    assert mailbox.sent() == [("bob@example.com", "You have an account already")]
