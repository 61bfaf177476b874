"""Entries with their targets and stops, over the API and on the trade's page."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Order
from portfolio import metrics
from portfolio.models import Trade, Valuation
from tests.clients import JsonClient, problem
from tests.factories import OrderFactory
from tests.portfolio import api_books, contracts
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    return api_books.open_account(alice)


def order(account: ExchangeAccount, role: str, quantity: str, **given: Any) -> Order:
    """Of group `g`, an entry bought two days ago and its legs sold, linked by client order id unless told otherwise."""
    is_entry = role == "ENTRY"
    values: dict[str, Any] = {
        "exchange_order_id": role,
        "role": role,
        "group_id": "g",
        "linked_by": "client_id",
        "side": "BUY" if is_entry else "SELL",
        "quantity": Decimal(quantity),
        "ordered_at": api_books.day(2, 9) + timedelta(minutes=0 if is_entry else 1),
    }
    placed: Order = OrderFactory.create(account=account, **{**values, **given})
    return placed


def execute(account: ExchangeAccount, placed: Order, quantity: str, price: str, *, hour: int) -> None:
    at = api_books.day(2, hour)
    fold(
        account,
        fill(
            account, placed.side, quantity, price, executed_at=at, exchange_order_id=placed.exchange_order_id
        ),
    )
    with tenancy.acting_as(account.user_id):
        amount = Decimal(quantity)
        Order.objects.filter(id=placed.pk).update(
            status="FILLED", executed_quantity=amount, executed_quote_quantity=amount * Decimal(price), filled_at=at
        )  # fmt: skip


def two_targets(account: ExchangeAccount) -> Order:
    """1 bought at 101 instead of 100; 0.5 left at TP1 as planned, 0.3 at TP2, and 0.2 at the stop, which slipped."""
    entry = order(account, "ENTRY", "1", price=Decimal(100))
    execute(account, entry, "1", "101", hour=10)
    plan: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("TP1", "0.5", {"price": Decimal(110)}, "110"),
        ("TP2", "0.3", {"price": Decimal(120)}, "121"),
        ("SL", "0.2", {"price": Decimal(94), "stop_price": Decimal(96), "type": "STOP_LOSS_LIMIT"}, "95"),
    )
    for hour, (role, quantity, prices, filled_at) in enumerate(plan, start=11):
        leg = order(account, role, quantity, parent=entry, **prices)
        execute(account, leg, quantity, filled_at, hour=hour)
    return entry


def get(client: JsonClient, path: str = "/api/brackets") -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.json()


def column(legs: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(leg[name] for name in names) for leg in legs]


def test_each_target_has_its_own_quantity_result_and_slippage(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    two_targets(account)

    [bracket] = get(as_alice)["results"]

    names = ("role", "executed_quantity", "net_pnl", "planned_price", "average_price", "slippage")
    assert column(bracket["targets"], *names) == [
        ("TP1", "0.5", "4.5", "110", "110", "0"),
        ("TP2", "0.3", "6", "120", "121", "-1"),
    ]
    assert column(bracket["stops"], *names, "planned_by") == [
        ("SL", "0.2", "-1.2", "96", "95", "1", "trigger")
    ]
    assert (bracket["entry"]["slippage"], bracket["entry"]["slippage_percent"]) == ("1", "1")
    assert (bracket["state"], bracket["is_inferred"]) == ("CLOSED", False)


def test_r_is_of_what_the_first_stop_put_at_risk(account: ExchangeAccount, as_alice: JsonClient) -> None:
    entry = two_targets(account)
    later = {"stop_price": Decimal(100), "ordered_at": api_books.day(2, 12), "exchange_order_id": "moved"}
    order(account, "SL", "0.5", parent=entry, type="STOP_LOSS", status="CANCELED", **later)

    bracket = get(as_alice, f"/api/brackets/{entry.pk}")

    # (101 − 96) × 1 was at risk, 4.5 + 6 − 1.2 came of it.
    assert (bracket["planned_risk"], bracket["net_pnl"], bracket["r_multiple"]) == ("5", "9.3", "1.86")


def test_r_of_a_pair_without_money_is_told_in_one_currency(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    """2 ETH bought at 0.05 BTC while BTC is worth 100,000: 0.01 each was at risk, 2,000; they leave with 1,000."""
    with tenancy.acting_as(account.user_id):
        for hour in (10, 11):
            Valuation.objects.create(
                user_id=account.user_id, asset="BTC", currency="USDT", at=api_books.day(2, hour), price=100_000,
                source="test", source_at=api_books.day(2, hour),
            )  # fmt: skip
    pair = {"symbol": "ETHBTC", "base_asset": "ETH", "quote_asset": "BTC"}
    entry = order(account, "ENTRY", "2", symbol="ETHBTC", executed_quantity=Decimal(2))
    order(account, "SL", "2", parent=entry, symbol="ETHBTC", stop_price=Decimal("0.04"), status="CANCELED")
    bought = {"executed_at": api_books.day(2, 10), "exchange_order_id": "ENTRY", **pair}
    fold(
        account,
        fill(account, "BUY", "2", "0.05", **bought),
        fill(account, "SELL", "2", "0.055", executed_at=api_books.day(2, 11), **pair),
    )
    metrics.refresh(user_id=account.user_id, at=clock.now())

    bracket = get(as_alice, f"/api/brackets/{entry.pk}")
    found = get(as_alice, "/api/performance/metrics?period=30d&symbol=ETHBTC")

    assert (bracket["planned_risk"], bracket["net_pnl"], bracket["r_multiple"]) == ("0.02", "1000", "0.5")
    assert (found["expectancy_r"], found["sample"]["r_multiple_trades"]) == (0.5, 1)


def test_an_entry_that_fills_on_after_its_target_opens_two_positions(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    entry = order(account, "ENTRY", "2", price=Decimal(100))
    execute(account, entry, "1", "100", hour=10)
    execute(account, order(account, "TP1", "1", parent=entry, price=Decimal(110)), "1", "110", hour=11)
    execute(account, entry, "1", "100", hour=12)
    half_way = get(as_alice, f"/api/brackets/{entry.pk}")
    second = order(account, "TP1", "1", parent=entry, price=Decimal(110), exchange_order_id="again")
    execute(account, second, "1", "112", hour=13)

    done = get(as_alice, f"/api/brackets/{entry.pk}")

    assert [(each["state"], each["net_pnl"]) for each in (half_way, done)] == [
        ("OPEN", "10"),
        ("CLOSED", "22"),
    ]


def test_without_a_stop_there_is_no_r(account: ExchangeAccount, as_alice: JsonClient) -> None:
    entry = order(account, "ENTRY", "1")
    execute(account, entry, "1", "100", hour=10)
    leg = order(account, "TP1", "1", parent=entry, price=Decimal(110), linked_by="inferred")
    execute(account, leg, "1", "110", hour=11)

    bracket = get(as_alice, f"/api/brackets/{leg.pk}")

    assert (bracket["r_multiple"], bracket["r_reason"], bracket["is_inferred"]) == (None, "no_stop", True)


def test_an_entry_whose_legs_are_not_placed_yet_is_told(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    entry = order(account, "ENTRY", "1", status="NEW")

    [bracket] = get(as_alice)["results"]

    assert (bracket["id"], bracket["targets"], bracket["stops"]) == (entry.pk, [], [])
    assert get(as_alice, f"/api/brackets/{entry.pk}") == bracket


def test_legs_that_wait_for_nothing_are_orphans(account: ExchangeAccount, as_alice: JsonClient) -> None:
    closed = two_targets(account)
    order(
        account,
        "SL",
        "1",
        parent=closed,
        exchange_order_id="left over",
        stop_price=Decimal(90),
        type="STOP_LOSS",
    )
    order(account, "TP1", "1", exchange_order_id="nobody's", group_id="alone")
    never = order(account, "ENTRY", "1", exchange_order_id="never", group_id="never", status="CANCELED")
    order(account, "TP1", "1", exchange_order_id="of never", group_id="never", parent=never)
    good = order(
        account, "ENTRY", "1", exchange_order_id="good", group_id="good", ordered_at=api_books.day(1)
    )
    execute(account, good, "1", "100", hour=20)
    order(account, "TP1", "1", exchange_order_id="of good", group_id="good", parent=good)

    found = get(as_alice, "/api/brackets?orphaned=true")["results"]

    orphans = {
        leg["exchange_order_id"]: leg["orphaned"]
        for bracket in found
        for leg in (*bracket["targets"], *bracket["stops"])
        if leg["orphaned"]
    }
    assert orphans == {
        "left over": "position_closed",
        "nobody's": "no_entry",
        "of never": "entry_never_filled",
    }
    assert {bracket["state"] for bracket in found} == {"ORPHANED"}


@pytest.mark.parametrize(("market", "linked_by"), [("spot", "exchange"), ("futures", "inferred")])
def test_a_stop_of_several_entries_is_no_orphan_while_they_are_open(
    account: ExchangeAccount, as_alice: JsonClient, market: str, linked_by: str
) -> None:
    api_books.list_pairs()
    side = {} if market == "spot" else {"position_side": "BOTH"}
    order(
        account, "SL", "2", stop_price=Decimal(90), type="STOP_LOSS", group_id="list", linked_by=linked_by,
        market_type=market, **side,
    )  # fmt: skip

    def trade(side: str, quantity: str, hour: int) -> None:
        make, into = (fill, fold) if market == "spot" else (contracts.fill, contracts.fold)
        into(account, make(account, side, quantity, "100", executed_at=api_books.day(2, hour)))

    def told() -> list[tuple[str, str]]:
        found = get(as_alice)["results"]
        return [(bracket["state"], bracket["stops"][0]["orphaned"]) for bracket in found]

    trade("BUY", "1", 10)
    trade("BUY", "1", 11)
    while_open = told()
    trade("SELL", "2", 12)
    assert (while_open, told()) == ([("OPEN", "")], [("ORPHANED", "no_entry")])


def test_statements_do_not_grow_with_stops_that_stand_alone(
    account: ExchangeAccount, as_alice: JsonClient
) -> None:
    def statements(count: int) -> int:
        for number in range(count):
            name = f"{count}-{number}"
            order(account, "SL", "1", exchange_order_id=name, group_id="", linked_by="inferred")
            for role in ("SL", "TP1"):
                order(account, role, "1", exchange_order_id=name + role, group_id=name, linked_by="exchange")
        with CaptureQueriesContext(connection) as queries:
            found = get(as_alice, "/api/brackets?orphaned=true")["results"]
        assert {leg["orphaned"] for each in found for leg in each["stops"]} == {"no_entry"}
        return len(queries)

    assert statements(1) >= statements(3)


def test_pages_list_every_bracket_once(account: ExchangeAccount, as_alice: JsonClient) -> None:
    two_targets(account)
    for number in range(3):
        at = api_books.day(1, number)
        order(account, "TP1", "1", exchange_order_id=f"t{number}", group_id=f"oco{number}", ordered_at=at)
        order(account, "SL", "1", exchange_order_id=f"s{number}", group_id=f"oco{number}", ordered_at=at)

    first = get(as_alice, "/api/brackets?limit=2")
    second = get(as_alice, f"/api/brackets?limit=2&cursor={first['next_cursor']}")

    groups = [bracket["group_id"] for bracket in [*first["results"], *second["results"]]]
    assert (groups, second["next_cursor"]) == (["oco2", "oco1", "oco0", "g"], None)


def test_the_trades_page_shows_its_bracket(account: ExchangeAccount, alice: User, client: Client) -> None:
    two_targets(account)
    client.force_login(alice)
    with tenancy.acting_as(alice.id):
        trade = Trade.objects.order_by("exit_time").first()
    assert trade is not None

    page = client.get(f"/trades/{trade.pk}").content.decode()

    assert "The plan and how it was filled" in page
    assert "it came to 1.86 R" in " ".join(strip_tags(page).split())


def test_a_stop_that_fired_is_told_by_what_it_placed(account: ExchangeAccount, as_alice: JsonClient) -> None:
    """A contract's stop at 96 fired, and what it placed sold at 95; nothing but the stop's own word ties the two."""
    contract = {"market_type": "futures", "position_side": "BOTH"}
    entry = order(account, "ENTRY", "1", price=Decimal(100), **contract)
    stop = order(
        account, "SL", "1", exchange_order_id="algo-7", placed_order_id="8", parent=entry, status="EXPIRED",
        stop_price=Decimal(96), type="STOP_MARKET", price=None, reduce_only=True, **contract,
    )  # fmt: skip
    placed = order(
        account, "SL", "1", exchange_order_id="8", parent=entry, type="MARKET", price=None, status="FILLED",
        executed_quantity=Decimal(1), executed_quote_quantity=Decimal(95), **contract,
    )  # fmt: skip
    fills = [
        contracts.fill(account, side, "1", price, exchange_order_id=name, executed_at=api_books.day(2, hour))
        for side, price, name, hour in (("BUY", "100", "ENTRY", 10), ("SELL", "95", "8", 11))
    ]
    contracts.fold(account, *fills)
    with tenancy.acting_as(account.user_id):
        Order.objects.filter(id=entry.pk).update(status="FILLED", executed_quantity=Decimal(1))
        [trade] = Trade.objects.all()

    [bracket] = get(as_alice)["results"]

    names = ("id", "status", "planned_price", "average_price", "slippage", "net_pnl", "placed_order_id")
    assert column(bracket["stops"], *names) == [(stop.pk, "FILLED", "96", "95", "1", "-5", "8")]
    assert (bracket["r_multiple"], bracket["state"], trade.exit_type) == ("-1.25", "CLOSED", "SL")
    assert get(as_alice, f"/api/brackets/{placed.pk}") == bracket


@pytest.mark.parametrize("path", ["/api/brackets/{id}", "/api/brackets/999999999"])
def test_somebody_elses_bracket_is_not_there(account: ExchangeAccount, as_bob: JsonClient, path: str) -> None:
    entry = two_targets(account)

    assert problem(as_bob.get(path.format(id=entry.pk)))[:2] == (404, "not_found")
    assert get(as_bob)["results"] == []
