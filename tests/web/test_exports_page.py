"""The page where people take their history away."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Session, User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline import export_work
from pipeline.models import Export
from tests.clients import PageClient
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import fill

FORM = {"kind": "fills", "format": "csv", "account": "", "since": "", "until": ""}


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    fill(made, "BUY", "1", "100")
    return made


def asked(alice: User) -> Export:
    with tenancy.acting_as(alice.id):
        return Export.objects.get()


def text(client: Client, path: str = "/exports") -> str:
    return client.get(path).content.decode()


def test_a_file_is_asked_for_written_and_downloaded(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    answer = as_alice.post(
        "/exports", {**FORM, "account": str(account.id), "since": "2026-02-01", "until": "2026-02-01"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/exports")
    row = asked(alice)
    assert (row.account_id, str(row.since), str(row.until)) == (
        account.id, "2026-02-01 00:00:00+00:00", "2026-02-02 00:00:00+00:00",
    )  # fmt: skip
    assert "queued" in text(as_alice, "/exports/list")

    export_work.write(user_id=alice.id, export_id=row.id, at=clock.now())
    assert f'href="/exports/{row.id}" download' in text(as_alice, "/exports/list")
    file = as_alice.get(f"/exports/{row.id}")
    assert file["Content-Disposition"].startswith("attachment; filename=")
    assert b"BTCUSDT" in b"".join(file)


def test_what_is_not_written_leads_back(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    as_alice.post("/exports", FORM)

    answer = as_alice.get(f"/exports/{asked(alice).id}", follow=True)
    assert "The file is not written yet." in answer.content.decode()


def test_a_refusal_stands_at_its_field(as_alice: Client, account: ExchangeAccount) -> None:
    answer = as_alice.post("/exports", {**FORM, "since": "2026-02-02", "until": "2026-01-01"})

    assert (answer.status_code, 'id="until-wrong"' in answer.content.decode()) == (422, True)


def test_a_file_is_deleted(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    as_alice.post("/exports", FORM)
    as_alice.post("/exports", {"delete": str(asked(alice).id)})

    with tenancy.acting_as(alice.id):
        assert not Export.objects.exists()
    assert "No file yet" in text(as_alice)


@pytest.mark.parametrize("wanted", ["x", "-1", "9" * 30, "7"])
def test_what_is_not_there_cannot_be_deleted(as_alice: Client, wanted: str) -> None:
    assert as_alice.post("/exports", {"delete": wanted}).status_code == 422


def test_anothers_file_is_not_there(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    as_alice.post("/exports", FORM)
    row = asked(alice)
    bob = PageClient()
    bob.force_login(UserFactory.create())

    assert bob.get(f"/exports/{row.id}").status_code == 404
    assert "No file yet" in text(bob)
    assert bob.post("/exports", {"delete": str(row.id)}).status_code == 422
    assert bob.post("/exports", {**FORM, "account": str(account.id)}).status_code == 422


def test_it_needs_a_fresh_log_in(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    Session.objects.filter(user=alice).update(stepped_up_at=clock.now() - timedelta(days=1))

    for path in ("/exports", "/exports/1"):
        assert as_alice.get(path)["Location"].startswith("/confirm?next=%2Fexports")


def test_strangers_log_in_first(client: Client, db: None) -> None:
    assert client.get("/exports")["Location"] == "/login?next=/exports"


def test_operators_see_who_asked_and_no_file(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    as_alice.post("/exports", FORM)
    operator = PageClient()
    operator.force_login(UserFactory.create(is_staff=True, is_superuser=True))

    page = text(operator, "/admin/pipeline/export/")
    assert "alice@example.com" in page
    assert operator.get("/admin/pipeline/exportpart/").status_code == 404
