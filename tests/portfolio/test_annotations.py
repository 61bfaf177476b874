from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Order
from portfolio import annotations, fees
from portfolio.models import AccountMark, Fee, Position, Trade
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


def folded_long_ago(account: ExchangeAccount, *, but: int | None = None) -> None:
    """As if an hour had passed since orders, but for one, were written and followed."""
    with tenancy.acting_as(account.user_id):
        others = Order.objects.filter(account=account).exclude(exchange_order_id=str(but))
        others.update(updated_at=Now() - timedelta(hours=1))
        AccountMark.objects.update_or_create(
            account=account,
            defaults={"orders_to": Now() - timedelta(minutes=30)},
            create_defaults={"user_id": account.user_id, "orders_to": Now() - timedelta(minutes=30)},
        )


def asked_for(account: ExchangeAccount) -> dict[str, int]:
    """How many rows of each kind are written about in the end, when nothing was folded."""
    given: dict[str, int] = {}

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "UPDATE portfolio_" in sql:
            assert "= ANY(%(trades)s)" in sql or "= ANY(%(positions)s)" in sql
            given.update({name: len(params[name]) for name in ("positions", "trades", "orders")})
        return execute(sql, params, many, context)

    with tenancy.acting_as(account.user_id), connection.execute_wrapper(note):
        annotations.refresh(account=account, since=None)
    return given


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


def test_targets_are_in_their_order_and_a_stop_sold_at_the_market_has_no_price(
    account: ExchangeAccount,
) -> None:
    entry = order(account, 1, role="ENTRY", group_id="g")
    legs = {"parent": entry, "group_id": "g", "side": "SELL"}
    for place, target in enumerate((10, 2, 1), start=2):
        order(account, place, role=f"TP{target}", price=Decimal(100 + target), **legs)
    order(account, 9, role="SL", price=None, **legs)
    enter(account)

    stop, targets = rows(account, Position, "stop_loss_price", "take_profit_prices")[0]
    assert stop is None
    assert [Decimal(target) for target in targets] == [Decimal(101), Decimal(102), Decimal(110)]


def test_a_plan_placed_before_a_late_fill_came_is_found(account: ExchangeAccount) -> None:
    planned(account)
    folded_long_ago(account)
    enter(account)

    assert rows(account, Position, "stop_loss_price") == [(90,)]


def test_a_plan_that_is_no_more_is_taken_back(account: ExchangeAccount) -> None:
    entry = planned(account)
    enter(account)
    with tenancy.acting_as(account.user_id):
        Order.objects.filter(parent=entry).update(parent=None, group_id="")
        entry.save()

    fold(account)

    assert rows(account, Position, "stop_loss_price", "take_profit_prices") == [(None, None)]


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


def test_an_order_of_the_other_market_with_the_same_id_says_nothing(account: ExchangeAccount) -> None:
    order(account, 2, role="SL", side="SELL", market_type="futures")
    enter(account)
    leave(account, 2)

    assert rows(account, Trade, "exit_type") == [("MANUAL",)]


def test_an_order_of_another_symbol_with_the_same_id_says_nothing(account: ExchangeAccount) -> None:
    order(account, 2, role="SL", side="SELL", symbol="ETHUSDT")
    enter(account)
    leave(account, 2)

    assert rows(account, Trade, "exit_type") == [("MANUAL",)]


def test_an_order_that_comes_after_its_trade_was_folded_is_picked_up(account: ExchangeAccount) -> None:
    enter(account)
    leave(account, 2)
    folded_long_ago(account)
    order(account, 2, role="SL", side="SELL", strategy="grid")

    fold(account)

    assert rows(account, Trade, "exit_type", "strategy") == [("SL", "grid")]


def test_what_orders_said_before_is_not_looked_at_again_until_all_is(account: ExchangeAccount) -> None:
    leg = order(account, 2, side="SELL")
    enter(account)
    leave(account, 2)
    folded_long_ago(account)
    with tenancy.acting_as(account.user_id):
        Order.objects.filter(id=leg.id).update(role="SL", updated_at=Now() - timedelta(days=1))

    fold(account)
    seen = rows(account, Trade, "exit_type")
    fold(account, from_zero=True)

    assert (seen, rows(account, Trade, "exit_type")) == ([("MANUAL",)], [("SL",)])


def test_a_liquidation_stays_one_whatever_its_order_says(account: ExchangeAccount) -> None:
    order(account, 2, role="SL", side="SELL")
    enter(account)
    leave(account, 2)
    with tenancy.acting_as(account.user_id):
        Trade.objects.filter(account=account).update(exit_type="LIQUIDATION")

    fold(account)

    assert rows(account, Trade, "exit_type") == [("LIQUIDATION",)]


def test_a_long_account_is_read_for_what_changed_only(account: ExchangeAccount) -> None:
    planned(account)
    enter(account)
    for number in range(20, 30):
        leave(account, number, "0.01")
    folded_long_ago(account)

    assert asked_for(account) == {}

    order(account, 31, role="SL", side="SELL")
    leave(account, 31, "0.01")
    folded_long_ago(account, but=31)

    assert asked_for(account) == {"positions": 1, "trades": 1, "orders": 1}


@pytest.mark.parametrize("few", [0, 500])
def test_few_are_looked_up_and_many_are_hashed_to_the_same_end(
    account: ExchangeAccount, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "_FEW", few)
    planned(account)
    enter(account)
    leave(account, 2, "0.4")
    leave(account, 3, "0.1")
    leave(account, 7, "0.1")
    leave(account, 8, "0.4")

    assert rows(account, Trade, "exit_type", "stop_loss_price") == [
        ("SL", 90), ("TP", 90), ("PARTIAL", 90), ("MANUAL", 90)
    ]  # fmt: skip


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


def test_a_worker_that_dies_after_the_fold_leaves_what_hangs_on_it_to_the_next(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(account, 2, role="TP1", side="SELL")
    enter(account)
    leave(account, 2)
    folded_long_ago(account)
    late = fill(account, "BUY", "1", "90", executed_at=START, fee_amount=Decimal("0.1"), fee_currency="BTC")
    with monkeypatch.context() as dying:
        dying.setattr(fees, "refresh", None)
        with pytest.raises(TypeError):
            fold(account, late)
    fold(account)

    assert rows(account, Trade, "exit_type", "strategy") == [("TP", "")]
    assert rows(account, Fee, "fill_id") == [(late.id,)]
