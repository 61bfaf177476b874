"""What holds for every contract history, and an oracle in exact fractions that shares no code with the book."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import UNIT
from portfolio.accounting import contract_book
from portfolio.accounting.contracts import (
    BookSide,
    ContractCollector,
    ContractEvent,
    ContractStatus,
    fill_event,
    fold_key,
    funding_event,
)
from portfolio.accounting.results import AllocationKind, State
from tests.portfolio.accounting.contracts import fold, merged, resume
from tests.portfolio.accounting.oracle import METHODS, averaged, leaving

DAY_MS = 86_400_000
METHOD = st.sampled_from(METHODS)
SIDE = st.sampled_from(["BOTH", "BOTH", "LONG", "SHORT"])
AMOUNT = st.one_of(st.integers(1, 9), st.integers(1, 10**19), st.integers(1, 10**30))


class Act(NamedTuple):
    """A fill, or funding where `side` is empty; of `parts` equal parts, so that every cut between them is exact."""

    side: str
    parts: int
    quantity: int
    value: int
    fee: int
    order: int
    gap_ms: int
    realized: int | None


ACTS = st.builds(
    Act,
    side=st.sampled_from(["BUY", "BUY", "SELL", "SELL", ""]),
    parts=st.integers(1, 5),
    quantity=AMOUNT,
    value=AMOUNT,
    fee=st.integers(-(10**9), 10**12),
    order=st.integers(1, 3),
    gap_ms=st.sampled_from([0, 1, DAY_MS // 2]),
    realized=st.one_of(st.none(), st.integers(-(10**12), 10**12)),
)
HISTORY = st.lists(ACTS, min_size=1, max_size=14)
PRICE = st.sampled_from([UNIT, 3 * 10**17 + 1])


def to_events(
    acts: Sequence[Act], *, price: int = UNIT, parts: Sequence[Sequence[int]] = ()
) -> list[ContractEvent]:
    """Events in fold order; `parts` cuts each act's fill."""
    events, now = [], 0
    for number, act in enumerate(acts):
        now += act.gap_ms
        for part, size in enumerate(parts[number] if parts else [act.parts]):
            name = f"{number:03d}{part:02d}"
            if not act.side:
                amount = act.fee * size
                event = funding_event(
                    payment_id=name, symbol="BTCUSD", amount=amount, time_ms=now, price=price, fact=number
                )
            else:
                told = None if act.realized is None else act.realized * size
                event = fill_event(
                    fill_id=name, symbol="BTCUSD", order_id=f"{act.side} {act.order}", side=act.side,
                    quantity=act.quantity * size, value=act.value * size, time_ms=now, settle_price=price,
                    fee_amount=act.fee * size, fee_price=price, realized=told, fact=number,
                )  # fmt: skip
            events.append(event)
    return sorted(events, key=fold_key)


def stored(state: State) -> State:
    restored: State = json.loads(json.dumps(state))
    return restored


@given(HISTORY, METHOD, SIDE, st.booleans(), PRICE, st.lists(st.integers(0, 20), max_size=3))
def test_a_history_folded_in_pieces_equals_the_whole(
    acts: list[Act], method: str, side: str, inverse: bool, price: int, cuts: list[int]
) -> None:
    events = to_events(acts, price=price)
    fresh = contract_book.new_state(side=BookSide(side), is_inverse=inverse, method=method)
    whole, rows = resume(fresh, events)
    state, pieces = fresh, []
    for start, end in pairwise([0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]):
        state, piece = resume(stored(state), events[start:end])
        pieces.append(piece)
    assert state == whole
    assert merged(*pieces) == merged(rows)


