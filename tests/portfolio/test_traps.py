"""Mistakes of the requirement documents that must not come back. The engine has its own in its tests."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.django import tenancy
from exchanges.rows import BalanceRow
from portfolio import balances, comparison, metrics
from portfolio.models import AssetDay, PerformanceMetric, Trade
from tests.factories import AccountFactory
from tests.portfolio.books import START, fill, fold, transfer

pytestmark = pytest.mark.django_db


def test_the_metrics_unique_key_is_the_upserts() -> None:
    [rule] = PerformanceMetric._meta.total_unique_constraints

    assert sorted(rule.fields) == sorted(metrics._IDENTITY)


def test_a_day_ends_at_midnight_utc() -> None:
    account = AccountFactory.create()
    midnight = datetime(2026, 2, 2, tzinfo=UTC)
    fold(
        account,
        transfer(account, occurred_at=midnight - timedelta(milliseconds=1), amount=Decimal(1)),
        transfer(account, occurred_at=midnight, amount=Decimal(2)),
    )

    with tenancy.acting_as(account.user_id):
        days = dict(AssetDay.objects.values_list("day", "deposited"))

    assert days == {date(2026, 2, 1): Decimal(1), date(2026, 2, 2): Decimal(2)}


def test_a_lock_is_no_cash_flow() -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        for available, locked in ((10, 0), (4, 6)):
            row = BalanceRow(asset="USDT", available=Decimal(available), locked=Decimal(locked))
            changed = balances.record(account=account, rows=[row], at=START, run_id=None)
        [balance] = comparison.side_by_side(account_ids=[account.id])

        assert (changed, balance.total, AssetDay.objects.count()) == (set(), Decimal(10), 0)


def test_roi_of_a_partial_close_is_of_the_margin_it_used() -> None:
    account = AccountFactory.create()
    fold(account, fill(account, "BUY", "2", "100"), fill(account, "SELL", "0.5", "110"))

    with tenancy.acting_as(account.user_id):
        assert Trade.objects.values_list("roi_percentage", "pnl_percentage").get() == (
            Decimal(10),
            Decimal(10),
        )
