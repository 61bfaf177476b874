"""A trade explained: everything adds up exactly, also with fees in BNB and in the base coin and a foreign quote."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from orders.models import Fill, Transfer
from portfolio.models import Allocation, Book, Trade, Valuation
from tests.clients import JsonClient
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold, transfer

pytestmark = pytest.mark.django_db


def explain(client: JsonClient, trade: Trade) -> Any:
    response = client.get(f"/api/trades/{trade.pk}/explain")
    assert response.status_code == 200, response.content
    return response.json()


def differing(tree: Any) -> list[str]:
    return [f"{check['basis']}: {check['name']}" for check in tree["checks"] if check["equal"] is not True]


def test_every_trade_of_a_rich_book_adds_up(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    trades = api_books.trades(alice)

    # ETH sold; BTC given for ETH twice; BNB spent on fees twice.
    assert sorted((trade.kind, trade.symbol) for trade in trades) == [
        ("FEE", "ETHBTC"), ("FEE", "ETHBTC"), ("TRADE", "ETHBTC"), ("TRADE", "ETHBTC"), ("TRADE", "ETHBTC"),
    ]  # fmt: skip
    trees = [explain(as_alice, trade) for trade in trades]
    assert [(differing(tree), tree["adds_up"]) for tree in trees] == [([], True)] * 5
    assert {check["basis"] for tree in trees for check in tree["checks"]} == {
        "allocations", "fills", "order", "facts",
    }  # fmt: skip


def test_the_numbers_of_a_rich_trade_follow_from_its_fills(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    (trade,) = api_books.trades(alice, kind="TRADE", exit_order_id="out")

    tree = explain(as_alice, trade)

    btc = Decimal("61000.987654321")
    first = Decimal("1.23456789") * Decimal("0.05555557")
    second = Decimal("0.7") * Decimal("0.05512345")
    # The second exit's fee is in ETH: it leaves with the coins sold, worth the fill's own price.
    fee_coins = Decimal("0.0007")
    unit = Decimal("0.05512345") * btc
    proceeds = (first + second) * btc + fee_coins * unit
    assert tree["sums"]["quantity"] == str(Decimal("1.23456789") + Decimal("0.7") + fee_coins)
    assert abs(Decimal(tree["sums"]["proceeds"]) - proceeds) <= Decimal("1e-18")
    fees = Decimal("0.00314159") * Decimal("599.13") + fee_coins * unit
    assert abs(Decimal(tree["sums"]["exit_fees"]) - fees) <= Decimal("1e-18")
    assert tree["trade"]["net_pnl"] == tree["sums"]["net_pnl"]


def test_fills_carry_their_fee_in_its_coin_with_the_price_used(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    (trade,) = api_books.trades(alice, kind="TRADE", exit_order_id="out")

    tree = explain(as_alice, trade)

    sold = next(row for row in tree["fills"] if row["exchange_fill_id"] == "5")
    assert sold["fee"] == {
        "amount": "0.00314159",
        "currency": "BNB",
        "type": "TAKER",
        "price": "599.13",
        "price_source": "binance:BNBUSDT:1h",
        "value": "1.8822208167",
    }
    assert sold["quote_valuation"] == {
        "asset": "BTC",
        "currency": "USDT",
        "at": f"{api_books.day(4):%Y-%m-%dT%H:%M:%SZ}",
        "price": "61000.987654321",
        "source": "binance:BTCUSDT:1h",
        "source_at": f"{api_books.day(4):%Y-%m-%dT%H:%M:%SZ}",
        "version": 1,
    }


def test_allocations_name_entry_and_exit_fills(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    facts = [
        fill(account, "BUY", "1", "100", exchange_order_id="in"),
        fill(account, "SELL", "1", "110", exchange_order_id="out", fee_amount=Decimal(1)),
    ]
    fold(account, *facts)
    (trade,) = api_books.trades(alice)

    (allocation,) = explain(as_alice, trade)["allocations"]

    entry, sold = allocation.pop("entry_fill"), allocation.pop("exit_fill")
    assert allocation == {
        "sequence": 0, "source": "LOT", "quantity": "1", "cost": "100", "proceeds": "110", "entry_fee": "0",
        "exit_fee": "1", "gross_pnl": "10", "net_pnl": "9", "entry_transfer": None,
    }  # fmt: skip
    assert [(row["exchange_fill_id"], row["exchange_order_id"], row["price"]) for row in (entry, sold)] == [
        ("1", "in", "100"),
        ("2", "out", "110"),
    ]


def test_what_was_never_bought_is_explained_as_unknown(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    facts: list[Fill | Transfer] = [
        transfer(account, asset="BTC", amount=Decimal(3)),
        fill(account, "BUY", "1", "100"),
        fill(account, "SELL", "3", "110"),
    ]
    fold(account, *facts)
    (trade,) = api_books.trades(alice)

    tree = explain(as_alice, trade)

    assert [(row["source"], row["quantity"], row["net_pnl"]) for row in tree["allocations"]] == [
        ("LOT", "1", "10"),
        ("UNKNOWN", "2", None),
    ]
    assert (tree["trade"]["cost_unknown"], tree["sums"]["unknown_proceeds"]) == (True, "220")
    assert differing(tree) == []


def test_a_second_position_is_folded_from_its_own_beginning(alice: User, as_alice: JsonClient) -> None:
    account = api_books.open_account(alice)
    facts = [
        fill(account, side, quantity, price, fee_amount=Decimal("0.333333333333333333"))
        for side, quantity, price in (
            ("BUY", "1", "100"), ("SELL", "1", "90"), ("BUY", "3", "70.7"), ("SELL", "1", "80"), ("SELL", "1", "81.3"),
        )
    ]  # fmt: skip
    fold(account, *facts)

    trees = [explain(as_alice, trade) for trade in api_books.trades(alice)]

    assert [differing(tree) for tree in trees] == [[]] * 3


def test_a_wrong_allocation_is_found(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    (trade,) = api_books.trades(alice, kind="TRADE", exit_order_id="out")
    with tenancy.acting_as(alice.id):
        part = Allocation.objects.filter(trade=trade, sequence=0).order_by("id")[0]
        Allocation.objects.filter(id=part.pk).update(cost=part.cost + Decimal("1e-18"))

    tree = explain(as_alice, trade)

    assert tree["adds_up"] is False
    assert {"allocations: cost", "allocations: gross_pnl", "allocations: net_pnl"} <= set(differing(tree))


def test_a_changed_fact_is_found_by_folding_again(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    (trade,) = api_books.trades(alice, kind="TRADE", exit_order_id="out")
    with tenancy.acting_as(alice.id):
        Valuation.objects.filter(asset="BNB", at=api_books.day(5)).update(price=Decimal(700))

    tree = explain(as_alice, trade)

    assert set(differing(tree)) == {"facts: entry_fees", "facts: net_pnl"}


def test_a_stale_book_says_that_it_cannot_be_checked_yet(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    (trade,) = api_books.trades(alice)
    with tenancy.acting_as(alice.id):
        Book.objects.update(stale_from=clock.now())

    tree = explain(as_alice, trade)

    facts = [check for check in tree["checks"] if check["basis"] == "facts"]
    assert tree["book_is_stale"] is True
    assert {(check["equal"], check["computed"]) for check in facts} == {(None, None)}
    assert {check["note"] for check in facts} == {
        "The book is to be folded again first: new facts or a newer engine."
    }


def test_the_checksum_is_of_the_tree_as_it_is_sent(alice: User, as_alice: JsonClient) -> None:
    api_books.rich(alice)
    trade = api_books.trades(alice)[0]

    tree = explain(as_alice, trade)

    checksum = tree.pop("checksum")
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == checksum


def test_a_trade_shows_its_money_as_text(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    (trade,) = api_books.trades(alice)

    body = as_alice.get(f"/api/trades/{trade.pk}").json()

    assert {name: body[name] for name in ("id", "net_pnl", "entry_fees", "exit_fees", "kind")} == {
        "id": trade.pk,
        "net_pnl": "47.5",
        "entry_fees": "0.5",
        "exit_fees": "2",
        "kind": "TRADE",
    }


@pytest.mark.parametrize("path", ["/api/trades/{}", "/api/trades/{}/explain"])
def test_a_foreign_trade_is_not_there(path: str, alice: User, as_bob: JsonClient) -> None:
    api_books.small(alice)
    (trade,) = api_books.trades(alice)

    assert [as_bob.get(path.format(number)).status_code for number in (trade.pk, 0, 10**30)] == [404] * 3
