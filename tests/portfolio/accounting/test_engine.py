"""The engine's rules, one by one; among them the traps that PnL programs fall into."""

import json

import pytest

from core.errors import Invalid
from core.money import UNIT
from portfolio.accounting import engine, events
from portfolio.accounting.book import DAY_MS
from portfolio.accounting.results import AllocationKind, PositionStatus, TradeKind
from portfolio.accounting.state import OPEN_ORDERS
from tests.portfolio.accounting import oracle
from tests.portfolio.accounting.books import (
    MINUTE,
    booked,
    fill,
    fold,
    gross,
    net,
    only,
    resume,
    shown,
    units,
)

METHODS = pytest.mark.parametrize("method", oracle.METHODS)
DAY = DAY_MS


@METHODS
def test_each_take_profit_leg_books_only_its_own_fills(method: str) -> None:
    legs = [fill(n, "SELL", "0.5", price, order=f"tp{n}") for n, price in ((2, "110"), (3, "120"))]
    rows = fold(booked([fill(1, "BUY", "1", "100"), *legs]), method=method)
    assert [shown(trade.quantity) for trade in rows.trades] == ["0.5", "0.5"]
    assert shown(only(rows.positions).exit_quantity) == "1"
    assert gross(rows.trades) == ["5", "10"]


def test_the_exit_price_is_the_average_of_the_fills() -> None:
    fills = [
        fill(2, "SELL", "1", "130", order="limit at 110"),
        fill(3, "SELL", "3", "110", order="limit at 110"),
    ]
    [trade] = fold(booked([fill(1, "BUY", "4", "100"), *fills])).trades
    assert (shown(trade.exit_price), shown(trade.quantity), trade.exit_ms) == ("115", "4", 3 * MINUTE)


def test_a_spot_sell_without_coins_is_no_short() -> None:
    rows = fold(booked([fill(1, "SELL", "2", "100", fee="0.2")]))
    position = only(rows.positions)
    assert (position.side, position.status) == ("LONG", PositionStatus.CLOSED)
    assert (position.entry_price, position.realised_gross, position.cost_unknown) == (None, 0, True)
    assert (shown(position.unknown_quantity), shown(position.unknown_proceeds)) == ("2", "200")
    assert (position.key.fill_id, position.entry_order_id) == ("1", "")


def test_a_base_coin_fee_is_not_in_both_cost_and_quantity() -> None:
    fills = [fill(1, "BUY", "1", "100", fee="0.001", fee_in="ETH"), fill(2, "SELL", "0.999", "100")]
    position = only(fold(booked(fills)).positions)
    assert (shown(position.entry_price), shown(position.entry_cost)) == ("100", "99.9")
    assert (position.realised_gross, shown(position.realised_net)) == (0, "-0.1")


def test_percent_of_a_partial_close_is_on_the_closed_part() -> None:
    fills = [fill(1, "BUY", "10", "100"), fill(2, "SELL", "1", "110"), fill(3, "SELL", "9", "110")]
    assert [shown(trade.pnl_percent) for trade in fold(booked(fills)).trades] == ["10", "10"]


def test_percent_has_four_places() -> None:
    [trade] = fold(booked([fill(1, "BUY", "3", "3"), fill(2, "SELL", "3", "4")])).trades
    assert shown(trade.pnl_percent) == "33.3333"


def test_a_deposit_is_no_profit_and_opens_nothing() -> None:
    rows = fold([events.deposit(transfer_id="d", time_ms=1, quantity=units("5"))])
    assert (rows.positions, rows.trades) == ([], [])
    assert shown(rows.marks[0].unknown_quantity) == "5"


@METHODS
def test_a_later_buy_never_changes_an_earlier_exit(method: str) -> None:
    first = [fill(1, "BUY", "2", "100"), fill(2, "SELL", "1", "150")]
    before = fold(booked(first), method=method).trades
    after = fold(booked([*first, fill(3, "BUY", "1", "900")]), method=method).trades
    assert after == before


def test_methods_differ_on_the_way_and_agree_at_the_end() -> None:
    fills = [
        fill(1, "BUY", "1", "100", fee="1"), fill(2, "BUY", "2", "160", fee="5"),
        fill(3, "SELL", "1", "150"), fill(4, "SELL", "2", "170"),
    ]  # fmt: skip
    rows = [fold(booked(fills), method=method) for method in oracle.METHODS]
    assert [net(one.trades) for one in rows] == [
        ["8", "56"],
        ["49", "15"],
        ["-12.5", "76.5"],
        ["-12.5", "76.5"],
    ]
    assert [only(one.positions).realised_net for one in rows] == [64 * UNIT] * 4


