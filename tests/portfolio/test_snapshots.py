from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill
from portfolio.models import AssetSnapshot, PortfolioSnapshot
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import (
    FIRST,
    LAST,
    close,
    closes,
    day,
    line,
    list_pairs,
    moment,
    quote,
    refresh,
    report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """1000 USDT paid in on the first day; 2 BTC bought at 100."""
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def buy(account: ExchangeAccount) -> None:
    fold(
        account,
        transfer(account, occurred_at=moment(0, 8)),
        fill(account, "BUY", "2", "100", executed_at=moment(0)),
    )


def test_available_and_locked_add_up_to_the_total_at_the_same_prices(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "110")
    buy(account)
    report(account, moment(0, 23), {"USDT": "100", "BTC": "0.5"}, USDT="700", BTC="1.5")

    refresh(account)

    assert line(account, "total_balance", "available_balance", "locked_balance") == [(1020, 865, 155)]


def test_reconstructed_days_say_nothing_of_available_and_locked(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "110", "120")
    buy(account)
    report(account, moment(1, 23), USDT="800", BTC="2")

    refresh(account)

    assert line(account, "available_balance", "locked_balance", "is_reconstructed") == [
        (None, None, True),
        (1040, 0, False),
    ]


def test_a_lock_is_no_cash_flow(account: ExchangeAccount) -> None:
    """Trap: placing an order moved money out of the balance."""
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 23), USDT="1000")
    report(account, moment(1, 23), {"USDT": "400"}, USDT="600")

    refresh(account)

    assert line(account, "total_balance", "locked_balance", "flows", "unexplained") == [
        (1000, 0, 1000, 0),
        (1000, 400, 0, 0),
    ]


def test_the_day_ends_at_midnight_utc(account: ExchangeAccount) -> None:
    """Trap: a snapshot day without a zone."""
    fold(
        account,
        transfer(account, occurred_at=moment(0, 23, 59)),
        transfer(account, occurred_at=moment(1, 0), amount=Decimal(50)),
    )
    report(account, moment(1, 0, 5), USDT="1050")

    refresh(account)

    assert line(account, "snapshot_date", "flows") == [(day(0), 1000), (day(1), 50)]


def test_a_day_without_a_close_keeps_the_last_price_and_says_so(account: ExchangeAccount) -> None:
    """Trap: an outage recorded as a drop to zero."""
    closes("BTCUSDT", "110")
    buy(account)
    report(account, moment(0, 23), USDT="800", BTC="2")
    report(account, moment(1, 23), USDT="800", BTC="2")

    refresh(account)

    assert line(account, "total_balance", "grade", "grade_reason") == [
        (1020, "complete", ""),
        (1020, "partial", "stale_price:BTC"),
    ]


def test_an_old_ticker_is_no_price_of_today(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "110")
    buy(account)
    quote("BTCUSDT", "120", moment(1))
    report(account, moment(3), USDT="800", BTC="2")

    refresh(account, moment(3, 11))

    assert line(account, "total_balance", "grade_reason")[-1] == (1040, "stale_price:BTC")


def test_an_asset_without_any_price_is_left_out_and_named(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 23), USDT="1000", LUNA="5")

    refresh(account)

    assert line(account, "total_balance", "grade") == [(1000, "partial")]
    with tenancy.acting_as(account.user_id):
        assert AssetSnapshot.objects.values_list("asset", "value").get(asset="LUNA") == ("LUNA", None)


def test_the_first_price_of_an_asset_is_no_profit(account: ExchangeAccount) -> None:
    list_pairs("BTCUSDT")
    report(account, moment(0, 23), BTC="2")
    report(account, moment(1, 23), BTC="2")
    close("BTCUSDT", 1, "110")

    refresh(account)

    assert line(account, "total_balance", "unexplained") == [(0, 0), (220, 220)]


def test_a_day_without_a_report_is_moved_on_by_its_facts(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "110", "120")
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 23), USDT="1000")
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(1)))
    report(account, moment(2, 23), USDT="800", BTC="2")

    refresh(account)

    assert line(account, "total_balance", "grade_reason", "residual", "available_balance") == [
        (1000, "", 0, 1000),
        (1020, "no_report", 0, None),
        (1040, "", 0, 1040),
    ]


def test_the_line_ends_with_the_last_report(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(1), USDT="1000")

    refresh(account, moment(9))

    assert line(account, "snapshot_date", "is_final") == [(day(0), True), (day(1), True)]


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (
            moment(0, 20),
            (False, "partial", "not_read_to_its_end"),
        ),  # silent since: it may have changed by midnight
        (moment(1, 0), (True, "complete", "")),
    ],
)
def test_a_day_is_final_once_the_exchange_was_heard_after_it(
    account: ExchangeAccount, heard: datetime, told: tuple[bool, str, str]
) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 12), USDT="1000")

    refresh(account, moment(2), heard=heard)

    assert line(account, "is_final", "grade", "grade_reason") == [told]


