"""Which withdrawals and deposits are one transfer."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from orders.own_transfers import Match, Move, pairs
from tests.conftest import NOW

HERE, THERE = UUID(int=1), UUID(int=2)


def left(number: int = 1, **more: Any) -> Move:
    values: dict[str, Any] = {
        "amount": Decimal(5),
        "fee_amount": Decimal("0.1"),
        "tx_id": "",
        "occurred_at": NOW,
    } | more
    return Move(number, values.pop("account_id", HERE), "WITHDRAWAL", "BTC", **values)


def came(number: int = 2, **more: Any) -> Move:
    values = {"fee_amount": Decimal(0), "occurred_at": NOW + timedelta(hours=1)} | more
    return left(number, **{"account_id": THERE, **values})._replace(kind="DEPOSIT")


def test_the_same_transaction_is_one_transfer_whatever_was_lost_on_the_way() -> None:
    assert pairs([left(tx_id="0xAB"), came(tx_id="0xab", amount=Decimal(4))]) == [Match(1, 2, "tx_id", True)]


def test_the_only_pair_of_one_amount_is_one_transfer_with_the_fee_or_without() -> None:
    assert pairs([left(), came()]) == [Match(1, 2, "amount", True)]
    assert pairs([left(), came(amount=Decimal("4.9"))]) == [Match(1, 2, "amount", True)]


def test_two_that_would_fit_are_proposed() -> None:
    assert pairs([left(), came(), came(3)]) == [Match(1, 2, "amount", False), Match(1, 3, "amount", False)]


def test_what_differs_is_no_transfer() -> None:
    others = [
        came(amount=Decimal("4.8")),
        came(account_id=HERE),
        came()._replace(asset="ETH"),
        came(occurred_at=NOW),
        came(occurred_at=NOW + timedelta(days=4)),
        came(tx_id="0xCD"),
    ]
    assert [pairs([left(tx_id="0xAB"), other]) for other in others] == [[]] * len(others)


def test_a_transaction_leaves_nothing_for_the_amounts() -> None:
    moves = [left(tx_id="a"), came(tx_id="a"), left(3), came(4)]
    assert pairs(moves) == [Match(1, 2, "tx_id", True), Match(3, 4, "amount", True)]


def test_of_one_transaction_that_carried_several_each_goes_by_its_amount() -> None:
    two = {"tx_id": "a", "amount": Decimal(2)}
    moves = [left(tx_id="a"), left(3, **two), came(tx_id="a"), came(4, **two)]

    assert pairs(moves) == [Match(1, 2, "tx_id", True), Match(3, 4, "tx_id", True)]
    equal = [left(tx_id="a"), left(3, tx_id="a"), came(tx_id="a"), came(4, tx_id="a")]
    assert [one.is_sure for one in pairs(equal)] == [False] * 4
