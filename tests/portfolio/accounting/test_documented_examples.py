"""The worked examples of docs/accounting.md, number by number."""

import pytest

from portfolio.accounting import events
from portfolio.accounting.moved import Carried, arriving
from portfolio.accounting.results import TradeKind
from tests.portfolio.accounting.books import MINUTE, booked, fill, fold, gross, net, only, shown, units


def test_a_round_trip_with_fees_in_usdt() -> None:
    rows = fold(booked([fill(1, "BUY", "2", "100", fee="0.2"), fill(2, "SELL", "2", "110", fee="0.22")]))

    assert (gross(rows.trades), net(rows.trades)) == (["20"], ["19.58"])
    assert shown(rows.trades[0].pnl_percent) == "9.79"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("average", ["50", "50", "50"]),
        ("fifo", ["150", "-50", "50"]),
        ("lifo", ["50", "-50", "150"]),
        ("hifo", ["-50", "50", "150"]),
    ],
)
def test_the_four_methods(method: str, expected: list[str]) -> None:
    buys = [fill(n, "BUY", "1", price) for n, price in enumerate(("100", "300", "200"))]
    sales = [fill(n, "SELL", "1", "250") for n in (3, 4, 5)]

    assert gross(fold(booked([*buys, *sales]), method=method).trades) == expected


def test_coins_that_are_given() -> None:
    given = events.receipt(
        transfer_id="drop", asset="ADA", time_ms=0, quantity=units("3"), cost=units("3"), price=units("1.5")
    )
    rows = fold([given, *booked([fill(1, "SELL", "3", "2")])])

    assert (shown(only(rows.positions).entry_cost), gross(rows.trades)) == ("4.5", ["1.5"])


def test_a_stated_cost() -> None:
    stated = events.receipt(
        transfer_id="d", asset="ETH", time_ms=0, quantity=units("1"), cost=units("90"), fact=-1
    )
    rows = fold([stated, *booked([fill(1, "BUY", "1", "100"), fill(2, "SELL", "1.5", "120")])])

    assert [shown(trade.cost) for trade in rows.trades] == ["142.5"]


def test_coins_sent_to_another_account_of_ones_own() -> None:
    here = fold(
        [
            *booked([fill(1, "BUY", "2", "100", fee="2")]),
            events.withdrawal(transfer_id="w", time_ms=5 * MINUTE, quantity=units("1.5")),
        ]
    )
    parts = [Carried(row.quantity, row.cost, row.fees, row.entered_ms) for row in here.moved]
    assert [(shown(part.cost), shown(part.fees)) for part in parts] == [("150", "1.5")]
    came = arriving(parts, transfer_id="d", asset="ETH", time_ms=9 * MINUTE, quantity=units("1"), fact=-2)
    there = fold([*came, *booked([fill(20, "SELL", "1", "130")])])

    assert (gross(there.trades), net(there.trades), only(there.trades).entry_ms) == (["30"], ["29"], MINUTE)


def test_a_fee_in_the_coin_that_was_bought() -> None:
    fills = [fill(1, "BUY", "1", "100", fee="0.001", fee_in="ETH"), fill(2, "SELL", "0.999", "110")]
    rows = fold(booked(fills))

    assert (shown(only(rows.positions).entry_cost), gross(rows.trades), net(rows.trades)) == (
        "99.9",
        ["9.99"],
        ["9.89"],
    )


def test_a_fee_in_a_third_coin() -> None:
    bought = fill(1, "BUY", "1", "250", pair="BNB/USDT")
    paid = fill(2, "BUY", "1", "100", fee="0.01", fee_in="BNB", pair="BTC/USDT")

    btc = fold(booked([paid], asset="BTC", fee_price="300"))
    bnb = fold(booked([bought, paid], asset="BNB", fee_price="300"))

    assert shown(only(btc.positions).entry_fees) == "3"
    assert [(trade.key.kind, shown(trade.gross)) for trade in bnb.trades] == [(TradeKind.FEE, "0.5")]


def test_two_take_profits_and_a_stop() -> None:
    exits = [fill(2, "SELL", "0.5", "110"), fill(3, "SELL", "0.3", "120"), fill(4, "SELL", "0.2", "95")]

    assert gross(fold(booked([fill(1, "BUY", "1", "100"), *exits])).trades) == ["5", "6", "-1"]


def test_unknown_cost() -> None:
    deposit = events.deposit(transfer_id="d", time_ms=0, quantity=units("1"))
    rows = fold([deposit, *booked([fill(1, "BUY", "1", "100"), fill(2, "SELL", "1.5", "120")])])

    [trade] = rows.trades
    assert (shown(trade.gross), shown(trade.unknown_quantity), shown(trade.unknown_proceeds)) == (
        "20",
        "0.5",
        "60",
    )
    assert trade.exit_ms == 2 * MINUTE


def test_dust() -> None:
    rows = fold(booked([fill(1, "BUY", "1.00009", "100"), fill(2, "SELL", "1", "110")]), step="0.0001")

    position = only(rows.positions)
    assert (position.status.value, shown(position.dust_out_quantity), shown(position.dust_out_cost)) == (
        "CLOSED",
        "0.00009",
        "0.009",
    )
    assert gross(rows.trades) == ["10"]
