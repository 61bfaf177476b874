"""Positions that end at another account than they began: plans, exit types and brackets follow."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from orders.models import Order
from portfolio import annotations
from portfolio.models import Position, Trade
from tests.clients import JsonClient
from tests.factories import OrderFactory
from tests.portfolio.pooled import Pool, at

pytestmark = pytest.mark.django_db


def order(pool: Pool, where: str, name: str, role: str, **given: Any) -> Order:
    side = "BUY" if role == "ENTRY" else "SELL"
    placed: Order = OrderFactory.create(
        account=pool.account(where), exchange_order_id=name, role=role, side=side, linked_by="client_id",
        ordered_at=at(0) + timedelta(seconds=role != "ENTRY"), **given,
    )  # fmt: skip
    return placed


@pytest.mark.parametrize("few", [500, 0])
def test_the_plan_of_a_position_and_the_order_of_an_exit_may_be_of_two_accounts(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "_FEW", few)
    pool = Pool()
    entry = order(pool, "here", "in", "ENTRY", group_id="g", strategy="swing")
    order(pool, "here", "stop", "SL", group_id="g", parent=entry, stop_price=Decimal(90))
    order(pool, "there", "out", "TP1", strategy="grid")

    pool.fold(
        pool.fill("here", "BUY", "1", "100", 1, exchange_order_id="in"),
        pool.fill("there", "SELL", "1", "120", 5, exchange_order_id="out"),
        at_account="there",
    )

    assert pool.told(Position, "account", "stop_loss_price", "strategy") == [(pool.here.id, 90, "swing")]
    assert pool.told(Trade, "account", "exit_type", "stop_loss_price", "strategy") == [
        (pool.there.id, "TP", 90, "grid")
    ]


def test_a_leg_of_an_entry_that_added_to_anothers_position_is_no_orphan(
    alice: User, as_alice: JsonClient
) -> None:
    alice.cost_scope = "all"
    alice.save()
    pool = Pool(alice)
    filled = {"status": "FILLED", "executed_quantity": Decimal(1), "filled_at": at(2)}
    entry = order(pool, "there", "in", "ENTRY", group_id="g", **filled)
    order(pool, "there", "stop", "SL", group_id="g", parent=entry, stop_price=Decimal(90))

    pool.fold(
        pool.fill("here", "BUY", "1", "100", 1),
        pool.fill("there", "BUY", "1", "100", 2, exchange_order_id="in"),
    )

    [bracket] = as_alice.get("/api/brackets").json()["results"]
    assert (bracket["state"], [leg["orphaned"] for leg in bracket["stops"]]) == ("OPEN", [""])
