"""What holds for every history: cut, shuffled, split or late, to the last of 18 digits."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.accounting import engine, events
from portfolio.accounting.book import DAY_MS
from portfolio.accounting.events import Event, EventKind, Fill
from portfolio.accounting.results import AllocationKind, Collector, PositionStatus, State
from tests.portfolio.accounting.books import booked, fold, resume
from tests.portfolio.accounting.oracle import METHODS

Row = TypeVar("Row")
HUGE = 99_999_999_999_999_999_999 * 10**18
METHOD = st.sampled_from(METHODS)
STEP = st.sampled_from([1, 3, 10**15])
UNITS = st.one_of(st.integers(1, 12), st.integers(1, 10**19), st.integers(1, HUGE))


class Lump(NamedTuple):
    """A fill made of `parts` equal parts, so that every cut between parts is exact."""

    side: str
    parts: int
    quantity: int
    paid: int
    fee: int
    fee_in: str
    order: int
    gap_ms: int


LUMPS = st.builds(
    Lump,
    side=st.sampled_from(["BUY", "BUY", "SELL", "SELL"]),
    parts=st.integers(1, 6),
    quantity=UNITS,
    paid=UNITS,
    fee=st.integers(-3, 10**9),
    fee_in=st.sampled_from(["USDT", "BNB", "ETH"]),
    order=st.integers(1, 4),
    gap_ms=st.sampled_from([0, 1, DAY_MS // 2]),
)
TRANSFER = st.tuples(st.sampled_from([events.deposit, events.withdrawal]), UNITS, st.integers(0, 30))
TRANSFERS = st.lists(TRANSFER, max_size=3)
HISTORY = st.lists(LUMPS, min_size=1, max_size=14)


def to_fills(
    lumps: Iterable[Lump], cut: Callable[[Lump], list[int]] = lambda lump: [lump.parts]
) -> list[Fill]:
    """Fills in fold order; an order id is never shared by buys and sells."""
    fills, now = [], 0
    for number, lump in enumerate(lumps):
        now += lump.gap_ms
        for part, size in enumerate(cut(lump)):
            fee_in = lump.fee_in if abs(lump.fee) < lump.quantity else "USDT"
            fills.append(
                Fill(
                    f"{number:03d}{part:02d}", "ETHUSDT", "ETH", "USDT", lump.side, 3 * 10**17,
                    lump.quantity * size, lump.paid * size, lump.fee * size, fee_in, now,
                    f"{lump.side} {lump.order}",
                )
            )  # fmt: skip
    return fills


def history(lumps: Sequence[Lump], transfers: Sequence[Any] = ()) -> list[Event]:
    fills = to_fills(lumps)
    book = booked(fills, fee_price="250.5")
    for number, (make, quantity, place) in enumerate(transfers):
        time = fills[min(place, len(fills) - 1)].executed_ms
        book.append(make(transfer_id=f"t{number}", time_ms=time, quantity=quantity))
    return sorted(book, key=events.fold_key)


def merged(*parts: Collector) -> dict[Hashable, Any]:
    """Rows as a table would hold them after upserting each fold's."""
    table: dict[Hashable, Any] = {}
    for rows in parts:
        table |= {("position", row.key): row for row in rows.positions}
        table |= {("trade", row.key): row for row in rows.trades}
        table |= {("mark", row.day): row for row in rows.marks}
        table |= {("part", row.trade, row.exit_fill_id, row.sequence): row for row in rows.allocations}
    return table


def known_holding(quantity: int) -> Event:
    """An entry before everything else, large enough that nothing runs out."""
    return Event(0, "", "ETHUSDT", EventKind.ENTRY, "first", quantity, 7 * quantity, 0, 1)


def stored(state: State) -> State:
    restored: State = json.loads(json.dumps(state))
    return restored


@given(HISTORY, TRANSFERS, METHOD, STEP, st.lists(st.integers(0, 30), max_size=3))
def test_a_history_folded_in_pieces_equals_the_whole(
    lumps: list[Lump], transfers: list[Any], method: str, step: int, cuts: list[int]
) -> None:
    book = history(lumps, transfers)
    whole, rows = resume(engine.new_state(method=method, step=step), book)
    state, pieces = engine.new_state(method=method, step=step), []
    edges = [0, *sorted(min(cut, len(book)) for cut in cuts), len(book)]
    for start, end in pairwise(edges):
        state, piece = resume(stored(state), book[start:end])
        pieces.append(piece)
    assert state == whole
    assert merged(*pieces) == merged(rows)


@given(HISTORY, TRANSFERS, METHOD, STEP)
def test_within_one_fold_every_key_comes_once(
    lumps: list[Lump], transfers: list[Any], method: str, step: int
) -> None:
    rows = fold(history(lumps, transfers), method=method, step=step)
    count = len(rows.positions) + len(rows.trades) + len(rows.marks) + len(rows.allocations)
    assert len(merged(rows)) == count


