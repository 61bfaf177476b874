"""Trades and positions explained through the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.django import tenancy
from portfolio.models import Allocation, Position, Trade
from portfolio.selectors.trees import node
from tests.clients import JsonClient, client_of, problem, stranger
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db
KINDS = ("trade", "position")


def explained(client: JsonClient, path: str, **query: str) -> Any:
    response = client.get(f"/api/explain/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def differing(tree: Any) -> list[str]:
    return [check["name"] for check in tree["checks"] if check["equal"] is not True]


def positions(user: User) -> list[Position]:
    with tenancy.acting_as(user.id):
        return list(Position.objects.order_by("opened_at", "id"))


def parts_of(root: Any) -> dict[str, Any]:
    return {child["name"]: child for child in root["children"]}


def exits(user: User, count: int) -> Trade:
    """One order that sells in so many fills what one fill bought."""
    account = api_books.open_account(user)
    start = api_books.day(3)
    facts = [fill(account, "BUY", str(count), "100", executed_at=start, fee_amount=Decimal("0.7"))]
    for number in range(count):
        at = start + timedelta(minutes=1 + number)
        facts.append(
            fill(account, "SELL", "1", f"11{number}.3", executed_at=at, exchange_order_id="out",
                 fee_amount=Decimal("0.11"))
        )  # fmt: skip
    fold(account, *facts)
    (trade,) = api_books.trades(user)
    return trade


def test_dust_of_an_earlier_position_counts_in_the_one_that_sold_it(
    alice: User, as_alice: JsonClient
) -> None:
    account, day = api_books.open_account(alice), api_books.day
    fold(
        account,
        fill(account, "BUY", "1.000000005", "100", executed_at=day(4)),
        fill(account, "SELL", "1", "110", executed_at=day(3)),
        fill(account, "BUY", "1", "200", executed_at=day(2)),
        fill(account, "SELL", "1.000000005", "300", executed_at=day(1)),
    )

    trees = [explained(as_alice, f"position/{row.pk}") for row in positions(alice)]

    assert [differing(tree) for tree in trees] == [[], []]
    quantities = [parts_of(parts_of(tree["root"])["quantity"]) for tree in trees]
    assert [(each["dust_taken"]["value"], each["dust_quantity"]["value"]) for each in quantities] == [
        ("0", "0.000000005"),
        ("0.000000005", "0"),
    ]


def test_every_trade_and_position_of_a_rich_book_adds_up(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)

    paths = [f"trade/{row.pk}" for row in api_books.trades(alice)]
    paths += [f"position/{row.pk}" for row in positions(alice)]
    trees = [explained(as_alice, path) for path in paths]

    assert [(differing(tree), tree["adds_up"]) for tree in trees] == [([], True)] * len(paths)


def test_a_trade_is_explained_down_to_its_fills(alice: User, as_alice: JsonClient) -> None:
    trade = exits(alice, 1)

    root = explained(as_alice, f"trade/{trade.pk}")["root"]

    top = {name: (child["value"], child["sign"]) for name, child in parts_of(root).items() if child["sign"]}
    assert (root["value"], top) == (
        "9.49",
        {"gross_pnl": ("10.3", 1), "entry_fees": ("0.7", -1), "exit_fees": ("0.11", -1), "funding": ("0", 1)},
    )
    (allocation,) = parts_of(root)["gross_pnl"]["children"]
    assert [(each["name"], each["value"], each["details"]["fill"]) for each in allocation["children"]] == [
        ("proceeds", "110.3", "2"),
        ("cost", "100", "1"),
    ]


def test_facts_carry_the_prices_used(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    (trade,) = api_books.trades(alice, kind="TRADE", exit_order_id="out")

    facts = parts_of(explained(as_alice, f"trade/{trade.pk}")["root"])["facts"]["children"]

    prices = [each["children"][1] for each in facts]
    assert {(each["value"], each["details"].get("source")) for each in prices} >= {
        ("61000.987654321", "binance:BTCUSDT:1h"),
        ("599.13", "binance:BNBUSDT:1h"),
    }


def test_a_wrong_allocation_is_found(alice: User, as_alice: JsonClient) -> None:
    trade = exits(alice, 1)
    with tenancy.acting_as(alice.id):
        Allocation.objects.update(exit_fee=Decimal("0.110000000000000001"))

    tree = explained(as_alice, f"trade/{trade.pk}")

    assert {"net_pnl", "net_pnl/exit_fees"} <= set(differing(tree))
    assert tree["adds_up"] is False


def test_what_is_too_long_is_one_node_that_leads_on(
    alice: User, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "LIMIT", 2)
    trade = exits(alice, 3)

    tree = explained(as_alice, f"trade/{trade.pk}")
    gross = parts_of(tree["root"])["gross_pnl"]["children"]
    more = as_alice.get(gross[-1]["link"]).json()

    assert [(each["value"], each["count"]) for each in gross] == [("10.3", 1), ("11.3", 1), ("12.3", 1)]
    assert [each["name"] for each in gross][-1] == "rest"
    assert (more["root"]["name"], more["root"]["value"], len(more["root"]["children"])) == (
        "gross_pnl", "12.3", 1,
    )  # fmt: skip
    assert (tree["adds_up"], more["adds_up"]) == (True, True)


def test_a_position_is_the_sum_of_its_trades(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    (position,) = positions(alice)
    (trade,) = api_books.trades(alice)

    tree = explained(as_alice, f"position/{position.pk}")

    (only,) = [child for child in tree["root"]["children"] if child["sign"]]
    assert (tree["root"]["value"], only["value"], only["link"]) == (
        "47.5", "47.5", f"/api/explain/trade/{trade.pk}",
    )  # fmt: skip
    assert parts_of(tree["root"])["quantity"]["value"] == "1"
    assert tree["adds_up"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_statements_do_not_grow_with_rows(kind: str, alice: User, bob: User) -> None:
    def statements(user: User, count: int) -> int:
        trade = exits(user, count)
        client = client_of(user)
        with CaptureQueriesContext(connection) as queries:
            explained(client, f"{kind}/{trade.pk if kind == 'trade' else trade.position_id}")
        return len(queries)

    assert statements(alice, 1) == statements(bob, 3) <= 25


def test_two_answers_are_the_same(alice: User, as_alice: JsonClient) -> None:
    trade = exits(alice, 1)
    one, other = (explained(as_alice, f"trade/{trade.pk}") for _ in range(2))

    assert one == other


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_elses_number_is_not_there(kind: str, alice: User, as_bob: JsonClient) -> None:
    trade = exits(alice, 1)
    row_id = trade.pk if kind == "trade" else trade.position_id

    answers = [as_bob.get(f"/api/explain/{kind}/{number}") for number in (row_id, 0, 10**30)]

    assert [answer.status_code for answer in answers] == [404] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_is_asked_to_log_in(kind: str) -> None:
    assert problem(stranger().get(f"/api/explain/{kind}/1"))[:2] == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("query", "status"),
    [({"part": "nothing"}, 404), ({"after": "-1"}, 400), ({"after": "x"}, 400), ({"aft": "1"}, 400)],
)
def test_a_question_that_cannot_be_is_refused(
    query: dict[str, str], status: int, alice: User, as_alice: JsonClient
) -> None:
    trade = exits(alice, 1)

    assert as_alice.get(f"/api/explain/trade/{trade.pk}", query).status_code == status
