"""Facts that give less than nothing, in accounts that nobody reports."""

from decimal import Decimal
from typing import Any

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import reconciliation
from portfolio.models import ReconciliationItem
from portfolio.reconciliation import Known, Outcome
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import moment, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """3 BTC are bought for 100 each and 1 sold; of the money only 50 came in, before the last two were bought."""
    stored: ExchangeAccount = AccountFactory.create()
    fold(
        stored,
        fill(stored, "BUY", "1", "100", executed_at=moment(0, 9)),
        transfer(stored, occurred_at=moment(1, 8), amount=Decimal(50)),
        fill(stored, "BUY", "2", "100", executed_at=moment(2, 9)),
        fill(stored, "SELL", "1", "120", executed_at=moment(3, 9)),
    )
    return stored


def reconcile(account: ExchangeAccount, day: int = 4) -> Outcome:
    return reconciliation.reconcile(
        user_id=account.user_id, account_id=account.id, known=Known(), at=moment(day)
    )


def items(account: ExchangeAccount, *columns: str) -> list[Any]:
    with tenancy.acting_as(account.user_id):
        return list(ReconciliationItem.objects.order_by("kind", "subject").values_list(*columns))


def test_the_lowest_that_facts_give_is_asked_for(account: ExchangeAccount) -> None:
    assert reconcile(account) == Outcome(opened=1, left_open=1)

    assert items(
        account, "kind", "subject", "reported", "computed", "difference", "value", "cause", "diverged_to"
    ) == [("shortfall", "USDT", 0, -250, 250, 250, "missing_deposit", moment(1, 0))]
    assert items(account, "evidence") == [
        (
            [
                "Facts alone give -250 USDT at the lowest, less than nothing before 2026-02-02: at least 250 came in"
                " that no fact tells."
            ],
        )
    ]


def test_it_goes_when_the_missing_comes(account: ExchangeAccount) -> None:
    reconcile(account)
    fold(account, transfer(account, occurred_at=moment(0, 8), amount=Decimal(250)))

    assert reconcile(account, day=5) == Outcome(explained=1)
    assert items(account, "state") == [("explained",)]


def test_once_balances_are_reported_they_are_asked_instead(account: ExchangeAccount) -> None:
    reconcile(account)
    report(account, moment(4), USDT="0", BTC="2")

    assert reconcile(account, day=5) == Outcome(opened=1, explained=1, left_open=1)
    assert items(account, "kind", "state", "difference") == [
        ("balance", "open", 130),
        ("shortfall", "explained", 250),
    ]
