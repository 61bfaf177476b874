"""The fast path of a fold against `Book.apply`, which knows every case."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.accounting import engine
from portfolio.accounting.book import Book
from portfolio.accounting.events import Event, OutOfOrder
from portfolio.accounting.results import Collector, PositionStatus, State
from tests.portfolio.accounting.books import booked, fill, resume
from tests.portfolio.accounting.test_engine_properties import (
    HISTORY,
    LUMPS,
    METHOD,
    STEP,
    TRANSFERS,
    UNITS,
    Lump,
    history,
    known_holding,
)

# Money in whole units and gaps within a day, so that positions stay on the fast path for long.
WHOLE = LUMPS.map(lambda lump: lump._replace(fee_in="USDT", gap_ms=min(lump.gap_ms, 1)))
METHODS = pytest.mark.parametrize("method", ["average", "fifo", "lifo", "hifo"])


def resume_event_by_event(state: State, book: Iterable[Event]) -> tuple[State, Collector]:
    rows = Collector()
    slow = Book(state, rows.sink)
    for event in book:
        slow.apply(event)
    slow.emit_open()
    return slow.dump(), rows


def told(result: tuple[State, Collector]) -> list[Any]:
    """The state and all rows, in the order they came."""
    state, rows = result
    return [state, rows.positions, rows.trades, rows.allocations, rows.marks]


@given(HISTORY, TRANSFERS, METHOD, STEP)
@settings(max_examples=200)
def test_the_fast_path_equals_the_general_one(
    lumps: list[Lump], transfers: list[Any], method: str, step: int
) -> None:
    start, book = engine.new_state(method=method, step=step), history(lumps, transfers)
    assert told(resume(start, book)) == told(resume_event_by_event(start, book))


@given(st.lists(WHOLE, min_size=1, max_size=30), UNITS, TRANSFERS, METHOD, STEP)
@settings(max_examples=300)
def test_the_fast_path_equals_the_general_one_over_long_positions(
    lumps: list[Lump], held: int, transfers: list[Any], method: str, step: int
) -> None:
    start, book = (
        engine.new_state(method=method, step=step),
        [known_holding(held), *history(lumps, transfers)],
    )
    assert told(resume(start, book)) == told(resume_event_by_event(start, book))


@METHODS
def test_an_ordinary_position_leaves_the_general_path_after_its_first_entry(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[str] = []
    apply = Book.apply

    def watch(book: Book, event: Event) -> None:
        applied.append(event.event_id)
        apply(book, event)

    monkeypatch.setattr(Book, "apply", watch)
    fills = [
        fill(1, "BUY", "2", "100", fee="0.2"), fill(2, "SELL", "0.5", "110", fee="0.1"),
        fill(3, "BUY", "1", "120"), fill(4, "SELL", "2", "130"), fill(5, "SELL", "0.5", "90"),
    ]  # fmt: skip
    _, rows = resume(engine.new_state(method=method), booked(fills))
    assert applied == ["1"]
    assert [position.status for position in rows.positions] == [PositionStatus.CLOSED]


def test_an_event_out_of_order_is_refused_on_the_fast_path() -> None:
    later, earlier = fill(3, "BUY", "1", "1"), fill(2, "SELL", "1", "1")
    with pytest.raises(OutOfOrder):
        resume(engine.new_state(), booked([fill(1, "BUY", "1", "1"), later, earlier]))


def test_fills_of_one_millisecond_are_booked_in_the_order_of_their_ids() -> None:
    fills = [fill(number, "BUY", "1", "1", minute=1) for number in (9, 10, 11)]
    _, rows = resume(engine.new_state(), booked([*fills, fill(12, "SELL", "3", "1", minute=1)]))
    assert [part.entry_fill_id for part in rows.allocations] == ["9", "10", "11"]
