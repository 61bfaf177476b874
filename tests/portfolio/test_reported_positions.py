from datetime import datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import PositionRow, PositionSide
from portfolio import balances
from portfolio.models import ReportedPosition
from tests.factories import AccountFactory
from tests.orders.rows import position
from tests.portfolio.days import moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def report(account: ExchangeAccount, at: datetime, *rows: PositionRow) -> set[str]:
    with tenancy.acting_as(account.user_id):
        return balances.record_positions(account=account, rows=rows, at=at, run_id=7)


def held(account: ExchangeAccount) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = ReportedPosition.objects.order_by("symbol", "side")
        return list(rows.values_list("symbol", "side", "quantity", "unrealized_pnl", "reported_at"))


def test_a_position_is_kept_as_reported(account: ExchangeAccount) -> None:
    changed = report(account, moment(0), position())

    assert changed == {"BTCUSDT"}
    assert held(account) == [("BTCUSDT", "LONG", 1, 1, moment(0))]


def test_a_moved_mark_is_kept_and_is_no_trade(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), position())
    changed = report(account, moment(0, 11), position(mark_price=Decimal(90), unrealized_pnl=Decimal(-10)))

    assert (changed, held(account)) == (set(), [("BTCUSDT", "LONG", 1, -10, moment(0, 11))])


@pytest.mark.parametrize("change", [{"quantity": Decimal(2)}, {"entry_price": Decimal(101)}])
def test_another_quantity_or_entry_is_a_trade(account: ExchangeAccount, change: dict[str, Decimal]) -> None:
    report(account, moment(0, 10), position())

    assert report(account, moment(0, 11), position(**change)) == {"BTCUSDT"}


def test_a_position_reported_no_more_is_closed_once(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), position(), position(symbol="ETHUSDT"))

    assert report(account, moment(0, 11), position(symbol="ETHUSDT")) == {"BTCUSDT"}
    assert report(account, moment(0, 12), position(symbol="ETHUSDT")) == set()
    assert held(account)[0] == ("BTCUSDT", "LONG", 0, None, moment(0, 11))


def test_both_sides_of_a_contract_stand_apart(account: ExchangeAccount) -> None:
    sides = [position(side=side, is_hedged=True) for side in (PositionSide.LONG, PositionSide.SHORT)]
    report(account, moment(0, 10), *sides)

    assert report(account, moment(0, 11), sides[0]) == {"BTCUSDT"}
    assert [row[1:3] for row in held(account)] == [("LONG", 1), ("SHORT", 0)]


def test_a_position_that_opens_again_is_a_trade(account: ExchangeAccount) -> None:
    report(account, moment(0, 10), position())
    report(account, moment(0, 11))

    assert report(account, moment(0, 12), position()) == {"BTCUSDT"}
