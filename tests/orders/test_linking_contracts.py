"""Stops and targets of contracts stand alone: the exchange does not say which position they guard."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType, OrderRow, OrderStatus, PositionSide, Side
from orders import ingest
from orders.models import Order
from orders.touched import Touched
from tests.factories import AccountFactory
from tests.orders import rows
from tests.orders.rows import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def store(account: ExchangeAccount, *given: OrderRow) -> Touched:
    return ingest.store_orders(account=account, rows=given, source="sync", run_id=None)


def linked(account: ExchangeAccount) -> dict[str, tuple[str, str | None]]:
    """(role, parent's exchange id) by exchange id."""
    stored = Order.objects.filter(account_id=account.id, market_type="futures")
    values = stored.values_list("exchange_order_id", "role", "parent__exchange_order_id")
    return {order_id: (role, parent) for order_id, role, parent in values}


def entry(order_id: str = "1", **given: Any) -> OrderRow:
    contract = {"market_type": MarketType.FUTURES, "position_side": PositionSide.BOTH}
    return rows.filled(**{"order_id": order_id, **contract, **given})


def guard(order_id: str, kind: str, price: int, **given: Any) -> OrderRow:
    values = {
        "market_type": MarketType.FUTURES,
        "position_side": PositionSide.BOTH,
        "reduce_only": True,
        "order_id": order_id,
        "type": kind,
        "side": Side.SELL,
        "price": None,
        "stop_price": Decimal(price),
        "ordered_at": at(5),
        "updated_at": at(5),
    }
    return rows.order(**{**values, **given})


def test_a_stop_and_targets_guard_the_entry_before_them(account: ExchangeAccount) -> None:
    half = {"quantity": Decimal("0.5")}
    given = (
        entry(),
        guard("2", "STOP_MARKET", 90),
        guard("3", "TAKE_PROFIT_MARKET", 110, **half),
        guard("4", "TAKE_PROFIT_MARKET", 120, **half),
    )
    for order in permutations(given):
        store(account, *order)
        found = linked(account)
        Order.objects.all().delete()

        assert found == {"1": ("ENTRY", None), "2": ("SL", "1"), "3": ("TP1", "1"), "4": ("TP2", "1")}


def test_a_guard_of_the_whole_position_names_no_quantity(account: ExchangeAccount) -> None:
    store(account, entry(), guard("2", "STOP_MARKET", 90, quantity=Decimal(0)))

    assert linked(account) == {"1": ("ENTRY", None), "2": ("SL", "1")}


def test_the_sides_of_hedge_mode_are_guarded_apart(account: ExchangeAccount) -> None:
    short = {"position_side": PositionSide.SHORT, "side": Side.SELL}
    store(
        account,
        entry("1", position_side=PositionSide.LONG),
        entry("2", **short),
        guard("3", "STOP_LOSS", 90, position_side=PositionSide.LONG, reduce_only=False),
        guard("4", "STOP_LOSS", 110, position_side=PositionSide.SHORT, side=Side.BUY, reduce_only=False),
    )

    assert linked(account) == {"1": ("ENTRY", None), "2": ("ENTRY", None), "3": ("SL", "1"), "4": ("SL", "2")}


def test_a_spot_order_of_the_same_name_is_no_entry(account: ExchangeAccount) -> None:
    store(account, rows.filled(), guard("2", "STOP_MARKET", 90))

    assert linked(account) == {"2": ("SL", None)}
    assert Order.objects.get(market_type="spot").role == ""


def test_a_stop_that_opens_a_position_is_no_guard(account: ExchangeAccount) -> None:
    store(account, entry(), guard("2", "STOP_MARKET", 120, side=Side.BUY, reduce_only=False))

    assert linked(account) == {"1": ("", None), "2": ("", None)}


def test_a_moved_stop_guards_what_the_one_before_it_did(account: ExchangeAccount) -> None:
    store(account, entry(), guard("2", "STOP_MARKET", 90))
    gone = guard("2", "STOP_MARKET", 90, status=OrderStatus.CANCELED, updated_at=at(8))
    store(account, gone, guard("3", "STOP_MARKET", 95, ordered_at=at(9), updated_at=at(9)))

    assert linked(account) == {"1": ("ENTRY", None), "2": ("SL", "1"), "3": ("SL", "1")}


def test_a_link_touches_the_contract_that_was_traded(account: ExchangeAccount) -> None:
    ingest.store_fills(account=account, rows=[rows.contract_fill(order_id="1")], source="sync", run_id=None)
    touched = store(account, entry(), guard("2", "STOP_MARKET", 90))

    assert (touched.assets, touched.contracts) == ({}, {("BTCUSDT", "BOTH"): rows.AT})


def fired(order_id: str = "algo-2", **given: Any) -> OrderRow:
    """A stop that placed order 3."""
    return guard(order_id, "STOP_MARKET", 90, status=OrderStatus.EXPIRED, placed_order_id="3", **given)


def sold(**given: Any) -> OrderRow:
    """What it placed: the exchange does not say that it limits a loss."""
    values = {
        "side": Side.SELL,
        "type": "MARKET",
        "reduce_only": True,
        "ordered_at": at(8),
        "updated_at": at(8),
    }
    return entry("3", **{**values, **given})


def test_what_a_stop_placed_when_it_fired_is_the_stop(account: ExchangeAccount) -> None:
    again = guard("algo-4", "STOP_MARKET", 80, ordered_at=at(12), updated_at=at(12))
    later = entry("5", ordered_at=at(11), updated_at=at(11))
    for order in permutations((entry(), fired(), sold())):
        for row in (*order, again, later):
            store(account, row)
        found = linked(account)
        Order.objects.all().delete()

        assert found == {
            "1": ("ENTRY", None),
            "algo-2": ("SL", "1"),
            "3": ("SL", "1"),
            "5": ("ENTRY", None),
            "algo-4": ("SL", "5"),
        }


def test_what_a_target_placed_is_no_target_beside_it(account: ExchangeAccount) -> None:
    """Also where the exchange says of what it placed that it takes a profit."""
    half = {"quantity": Decimal("0.5")}
    gone = {"status": OrderStatus.EXPIRED, "placed_order_id": "3", **half}
    given = (
        guard("plan-2", "TAKE_PROFIT", 110, **gone),
        sold(type="TAKE_PROFIT", price=None, executed_quantity=Decimal("0.5"), **half),
        guard("plan-4", "TAKE_PROFIT", 120, **half),
    )
    for order in permutations(given):
        for row in (entry(), *order):
            store(account, row)
        found = linked(account)
        Order.objects.all().delete()

        assert found == {
            "1": ("ENTRY", None),
            "plan-2": ("TP1", "1"),
            "3": ("TP1", "1"),
            "plan-4": ("TP2", "1"),
        }


def test_what_a_stop_placed_is_no_order_of_another_contract(account: ExchangeAccount) -> None:
    store(account, entry(), fired(), sold(symbol="ETHUSDT"))

    assert linked(account)["3"] == ("", None)


def test_a_name_of_its_own_is_surer_than_what_placed_it(account: ExchangeAccount) -> None:
    store(account, entry(), fired(), sold(client_order_id="cgt-g-TP1"))

    assert linked(account)["3"] == ("TP1", None)


def test_what_an_order_placed_stays_known(account: ExchangeAccount) -> None:
    store(account, fired())
    store(account, guard("algo-2", "STOP_MARKET", 90, status=OrderStatus.EXPIRED, updated_at=at(30)))

    assert Order.objects.get().placed_order_id == "3"