def consumed(book: list[events.Event], method: str) -> list[tuple[str | None, int]]:
    """Entry fill and quantity of every allocation."""
    return [(part.entry_fill_id, part.quantity) for part in fold(book, method=method).allocations]


def test_of_equal_cost_the_earliest_leaves_first_under_hifo() -> None:
    """A third, twice: told equal by products, where a division would have to round."""
    entry = events.EventKind.ENTRY
    lots = [("a", 1, 1, 4), ("b", 2, 1, 3), ("c", 3, 2, 6)]
    book = [events.Event(at, name, "ETHUSDT", entry, "", size, cost, 0, 1) for name, at, cost, size in lots]
    book.append(events.Event(4, "d", "ETHUSDT", events.EventKind.EXIT, "sale", 13, 13, 0, 1))

    assert consumed(book, "hifo") == [("b", 3), ("c", 6), ("a", 4)]


@pytest.mark.parametrize(("method", "order"), [("lifo", "2 3 2 1"), ("hifo", "2 2 1 3")])
def test_a_half_consumed_lot_goes_on_where_it_was_left(method: str, order: str) -> None:
    bought = [fill(1, "BUY", "1", "110"), fill(2, "BUY", "2", "120")]
    later = [fill(4, "SELL", "1", "150"), fill(5, "BUY", "1", "100"), fill(6, "SELL", "3", "150")]
    found = consumed(booked([*bought, *later]), method)

    assert " ".join(str(name) for name, _ in found) == order.replace("3", "5")


def test_fees_on_the_way_out_do_not_enter_trade_statistics() -> None:
    held = booked([fill(1, "BUY", "1", "300", pair="BNB/USDT")], asset="BNB")
    paid = booked([fill(2, "BUY", "1", "100", fee="0.001", fee_in="BNB")], asset="BNB", fee_price="310")
    [trade] = fold(held + paid).trades
    assert (trade.key.kind, trade.key.order_id, shown(trade.gross)) == (TradeKind.FEE, "order 2", "0.01")


def test_an_exit_takes_what_is_known_and_flags_the_rest() -> None:
    rows = fold(booked([fill(1, "BUY", "1", "100"), fill(2, "SELL", "4", "120", fee="4.8")]))
    [trade] = rows.trades
    assert (shown(trade.quantity), shown(trade.gross), shown(trade.unknown_quantity)) == ("1", "20", "3")
    assert (shown(trade.unknown_proceeds), shown(trade.exit_fees), shown(trade.net)) == ("360", "4.8", "15.2")
    assert [part.kind for part in rows.allocations] == [AllocationKind.LOT, AllocationKind.UNKNOWN]
    assert sum(part.quantity for part in rows.allocations) == units("4")


def test_unknown_fills_of_one_order_make_one_position() -> None:
    rows = fold(booked([fill(n, "SELL", "1", "100", order="sale") for n in (1, 2)]))
    assert shown(only(rows.positions).unknown_quantity) == "2"
    assert shown(rows.trades[0].exit_price) == "100"


def test_a_payment_of_coins_nobody_had_seen_and_its_own_rebate_are_one_position() -> None:
    payment = fill(1, "BUY", "1", "0.05", pair="ADA/ETH", fee="-0.001", fee_in="ETH")
    rows = fold(booked([payment], quote_price="100"))

    position = only(rows.positions)
    assert position.status is PositionStatus.OPEN
    assert (shown(position.unknown_quantity), shown(position.unknown_proceeds)) == ("0.05", "5")
    assert (shown(position.open_quantity), shown(position.open_cost)) == ("0.001", "0.1")
    assert [trade.closes_position for trade in rows.trades] == [False]


def test_the_rebate_of_a_payment_that_emptied_an_older_position_opens_the_next() -> None:
    bought = fill(1, "BUY", "0.05", "100")
    paid = fill(2, "BUY", "1", "0.05", pair="ADA/ETH", fee="-0.001", fee_in="ETH")
    rows = fold(booked([bought, paid], quote_price="100"))

    assert [(row.key.fill_id, row.status.value) for row in rows.positions] == [("1", "CLOSED"), ("2", "OPEN")]


