"""Contract books on small cases with known results."""

import pytest

from portfolio.accounting import contract_book
from portfolio.accounting.contracts import BookSide, ContractStatus
from portfolio.accounting.engine import StateMismatch
from portfolio.accounting.events import InvalidFact, OutOfOrder
from tests.portfolio.accounting.books import shown, units
from tests.portfolio.accounting.contracts import column, fill, fold, funding, resume


def test_a_sell_opens_a_short_and_a_buy_closes_it() -> None:
    rows = fold([fill(1, "SELL", "2", "100"), fill(2, "BUY", "2", "90")])

    [position] = rows.positions
    assert (position.side, position.status) == (BookSide.SHORT, ContractStatus.CLOSED)
    assert column(rows.trades, "gross") == ["20"]
    assert column(rows.trades, "pnl_percent") == ["10"]


def test_prices_are_averages_of_fills_for_shorts_too() -> None:
    rows = fold([fill(1, "SELL", "1", "100"), fill(2, "SELL", "1", "110"), fill(3, "BUY", "2", "90")])

    assert column(rows.trades, "entry_price") + column(rows.trades, "exit_price") == ["105", "90"]


def test_a_fill_that_crosses_zero_closes_and_opens_the_other_side() -> None:
    rows = fold(
        [fill(1, "BUY", "1", "100"), fill(2, "SELL", "3", "110", fee="0.3"), fill(3, "BUY", "2", "100")]
    )

    assert [row.side for row in rows.positions] == [BookSide.LONG, BookSide.SHORT]
    assert column(rows.trades, "gross") == ["10", "20"]
    assert column(rows.trades, "exit_fees") + column(rows.trades, "entry_fees") == ["0.1", "0", "0", "0.2"]


def test_the_side_that_a_flip_opened_has_no_checkpoint() -> None:
    rows = fold([fill(1, "BUY", "1", "100"), fill(2, "SELL", "3", "110")])

    assert [row.checkpoint is None for row in rows.positions] == [False, True]


def test_a_position_opened_in_the_millisecond_of_the_last_close_has_no_checkpoint() -> None:
    events = [fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "110")]
    at_once = fill(3, "BUY", "1", "110")._replace(time=events[1].time)
    rows = fold([*events, at_once])

    assert [row.checkpoint is None for row in rows.positions] == [False, True]


def test_a_hedged_side_never_turns() -> None:
    rows = fold([fill(1, "BUY", "1", "100"), fill(2, "SELL", "3", "110", fee="0.3")], side="LONG")

    [position] = rows.positions
    assert (shown(position.unknown_quantity), shown(position.unknown_proceeds)) == ("2", "220")
    assert column(rows.trades, "gross") + column(rows.trades, "net") == ["10", "9.7"]


def test_an_unknown_hedged_exit_is_in_no_result() -> None:
    rows = fold([fill(1, "BUY", "1", "100")], side="SHORT")

    assert column(rows.trades, "gross") + column(rows.trades, "exit_price") == ["0", "100"]
    assert column(rows.trades, "quantity") + column(rows.trades, "unknown_quantity") == ["0", "1"]


def test_a_hedged_short_mirrors() -> None:
    rows = fold([fill(1, "SELL", "1", "100"), fill(2, "BUY", "1", "80")], side="SHORT")

    assert column(rows.trades, "gross") == ["20"]


def test_an_inverse_long_earns_the_base_coin() -> None:
    fills = [
        fill(1, "BUY", "10000", "50000", inverse=True, settle_price="50000"),
        fill(2, "SELL", "10000", "62500", inverse=True, settle_price="62500", pnl="0.04"),
    ]
    rows = fold(fills, inverse=True)

    [trade] = rows.trades
    assert (shown(trade.settled_gross), shown(trade.gross), shown(trade.exchange_pnl)) == (
        "0.04",
        "2500",
        "0.04",
    )
    assert (shown(trade.entry_price), shown(trade.exit_price)) == ("50000", "62500")


def test_an_inverse_short_earns_when_the_price_falls() -> None:
    fills = [fill(1, "SELL", "100", "50", inverse=True), fill(2, "BUY", "100", "40", inverse=True)]

    assert column(fold(fills, inverse=True).trades, "settled_gross") == ["0.5"]


def test_funding_is_shared_by_what_was_held_when_it_was_paid() -> None:
    rows = fold(
        [
            fill(1, "BUY", "3", "100"),
            funding(2, "-0.9"),
            fill(3, "SELL", "1", "110"),
            funding(4, "-0.2"),
            fill(5, "SELL", "2", "120"),
        ]
    )

    assert column(rows.trades, "funding") == ["-0.3", "-0.8"]
    assert column(rows.trades, "net") == ["9.7", "39.2"]
    assert column(rows.positions, "funding") + column(rows.positions, "net") == ["-1.1", "48.9"]


