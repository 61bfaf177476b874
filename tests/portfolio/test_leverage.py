"""Leverage comes from the exchange, and ROI is the net result on the margin that was used."""

from datetime import timedelta
from decimal import Decimal

import pytest

from credentials.models import ExchangeAccount
from tests.factories import AccountFactory, OrderFactory
from tests.portfolio.books import START
from tests.portfolio.contracts import fill, fold, positions, report_position, trades

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def test_a_position_has_the_leverage_reported_while_it_is_open(account: ExchangeAccount) -> None:
    new = fill(account, "BUY", "2", "100")
    report_position(account, "101", at=START + 2 * MINUTE)
    fold(account, new)

    assert positions(account, "leverage", "margin_mode") == [(5, "isolated")]


def test_roi_is_the_net_result_on_the_margin_of_what_was_closed(account: ExchangeAccount) -> None:
    opened = fill(account, "BUY", "2", "100")
    report_position(account, "101", at=START + 2 * MINUTE)
    fold(account, opened)
    fold(account, fill(account, "SELL", "1", "110", fee_amount=Decimal(1), executed_at=START + 3 * MINUTE))

    # Margin of one of two: 100 / 5 = 20; net 10 - 1 = 9.
    assert trades(account, "leverage", "pnl_percentage", "roi_percentage") == [(5, 9, 45)]


def test_parts_of_a_position_earn_what_the_whole_earns_on_its_margin(account: ExchangeAccount) -> None:
    opened = fill(account, "BUY", "2", "100")
    report_position(account, "101", at=START + 2 * MINUTE)
    fold(account, opened)
    for minute, price in ((3, "110"), (4, "130")):
        fold(account, fill(account, "SELL", "1", price, executed_at=START + minute * MINUTE))

    parts = trades(account, "roi_percentage", "cost", "leverage")
    on_margin = sum(roi * cost / leverage for roi, cost, leverage in parts) / sum(
        cost / leverage for _, cost, leverage in parts
    )
    assert on_margin == 100  # 40 on 200 / 5


def test_a_report_of_another_time_says_nothing(account: ExchangeAccount) -> None:
    new = [fill(account, "BUY", "2", "100"), fill(account, "SELL", "2", "110")]
    report_position(account, "101", at=START + 30 * MINUTE)
    fold(account, *new)

    assert trades(account, "leverage", "roi_percentage") == [(None, None)]


def test_an_entry_order_may_tell_it(account: ExchangeAccount) -> None:
    OrderFactory.create(
        account=account, market_type="futures", exchange_order_id="in", raw={"leverage": "20"}
    )
    fold(account, fill(account, "BUY", "1", "100", exchange_order_id="in"), fill(account, "SELL", "1", "101"))

    assert trades(account, "leverage", "roi_percentage") == [(20, 20)]


def test_a_trade_keeps_the_leverage_it_ended_with(account: ExchangeAccount) -> None:
    opened = fill(account, "BUY", "2", "100")
    report_position(account, "101", at=START + 2 * MINUTE)
    fold(account, opened)
    fold(account, fill(account, "SELL", "1", "110", executed_at=START + 3 * MINUTE))
    report_position(account, "101", at=START + 4 * MINUTE, leverage="10")
    fold(account, fill(account, "SELL", "1", "110", executed_at=START + 5 * MINUTE))

    assert trades(account, "leverage") == [5, 10]


def test_a_late_fill_recounts_the_roi(account: ExchangeAccount) -> None:
    opened = fill(account, "BUY", "2", "100")
    report_position(account, "101", at=START + 2 * MINUTE)
    fold(account, opened)
    fold(account, fill(account, "SELL", "1", "110", executed_at=START + 3 * MINUTE))
    fold(account, fill(account, "BUY", "2", "90", executed_at=START + MINUTE + timedelta(seconds=1)))

    # Entered at 95: margin 19, net 15.
    assert trades(account, "roi_percentage") == [Decimal("78.9474")]
