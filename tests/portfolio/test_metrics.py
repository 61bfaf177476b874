from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import metrics
from portfolio.models import PerformanceMetric, Trade
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import closes, moment, refresh, report

pytestmark = pytest.mark.django_db
NOW = moment(2, 23)


def trader(user: User, mode: str = "live", *sales: str) -> ExchangeAccount:
    """1000 USDT paid in on the first day, 2 BTC bought at 100, sold one a day at the prices given."""
    account: ExchangeAccount = AccountFactory.create(user=user, mode=mode)
    facts: list[Any] = [
        transfer(account, occurred_at=moment(0, 8)),
        fill(account, "BUY", "2", "100", executed_at=moment(0)),
    ]
    for number, price in enumerate(sales, start=1):
        facts.append(fill(account, "SELL", "1", price, fee_amount=Decimal(1), executed_at=moment(number)))
    fold(account, *facts)
    left = 2 - len(sales)
    usdt = 800 + sum(Decimal(price) - 1 for price in sales)
    report(account, moment(2, 22), None, **{"USDT": str(usdt)} | ({"BTC": str(left)} if left else {}))
    refresh(account, NOW)
    return account


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    closes("BTCUSDT", "100", "100", "100")
    return trader(alice, "live", "130", "90")


def measure(user: User, at: datetime = NOW) -> int:
    return metrics.refresh(user_id=user.id, at=at)


def kept(user: User, *columns: str, **filters: Any) -> list[Any]:
    with tenancy.acting_as(user.id):
        rows = PerformanceMetric.objects.filter(**filters).order_by("period_type", "period_start", "account")
        return list(rows.values_list(*columns))


def of_all(user: User, name: str, **filters: Any) -> Any:
    return kept(user, name, account=None, period_type="ALL_TIME", **filters)[0][0]


def test_every_period_has_a_row_per_account_and_over_all_live_ones(
    alice: User, account: ExchangeAccount
) -> None:
    measure(alice)

    periods = [
        ("ALL_TIME", moment(0, 0), moment(3, 0)),
        *[("DAILY", moment(number, 0), moment(number + 1, 0)) for number in range(3)],
        ("MONTHLY", moment(0, 0), moment(28, 0)),
        ("WEEKLY", moment(-6, 0), moment(1, 0)),
        ("WEEKLY", moment(1, 0), moment(8, 0)),
    ]
    for filters, exchange in (({"account": account}, "binance"), ({"account": None}, "all")):
        assert kept(alice, "period_type", "period_start", "period_end", **filters) == periods
        assert set(kept(alice, "exchange", **filters)) == {(exchange,)}


def test_the_figures_of_all_time_follow_from_the_trades(alice: User, account: ExchangeAccount) -> None:
    measure(alice)

    columns = (
        "total_trades", "win_rate", "total_gross_pnl", "total_net_pnl", "largest_win", "largest_loss", "profit_factor",
        "expectancy", "total_fees", "total_volume_traded", "total_portfolio_value", "roi_percentage",
    )  # fmt: skip
    assert kept(alice, *columns, account=account, period_type="ALL_TIME") == [
        (2, 50, 20, 18, 29, -11, Decimal("2.6364"), 9, 2, 420, 1018, Decimal("1.7828"))
    ]


def test_what_is_undefined_is_null_with_its_reason(alice: User, account: ExchangeAccount) -> None:
    measure(alice)

    row = kept(alice, "sharpe_ratio", "calmar_ratio", "reasons", account=account, period_type="ALL_TIME")[0]
    assert row[:2] == (None, None)
    assert (row[2]["sharpe_ratio"], row[2]["calmar_ratio"]) == ("too_few_days", "too_few_days")


def test_a_profit_factor_without_losses_is_undefined_not_zero(alice: User) -> None:
    """Trap: the worst mark for the best record."""
    closes("BTCUSDT", "100", "100", "100")
    trader(alice, "live", "130", "110")
    measure(alice)

    assert of_all(alice, "profit_factor") is None
    assert of_all(alice, "reasons")["profit_factor"] == "no_losses"


def test_the_largest_win_of_no_wins_is_undefined_not_infinite(alice: User) -> None:
    """Trap: infinity for the largest win of no wins."""
    closes("BTCUSDT", "100", "100", "100")
    trader(alice, "live", "90")
    measure(alice)

    assert of_all(alice, "largest_win") is None
    assert of_all(alice, "reasons")["largest_win"] == "no_wins"


def test_daily_rows_tell_what_the_day_made(alice: User, account: ExchangeAccount) -> None:
    measure(alice)

    columns = ("total_portfolio_value", "daily_pnl", "daily_pnl_percent")
    assert kept(alice, *columns, account=account, period_type="DAILY") == [
        (1000, 0, 0),
        (1029, 29, Decimal("2.9")),
        (1018, -11, Decimal("-1.069")),
    ]