def test_dust_leaves_at_the_episodes_average_cost_without_profit() -> None:
    fills = [fill(1, "BUY", "1.0005", "100"), fill(2, "SELL", "1", "110")]
    rows = fold(booked(fills), step="0.001")
    position, [mark] = only(rows.positions), rows.marks
    assert (position.status, shown(position.realised_gross)) == (PositionStatus.CLOSED, "10")
    assert (shown(position.dust_out_quantity), shown(position.dust_out_cost)) == ("0.0005", "0.05")
    assert (mark.open_quantity, shown(mark.dust_quantity), shown(mark.dust_cost)) == (0, "0.0005", "0.05")


def test_coins_at_the_step_keep_a_position_open() -> None:
    fills = [fill(1, "BUY", "1.001", "100"), fill(2, "SELL", "1", "110")]
    assert only(fold(booked(fills), step="0.001").positions).status is PositionStatus.OPEN


def test_later_sales_reach_into_the_dust_at_its_cost() -> None:
    fills = [fill(1, "BUY", "1.0005", "100"), fill(2, "SELL", "1", "110"), fill(3, "SELL", "0.0005", "120")]
    rows = fold(booked(fills), step="0.001")
    swept = rows.trades[1]
    assert (swept.key.position.fill_id, shown(swept.cost), shown(swept.gross)) == ("3", "0.05", "0.01")
    assert (rows.allocations[-1].kind, rows.allocations[-1].entry_fill_id) == (AllocationKind.DUST, None)
    assert rows.marks[-1].dust_quantity == 0


@METHODS
def test_the_closing_exit_takes_all_entry_fees_that_are_left(method: str) -> None:
    fills = [fill(1, "BUY", "1.0005", "100", fee="0.3"), fill(2, "SELL", "1", "110")]
    [trade] = fold(booked(fills), method=method, step="0.001").trades
    assert (shown(trade.entry_fees), trade.closes_position) == ("0.3", True)


def test_a_closing_order_that_fills_on_stays_with_its_position() -> None:
    fills = [fill(1, "BUY", "1", "100"), *(fill(n, "SELL", "1", "110", order="big sale") for n in (2, 3))]
    rows = fold(booked(fills))
    position, [trade] = only(rows.positions), rows.trades
    assert (shown(position.exit_quantity), shown(position.unknown_quantity)) == ("1", "1")
    assert (trade.closes_position, position.closed_ms) == (True, 3 * MINUTE)


@pytest.mark.parametrize(("method", "left"), [("average", "110"), ("fifo", "120")])
def test_a_withdrawal_moves_coins_out_at_the_methods_cost_without_a_trade(method: str, left: str) -> None:
    book = booked([fill(1, "BUY", "1", "100", fee="1"), fill(2, "BUY", "1", "120", fee="3")])
    book.append(events.withdrawal(transfer_id="w", time_ms=3 * MINUTE, quantity=units("1")))
    rows = fold(book, method=method)
    position = only(rows.positions)
    assert rows.trades == []
    assert (shown(position.open_cost), shown(position.moved_quantity)) == (left, "1")
    assert shown(position.moved_fees) == ("2" if method == "average" else "1")


def test_a_withdrawal_takes_coins_of_unknown_cost_first() -> None:
    book = [
        events.deposit(transfer_id="d", time_ms=1, quantity=units("3")),
        *booked([fill(1, "BUY", "1", "100")]),
        events.withdrawal(transfer_id="w", time_ms=2 * MINUTE, quantity=units("3.5")),
    ]
    rows = fold(book)
    assert shown(only(rows.positions).moved_quantity) == "0.5"
    assert (rows.marks[0].unknown_quantity, shown(rows.marks[0].moved_cost)) == (0, "50")


def test_a_position_emptied_by_a_withdrawal_is_closed() -> None:
    book = [
        *booked([fill(1, "BUY", "1", "100", fee="1")]),
        events.withdrawal(transfer_id="w", time_ms=2 * MINUTE, quantity=units("1")),
        *booked([fill(3, "BUY", "1", "200")]),
    ]
    moved, bought = fold(book).positions
    assert (moved.status, moved.closed_ms, shown(moved.moved_fees)) == (
        PositionStatus.CLOSED,
        2 * MINUTE,
        "1",
    )
    assert (bought.status, shown(bought.open_cost)) == (PositionStatus.OPEN, "200")