def test_a_trade_after_the_days_last_report_belongs_to_that_day(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100")
    fold(account, transfer(account, occurred_at=moment(0, 8)))
    report(account, moment(0, 23), USDT="1000")
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0, 23, 30)))
    report(account, moment(1), USDT="800", BTC="2")

    refresh(account)

    assert line(account, "total_balance", "unexplained", "grade_reason") == [(1000, 0, ""), (1000, 0, "")]


def test_a_trade_in_flight_during_the_report_is_counted_once(account: ExchangeAccount) -> None:
    """The report holds the trade already, though its moment is before the trade's."""
    closes("BTCUSDT", "100")
    at = moment(0, 23)
    fold(account, transfer(account, occurred_at=moment(0, 8)))
    report(account, at, USDT="800", BTC="2")
    fold(account, fill(account, "BUY", "2", "100", executed_at=at + timedelta(seconds=1)))

    refresh(account)

    assert line(account, "total_balance", "unexplained", "grade") == [(1000, 0, "complete")]


def test_facts_that_come_late_mend_the_days_before(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100")
    report(account, moment(1), USDT="800", BTC="2")
    refresh(account)
    assert line(account, "snapshot_date", "grade") == [(day(1), "partial")]

    buy(account)
    refresh(account)

    assert line(account, "snapshot_date", "grade", "flows") == [
        (day(0), "complete", 1000),
        (day(1), "complete", 0),
    ]


def test_days_that_facts_no_longer_reach_go(account: ExchangeAccount) -> None:
    paid = transfer(account, occurred_at=moment(0))
    fold(account, paid)
    report(account, moment(2), USDT="1000")
    refresh(account)

    with tenancy.acting_as(account.user_id):
        paid.status = "failed"
        paid.save()
    fold(account, paid)
    refresh(account)

    assert line(account, "snapshot_date", "flows") == [(day(2), 1000)]


def test_days_that_stay_the_same_are_not_written(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "110", "120")
    buy(account)
    report(account, moment(2, 23), USDT="800", BTC="2")

    assert (refresh(account), refresh(account, LAST + timedelta(minutes=3))) == (3, 1)


def test_a_mended_close_rewrites_its_day(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "110", "120")
    buy(account)
    report(account, moment(2, 23), USDT="800", BTC="2")
    refresh(account)
    close("BTCUSDT", 1, "111")

    assert refresh(account) == 2  # that day, and the last one: its change in worth is another


def test_components_sum_to_the_total(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100.000000000000000001", "110.3")
    buy(account)
    report(account, moment(1, 23), USDT="800", BTC="2", LUNA="3")

    refresh(account)

    with tenancy.acting_as(account.user_id):
        for row in PortfolioSnapshot.objects.prefetch_related("assets"):
            assert row.total_balance == sum(part.value or 0 for part in row.assets.all())


def test_counts_and_results_run_on(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100", "100")
    buy(account)
    fold(
        account,
        fill(account, "SELL", "1", "130", executed_at=moment(1), fee_amount=Decimal(1)),
        fill(account, "SELL", "1", "90", executed_at=moment(2), fee_amount=Decimal(1)),
    )
    report(account, moment(2, 23), USDT="1018")

    refresh(account)

    assert line(
        account, "realized_pnl", "total_realized_pnl", "win_rate", "largest_win", "largest_loss", "total_fees_paid",
        "open_positions_count",
    ) == [(0, 0, None, None, None, 0, 1), (29, 29, 100, 29, None, 1, 1), (-11, 18, 50, 29, -11, 2, 0)]  # fmt: skip


def test_without_any_report_there_is_no_snapshot(account: ExchangeAccount) -> None:
    buy(account)

    assert (refresh(account), line(account, "snapshot_date")) == (0, [])


def test_another_users_days_are_untouched(account: ExchangeAccount) -> None:
    other = AccountFactory.create()
    report(other, moment(0), USDT="5")
    refresh(other)

    report(account, moment(0), USDT="7")
    refresh(account)

    assert line(other, "total_balance") == [5]


def statements(account: ExchangeAccount) -> int:
    with CaptureQueriesContext(connection) as queries:
        refresh(account)
    return len(queries)


def test_a_longer_history_takes_no_more_statements(account: ExchangeAccount) -> None:
    closes("BTCUSDT", *["100"] * 12)
    buy(account)
    report(account, moment(1), USDT="800", BTC="2")
    refresh(account)
    short = statements(account)
    for number in range(2, 12):
        report(account, moment(number), USDT="800", BTC="2")
    refresh(account)

    assert statements(account) == short
    assert line(account, "snapshot_date")[0] == FIRST
    with tenancy.acting_as(account.user_id):
        assert Fill.objects.count() == 1
