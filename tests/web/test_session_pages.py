"""Logging in and out of the pages."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD


def test_logging_in_leads_to_the_dashboard(client: Client, alice: User) -> None:
    answer = client.post("/login", {"email": "Alice@Example.com", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_logging_in_leads_back_to_where_one_wanted_to_go(client: Client, alice: User) -> None:
    form = {"email": alice.email, "password": PASSWORD, "next": "/connect"}
    assert client.post("/login", form).headers["Location"] == "/connect"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(client: Client, alice: User, wanted: str) -> None:
    form = {"email": alice.email, "password": PASSWORD, "next": wanted}
    assert client.post("/login", form).headers["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "", "x" * 2000, "a\x00b"])
def test_a_refusal_does_not_tell_whether_the_e_mail_exists(client: Client, alice: User, email: str) -> None:
    answer = client.post("/login", {"email": email, "password": "wrong"})
    assert answer.status_code == 422
    assert b"E-mail or password is wrong." in answer.content
    assert "_auth_user_id" not in client.session


def test_the_password_never_comes_back(client: Client, alice: User) -> None:
    assert b"wrong-word" not in client.post("/login", {"email": "x", "password": "wrong-word"}).content


def test_logging_in_changes_the_session_key(client: Client, alice: User) -> None:
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    client.post("/login", {"email": alice.email, "password": PASSWORD})
    assert client.session.session_key != before


def test_a_form_without_our_token_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login", {"email": alice.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert b"This form has expired" in answer.content


def test_who_is_logged_in_passes_the_log_in_page(as_alice: Client) -> None:
    assert as_alice.get("/login").headers["Location"] == "/"


def test_logging_out_ends_the_session(as_alice: Client) -> None:
    assert as_alice.post("/logout").headers["Location"] == "/login"
    assert as_alice.get("/").status_code == 302


def test_logging_out_takes_a_post(as_alice: Client) -> None:
    assert as_alice.get("/logout").status_code == 405


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_chosen_theme_is_drawn_at_once(as_alice: Client, theme: str) -> None:
    as_alice.cookies["theme"] = theme
    assert f'<html lang="en" data-theme="{theme}">' in as_alice.get("/").content.decode()


def test_an_unknown_theme_is_no_theme(as_alice: Client) -> None:
    as_alice.cookies["theme"] = "x onload=y"
    assert '<html lang="en">' in as_alice.get("/").content.decode()
