"""Metrics that follow what changed: the same rows as from zero, for the price of the days that changed."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import own_transfers
from orders.models import OwnTransfer
from portfolio import metrics, trade_days
from portfolio.models import MetricMark, PerformanceMetric, PortfolioSnapshot, Trade, TradeDay
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import closes, day, moment, refresh, report

pytestmark = pytest.mark.django_db
NOW = moment(13, 12)
_UNTOLD = {"id", "calculated_at"}
_COLUMNS = sorted(
    field.attname for field in PerformanceMetric._meta.concrete_fields if field.name not in _UNTOLD
)


def trader(user: User, *, days: int = 12, first: int = 0, mode: str = "live") -> ExchangeAccount:
    """1000 USDT; every day a coin is bought at 100 and sold at something else."""
    account: ExchangeAccount = AccountFactory.create(user=user, mode=mode)
    rng = random.Random(days)
    facts: list[Any] = [transfer(account, occurred_at=moment(first, 8))]
    usdt = Decimal(1000)
    for number in range(first, first + days):
        price = rng.choice(["90", "105", "112.5", "100"])
        facts.append(fill(account, "BUY", "1", "100", executed_at=moment(number, 9)))
        facts.append(fill(account, "SELL", "1", price, executed_at=moment(number, 10)))
        usdt += Decimal(price) - 100
    fold(account, *facts)
    report(account, moment(first + days, 11), USDT=str(usdt))
    refresh(account, NOW)
    return account


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    closes("BTCUSDT", *["100"] * 14)
    return trader(alice)


def rows(user: User) -> list[tuple[Any, ...]]:
    with tenancy.acting_as(user.id):
        found = PerformanceMetric.objects.order_by("account", "strategy", "period_type", "period_start")
        return list(found.values_list(*_COLUMNS))


def same_as_from_zero(user: User, at: Any) -> bool:
    kept = rows(user)
    metrics.refresh(user_id=user.id, at=at, from_zero=True)
    return kept == rows(user)


def name_some(user: User, name: str, **filters: Any) -> None:
    with tenancy.acting_as(user.id):
        Trade.objects.filter(**filters).update(strategy=name)


def test_following_changes_gives_the_rows_of_from_zero(alice: User, account: ExchangeAccount) -> None:
    """Another account, an older deposit, strategies named and renamed, a demo account, days that pass."""
    metrics.refresh(user_id=alice.id, at=NOW)
    trader(alice, days=5, first=3)
    trader(alice, days=4, mode="demo")
    metrics.refresh(user_id=alice.id, at=NOW)
    assert same_as_from_zero(alice, NOW)

    name_some(alice, "grid", exit_time__gte=moment(4), exit_time__lt=moment(8))
    metrics.refresh(user_id=alice.id, at=NOW)
    assert same_as_from_zero(alice, NOW)

    name_some(alice, "trend", exit_time__gte=moment(6), exit_time__lt=moment(7))
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.filter(account=account, snapshot_date=day(2)).update(
            total_balance=Decimal(700)
        )
        PortfolioSnapshot.objects.filter(account=account, snapshot_date=day(9)).delete()
    later = NOW + timedelta(days=2)
    metrics.refresh(user_id=alice.id, at=later)
    assert same_as_from_zero(alice, later)


def test_a_strategy_that_is_named_no_more_has_no_rows(alice: User, account: ExchangeAccount) -> None:
    name_some(alice, "grid", exit_time__lt=moment(4))
    metrics.refresh(user_id=alice.id, at=NOW)
    name_some(alice, "", strategy="grid")
    metrics.refresh(user_id=alice.id, at=NOW)

    with tenancy.acting_as(alice.id):
        assert not PerformanceMetric.objects.exclude(strategy="").exists()


def test_a_strategys_rows_are_of_its_trades(alice: User, account: ExchangeAccount) -> None:
    name_some(alice, "grid", exit_time__lt=moment(4))
    metrics.refresh(user_id=alice.id, at=NOW)

    with tenancy.acting_as(alice.id):
        made = sum(Trade.objects.filter(strategy="grid").values_list("net_pnl", flat=True))
        row = PerformanceMetric.objects.get(strategy="grid", period_type="ALL_TIME")
    assert (row.account, row.total_trades, row.total_net_pnl) == (None, 4, made)
    assert (row.xirr_percentage, row.reasons["xirr_percentage"]) == (None, "not_attributable")


def test_a_refresh_adds_up_the_days_that_changed_and_no_others(alice: User, account: ExchangeAccount) -> None:
    metrics.refresh(user_id=alice.id, at=NOW)
    with tenancy.acting_as(alice.id):
        before = dict(TradeDay.objects.values_list("day", "id"))
    fold(
        account,
        fill(account, "BUY", "1", "100", executed_at=moment(5, 20)),
        fill(account, "SELL", "1", "130", executed_at=moment(5, 21)),
    )
    metrics.refresh(user_id=alice.id, at=NOW)

    with tenancy.acting_as(alice.id):
        after = dict(TradeDay.objects.values_list("day", "id"))
        found = PerformanceMetric.objects.get(account=account, period_type="DAILY", period_start=moment(5, 0))
    assert {each for each in after if after[each] != before[each]} == {day(5)}
    assert found.total_trades == 2


def test_another_version_of_the_formulas_draws_everything_anew(
    alice: User, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics.refresh(user_id=alice.id, at=NOW)
    with tenancy.acting_as(alice.id):
        TradeDay.objects.all().delete()
    monkeypatch.setattr(metrics, "FORMULA_VERSION", metrics.FORMULA_VERSION + 1)
    metrics.refresh(user_id=alice.id, at=NOW)

    with tenancy.acting_as(alice.id):
        assert set(PerformanceMetric.objects.values_list("formula_version", flat=True)) == {
            metrics.FORMULA_VERSION
        }
        assert TradeDay.objects.count() == 12


def test_a_change_is_counted_and_no_change_is_not(alice: User, account: ExchangeAccount) -> None:
    counts = []
    for _ in range(2):
        metrics.refresh(user_id=alice.id, at=NOW)
        with tenancy.acting_as(alice.id):
            counts.append(MetricMark.objects.get().changes)
    assert counts == [1, 1]


def test_sums_of_a_whole_history_are_those_of_its_days(alice: User, account: ExchangeAccount) -> None:
    with tenancy.acting_as(alice.id):
        trade_days.sum_days(user_id=alice.id, days=trade_days.every_day(user_id=alice.id))
        assert TradeDay.objects.count() == Trade.objects.count() == 12


def test_a_transfer_that_turns_out_to_be_none_between_own_accounts_is_followed(alice: User) -> None:
    """A coin that left one account and came into the other; then it is said to be somebody else's."""
    closes("BTCUSDT", *["100"] * 5)
    here, there = AccountFactory.create(user=alice), AccountFactory.create(user=alice)
    fold(here, transfer(here, asset="BTC", amount=Decimal(2), occurred_at=moment(0)))
    fold(here, transfer(here, kind="WITHDRAWAL", asset="BTC", amount=Decimal(1), occurred_at=moment(1, 9)))
    fold(there, transfer(there, asset="BTC", amount=Decimal(1), occurred_at=moment(1, 10)))
    for account in (here, there):
        report(account, moment(2, 23), BTC="1")
        refresh(account, NOW)
    metrics.refresh(user_id=alice.id, at=NOW)

    with tenancy.acting_as(alice.id):
        own_transfers.reject(own_transfer_id=OwnTransfer.objects.get().pk)
    assert metrics.refresh(user_id=alice.id, at=NOW) > 0
    assert same_as_from_zero(alice, NOW)