def test_funding_paid_after_the_close_belongs_to_the_position_just_closed() -> None:
    rows = fold([fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "110"), funding(3, "-1")])

    assert column(rows.trades, "net") + column(rows.positions, "net") == ["9", "9"]


def test_funding_before_any_position_stands_in_the_day_alone() -> None:
    rows = fold([funding(1, "-1")])

    assert (rows.positions, column(rows.marks, "funding")) == ([], ["-1"])


def test_a_liquidation_ends_the_position_as_liquidated() -> None:
    rows = fold([fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "90", liquidation=True, pnl="-10")])

    assert [row.status for row in rows.positions] == [ContractStatus.LIQUIDATED]
    assert [row.is_liquidation for row in rows.trades] == [True]


def test_a_part_liquidated_and_the_rest_closed_by_hand_is_no_liquidated_position() -> None:
    fills = [
        fill(1, "BUY", "2", "100"),
        fill(2, "SELL", "1", "90", liquidation=True),
        fill(3, "SELL", "1", "95"),
    ]

    rows = fold(fills)
    assert [row.status for row in rows.positions] == [ContractStatus.CLOSED]
    assert [row.is_liquidation for row in rows.trades] == [True, False]


def test_a_rebate_lowers_the_fees() -> None:
    rows = fold([fill(1, "BUY", "1", "100", fee="-0.1"), fill(2, "SELL", "1", "110", fee="0.2")])

    assert column(rows.trades, "net") == ["9.9"]


def test_the_exchange_is_asked_for_its_own_result() -> None:
    fills = [
        fill(1, "BUY", "1", "100"),
        fill(2, "SELL", "0.5", "110", pnl="5", order="out"),
        fill(3, "SELL", "0.5", "120", pnl="10.01", order="out"),
    ]

    [trade] = fold(fills).trades
    assert (shown(trade.settled_gross), shown(trade.exchange_pnl)) == ("15", "15.01")


def test_one_untold_fill_leaves_the_trades_second_opinion_open() -> None:
    fills = [fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "110", pnl=None)]

    rows = fold(fills)
    assert (rows.trades[0].exchange_pnl, column(rows.marks, "untold")) == (None, ["10"])


def test_what_another_method_realised_earlier_stays_unsettled_until_the_close() -> None:
    fills = [
        fill(1, "BUY", "1", "100"),
        fill(2, "BUY", "1", "200"),
        fill(3, "SELL", "1", "250", pnl="100"),
        fill(1441, "SELL", "1", "250", pnl="100"),
    ]

    assert column(fold(fills, method="fifo").marks, "unsettled") == ["50", "0"]
    assert column(fold(fills).marks, "unsettled") == ["0", "0"]


def test_a_days_mark_holds_a_short_as_less_than_nothing() -> None:
    rows = fold([fill(1, "SELL", "2", "100", fee="1"), fill(2, "BUY", "0.5", "90")])

    [mark] = rows.marks
    assert (shown(mark.quantity), shown(mark.value), shown(mark.gross), shown(mark.fees)) == (
        "-1.5",
        "150",
        "5",
        "1",
    )


def test_fees_in_a_third_coin_count_at_their_price() -> None:
    rows = fold([fill(1, "BUY", "1", "100", fee="0.001", fee_price="600"), fill(2, "SELL", "1", "110")])

    assert column(rows.trades, "entry_fees") == ["0.6"]


def test_an_event_that_is_not_later_is_refused() -> None:
    state, _ = resume(contract_book.new_state(side=BookSide.BOTH), [fill(2, "BUY", "1", "100")])
    with pytest.raises(OutOfOrder):
        resume(state, [fill(1, "BUY", "1", "100")])


def test_a_state_of_another_version_is_refused() -> None:
    state = contract_book.new_state(side=BookSide.BOTH) | {"version": 0}
    with pytest.raises(StateMismatch):
        resume(state, [])


def test_a_fill_of_nothing_is_no_fact() -> None:
    with pytest.raises(InvalidFact):
        fill(1, "BUY", "0", "100")


def test_orders_longest_untouched_make_room() -> None:
    exits = [fill(2 + n, "SELL", "1", "110", order=f"out {n}") for n in range(130)]
    again = fill(500, "SELL", "1", "110", order="out 0")
    rows = fold([fill(1, "BUY", "200", "100"), *exits, again])

    assert len(rows.trades) == 131
    assert sum(row.quantity for row in rows.trades) == units("131")
