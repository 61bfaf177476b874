"""Coins that come in without a trade, and what withdrawals carry on."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting import engine, events, moved
from portfolio.accounting.events import Event
from portfolio.accounting.moved import Carried
from portfolio.accounting.results import AllocationKind, Collector, MovedRow, PositionStatus
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
from tests.portfolio.accounting.oracle import METHODS
from tests.portfolio.accounting.test_engine_properties import (
    HISTORY,
    METHOD,
    STEP,
    TRANSFERS,
    UNITS,
    Lump,
    history,
    merged,
    stored,
)


def came(
    minute: int, quantity: str, cost: str, *, fee: str = "0", bought: int | None = None, name: str = "in"
) -> Event:
    return events.receipt(
        transfer_id=name, asset="ETH", time_ms=minute * MINUTE, quantity=units(quantity), cost=units(cost),
        fee=units(fee), entered_ms=None if bought is None else bought * MINUTE, fact=-7,
    )  # fmt: skip


def test_what_was_given_costs_what_it_was_worth() -> None:
    given_coins = events.receipt(
        transfer_id="drop",
        asset="ETH",
        time_ms=0,
        quantity=units("3"),
        cost=units("3"),
        price=units("1.5"),
        fact=-1,
    )
    rows = fold([given_coins, *booked([fill(1, "SELL", "3", "2")])])

    assert (shown(only(rows.positions).entry_cost), gross(rows.trades)) == ("4.5", ["1.5"])
    assert (only(rows.positions).opening_fact, rows.allocations[0].entry_fact) == (-1, -1)


def test_coins_carried_in_are_as_old_as_where_they_were_bought() -> None:
    held = booked([fill(5, "BUY", "1", "300"), fill(6, "BUY", "1", "200")])
    sales = booked([fill(n, "SELL", "1", "250") for n in (8, 9, 10)])
    costs = {
        method: [
            shown(trade.cost)
            for trade in fold([*held, came(7, "1", "100", bought=1), *sales], method=method).trades
        ]
        for method in METHODS
    }

    assert costs == {
        "average": ["200", "200", "200"],
        "fifo": ["100", "300", "200"],
        "lifo": ["200", "300", "100"],
        "hifo": ["300", "200", "100"],
    }


def test_an_older_lot_goes_before_one_half_consumed() -> None:
    held = booked([fill(5, "BUY", "4", "300"), fill(6, "SELL", "1", "310")])
    rows = fold([*held, came(7, "1", "100", bought=1), *booked([fill(8, "SELL", "4", "250")])], method="fifo")

    assert [shown(part.cost) for part in rows.allocations] == ["300", "100", "900"]
    assert only(rows.positions).status is PositionStatus.CLOSED


def test_neither_cost_nor_fees_of_a_receipt_are_the_days() -> None:
    rows = fold([came(1, "2", "100", fee="1", bought=0), *booked([fill(2, "SELL", "2", "60", fee="0.5")])])

    assert (net(rows.trades), shown(only(rows.positions).entry_fees)) == (["18.5"], "1")
    mark = only(rows.marks)
    assert [shown(n) for n in (mark.fees, mark.moved_quantity, mark.moved_cost)] == ["0.5", "-2", "-100"]


def test_a_withdrawal_tells_what_it_took() -> None:
    book = [
        events.deposit(transfer_id="d", time_ms=0, quantity=units("1")),
        *booked([fill(1, "BUY", "1", "100", fee="1"), fill(2, "BUY", "1", "200")]),
        events.withdrawal(transfer_id="w", time_ms=3 * MINUTE, quantity=units("2.5"), fact=9),
    ]
    lot, unknown, at = AllocationKind.LOT, AllocationKind.UNKNOWN, 3 * MINUTE

    assert fold(book, method="fifo").moved == [
        MovedRow(9, 0, unknown, units("1"), 0, 0, at, at, None),
        MovedRow(9, 1, lot, units("1"), units("100"), units("1"), MINUTE, at, 0),
        MovedRow(9, 2, lot, units("0.5"), units("100"), 0, 2 * MINUTE, at, 0),
    ]


def arrive(*parts: Carried, quantity: int) -> list[tuple[Any, ...]]:
    found = moved.arriving(parts, transfer_id="t", asset="ETH", time_ms=9, quantity=quantity, fact=-3)
    return [(event.event_id, event.kind.name, event.quantity, event.value, event.fee) for event in found]


def test_the_last_coins_pay_for_the_way() -> None:
    assert arrive(Carried(5, 50, 1, 1), Carried(5, 70, 2, 2), quantity=7) == [
        ("t#0", "RECEIPT", 5, 50, 1),
        ("t#1", "RECEIPT", 2, 28, 0),
    ]


def test_what_was_unknown_arrives_unknown_and_so_does_more_than_was_carried() -> None:
    assert arrive(Carried(2, None, 0, 1), Carried(3, 30, 0, 1), quantity=6) == [
        ("t#0", "DEPOSIT", 2, 0, 0),
        ("t#1", "RECEIPT", 3, 30, 0),
        ("t#2", "DEPOSIT", 1, 0, 0),
    ]


RECEIPTS = st.lists(
    st.tuples(UNITS, st.integers(0, 10**24), st.integers(0, 10**9), st.integers(0, 30), st.integers(0, 30)),
    max_size=4,
)


def with_receipts(lumps: list[Lump], transfers: list[Any], receipts: list[Any]) -> list[Event]:
    """A history with receipts at the times of some of its events, of coins got at or before those."""
    book = history(lumps, transfers)
    times = [event.time for event in book]
    for number, (quantity, cost, fee, place, back) in enumerate(receipts):
        at = min(place, len(times) - 1)
        got = times[max(0, at - back)]
        book.append(
            events.receipt(
                transfer_id=f"r{number}", asset="ETH", time_ms=times[at], quantity=quantity, cost=cost, fee=fee,
                entered_ms=got, fact=-number - 1,
            )
        )  # fmt: skip
    return sorted(book, key=events.fold_key)


@given(HISTORY, TRANSFERS, RECEIPTS, METHOD, STEP, st.lists(st.integers(0, 30), max_size=3))
def test_with_receipts_a_history_in_pieces_equals_the_whole(
    lumps: list[Lump], transfers: list[Any], receipts: list[Any], method: str, step: int, cuts: list[int]
) -> None:
    book = with_receipts(lumps, transfers, receipts)
    whole, rows = resume(engine.new_state(method=method, step=step), book)
    state, pieces = engine.new_state(method=method, step=step), []
    for start, end in pairwise([0, *sorted(min(cut, len(book)) for cut in cuts), len(book)]):
        state, piece = resume(stored(state), book[start:end])
        pieces.append(piece)
    assert state == whole
    assert merged(*pieces) == merged(rows)
    assert [row for piece in pieces for row in piece.moved] == rows.moved


@given(HISTORY, TRANSFERS, RECEIPTS, METHOD, STEP)
def test_every_coin_is_somewhere(
    lumps: list[Lump], transfers: list[Any], receipts: list[Any], method: str, step: int
) -> None:
    book = with_receipts(lumps, transfers, receipts)
    rows = fold(book, method=method, step=step)
    kinds = events.EventKind
    came_in = sum(e.quantity for e in book if e.kind in (kinds.ENTRY, kinds.REBATE, kinds.RECEIPT))
    last = rows.marks[-1]
    sold = sum(part.quantity for part in rows.allocations if part.kind is not AllocationKind.UNKNOWN)
    left = sum(row.quantity for row in rows.moved if row.kind is not AllocationKind.UNKNOWN)
    assert came_in == sold + left + last.open_quantity + last.dust_quantity
    cost_in = sum(p.entry_cost for p in rows.positions)
    spent = sum(part.cost for part in rows.allocations) + sum(row.cost for row in rows.moved)
    assert cost_in == spent + last.open_cost + last.dust_cost


@given(HISTORY, RECEIPTS, METHOD)
def test_the_days_with_receipts_sum_to_what_positions_paid(
    lumps: list[Lump], receipts: list[Any], method: str
) -> None:
    rows = fold(with_receipts(lumps, [], receipts), method=method)
    fees = sum(p.entry_fees + p.exit_fees for p in rows.positions) - sum(row[2] for row in receipts)
    cost = sum(row[1] for row in receipts)
    # Published totals are rounded half-even: one more whole unit may show as none or as two.
    assert abs(sum(mark.fees for mark in rows.marks) - fees) <= len(receipts)
    assert abs(sum(mark.moved_cost for mark in rows.marks) + cost) <= len(receipts)


def test_a_carried_cost_is_the_same_whatever_way_it_is_cut() -> None:
    """A chain of accounts: what the first one took out at a third each arrives as it left, to the last digit."""
    one: Collector = fold(
        [
            Event(0, "1", "ETHUSDT", events.EventKind.ENTRY, "", 3, 10, 0, 1),
            events.withdrawal(transfer_id="w", time_ms=1, quantity=2),
        ]
    )
    parts = [Carried(row.quantity, row.cost, row.fees, row.entered_ms) for row in one.moved]
    two = fold(list(moved.arriving(parts, transfer_id="t", asset="ETH", time_ms=2, quantity=2, fact=-1)))
    assert (only(two.positions).entry_cost, only(one.positions).open_cost) == (7, 3)
    assert abs(Fraction(20, 3) - only(two.positions).entry_cost) < 1