@given(HISTORY, METHOD, st.randoms(use_true_random=False))
def test_the_order_of_arrival_is_of_no_account(lumps: list[Lump], method: str, rng: random.Random) -> None:
    fills = to_fills(lumps)
    shuffled = rng.sample(fills, len(fills))
    again = sorted(booked(shuffled, fee_price="250.5"), key=events.fold_key)
    assert merged(fold(again, method=method)) == merged(fold(history(lumps), method=method))


@given(HISTORY, METHOD, STEP, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_an_exact_split_of_fills_changes_no_position_and_no_trade(
    lumps: list[Lump], method: str, step: int, rng: random.Random
) -> None:
    def cut(lump: Lump) -> list[int]:
        first = rng.randint(1, lump.parts)
        return [size for size in (first, lump.parts - first) if size]

    whole = fold(booked(to_fills(lumps), fee_price="250.5"), method=method, step=step)
    split = fold(booked(to_fills(lumps, cut), fee_price="250.5"), method=method, step=step)
    plain = [row._replace(checkpoint=None) for row in whole.positions]  # type: ignore[arg-type]
    assert [row._replace(checkpoint=None) for row in split.positions] == plain  # type: ignore[arg-type]
    assert (split.trades, split.marks) == (whole.trades, whole.marks)


def paid_in_eth(fills: Iterable[Fill]) -> list[Event]:
    """The ETH book of fills that buy and sell ADA for ETH: a fee in ETH leaves it too, a rebate enters it."""
    priced = [one._replace(symbol="ADAETH", base="ADA", quote="ETH") for one in fills]
    return [known_holding(HUGE * 1000), *booked(priced, quote_price="2", fee_price="250.5")]


def one_way(lump: Lump) -> Lump:
    """The same with a fee that moves the ETH book the way the fill does: paid where ETH leaves, else a rebate."""
    return lump._replace(fee=abs(lump.fee) if lump.side == "BUY" else -abs(lump.fee))


def positions_of(rows: Collector) -> list[Any]:
    return [row._replace(checkpoint=None) for row in rows.positions]  # type: ignore[arg-type]


@given(HISTORY, METHOD, STEP, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_an_exact_split_changes_no_position_where_fees_move_the_book_too(
    lumps: list[Lump], method: str, step: int, rng: random.Random
) -> None:
    def cut(lump: Lump) -> list[int]:
        return [1] * lump.parts if rng.random() < 0.5 else [lump.parts]

    if method != "fifo":
        lumps = [one_way(lump) for lump in lumps]
    whole = fold(paid_in_eth(to_fills(lumps)), method=method, step=step)
    split = fold(paid_in_eth(to_fills(lumps, cut)), method=method, step=step)
    assert positions_of(split) == positions_of(whole)


@given(HISTORY, METHOD, STEP, st.integers(0, 60))
def test_no_two_positions_of_a_book_share_a_key_wherever_the_fold_is_cut(
    lumps: list[Lump], method: str, step: int, place: int
) -> None:
    book = paid_in_eth(to_fills(lumps))[1:]
    empty = engine.new_state(method=method, step=step)
    state, whole = resume(empty, book)
    tail, _ = resume(resume(empty, book[:place])[0], book[place:])
    keys = [row.key for row in whole.positions]
    assert len(keys) == len(set(keys))
    assert tail == state


def test_under_average_a_fee_out_of_an_entry_costs_what_had_come_in_by_then() -> None:
    """Of two sales for 5 ETH at 4 each with a fee of 1 ETH, the first fee leaves before the second 5 came in."""
    held = known_holding(10 * 10**18)._replace(value=10 * 10**18)
    sale = Fill("2", "ADAETH", "ADA", "ETH", "SELL", 10**18, 10**19, 10**19, 2 * 10**18, "ETH", 1, "sale")
    half = sale._replace(
        quantity=sale.quantity // 2, quote_quantity=sale.quote_quantity // 2, fee_amount=10**18
    )
    costs = {}
    for name, fills in {"whole": [sale], "split": [half, half._replace(fill_id="3")]}.items():
        [position] = fold([held, *booked(fills, quote_price="4")]).positions
        costs[name] = position.exit_cost
    # Whole: 2 of 20 that cost 50. Split: 1 of 15 that cost 30, then 1 of 19 that cost 48.
    assert costs == {"whole": 5 * 10**18, "split": 2 * 10**18 + 48 * 10**18 // 19 + 1}


@given(HISTORY, TRANSFERS, METHOD, STEP, st.integers(0, 30))
def test_a_late_event_recomputed_from_a_flat_point_equals_a_full_refold(
    lumps: list[Lump], transfers: list[Any], method: str, step: int, place: int
) -> None:
    book = history(lumps, transfers)
    late = book[place % len(book)]
    empty = engine.new_state(method=method, step=step)
    _, rows = resume(empty, [event for event in book if event is not late])
    kept, start = Collector(), empty
    before = [row for row in rows.positions if opening(book, row) < events.fold_key(late)]
    if before:
        start = before[-1].checkpoint.state()
    last = engine.last_key(start)
    state, again = resume(start, [event for event in book if last is None or events.fold_key(event) > last])
    keep_untouched(rows, kept, before[:-1], start)
    whole_state, whole = resume(empty, book)
    assert state == whole_state
    assert merged(kept, again) == merged(whole)


def opening(book: Sequence[Event], row: Any) -> events.FoldKey:
    """Where a position began, in fold order."""
    return min(events.fold_key(event) for event in book if (event.symbol, event.event_id) == tuple(row.key))


def keep_untouched(rows: Collector, kept: Collector, positions: Sequence[Any], start: State) -> None:
    """What a store keeps when it recomputes from `start`."""
    keys = {row.key for row in positions}
    kept.positions += positions
    kept.trades += [row for row in rows.trades if row.key.position in keys]
    kept.allocations += [row for row in rows.allocations if row.trade.position in keys]
    kept.marks += [row for row in rows.marks if row.day < int(start["day"][0])]


def summed(
    rows: Iterable[Row], key: Callable[[Row], Hashable], amounts: Callable[[Row], tuple[int, ...]]
) -> Any:
    sums: dict[Hashable, tuple[int, ...]] = defaultdict(tuple)
    for row in rows:
        before = sums[key(row)] or (0,) * len(amounts(row))
        sums[key(row)] = tuple(map(sum, zip(before, amounts(row), strict=True)))
    return dict(sums)


@given(HISTORY, TRANSFERS, METHOD, STEP)
def test_parts_sum_to_trades_and_trades_to_positions(
    lumps: list[Lump], transfers: list[Any], method: str, step: int
) -> None:
    rows = fold(history(lumps, transfers), method=method, step=step)
    known = [part for part in rows.allocations if part.kind is not AllocationKind.UNKNOWN]
    in_parts = summed(
        known, lambda p: p.trade, lambda p: (p.quantity, p.cost, p.proceeds, p.entry_fees, p.gross)
    )
    in_trades = {
        t.key: (t.quantity, t.cost, t.proceeds, t.entry_fees, t.gross) for t in rows.trades if t.quantity
    }
    assert in_parts == in_trades
    fees = summed(rows.allocations, lambda p: p.trade, lambda p: (p.exit_fees,))
    assert fees == {t.key: (t.exit_fees,) for t in rows.trades}
    per_position = summed(
        rows.trades, lambda t: t.key.position, lambda t: (t.gross, t.net, t.quantity, t.unknown_quantity)
    )
    exits = [p for p in rows.positions if p.key in per_position]
    assert per_position == {
        p.key: (p.realised_gross, p.realised_net, p.exit_quantity, p.unknown_quantity) for p in exits
    }
    assert all(p.realised_net == 0 for p in rows.positions if p.key not in per_position)


@given(HISTORY, TRANSFERS, METHOD, STEP)
def test_nothing_is_lost_in_quantity_or_cost(
    lumps: list[Lump], transfers: list[Any], method: str, step: int
) -> None:
    book = history(lumps, transfers)
    rows = fold(book, method=method, step=step)
    for p in rows.positions:
        into, out = p.entry_quantity + p.dust_in_quantity, p.exit_quantity + p.moved_quantity
        assert into == out + p.dust_out_quantity + p.open_quantity
        into, out = p.entry_cost + p.dust_in_cost, p.exit_cost + p.moved_cost
        assert into == out + p.dust_out_cost + p.open_cost
        assert (p.status is PositionStatus.CLOSED) == (p.closed_ms is not None) == (p.open_quantity == 0)
    exits = [event for event in book if event.kind in (EventKind.EXIT, EventKind.FEE)]
    parts = summed(rows.allocations, lambda part: part.exit_fill_id, lambda part: (part.quantity,))
    assert parts == {event.event_id: (event.quantity,) for event in exits}
    assert sum(p.status is PositionStatus.OPEN for p in rows.positions) <= 1


@given(HISTORY, TRANSFERS, METHOD, STEP)
def test_the_days_of_a_book_sum_to_its_positions(
    lumps: list[Lump], transfers: list[Any], method: str, step: int
) -> None:
    rows = fold(history(lumps, transfers), method=method, step=step)
    assert sum(m.realised_gross for m in rows.marks) == sum(p.realised_gross for p in rows.positions)
    assert sum(m.fees for m in rows.marks) == sum(p.entry_fees + p.exit_fees for p in rows.positions)
    assert sum(m.unknown_proceeds for m in rows.marks) == sum(p.unknown_proceeds for p in rows.positions)
    opened = [(p.open_quantity, p.open_cost) for p in rows.positions if p.status is PositionStatus.OPEN]
    assert (rows.marks[-1].open_quantity, rows.marks[-1].open_cost) == (opened or [(0, 0)])[0]


@given(HISTORY, STEP)
@settings(max_examples=200)
def test_methods_agree_on_closed_positions(lumps: list[Lump], step: int) -> None:
    average, *others = (fold(history(lumps), method=method, step=step).positions for method in METHODS)
    for rows in others:
        for left, right in zip(average, rows, strict=True):
            if left.status is PositionStatus.CLOSED:
                assert left._replace(checkpoint=right.checkpoint) == right
