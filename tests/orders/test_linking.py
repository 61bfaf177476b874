"""Scenarios as the exchange reports them: order lists by id, names by whoever placed the orders."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import OrderRow, OrderStatus, Side
from orders import ingest, linking
from orders.models import Order
from orders.touched import Touched
from tests.factories import AccountFactory, FillFactory
from tests.orders import rows
from tests.orders.rows import at, bought, stop, target

pytestmark = pytest.mark.django_db
Linked = dict[str, tuple[str, str, str, str | None]]


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def store(account: ExchangeAccount, *given: OrderRow) -> Touched:
    return ingest.store_orders(account=account, rows=given, source="sync", run_id=None)


def linked(account: ExchangeAccount) -> Linked:
    """(role, group, how, parent's exchange id) by exchange id."""
    stored = Order.objects.filter(account_id=account.id).values_list(
        "exchange_order_id", "role", "group_id", "linked_by", "parent__exchange_order_id"
    )
    return {order_id: (role, group, how, parent) for order_id, role, group, how, parent in stored}


def named(order_id: str, role: str, **given: Any) -> OrderRow:
    side = Side.BUY if role == "ENTRY" else Side.SELL
    return rows.order(
        **{"order_id": order_id, "side": side, "client_order_id": f"cgt-0a1b2c3d-{role}", "raw": {}, **given}
    )


def test_orders_named_by_the_convention_form_a_group(account: ExchangeAccount) -> None:
    store(account, named("1", "ENTRY"), named("2", "TP1"), named("3", "TP12"), named("4", "SL"))

    group = "cgt-0a1b2c3d"
    assert linked(account) == {
        "1": ("ENTRY", group, "client_id", None),
        "2": ("TP1", group, "client_id", "1"),
        "3": ("TP12", group, "client_id", "1"),
        "4": ("SL", group, "client_id", "1"),
    }


def test_a_leg_that_comes_before_its_entry_is_hung_on_it_later(account: ExchangeAccount) -> None:
    store(account, named("2", "TP1"))
    assert linked(account)["2"] == ("TP1", "cgt-0a1b2c3d", "client_id", None)

    store(account, named("1", "ENTRY"))

    assert linked(account)["2"] == ("TP1", "cgt-0a1b2c3d", "client_id", "1")


def test_a_group_does_not_reach_over_symbols(account: ExchangeAccount) -> None:
    store(account, named("1", "ENTRY"), named("2", "SL", symbol="ETHUSDT"))

    assert linked(account)["2"][3] is None


def test_a_group_does_not_reach_over_accounts(account: ExchangeAccount) -> None:
    other = AccountFactory.create(user=account.user)
    store(account, named("1", "ENTRY"))

    store(other, named("2", "SL"))

    assert linked(other)["2"][3] is None


@pytest.mark.parametrize(
    "name", ["", "web_123", "cgt-", "cgt--SL", "cgt-g-TP", "cgt-g-TP0", "cgt-g-sl", "xcgt-g-SL"]
)
def test_other_names_link_nothing(account: ExchangeAccount, name: str) -> None:
    store(account, rows.order(client_order_id=name))

    assert linked(account) == {"10": ("", "", "", None)}


def test_the_legs_of_an_order_list_hang_on_its_working_order(account: ExchangeAccount) -> None:
    entry = rows.order(order_id="1", order_list_id="7")
    store(account, entry, target("2", 120, order_list="7"), stop("3", 90, order_list="7"))

    assert linked(account) == {
        "1": ("ENTRY", "BTCUSDT:list:7", "exchange", None),
        "2": ("TP1", "BTCUSDT:list:7", "exchange", "1"),
        "3": ("SL", "BTCUSDT:list:7", "exchange", "1"),
    }


def test_a_working_order_of_a_targets_type_is_the_entry_all_the_same(account: ExchangeAccount) -> None:
    entry = rows.order(order_id="1", type="LIMIT_MAKER", order_list_id="7")
    store(account, entry, target("2", 120, order_list="7"))

    assert {order_id: role for order_id, (role, *_) in linked(account).items()} == {"1": "ENTRY", "2": "TP1"}


def test_equal_list_ids_of_two_symbols_are_two_lists(account: ExchangeAccount) -> None:
    store(
        account,
        rows.order(order_id="1", order_list_id="7"),
        target("2", 120, order_list="7"),
        stop("3", 90, order_list="7", symbol="ETHUSDT"),
        target("4", 120, order_list="7", symbol="ETHUSDT"),
    )

    assert linked(account)["3"] == ("SL", "ETHUSDT:list:7", "exchange", None)


def test_an_oco_belongs_to_the_latest_order_filled_before_it(account: ExchangeAccount) -> None:
    store(
        account,
        bought("1", minute=1),
        bought("2", minute=5),
        bought("3", minute=11),
        target("4", 120, order_list="7"),
        stop("5", 90, order_list="7"),
    )

    assert linked(account) == {
        "1": ("", "", "", None),
        "2": ("ENTRY", "BTCUSDT:2", "inferred", None),
        "3": ("", "", "", None),
        "4": ("TP1", "BTCUSDT:2", "inferred", "2"),
        "5": ("SL", "BTCUSDT:2", "inferred", "2"),
    }


def test_an_oco_does_not_belong_to_an_order_that_bought_less(account: ExchangeAccount) -> None:
    store(
        account,
        bought("1", minute=1),
        bought("2", minute=5, quantity="0.9"),
        target("4", 120, order_list="7"),
        stop("5", 90, order_list="7"),
    )

    assert linked(account)["4"][3] == "1"


def test_an_oco_without_an_entry_keeps_its_roles(account: ExchangeAccount) -> None:
    store(account, target("4", 120, order_list="7"), stop("5", 90, order_list="7"))

    assert linked(account) == {
        "4": ("TP1", "BTCUSDT:list:7", "exchange", None),
        "5": ("SL", "BTCUSDT:list:7", "exchange", None),
    }


def test_a_stop_that_stands_alone_belongs_to_the_latest_order_filled_before_it(
    account: ExchangeAccount,
) -> None:
    store(
        account,
        bought("1", minute=1),
        bought("2", minute=5),
        bought("3", minute=11),
        stop("4", 90, order_list="", status=OrderStatus.CANCELED),
        stop("5", 95, order_list="", ordered_at=at(10), updated_at=at(12)),
        target("6", 120, order_list=""),
    )

    found = {order_id: (role, how, parent) for order_id, (role, _, how, parent) in linked(account).items()}
    assert found == {
        "1": ("", "", None),
        "2": ("ENTRY", "inferred", None),
        "3": ("", "", None),
        "4": ("SL", "inferred", "2"),
        "5": ("SL", "inferred", "2"),
        "6": ("", "", None),  # "post only" is no target by itself
    }


def test_coins_are_guarded_once(account: ExchangeAccount) -> None:
    store(
        account,
        bought("1", minute=1),
        bought("2", minute=5),
        stop("3", 90, order_list=""),
        target("4", 120, order_list="", type="TAKE_PROFIT_LIMIT", ordered_at=at(11)),
    )

    assert [linked(account)[leg][3] for leg in ("3", "4")] == ["2", "1"]


def test_a_stop_that_buys_coins_is_no_exit(account: ExchangeAccount) -> None:
    store(account, rows.filled(order_id="1", side=Side.SELL), stop("2", 120, order_list="", side=Side.BUY))

    assert linked(account)["2"] == ("", "", "", None)


def test_two_ocos_of_a_half_each_share_an_entry_and_count_their_targets(account: ExchangeAccount) -> None:
    half = Decimal("0.5")
    store(
        account,
        bought("1", minute=1),
        target("2", 130, order_list="7", quantity=half),
        stop("3", 90, order_list="7", quantity=half),
        target("4", 120, order_list="8", quantity=half, ordered_at=at(11)),
        stop("5", 90, order_list="8", quantity=half, ordered_at=at(11)),
    )

    assert {order_id: (role, parent) for order_id, (role, _, _, parent) in linked(account).items()} == {
        "1": ("ENTRY", None),
        "2": ("TP2", "1"),
        "3": ("SL", "1"),
        "4": ("TP1", "1"),
        "5": ("SL", "1"),
    }


def test_an_entry_that_is_claimed_is_not_claimed_again(account: ExchangeAccount) -> None:
    store(
        account,
        bought("1", minute=1),
        target("2", 130, order_list="7"),
        stop("3", 90, order_list="7"),
        target("4", 120, order_list="8", ordered_at=at(11)),
        stop("5", 90, order_list="8", ordered_at=at(11)),
    )

    assert [linked(account)[leg][3] for leg in ("2", "3", "4", "5")] == ["1", "1", None, None]


def test_an_oco_that_replaces_a_cancelled_one_takes_over_its_entry(account: ExchangeAccount) -> None:
    gone = {"status": OrderStatus.CANCELED, "updated_at": at(11)}
    store(
        account,
        bought("1", minute=1),
        target("2", 130, order_list="7", **gone),
        stop("3", 90, order_list="7", **gone),
    )
    store(
        account,
        target("4", 120, order_list="8", ordered_at=at(12)),
        stop("5", 95, order_list="8", ordered_at=at(12)),
    )

    assert [linked(account)[leg][3] for leg in ("2", "3", "4", "5")] == ["1"] * 4


def test_an_entry_named_by_convention_is_left_to_its_own_legs(account: ExchangeAccount) -> None:
    store(
        account,
        bought("1", minute=1, client_order_id="cgt-g-ENTRY"),
        target("4", 120, order_list="7"),
        stop("5", 90, order_list="7"),
    )

    assert linked(account)["4"] == ("TP1", "BTCUSDT:list:7", "exchange", None)


def test_buying_by_an_oco_is_no_exit_on_spot(account: ExchangeAccount) -> None:
    store(
        account,
        rows.filled(order_id="1", side=Side.SELL),
        target("4", 90, order_list="7", side=Side.BUY),
        stop("5", 120, order_list="7", side=Side.BUY),
    )

    assert [role for role, *_ in linked(account).values()] == ["", "", ""]


def test_the_leg_of_a_list_waits_for_the_other(account: ExchangeAccount) -> None:
    store(account, bought("1", minute=1), target("4", 120, order_list="7"))
    assert linked(account)["4"][0] == ""

    store(account, stop("5", 90, order_list="7"))

    assert linked(account)["4"] == ("TP1", "BTCUSDT:1", "inferred", "1")


def test_the_outcome_does_not_depend_on_the_order_of_arrival(account: ExchangeAccount) -> None:
    half = Decimal("0.5")
    pages: list[Sequence[OrderRow]] = [
        [bought("1", minute=1)],
        [bought("2", minute=3, quantity="0.6")],
        [target("3", 130, order_list="7", quantity=half), stop("4", 90, order_list="7", quantity=half)],
        [
            target("5", 120, order_list="8", quantity=half, ordered_at=at(12)),
            stop("6", 90, order_list="8", quantity=half, ordered_at=at(12)),
        ],
    ]
    outcomes = []
    for order in permutations(pages):
        fresh = AccountFactory.create(user=account.user)
        for page in order:
            store(fresh, *page)
        outcomes.append(linked(fresh))

    assert outcomes == [outcomes[0]] * 24
    assert {leg: parent for leg, (_, _, _, parent) in outcomes[0].items() if parent} == {
        "3": "2",
        "4": "2",
        "5": "1",
        "6": "1",
    }


def test_an_entry_filled_late_is_found_by_the_oco_placed_after(account: ExchangeAccount) -> None:
    store(
        account,
        rows.order(order_id="1"),
        target("4", 120, order_list="7"),
        stop("5", 90, order_list="7"),
    )
    assert linked(account)["4"][3] is None

    store(account, bought("1", minute=9, raw={}))

    assert linked(account)["4"][3] == "1"


def test_linking_again_changes_nothing(account: ExchangeAccount) -> None:
    store(account, bought("1", minute=1), target("4", 120, order_list="7"), stop("5", 90, order_list="7"))
    before = linked(account)
    everything = list(Order.objects.values_list("id", flat=True))

    assert linking.relink(account=account, order_ids=everything) == []
    linking.link(account=account, order_ids=everything)
    assert linked(account) == before


def test_a_new_link_touches_the_books_its_orders_traded(account: ExchangeAccount) -> None:
    FillFactory.create(account=account, exchange_order_id="1", executed_at=at(1))

    touched = store(
        account, bought("1", minute=1), target("4", 120, order_list="7"), stop("5", 90, order_list="7")
    )

    assert touched == Touched(stored=3, assets={"BTC": at(1)})


def test_orders_without_a_link_touch_no_book(account: ExchangeAccount) -> None:
    FillFactory.create(account=account, exchange_order_id="1")

    assert store(account, bought("1", minute=1)) == Touched(stored=1)


def test_linking_takes_as_many_queries_for_one_list_as_for_many(account: ExchangeAccount) -> None:
    counts = []
    for first, many in ((100, 1), (200, 1), (300, 30)):  # the first finds no earlier entry to ask about
        page = [
            order
            for number in range(first, first + many)
            for order in (
                bought(f"1{number}", minute=number),
                target(f"2{number}", 120, order_list=str(number), ordered_at=at(number)),
                stop(f"3{number}", 90, order_list=str(number), ordered_at=at(number)),
            )
        ]
        with CaptureQueriesContext(connection) as queries:
            store(account, *page)
        counts.append(len(queries))

    assert counts[1] == counts[2]
    assert sum(parent is not None for *_, parent in linked(account).values()) == 64


def test_legs_that_come_before_their_own_entry_leave_no_trace_on_another(account: ExchangeAccount) -> None:
    """Until the working order comes, the rest of an OTOCO looks like an OCO of its own."""
    legs = target("4", 120, order_list="7"), stop("5", 90, order_list="7")
    store(account, bought("1", minute=1), *legs)
    assert linked(account)["4"][3] == "1"

    store(account, rows.order(order_id="3", order_list_id="7", ordered_at=at(10), updated_at=at(10)))

    assert linked(account) == {
        "1": ("", "", "", None),
        "3": ("ENTRY", "BTCUSDT:list:7", "exchange", None),
        "4": ("TP1", "BTCUSDT:list:7", "exchange", "3"),
        "5": ("SL", "BTCUSDT:list:7", "exchange", "3"),
    }
