"""Connecting an account by hand."""

import pytest
from django.test import Client

from accounts.models import User
from core.django import tenancy
from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import RunStatus, SyncRun

FORM = {"exchange": "binance", "label": "Mine", "apiKey": "k" * 64, "secretKey": "s" * 64}


def test_the_form_says_what_the_key_must_be_allowed(as_bob: Client) -> None:
    page = as_bob.get("/connect").content.decode()
    assert "Enable Reading" in page
    assert "No withdrawals." in page


def test_connecting_stores_the_key_sealed_and_asks_for_a_sync(as_bob: Client, bob: User) -> None:
    answer = as_bob.post("/connect", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    with tenancy.acting_as(bob.id):
        account = ExchangeAccount.objects.get()
        key = ApiCredential.objects.get(account=account)
        run = SyncRun.objects.get(account=account)
    assert (account.label, account.exchange, run.status) == ("Mine", "binance", RunStatus.QUEUED)
    assert FORM["apiKey"] not in key.api_key
    assert "waiting its turn" in as_bob.get("/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exchange", "nowhere"),
        ("exchange", ""),
        ("apiKey", ""),
        ("apiKey", "with blanks inside"),
        ("apiKey", "ключ"),
        ("apiKey", "****abcd"),
        ("apiKey", "k" * 600),
        ("secretKey", ""),
        ("secretKey", "a\x00b"),
        ("label", "x" * 101),
    ],
)
def test_bad_input_is_marked_at_its_field(as_bob: Client, bob: User, field: str, value: str) -> None:
    answer = as_bob.post("/connect", {**FORM, field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in page
    assert FORM["secretKey"] not in page
    with tenancy.acting_as(bob.id):
        assert not ExchangeAccount.objects.exists()


def test_a_label_that_is_taken_is_marked(as_bob: Client) -> None:
    as_bob.post("/connect", FORM)
    answer = as_bob.post("/connect", FORM)
    assert answer.status_code == 422
    assert "Another of your accounts has this label." in answer.content.decode()


def test_blanks_around_a_pasted_key_are_taken_off(as_bob: Client) -> None:
    assert as_bob.post("/connect", {**FORM, "apiKey": f"  {FORM['apiKey']}\n"}).status_code == 302
