"""An account's balance of an asset is that of all its wallets together."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow
from portfolio import balances, comparison
from portfolio.balances import Changed
from portfolio.models import AssetDay, WalletBalance
from portfolio.reports import read_facts, read_reports
from tests.factories import AccountFactory
from tests.portfolio.days import day, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def row(wallet: str, asset: str, available: str, locked: str = "0", pnl: str | None = None) -> BalanceRow:
    unrealized = None if pnl is None else Decimal(pnl)
    return BalanceRow(asset, Decimal(available), Decimal(locked), wallet=wallet, unrealized_pnl=unrealized)


def report(account: ExchangeAccount, at: datetime, *rows: BalanceRow) -> Changed:
    with tenancy.acting_as(account.user_id):
        return balances.record_report(account=account, rows=rows, at=at, run_id=None)


def latest(account: ExchangeAccount) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = balances.latest_rows(account_ids=[account.id])
        return [(row.asset, row.available, row.locked, row.unrealized_pnl) for row in rows]


def test_wallets_are_summed(account: ExchangeAccount) -> None:
    spot, futures = row("spot", "USDT", "5", "1"), row("futures", "USDT", "10", "2", pnl="-3")
    report(account, moment(0), spot, futures, row("spot", "BTC", "1"))

    assert latest(account) == [("BTC", 1, 0, None), ("USDT", 15, 3, -3)]


def test_money_between_wallets_changes_wallets_but_no_asset(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("spot", "USDT", "5"), row("futures", "USDT", "10"))
    changed = report(account, moment(0, 11), row("spot", "USDT", "1"), row("futures", "USDT", "14"))

    assert changed == Changed(assets=set(), places={("spot", "USDT"), ("futures", "USDT")})


def test_a_wallet_no_longer_reported_is_empty_and_the_others_stay(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("spot", "USDT", "5"), row("futures", "USDT", "10"))
    changed = report(account, moment(0, 11), row("spot", "USDT", "5"))

    assert (changed.assets, latest(account)) == ({"USDT"}, [("USDT", 5, 0, None)])


def test_unrealised_profit_is_kept_and_is_no_change_of_the_balance(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("futures", "USDT", "10", pnl="1"))
    changed = report(account, moment(0, 11), row("futures", "USDT", "10", pnl="2"))

    assert (changed, latest(account)) == (Changed(set(), set()), [("USDT", 10, 0, 2)])
    with tenancy.acting_as(account.user_id):
        assert WalletBalance.objects.count() == 2


def test_each_wallet_says_by_itself_that_nothing_changed(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("spot", "USDT", "5"), row("futures", "USDT", "10"))
    report(account, moment(0, 11), row("spot", "USDT", "5"), row("futures", "USDT", "11"))

    with tenancy.acting_as(account.user_id):
        kept = WalletBalance.objects.order_by("id").values_list("wallet", "available")
        assert list(kept) == [("spot", Decimal(5)), ("futures", Decimal(10)), ("futures", Decimal(11))]


def test_the_sum_of_a_moment_leaves_later_reports_out(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("spot", "USDT", "5"), row("futures", "USDT", "10"))
    report(account, moment(0, 12), row("spot", "USDT", "5"), row("futures", "USDT", "1"))

    with tenancy.acting_as(account.user_id):
        [found] = balances.latest_rows(account_ids=[account.id], until=moment(0, 11))
        assert (found.available, found.reported_at) == (Decimal(15), moment(0, 10))


def test_a_day_ends_with_all_wallets(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), row("spot", "USDT", "5"), row("futures", "USDT", "10", "1"))
    report(account, moment(0, 12), row("spot", "USDT", "7"), row("futures", "USDT", "10", "1"))
    report(account, moment(1, 12), row("spot", "USDT", "7"))

    with tenancy.acting_as(account.user_id):
        ends = {
            at: (held["USDT"].available, held["USDT"].locked) for at, held in read_reports(account).items()
        }
    assert ends == {day(0): (Decimal(17), Decimal(1)), day(1): (Decimal(7), Decimal(0))}


def test_facts_of_all_kinds_add_up(account: ExchangeAccount) -> None:
    amounts = {
        "traded": 1,
        "settled": 10,
        "funding": -2,
        "income": 3,
        "moved": -40,
        "deposited": 100,
        "withdrawn": 5,
        "withdrawal_fees": 1,
    }
    with tenancy.acting_as(account.user_id):
        AssetDay.objects.create(user=account.user, account=account, asset="USDT", day=day(0), **amounts)
        assert balances.computed_totals(account_ids=[account.id]) == {(account.id, "USDT"): Decimal(66)}
        read = read_facts(account)
    assert (read.changes, read.paid_in, read.paid_out) == (
        *({day(0): {"USDT": Decimal(66)}}, {day(0): {"USDT": Decimal(100)}}, {day(0): {"USDT": Decimal(45)}}),
    )


def test_many_wallets_take_as_many_statements_as_one(account: ExchangeAccount) -> None:
    report(account, moment(0), *(row(name, "USDT", "1") for name in ("spot", "futures", "funding")))

    with tenancy.acting_as(account.user_id), CaptureQueriesContext(connection) as queries:
        [found] = comparison.side_by_side(account_ids=[account.id])
    assert (found.total, len(queries)) == (Decimal(3), 7)
