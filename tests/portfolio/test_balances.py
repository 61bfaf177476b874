from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import comparison
from portfolio.models import WalletBalance
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import moment, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def kept(account: ExchangeAccount) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = WalletBalance.objects.filter(account=account).order_by("id")
        return list(rows.values_list("asset", "available", "locked"))


def side_by_side(account: ExchangeAccount) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = comparison.side_by_side(account_ids=[account.id])
        return [(row.asset, row.total, row.computed, row.difference) for row in rows]


def test_a_report_equal_to_the_one_before_is_not_kept_again(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), USDT="5")

    assert report(account, moment(0, 11), USDT="5") == set()
    assert kept(account) == [("USDT", 5, 0)]


def test_the_first_report_of_a_utc_day_is_kept_even_if_equal(account: ExchangeAccount) -> None:
    report(account, moment(0, 23, 59), USDT="5")

    assert report(account, moment(1, 0), USDT="5") == set()
    assert kept(account) == [("USDT", 5, 0), ("USDT", 5, 0)]


def test_a_lock_is_kept_but_is_no_change_of_the_total(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), USDT="5")

    assert report(account, moment(0, 11), {"USDT": "2"}, USDT="3") == set()
    assert kept(account) == [("USDT", 5, 0), ("USDT", 3, 2)]


def test_what_changed_is_answered(account: ExchangeAccount) -> None:
    assert report(account, moment(0, 10), USDT="5", BTC="1") == {"USDT", "BTC"}
    assert report(account, moment(0, 11), USDT="6", BTC="1") == {"USDT"}


def test_an_asset_no_longer_reported_is_at_zero_once(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), USDT="5", BTC="1")

    assert report(account, moment(0, 11), USDT="5") == {"BTC"}
    assert report(account, moment(0, 12), USDT="5") == set()
    assert kept(account)[2:] == [("BTC", 0, 0)]


def test_an_empty_report_empties_the_account(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), USDT="5")

    assert report(account, moment(0, 11)) == {"USDT"}


def test_a_report_keeps_what_facts_gave_then(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 12), USDT="990")
    fold(account, transfer(account, occurred_at=moment(0, 13)))

    with tenancy.acting_as(account.user_id):
        assert WalletBalance.objects.get().computed == 1000


def test_reported_and_computed_stand_side_by_side(account: ExchangeAccount) -> None:
    fold(
        account,
        transfer(account, occurred_at=moment(0, 8)),
        fill(account, "BUY", "2", "100", executed_at=moment(0)),
        fill(account, "BUY", "1", "50", symbol="ETHUSDT", base_asset="ETH", executed_at=moment(0)),
    )
    report(account, moment(0, 12), {"USDT": "50"}, USDT="700", BTC="1.5")

    assert side_by_side(account) == [
        ("BTC", Decimal("1.5"), 2, Decimal("-0.5")),
        ("ETH", 0, 1, -1),
        ("USDT", 750, 750, 0),
    ]


def test_facts_that_came_after_the_report_wait_for_the_next(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    report(account, moment(0, 12), USDT="1000")
    fold(
        account,
        fill(account, "BUY", "2", "100", executed_at=moment(0, 13)),
        transfer(account, occurred_at=moment(1)),
    )
    assert side_by_side(account) == [("USDT", 1000, 1000, 0)]

    report(account, moment(1, 12), USDT="1800", BTC="2")
    assert side_by_side(account) == [("BTC", 2, 2, 0), ("USDT", 1800, 1800, 0)]


def test_a_fact_just_before_the_report_may_be_in_it_or_not(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0, 12)))
    report(account, moment(0, 12), USDT="1000")

    assert side_by_side(account) == [("USDT", 1000, 1000, 0)]


def test_without_a_report_nothing_is_compared(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))

    assert side_by_side(account) == []


def test_assets_at_zero_on_both_sides_are_left_out(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), USDT="5", BTC="1")
    report(account, moment(0, 11), USDT="5")

    assert [asset for asset, *_ in side_by_side(account)] == ["USDT"]


def test_many_assets_take_as_many_statements_as_one(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), None, **{f"COIN{number}": "1" for number in range(50)})

    with tenancy.acting_as(account.user_id), CaptureQueriesContext(connection) as queries:
        assert len(comparison.side_by_side(account_ids=[account.id])) == 50
    assert len(queries) == 7  # reports, last word, days, untold profits, steps, facts and profits around it