def test_a_withdrawal_of_dust_takes_its_cost_along() -> None:
    book = booked([fill(1, "BUY", "1.0005", "100"), fill(2, "SELL", "1", "110")])
    book.append(events.withdrawal(transfer_id="w", time_ms=3 * MINUTE, quantity=units("1")))
    [mark] = fold(book, step="0.001").marks
    assert (mark.dust_quantity, shown(mark.moved_quantity), shown(mark.moved_cost)) == (0, "0.0005", "0.05")


def test_marks_tell_each_days_end() -> None:
    fills = [
        fill(1, "BUY", "2", "100", fee="1")._replace(executed_ms=DAY - 1),
        fill(2, "SELL", "1", "150", fee="2")._replace(executed_ms=DAY),
        fill(3, "SELL", "1", "90")._replace(executed_ms=3 * DAY),
    ]
    marks = fold(booked(fills)).marks
    seen = [(m.date.isoformat(), shown(m.open_cost), shown(m.realised_gross), shown(m.fees)) for m in marks]
    assert seen == [
        ("1970-01-01", "200", "0", "1"), ("1970-01-02", "100", "50", "2"), ("1970-01-04", "0", "-10", "0"),
    ]  # fmt: skip


def test_allocations_name_the_entry_fills_oldest_first_under_every_method() -> None:
    fills = [fill(1, "BUY", "1", "100"), fill(2, "BUY", "1", "120"), fill(3, "SELL", "1.5", "130")]
    for method, costs in (("average", ["110", "55"]), ("fifo", ["100", "60"])):
        parts = fold(booked(fills), method=method).allocations
        assert [(part.entry_fill_id, shown(part.quantity)) for part in parts] == [("1", "1"), ("2", "0.5")]
        assert [shown(part.cost) for part in parts] == costs


def test_the_entry_time_of_a_trade_is_the_oldest_entry_it_consumed() -> None:
    fills = [
        fill(1, "BUY", "1", "1"),
        fill(2, "BUY", "1", "1"),
        fill(3, "SELL", "1", "1"),
        fill(4, "SELL", "1", "1"),
    ]
    assert [trade.entry_ms for trade in fold(booked(fills)).trades] == [MINUTE, 2 * MINUTE]


def test_a_symbol_is_the_opening_fills_for_a_position_and_the_exits_for_a_trade() -> None:
    fills = [fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "110", pair="ETH/EUR")]
    rows = fold(booked(fills))
    assert (only(rows.positions).symbol, rows.trades[0].key.symbol) == ("ETHUSDT", "ETHEUR")


def test_an_event_before_the_last_is_refused() -> None:
    state, _ = resume(engine.new_state(), booked([fill(2, "BUY", "1", "1")]))
    for late in (fill(1, "BUY", "1", "1"), fill(2, "BUY", "1", "1")):
        with pytest.raises(events.OutOfOrder):
            resume(state, booked([late]))


def test_a_state_of_another_engine_version_is_refused() -> None:
    state = {**engine.new_state(), "version": engine.ENGINE_VERSION + 1}
    with pytest.raises(engine.StateMismatch):
        resume(state, [])


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(Invalid):
        engine.new_state(method="best guess")


def test_a_fold_of_nothing_changes_nothing() -> None:
    state, _ = resume(engine.new_state(), booked([fill(1, "BUY", "1", "1")]))
    again, rows = resume(state, [])
    assert (again, rows.positions, rows.marks) == (state, [], [])


def test_the_state_stays_small_however_many_orders_a_position_lives_through() -> None:
    entry = fill(1, "BUY", "1000", "100")
    state, _ = resume(
        engine.new_state(), booked([entry, *(fill(n, "SELL", "0.1", "110") for n in range(2, 900))])
    )
    assert len(state["position"]["trades"]) == OPEN_ORDERS
    assert len(json.dumps(state)) < 300 * OPEN_ORDERS


def test_an_order_that_fills_again_much_later_gets_a_second_trade_and_loses_nothing() -> None:
    patient = {"side": "SELL", "quantity": "1", "price": "200", "order": "patient"}
    others = [fill(n, "SELL", "0.1", "110") for n in range(3, 3 + OPEN_ORDERS)]
    fills = [fill(1, "BUY", "1000", "100"), fill(2, **patient), *others, fill(500, **patient)]  # type: ignore[arg-type]
    rows = fold(booked(fills))
    parts = [trade for trade in rows.trades if trade.key.order_id == "patient"]
    assert [trade.key.first_fill_id for trade in parts] == ["2", "500"]
    assert sum(trade.net for trade in rows.trades) == only(rows.positions).realised_net
