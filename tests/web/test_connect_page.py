"""Connecting an account by hand."""

import html
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Session, User
from core.django import tenancy
from credentials.models import ApiCredential, ExchangeAccount
from pipeline.models import RunStatus, SyncRun
from tests.conftest import NOW
from tests.factories import AccountFactory

FORM = {"exchange": "binance", "label": "Mine", "apiKey": "k" * 64, "secretKey": "s" * 64}


def test_the_form_says_what_the_key_must_be_allowed(as_bob: Client) -> None:
    page = as_bob.get("/connect").content.decode()
    assert "Enable Reading" in page
    assert "No withdrawals." in page


def test_connecting_stores_the_key_sealed_and_asks_for_a_sync(as_bob: Client, bob: User) -> None:
    answer = as_bob.post("/connect", FORM)
    with tenancy.acting_as(bob.id):
        account = ExchangeAccount.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/connect/{account.id}")
    with tenancy.acting_as(bob.id):
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
    typed = {**FORM, field: value}
    answer = as_bob.post("/connect", typed)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in page
    assert [name for name in ("apiKey", "secretKey") if typed[name] and typed[name] in page] == []
    with tenancy.acting_as(bob.id):
        assert not ExchangeAccount.objects.exists()


def test_a_label_that_is_taken_is_marked(as_bob: Client) -> None:
    as_bob.post("/connect", FORM)
    answer = as_bob.post("/connect", FORM)
    assert answer.status_code == 422
    assert "Another of your accounts has this label." in answer.content.decode()


def test_blanks_around_a_pasted_key_are_taken_off(as_bob: Client) -> None:
    assert as_bob.post("/connect", {**FORM, "apiKey": f"  {FORM['apiKey']}\n"}).status_code == 302


def _connected(client: Client, user: User, **columns: object) -> ExchangeAccount:
    """Bob's account as its key's check left it."""
    client.post("/connect", FORM)
    with tenancy.acting_as(user.id):
        ExchangeAccount.objects.update(**columns)
        return ExchangeAccount.objects.get()


def _page(client: Client, account: ExchangeAccount) -> str:
    return html.unescape(client.get(f"/connect/{account.id}").content.decode())


def test_while_the_key_is_checked_the_page_says_so_and_looks_again_soon(as_bob: Client, bob: User) -> None:
    page = _page(as_bob, _connected(as_bob, bob))
    assert "Checking the key" in page
    assert 'data-pace="1"' in page


def test_a_good_key_is_shown_with_what_it_may_do(as_bob: Client, bob: User) -> None:
    account = _connected(
        as_bob, bob, key_state="good", checked_at=NOW, account_type="SPOT", permissions=["SPOT", "TRD_GRP_005"],
        can_trade=True, ip_restricted=False,
    )  # fmt: skip
    page = _page(as_bob, account)
    for text in ("Accepted", "SPOT, TRD_GRP_005", "The key may trade.", "from any address", 'data-pace="30"'):
        assert text in page


def test_a_refused_key_is_shown_with_the_reason(as_bob: Client, bob: User) -> None:
    account = _connected(as_bob, bob, key_state="disabled", key_note="This key may withdraw.", checked_at=NOW)
    page = _page(as_bob, account)
    assert "Not used" in page
    assert "This key may withdraw." in page


def test_the_changing_part_is_served_alone_with_an_etag(as_bob: Client, bob: User) -> None:
    path = f"/connect/{_connected(as_bob, bob).id}/state"
    first = as_bob.get(path)
    again = as_bob.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, b"<html" in first.content) == (200, 304, False)


def test_an_account_that_goes_on_as_an_earlier_one_is_shown_as_that(as_bob: Client, bob: User) -> None:
    earlier = AccountFactory.create(user=bob, label="Of before", key_state="good")
    as_bob.post("/connect", FORM)
    with tenancy.acting_as(bob.id):
        ExchangeAccount.objects.filter(label="Mine").update(is_active=False, moved_to=earlier)
        account = ExchangeAccount.objects.get(label="Mine")
    assert "Of before" in _page(as_bob, account)


@pytest.mark.parametrize("path", ["/connect/{}", "/connect/{}/state"])
def test_somebody_elses_account_is_not_there(as_bob: Client, alice: User, path: str) -> None:
    foreign = AccountFactory.create(user=alice)
    assert as_bob.get(path.format(foreign.id)).status_code == 404
    assert as_bob.get(path.format(uuid4())).status_code == 404
    assert as_bob.post(path.format(foreign.id)).status_code == 405


def test_a_stranger_is_sent_to_the_log_in_page(client: Client) -> None:
    for path in ("/connect", f"/connect/{uuid4()}", f"/connect/{uuid4()}/state"):
        assert client.get(path).headers["Location"] == f"/login?next={path}"


def test_keys_want_the_password_shown_lately(as_bob: Client, bob: User) -> None:
    Session.objects.update(stepped_up_at=None)
    answer = as_bob.post("/connect", FORM)
    assert answer.headers["Location"] == "/confirm?next=%2Fconnect"
    with tenancy.acting_as(bob.id):
        assert not ExchangeAccount.objects.exists()


def test_keys_want_a_confirmed_address(as_bob: Client, bob: User) -> None:
    User.objects.filter(id=bob.id).update(is_verified=False)
    assert "Confirm your e-mail address" in as_bob.get("/connect").content.decode()
    answer = as_bob.post("/connect", FORM)
    assert answer.status_code == 422
    assert "Confirm your e-mail address first" in answer.content.decode()
    with tenancy.acting_as(bob.id):
        assert not ExchangeAccount.objects.exists()


def test_the_key_of_a_data_source_needs_no_secret(as_bob: Client, bob: User) -> None:
    as_bob.post("/connect", {"exchange": "fred", "label": "", "apiKey": "f" * 32, "secretKey": ""})
    with tenancy.acting_as(bob.id):
        account = ExchangeAccount.objects.get()
        assert not SyncRun.objects.exists()
    assert (account.exchange, account.label) == ("fred", "FRED")
    assert "used when these data are fetched" in _page(as_bob, account)
    assert as_bob.get("/").status_code == 200
    assert as_bob.post("/sync").status_code == 302
