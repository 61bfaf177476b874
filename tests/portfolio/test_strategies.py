"""Strategies: from a prefix or the user's tag on an order, to fills, positions and trades."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditLog, User
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import ingest
from orders.models import Order
from portfolio import annotations
from portfolio.models import Position, Trade
from tests.clients import JsonClient, problem
from tests.factories import OrderFactory
from tests.orders import rows
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """One round trip of orders `in` and `out`, whose client ids begin with `swing-`, two days ago."""
    account = api_books.open_account(alice)
    for place, (name, side) in enumerate((("in", "BUY"), ("out", "SELL"))):
        at = api_books.day(2) + timedelta(minutes=place)
        OrderFactory.create(
            account=account, exchange_order_id=name, client_order_id=f"swing-{name}", side=side, ordered_at=at
        )
        fold(account, fill(account, side, "1", "100", exchange_order_id=name, executed_at=at))
    return account


def order_id(name: str, user: User) -> int:
    with tenancy.acting_as(user.id):
        return Order.objects.get(exchange_order_id=name).pk


def carried(user: User) -> tuple[str, str]:
    """Of the position, and of the trade."""
    with tenancy.acting_as(user.id):
        return Position.objects.get().strategy, Trade.objects.get().strategy


def patch(client: JsonClient, order: int, **body: Any) -> Any:
    response = client.patch(f"/api/orders/{order}", body)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.usefixtures("account")
def test_a_tag_on_the_opening_order_is_the_positions(alice: User, as_alice: JsonClient) -> None:
    patch(as_alice, order_id("in", alice), strategy="breakout")

    assert carried(alice) == ("breakout", "")
    assert len(as_alice.get("/api/trades/pairs?strategy=breakout").json()["results"]) == 1


@pytest.mark.usefixtures("account")
def test_a_tag_on_the_exit_order_is_the_trades(alice: User, as_alice: JsonClient) -> None:
    patch(as_alice, order_id("out", alice), strategy="breakout")

    assert carried(alice) == ("", "breakout")
    history = as_alice.get("/api/trades/history?strategy=breakout").json()
    assert (len(history["trades"]), history["total_trades"]) == (1, 1)
    assert as_alice.get("/api/trades/history?strategy=other").json()["total_trades"] == 0


@pytest.mark.usefixtures("account")
def test_a_prefix_reaches_orders_fills_positions_and_trades(alice: User, as_alice: JsonClient) -> None:
    as_alice.post("/api/strategies/prefixes", {"prefix": "swing-", "strategy": "swing"})

    assert carried(alice) == ("swing", "swing")
    assert {fill["strategy"] for fill in as_alice.get("/api/fills").json()["results"]} == {"swing"}
    assert len(as_alice.get("/api/orders?strategy=swing").json()["results"]) == 2


@pytest.mark.usefixtures("account")
def test_the_longest_prefix_wins_and_its_end_gives_way(alice: User, as_alice: JsonClient) -> None:
    as_alice.post("/api/strategies/prefixes", {"prefix": "swing", "strategy": "swing"})
    longer = as_alice.post("/api/strategies/prefixes", {"prefix": "swing-o", "strategy": "exits"}).json()
    assert carried(alice) == ("swing", "exits")

    assert as_alice.delete(f"/api/strategies/prefixes/{longer['id']}").status_code == 204
    assert carried(alice) == ("swing", "swing")


@pytest.mark.usefixtures("account")
def test_the_users_tag_stands_above_a_prefix(alice: User, as_alice: JsonClient) -> None:
    order = order_id("in", alice)
    patch(as_alice, order, strategy="by hand")
    as_alice.post("/api/strategies/prefixes", {"prefix": "swing-", "strategy": "swing"})
    assert carried(alice) == ("by hand", "swing")

    body = patch(as_alice, order, strategy="")
    assert (body["strategy"], body["strategy_by"]) == ("swing", "prefix")
    assert carried(alice) == ("swing", "swing")


def test_orders_that_come_later_follow_the_prefix(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    as_alice.post("/api/strategies/prefixes", {"prefix": "swing_", "strategy": "swing"})

    with tenancy.acting_as(alice.id):
        new = [
            rows.order(order_id="1", client_order_id="swing_1"),
            rows.order(order_id="2", client_order_id="swingX"),
        ]
        ingest.store_orders(account=account, rows=new, source="test", run_id=None)

        assert list(Order.objects.order_by("id").values_list("strategy", "strategy_by")) == [
            ("swing", "prefix"),
            ("", ""),
        ]


@pytest.mark.parametrize("placed_first", [True, False])
def test_what_a_conditional_order_placed_is_of_its_strategy(
    account: ExchangeAccount, as_alice: JsonClient, placed_first: bool
) -> None:
    """The exchange gives what it places a name of its own, or none."""
    as_alice.post("/api/strategies/prefixes", {"prefix": "grid-", "strategy": "grid"})
    stop = rows.order(order_id="algo-1", client_order_id="grid-1", placed_order_id="77")
    given = (rows.filled(order_id="77"), stop) if placed_first else (stop, rows.filled(order_id="77"))
    with tenancy.acting_as(account.user_id):
        for row in given:
            ingest.store_orders(account=account, rows=[row], source="sync", run_id=None)
        placed = Order.objects.get(exchange_order_id="77")

    assert (placed.strategy, placed.strategy_by) == ("grid", "prefix")


@pytest.mark.usefixtures("account")
def test_notes_and_tags_hang_on_the_order_and_survive_its_next_state(
    alice: User, as_alice: JsonClient, account: ExchangeAccount
) -> None:
    order = order_id("in", alice)
    patch(as_alice, order, note="too early", tags=["fomo", "fomo", "btc"])
    with tenancy.acting_as(alice.id):
        again = rows.filled(order_id="in", client_order_id="swing-in", updated_at=rows.at(9))
        ingest.store_orders(account=account, rows=[again], source="test", run_id=None)

    body = as_alice.get(f"/api/orders/{order}").json()
    assert (body["note"], body["tags"]) == ("too early", ["fomo", "btc"])
    assert [row["id"] for row in as_alice.get("/api/orders?tag=fomo").json()["results"]] == [order]


@pytest.mark.usefixtures("account")
def test_a_change_stands_in_the_audit_trail(alice: User, as_alice: JsonClient) -> None:
    order = order_id("in", alice)
    patch(as_alice, order, strategy="breakout")
    patch(as_alice, order, strategy="breakout")

    with tenancy.acting_as(alice.id):
        entries = AuditLog.objects.filter(action="order annotated").values_list("record_id", "new_values")
        assert list(entries) == [
            (str(order), {"before": {"strategy": ""}, "after": {"strategy": "breakout"}}),
        ]


@pytest.mark.usefixtures("account")
def test_what_people_write_to_themselves_stays_out_of_the_trail(alice: User, as_alice: JsonClient) -> None:
    patch(as_alice, order_id("in", alice), note="Met Jane Doe about it.")

    with tenancy.acting_as(alice.id):
        entry = AuditLog.objects.get(action="order annotated")
    assert entry.new_values == {"before": {"note": ""}, "after": {"note": "[redacted]"}}


@pytest.mark.usefixtures("account")
def test_rebuilding_from_zero_keeps_strategies(
    alice: User, as_alice: JsonClient, account: ExchangeAccount
) -> None:
    patch(as_alice, order_id("in", alice), strategy="breakout")
    fold(account, from_zero=True)
    with tenancy.acting_as(alice.id):
        annotations.refresh(account=account, since=api_books.day(9))

    assert carried(alice) == ("breakout", "")


@pytest.mark.usefixtures("account")
def test_somebody_elses_order_is_not_there(alice: User, as_bob: JsonClient) -> None:
    path = f"/api/orders/{order_id('in', alice)}"

    assert problem(as_bob.patch(path, {"note": "mine"}))[:2] == (404, "not_found")
    assert problem(as_bob.get(path))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{"strategy": 1}, {"tags": ["x" * 41]}, {"tags": "x"}, {"role": "TP1"}, {"note": "x" * 5001}]
)
@pytest.mark.usefixtures("account")
def test_what_is_no_note_is_refused(alice: User, as_alice: JsonClient, body: dict[str, Any]) -> None:
    assert as_alice.patch(f"/api/orders/{order_id('in', alice)}", body).status_code == 400