@given(HISTORY, METHOD, SIDE, st.integers(0, 20))
def test_a_late_fact_recomputed_from_a_checkpoint_equals_the_whole(
    acts: list[Act], method: str, side: str, place: int
) -> None:
    events = to_events(acts)
    late = events[min(place, len(events) - 1)]
    early = fold([event for event in events if event is not late], side=side, method=method)
    known = [row for row in early.positions if row.checkpoint and row.opened_ms < late.time]
    last = max(known, key=lambda row: row.opened_ms, default=None)
    state = contract_book.new_state(side=BookSide(side), method=method)
    restart = 0
    if last is not None and last.checkpoint is not None:
        state, restart = last.checkpoint, last.opened_ms
    after = contract_book.last_key(state)
    again = resume(state, [event for event in events if after is None or fold_key(event) > after])[1]
    kept = ContractCollector()
    kept.positions = [row for row in early.positions if row.opened_ms < restart]
    kept.trades = [row for row in early.trades if row.key.position in {one.key for one in kept.positions}]
    kept.allocations = [
        row for row in early.allocations if row[0].position in {one.key for one in kept.positions}
    ]
    kept.marks = [row for row in early.marks if row.day < restart // DAY_MS]
    assert merged(kept, again) == merged(fold(events, side=side, method=method))


@given(HISTORY, METHOD, SIDE, st.booleans())
def test_within_one_fold_every_key_comes_once(acts: list[Act], method: str, side: str, inverse: bool) -> None:
    rows = fold(to_events(acts), side=side, method=method, inverse=inverse)
    count = len(rows.positions) + len(rows.trades) + len(rows.marks) + len(rows.allocations)
    assert len(merged(rows)) == count


@given(HISTORY, METHOD, SIDE, PRICE, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_an_exact_split_of_fills_changes_no_position_and_no_trade(
    acts: list[Act], method: str, side: str, price: int, rng: random.Random
) -> None:
    acts, parts = [act._replace(realized=0) for act in acts], []
    for act in acts:
        first = rng.randint(1, act.parts) if act.side else act.parts
        parts.append([size for size in (first, act.parts - first) if size])
    whole = fold(to_events(acts, price=price), side=side, method=method)
    split = fold(to_events(acts, price=price, parts=parts), side=side, method=method)
    # Which part of a split fill opened, and so its name and checkpoint, may differ after a flip in the middle.
    plain = [row[1:-2] for row in whole.positions]
    assert [row[1:-2] for row in split.positions] == plain
    assert [row[1:] for row in split.trades] == [row[1:] for row in whole.trades]
    assert split.marks == whole.marks


@given(HISTORY, METHOD, SIDE, st.booleans(), PRICE)
def test_parts_sum_to_the_whole(acts: list[Act], method: str, side: str, inverse: bool, price: int) -> None:
    rows = fold(to_events(acts, price=price), side=side, method=method, inverse=inverse)
    for position in rows.positions:
        trades = [row for row in rows.trades if row.key.position == position.key]
        assert sum(row.net for row in trades) == position.net
        assert sum(row.gross for row in trades) == position.gross
        assert sum(row.settled_gross for row in trades) == position.settled_gross
        if position.status is not ContractStatus.OPEN:
            assert sum(row.funding for row in trades) == position.funding == position.used_funding
            assert position.used_fees == position.entry_fees
    for trade in rows.trades:
        parts = [row for row in rows.allocations if row[0] == trade.key]
        known = [row for row in parts if row[3] is not AllocationKind.UNKNOWN]
        assert trade.quantity == sum(row[6] for row in known)
        assert (trade.cost, trade.proceeds) == (sum(row[7] for row in known), sum(row[8] for row in known))
        assert (trade.entry_fees, trade.exit_fees) == (
            sum(row[9] for row in parts),
            sum(row[10] for row in parts),
        )
    assert sum(row.gross for row in rows.marks) == sum(row.gross for row in rows.positions)
    assert sum(row.fees for row in rows.marks) == sum(
        row.entry_fees + row.exit_fees for row in rows.positions
    )


@given(HISTORY, SIDE, st.booleans())
def test_methods_agree_over_closed_episodes(acts: list[Act], side: str, inverse: bool) -> None:
    events = to_events(acts)
    closed = [
        [
            (row.key, row.gross, row.net, row.settled_gross, row.funding)
            for row in fold(events, side=side, inverse=inverse, method=method).positions
            if row.status is not ContractStatus.OPEN
        ]
        for method in METHODS
    ]
    assert closed == [closed[0]] * len(METHODS)


@dataclass
class Episode:
    """The oracle's position: lots of quantity, value of one, fee of one."""

    is_long: bool
    lots: list[list[Fraction]] = field(default_factory=list)
    gross: Fraction = Fraction(0)
    used_fees: Fraction = Fraction(0)
    exit_fees: Fraction = Fraction(0)
    waiting: Fraction = Fraction(0)
    funding: Fraction = Fraction(0)
    closed: bool = False

    @property
    def held(self) -> Fraction:
        return sum((lot[0] for lot in self.lots), Fraction(0))

    @property
    def net(self) -> Fraction:
        return self.gross - self.used_fees - self.exit_fees + self.funding


def tell(events: Sequence[ContractEvent], *, inverse: bool, method: str) -> list[Episode]:
    """Every episode of a one-way book, settled in the reporting currency."""
    episodes: list[Episode] = []
    for event in events:
        now = episodes[-1] if episodes else None
        if not event.quantity:
            amount = Fraction(event.funding, UNIT)
            if now is not None and now.closed:
                now.funding += amount
            elif now is not None:
                now.waiting += amount
            continue
        left, total = Fraction(event.quantity), Fraction(event.quantity)
        value, fee = Fraction(event.value) / total, Fraction(event.fee, UNIT) / total
        if now is not None and not now.closed and now.is_long is not event.is_buy:
            part = min(left, now.held)
            now.funding += now.waiting * part / now.held
            now.waiting -= now.waiting * part / now.held
            reduce(now, part, value=value, fee=fee, inverse=inverse, method=method)
            left -= part
        if left:
            if now is None or now.closed:
                now = Episode(event.is_buy)
                episodes.append(now)
            now.lots.append([left, value, fee])
    return episodes


def reduce(
    episode: Episode, quantity: Fraction, *, value: Fraction, fee: Fraction, inverse: bool, method: str
) -> None:
    if method == "average":
        episode.lots = [averaged(episode.lots)]
    sign = 1 if episode.is_long is not inverse else -1
    episode.exit_fees += fee * quantity
    while quantity:
        place = leaving(episode.lots, method)
        lot = episode.lots[place]
        part = min(quantity, lot[0])
        episode.gross += sign * part * (value - lot[1])
        episode.used_fees += part * lot[2]
        lot[0] -= part
        quantity -= part
        if not lot[0]:
            del episode.lots[place]
    episode.closed = not episode.lots


@given(HISTORY, METHOD, st.booleans(), st.integers(1, 14))
@settings(max_examples=300)
def test_positions_are_the_oracles(acts: list[Act], method: str, inverse: bool, end: int) -> None:
    events = to_events(acts)[:end]
    rows, episodes = (
        fold(events, inverse=inverse, method=method).positions,
        tell(events, inverse=inverse, method=method),
    )
    assert [row.side is BookSide.LONG for row in rows] == [episode.is_long for episode in episodes]
    for row, episode in zip(rows, episodes, strict=True):
        assert (row.status is not ContractStatus.OPEN) == episode.closed
        assert row.open_quantity == episode.held
        # Two published totals each for value, entry fees, exit fees and funding.
        assert abs(row.gross - episode.gross) <= 2
        assert abs(row.net - episode.net) <= 5
        if episode.closed:
            assert abs(row.net - episode.net) <= Fraction(5, 2)


def test_the_oracle_sees_a_known_flip() -> None:
    acts = [
        Act("BUY", 1, 10**18, 100 * 10**18, 0, 1, 1, None),
        Act("SELL", 1, 3 * 10**18, 330 * 10**18, 3 * 10**17, 1, 1, None),
        Act("BUY", 1, 2 * 10**18, 200 * 10**18, 0, 2, 1, None),
    ]
    told = tell(to_events(acts), inverse=False, method="average")
    assert [(one.is_long, one.gross / UNIT, one.net / UNIT) for one in told] == [
        (True, Fraction(10), Fraction("9.9")),
        (False, Fraction(20), Fraction("19.8")),
    ]
