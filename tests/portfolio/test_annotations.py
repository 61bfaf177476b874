from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Order
from portfolio import annotations
from portfolio.models import Position, Trade
from tests.factories import AccountFactory, OrderFactory
from tests.portfolio.books import START, fill, fold

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def order(account: ExchangeAccount, number: int, **more: Any) -> Order:
    """The order of the fill with that number."""
    values: dict[str, Any] = {
        "exchange_order_id": str(number),
        "ordered_at": START + timedelta(minutes=number),
    } | more
    stored: Order = OrderFactory.create(account=account, **values)
    return stored


def planned(account: ExchangeAccount) -> Order:
    """An entry at 100 with a stop at 90 and targets at 110 and 120."""
    entry = order(account, 1, role="ENTRY", group_id="g")
    legs = {"parent": entry, "group_id": "g", "side": "SELL"}
    order(account, 2, role="SL", stop_price=Decimal(90), price=Decimal(89), **legs)
    order(account, 3, role="TP2", price=Decimal(120), **legs)
    order(account, 4, role="TP1", price=Decimal(110), **legs)
    return entry


def rows(account: ExchangeAccount, model: Any, *columns: str) -> list[tuple[Any, ...]]:
    with tenancy.acting_as(account.user_id):
        return list(model.objects.filter(account=account).order_by("id").values_list(*columns))


def enter(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"))


def leave(account: ExchangeAccount, number: int, quantity: str = "1") -> None:
    fold(account, fill(account, "SELL", quantity, "110", exchange_order_id=str(number)))


def test_a_position_knows_the_stop_and_targets_planned_with_its_entry(account: ExchangeAccount) -> None:
    planned(account)
    enter(account)

    assert rows(account, Position, "stop_loss_price", "take_profit_prices") == [
        (90, ["110.000000000000000000", "120.000000000000000000"])
    ]


def test_a_stop_that_was_moved_was_not_the_plan(account: ExchangeAccount) -> None:
    entry = planned(account)
    legs = {"parent": entry, "group_id": "g", "side": "SELL"}
    order(account, 9, role="SL", stop_price=Decimal(99), **legs)
    enter(account)

    assert rows(account, Position, "stop_loss_price") == [(90,)]


@pytest.mark.parametrize(("number", "exit_type"), [(2, "SL"), (3, "TP"), (4, "TP")])
def test_the_exit_orders_role_decides_the_exit_type(
    account: ExchangeAccount, number: int, exit_type: str
) -> None:
    planned(account)
    enter(account)
    leave(account, number)

    assert rows(account, Trade, "exit_type", "stop_loss_price") == [(exit_type, 90)]


def test_without_a_role_an_exit_is_manual_if_it_closes_and_partial_if_not(account: ExchangeAccount) -> None:
    enter(account)
    leave(account, 7, "0.4")
    leave(account, 8, "0.6")

    assert rows(account, Trade, "exit_type") == [("PARTIAL",), ("MANUAL",)]


def test_an_inferred_role_says_so(account: ExchangeAccount) -> None:
    order(account, 2, role="SL", side="SELL", linked_by="inferred", strategy="grid")
    enter(account)
    leave(account, 2)

    assert rows(account, Trade, "exit_type", "exit_reason", "strategy") == [("SL", "role inferred", "grid")]


def test_a_role_taken_back_takes_the_exit_type_back(account: ExchangeAccount) -> None:
    leg = order(account, 2, role="SL", side="SELL")
    enter(account)
    leave(account, 2)
    with tenancy.acting_as(account.user_id):
        leg.role = ""
        leg.save()

    fold(account)

    assert rows(account, Trade, "exit_type") == [("MANUAL",)]


def test_an_order_of_another_symbol_with_the_same_id_says_nothing(account: ExchangeAccount) -> None:
    order(account, 2, role="SL", side="SELL", symbol="ETHUSDT")
    enter(account)
    leave(account, 2)

    assert rows(account, Trade, "exit_type") == [("MANUAL",)]


def test_many_trades_take_no_more_statements_than_one(account: ExchangeAccount) -> None:
    def statements() -> int:
        with tenancy.acting_as(account.user_id), CaptureQueriesContext(connection) as queries:
            annotations.refresh(account=account, since=START)
        return len(queries)

    planned(account)
    enter(account)
    leave(account, 2, "0.01")
    one = statements()
    for number in range(20, 40):
        leave(account, number, "0.01")

    assert statements() == one
