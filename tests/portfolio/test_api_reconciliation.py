"""The inbox of differences over the API."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from portfolio import reconciliation
from portfolio.models import ReconciliationItem
from portfolio.reconciliation import Known
from tests.clients import JsonClient, client_of, problem
from tests.factories import AccountFactory
from tests.portfolio.books import fold, transfer
from tests.portfolio.days import moment, report

pytestmark = pytest.mark.django_db
PATH = "/api/reconciliation"


@pytest.fixture
def item_id(alice: User) -> int:
    """50 USDT more are reported than came in."""
    account = AccountFactory.create(user=alice, label="Main")
    fold(account, transfer(account, occurred_at=moment(0, 8)))
    report(account, moment(1), USDT="1050", XYZ="1")
    reconciliation.reconcile(user_id=alice.id, account_id=account.id, known=Known(), at=moment(1, 11))
    with tenancy.acting_as(alice.id):
        return int(ReconciliationItem.objects.get(subject="USDT").pk)


def got(client: JsonClient, path: str = PATH, **query: str) -> Any:
    response = client.get(path, query)
    assert response.status_code == 200, response.content
    return response.json()


def test_a_difference_is_told_with_its_money_as_text(as_alice: JsonClient, item_id: int) -> None:
    found = got(as_alice, f"{PATH}/{item_id}")

    assert found.pop("account_id")
    assert found == {
        "id": item_id,
        "account_label": "Main",
        "exchange": "binance",
        "kind": "balance",
        "subject": "USDT",
        "side": "",
        "reported": "1050",
        "computed": "1000",
        "difference": "50",
        "value": "50",
        "reported_at": "2026-02-02T10:00:00Z",
        "diverged_from": None,
        "diverged_to": "2026-02-02T10:00:00Z",
        "cause": "missing_deposit",
        "evidence": ["More USDT is reported than facts give, and nothing of like worth differs against it."],
        "state": "open",
        "reason": "",
        "explanation": "",
        "opened_at": "2026-02-02T11:00:00Z",
        "changed_at": "2026-02-02T11:00:00Z",
        "resolved_at": None,
    }


def test_the_inbox_comes_in_pages(as_alice: JsonClient, item_id: int) -> None:
    first = got(as_alice, limit="1")
    second = got(as_alice, limit="1", cursor=first["next_cursor"])

    assert [row["subject"] for row in first["results"] + second["results"]] == ["XYZ", "USDT"]
    assert second["next_cursor"] is None


def test_it_is_dismissed_with_a_reason_and_opened_again(as_alice: JsonClient, item_id: int) -> None:
    done = as_alice.post(f"{PATH}/{item_id}/dismiss", {"reason": "A gift."})

    assert (done.status_code, done.json()["state"], done.json()["reason"]) == (200, "dismissed", "A gift.")
    assert [row["subject"] for row in got(as_alice, state="open")["results"]] == ["XYZ"]
    assert problem(as_alice.post(f"{PATH}/{item_id}/dismiss", {"reason": "Again."})) == (409, "conflict", [])

    assert as_alice.post(f"{PATH}/{item_id}/reopen").json()["state"] == "open"


def test_a_dismissal_needs_a_reason(as_alice: JsonClient, item_id: int) -> None:
    assert as_alice.post(f"{PATH}/{item_id}/dismiss", {"reason": " "}).status_code == 400


@pytest.mark.parametrize("query", [{"state": "?"}, {"kind": "?"}, {"cursor": "?"}, {"other": "1"}])
def test_what_nobody_knows_is_refused(as_alice: JsonClient, query: dict[str, str]) -> None:
    assert as_alice.get(PATH, query).status_code == 400


def test_another_ones_differences_are_not_there(bob: User, item_id: int) -> None:
    client = client_of(bob)

    assert got(client) == {"results": [], "next_cursor": None}
    assert client.get(f"{PATH}/{item_id}").status_code == 404
    assert client.post(f"{PATH}/{item_id}/dismiss", {"reason": "Mine."}).status_code == 404
    assert client.post(f"{PATH}/{item_id}/reopen").status_code == 404


def test_amounts_are_exact(alice: User, as_alice: JsonClient, item_id: int) -> None:
    with tenancy.acting_as(alice.id):
        tiny = Decimal("1E-18")
        ReconciliationItem.objects.filter(id=item_id).update(
            reported=Decimal(1000) + tiny, computed=1000, difference=tiny
        )

    assert got(as_alice, f"{PATH}/{item_id}")["difference"] == "0.000000000000000001"
