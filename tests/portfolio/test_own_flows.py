"""Transfers between own accounts are flows of each, and none of both together."""

from decimal import Decimal

import pytest

from accounts.models import User
from core.django import tenancy
from credentials.scope import resolve
from portfolio import own_flows
from portfolio.accounting.periods import PeriodKind, period_of
from portfolio.selectors.curve import equity_curve
from tests.factories import AccountFactory
from tests.portfolio.books import fold, transfer
from tests.portfolio.days import closes, day, moment, refresh, report

pytestmark = pytest.mark.django_db


def test_what_accounts_send_each_other_is_no_flow_of_both(alice: User) -> None:
    """2 BTC deposited at 100; the next day one goes to the other account, and the price rises by a tenth."""
    closes("BTCUSDT", "100", "110")
    here, there = AccountFactory.create(user=alice), AccountFactory.create(user=alice)
    fold(here, transfer(here, asset="BTC", amount=Decimal(2), occurred_at=moment(0)))
    sent = transfer(here, kind="WITHDRAWAL", asset="BTC", amount=Decimal(1), occurred_at=moment(1, 9))
    fold(here, sent)
    fold(there, transfer(there, asset="BTC", amount=Decimal(1), occurred_at=moment(1, 10)))
    for account in (here, there):
        report(account, moment(1, 23), BTC="1")
        refresh(account)

    with tenancy.acting_as(alice.id):
        curve = equity_curve(scope=resolve(), period=period_of(PeriodKind.MONTHLY, moment(1)))
        assert own_flows.inside(account_ids=[here.id, there.id]) == {day(1): Decimal(110)}

    last = curve.data_points[-1]
    figures = [last.balance, last.flows, last.deposits, last.withdrawals, last.return_percent]
    assert figures == [Decimal(220), Decimal(0), Decimal(0), Decimal(0), Decimal(10)]