def test_deposits_are_no_profit(alice: User, account: ExchangeAccount) -> None:
    """Trap: money paid in counted as made."""
    fold(account, transfer(account, occurred_at=moment(1, 20), amount=Decimal(5000)))
    report(account, moment(2, 22, 30), USDT="6018")
    refresh(account, NOW)
    measure(alice)

    assert [row[0] for row in kept(alice, "daily_pnl", account=account, period_type="DAILY")] == [0, 29, -11]


def test_the_unique_key_is_the_upserts(alice: User, account: ExchangeAccount) -> None:
    """Trap: the key in the table differed from the one written by, so rows doubled."""
    (constraint,) = (c for c in PerformanceMetric._meta.constraints if c.name == "metric_once_per_period")
    measure(alice)
    rows = kept(alice, "id")

    with tenancy.acting_as(alice.id):
        PerformanceMetric.objects.update(total_net_pnl=0)
    measure(alice)

    assert tuple(getattr(constraint, "fields", ())) == metrics._IDENTITY
    assert kept(alice, "id") == rows
    assert of_all(alice, "total_net_pnl") == 18


def test_rows_that_stay_the_same_are_not_written(alice: User, account: ExchangeAccount) -> None:
    assert measure(alice) == 14

    assert measure(alice, NOW + timedelta(minutes=3)) == 0
    assert set(kept(alice, "calculated_at")) == {(NOW,)}


def test_rows_of_periods_without_anything_go(alice: User, account: ExchangeAccount) -> None:
    """A day's row without a trade or a valued day stands only while it is the present day."""
    measure(alice, moment(5))
    assert (moment(5, 0),) in kept(alice, "period_start", account=account, period_type="DAILY")

    measure(alice, moment(6))

    starts = [moment(number, 0) for number in (0, 1, 2, 6)]
    assert kept(alice, "period_start", account=account, period_type="DAILY") == [(at,) for at in starts]


def test_a_demo_account_is_never_in_the_total(alice: User, account: ExchangeAccount) -> None:
    demo = trader(alice, "demo", "200", "300")
    measure(alice)

    assert (of_all(alice, "total_trades"), of_all(alice, "total_net_pnl")) == (2, 18)
    assert kept(alice, "total_net_pnl", account=demo, period_type="ALL_TIME") == [(298,)]


def test_live_accounts_are_summed(alice: User, account: ExchangeAccount) -> None:
    trader(alice, "live", "110")
    measure(alice)

    names = ("total_trades", "total_net_pnl", "total_portfolio_value")
    assert [of_all(alice, name) for name in names] == [3, 27, 2027]


def test_what_nobody_can_explain_is_no_performance(alice: User) -> None:
    """An account with holes: conversions and interest that the exchange does not tell."""
    account = AccountFactory.create(user=alice)
    fold(account, transfer(account, occurred_at=moment(0, 8)))
    for number, usdt in enumerate(("1000", "1300", "1200")):
        report(account, moment(number, 22), USDT=usdt)
    refresh(account, NOW)
    measure(alice)

    columns = ("daily_pnl", "return_percentage", "max_drawdown")
    assert kept(alice, *columns, account=account, period_type="DAILY")[1:] == [(0, 0, 0), (0, 0, 0)]


def test_another_users_rows_are_untouched(alice: User, bob: User, account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100", "100")
    trader(bob, "live", "110")
    measure(bob)
    before = kept(bob, "id", "total_net_pnl", "calculated_at")

    measure(alice, NOW + timedelta(hours=1))

    assert kept(bob, "id", "total_net_pnl", "calculated_at") == before


def test_without_accounts_there_is_nothing_to_measure(bob: User) -> None:
    assert (measure(bob), kept(bob, "id")) == (0, [])


def statements(user: User, at: datetime) -> int:
    with CaptureQueriesContext(connection) as queries:
        measure(user, at)
    return len(queries)


def test_more_trades_and_days_take_no_more_statements(alice: User) -> None:
    closes("BTCUSDT", *["100"] * 20)
    account = trader(alice, "live", "130")
    measure(alice)
    few = statements(alice, NOW)
    more: Sequence[Any] = [
        fill(account, side, "1", "100", executed_at=moment(number, hour))
        for number in range(3, 18)
        for side, hour in (("BUY", 9), ("SELL", 10))
    ]
    fold(account, *more)
    report(account, moment(18), USDT="929", BTC="1")
    refresh(account, moment(18, 12))
    measure(alice, moment(18, 12))

    assert statements(alice, moment(18, 12)) == few
    with tenancy.acting_as(alice.id):
        assert Trade.objects.count() == 16
