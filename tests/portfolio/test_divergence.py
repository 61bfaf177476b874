"""When report and facts parted, found in the history of reports."""

from datetime import datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow
from portfolio import balances, divergence
from portfolio.divergence import Interval
from portfolio.reports import read_facts
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import moment, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """1000 USDT came in on the first day."""
    stored: ExchangeAccount = AccountFactory.create()
    fold(stored, transfer(stored, occurred_at=moment(0, 8)))
    return stored


def find(account: ExchangeAccount, until: datetime, accepted: str = "0", *, asset: str = "USDT") -> Interval:
    with tenancy.acting_as(account.user_id):
        return divergence.find(
            account=account,
            asset=asset,
            known=read_facts(account),
            step=Decimal("0.01"),
            until=until,
            accepted=[Decimal(accepted)],
        )


def tell(account: ExchangeAccount, *reports: tuple[datetime, str]) -> None:
    for at, total in reports:
        report(account, at, USDT=total)


def test_it_lies_between_two_reports_of_two_days(account: ExchangeAccount) -> None:
    tell(account, *[(moment(day), "1000") for day in (1, 2)], *[(moment(day), "1050") for day in (3, 4)])

    assert find(account, moment(4)) == Interval(moment(2), moment(3))


def test_within_a_day_the_reports_are_bisected(account: ExchangeAccount) -> None:
    hours = [(moment(1, hour), f"{1000 + hour}") for hour in range(10)]
    for hour in range(1, 10):  # each a deposit that is known; something else came between six and seven
        fold(account, transfer(account, amount=Decimal(1), occurred_at=moment(1, hour - 1, 30)))
    told = [(at, total if at < moment(1, 7) else str(int(total) + 50)) for at, total in hours]
    tell(account, *told)

    assert find(account, moment(1, 9)) == Interval(moment(1, 6), moment(1, 7))


def test_it_is_where_the_difference_began_that_is_still_there(account: ExchangeAccount) -> None:
    totals = ["1000", "1020", "1000", "1000", "1050", "1055"]
    tell(account, *[(moment(day + 1), total) for day, total in enumerate(totals)])

    assert find(account, moment(6)) == Interval(moment(4), moment(5))


def test_what_was_accepted_counts_as_agreement(account: ExchangeAccount) -> None:
    tell(account, (moment(1), "1000"), (moment(2), "1020"), (moment(3), "1050"))

    assert find(account, moment(3), accepted="20") == Interval(moment(2), moment(3))


def test_before_the_first_report_nobody_knows_when(account: ExchangeAccount) -> None:
    tell(account, (moment(3), "1050"))

    assert find(account, moment(3)) == Interval(None, moment(3))


def test_what_facts_alone_cannot_pay_was_missing_before(account: ExchangeAccount) -> None:
    spent = transfer(account, kind="WITHDRAWAL", amount=Decimal(1500), occurred_at=moment(1))
    fold(account, spent, transfer(account, amount=Decimal(600), occurred_at=moment(2)))
    tell(account, (moment(5), "700"))

    assert find(account, moment(5)) == Interval(None, moment(2, 0))


def test_a_fact_just_after_a_report_may_have_been_in_it(account: ExchangeAccount) -> None:
    tell(account, (moment(1), "1100"), (moment(2), "1150"))
    fold(account, transfer(account, amount=Decimal(100), occurred_at=moment(1, 10, 1)))

    assert find(account, moment(2)) == Interval(moment(1), moment(2))


def test_what_no_report_names_was_at_zero_at_each_of_them(account: ExchangeAccount) -> None:
    """Bought and sold between two reports; the sale is not read yet."""
    tell(account, (moment(1), "1000"), (moment(2), "1010"))
    fold(account, fill(account, "BUY", "1", "100", executed_at=moment(1, 12)))

    assert find(account, moment(2), asset="BTC") == Interval(moment(1), moment(2))


def test_what_is_named_for_the_first_time_was_at_zero_before(account: ExchangeAccount) -> None:
    tell(account, (moment(1), "1000"), (moment(2), "1001"))
    report(account, moment(3), USDT="1001", BTC="2")

    assert find(account, moment(3), asset="BTC") == Interval(moment(2), moment(3))


def test_a_wallet_that_was_not_told_yet_says_nothing_of_what_is_in_it(account: ExchangeAccount) -> None:
    tell(account, (moment(1), "1000"))
    with tenancy.acting_as(account.user_id):
        rows = [
            BalanceRow("USDT", Decimal(1000), Decimal(0)),
            BalanceRow("BTC", Decimal(2), Decimal(0), wallet="futures"),
        ]
        balances.record(account=account, rows=rows, at=moment(2), run_id=None)

    assert find(account, moment(2), asset="BTC") == Interval(None, moment(2))
