"""The engine against a second reading of the rules in exact fractions, sharing no code with it.

The oracle knows no rounding: what the engine publishes must be the oracle's running totals rounded to 18 places,
within one unit where a third or seventh was cut on the way, and exactly once an episode is closed.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.accounting.events import Event, EventKind
from portfolio.accounting.results import Position, PositionStatus
from tests.portfolio.accounting.books import booked, fill, fold
from tests.portfolio.accounting.oracle import METHODS, averaged, leaving
from tests.portfolio.accounting.test_engine_properties import HISTORY, METHOD, Lump, history


@dataclass
class Episode:
    opened_by: str
    closed: bool = False
    closing_order: str = ""
    lots: list[list[Fraction]] = field(default_factory=list)  # quantity, cost of one, fee of one
    entry_cost: Fraction = Fraction(0)
    entry_fees: Fraction = Fraction(0)
    exit_cost: Fraction = Fraction(0)
    used_fees: Fraction = Fraction(0)
    proceeds: Fraction = Fraction(0)
    exit_fees: Fraction = Fraction(0)
    unknown_quantity: Fraction = Fraction(0)
    unknown_proceeds: Fraction = Fraction(0)

    @property
    def held(self) -> Fraction:
        return sum((lot[0] for lot in self.lots), Fraction(0))


def consume(episode: Episode, quantity: Fraction, method: str) -> tuple[Fraction, Fraction]:
    """Cost and entry fees of a quantity that is held."""
    if method == "average":
        episode.lots = [averaged(episode.lots)]
    cost = fees = Fraction(0)
    while quantity:
        place = leaving(episode.lots, method)
        lot = episode.lots[place]
        part = min(quantity, lot[0])
        cost, fees = cost + part * lot[1], fees + part * lot[2]
        lot[0] -= part
        quantity -= part
        if not lot[0]:
            del episode.lots[place]
    return cost, fees


def tell(book: list[Event], method: str) -> list[Episode]:
    """Every episode of a book without transfers and without dust."""
    episodes: list[Episode] = []
    for event in book:
        quantity = Fraction(event.quantity)
        value, fee = Fraction(event.value, event.scale), Fraction(event.fee, event.scale)
        current = episodes[-1] if episodes else None
        is_entry = event.kind in (EventKind.ENTRY, EventKind.REBATE)
        fills_on = current is not None and not is_entry and current.closing_order == event.order_id
        if current is None or (current.closed and not fills_on):
            current = Episode(event.event_id)
            episodes.append(current)
        if is_entry:
            current.lots.append([quantity, value / quantity, fee / quantity])
            current.entry_cost += value
            current.entry_fees += fee
            continue
        known = min(quantity, current.held)
        if known:
            cost, fees = consume(current, known, method)
            current.exit_cost += cost
            current.used_fees += fees
        current.proceeds += value * known / quantity
        current.exit_fees += fee
        current.unknown_quantity += quantity - known
        current.unknown_proceeds += value * (quantity - known) / quantity
        if not current.held:
            current.closed, current.closing_order = True, event.order_id
    return episodes


def published(row: Position) -> list[int]:
    return [
        row.entry_cost, row.entry_fees, row.exit_cost, row.realised_entry_fees, row.proceeds, row.exit_fees,
        row.unknown_quantity, row.unknown_proceeds,
    ]  # fmt: skip


def exact_totals(episode: Episode) -> list[Fraction]:
    return [
        episode.entry_cost, episode.entry_fees, episode.exit_cost, episode.used_fees, episode.proceeds,
        episode.exit_fees, episode.unknown_quantity, episode.unknown_proceeds,
    ]  # fmt: skip


@given(HISTORY, METHOD)
@settings(max_examples=300)
def test_positions_are_the_oracles(lumps: list[Lump], method: str) -> None:
    book = history(lumps)
    rows, episodes = fold(book, method=method).positions, tell(book, method)
    assert [row.key.fill_id for row in rows] == [episode.opened_by for episode in episodes]
    for row, episode in zip(rows, episodes, strict=True):
        assert (row.status is PositionStatus.CLOSED) == episode.closed
        assert all(
            abs(found - true) <= 1 for found, true in zip(published(row), exact_totals(episode), strict=True)
        )
        # Open cost is the rest of two published totals, one rounded and one cut.
        assert abs(row.open_cost - (episode.entry_cost - episode.exit_cost)) < 2
        if episode.closed and not episode.unknown_quantity:
            assert row.realised_gross == round(episode.proceeds) - round(episode.entry_cost)


@given(HISTORY, METHOD)
def test_trades_running_up_to_the_last_are_the_oracles(lumps: list[Lump], method: str) -> None:
    """Folding each beginning of a history shows every exit's own cost as the step between two totals."""
    book = history(lumps)
    for end in range(1, len(book) + 1):
        rows, episodes = fold(book[:end], method=method), tell(book[:end], method)
        cost = sum(trade.cost for trade in rows.trades)
        assert abs(cost - sum((episode.exit_cost for episode in episodes), Fraction(0))) <= len(episodes)


@given(st.integers(1, 10**24), st.integers(1, 10**24), st.integers(1, 10**24))
def test_a_part_of_a_lot_is_cut_and_a_part_of_an_average_rounded(paid: int, first: int, second: int) -> None:
    lumps = [
        Lump("BUY", 1, first + second, paid, 0, "USDT", 1, 1),
        Lump("SELL", 1, first, 1, 0, "USDT", 1, 1),
        Lump("SELL", 1, second, 1, 0, "USDT", 2, 1),
    ]
    exact = Fraction(paid * first, first + second)
    for method, expected in zip(METHODS, (floor(exact + Fraction(1, 2)), *[floor(exact)] * 3), strict=True):
        one, two = fold(history(lumps), method=method).trades
        assert (one.cost, two.cost) == (expected, paid - expected)


def test_the_oracle_sees_a_known_case() -> None:
    prices = ("100", "300", "200")
    book = booked(
        [*(fill(at, "BUY", "1", price) for at, price in enumerate(prices)), fill(9, "SELL", "1", "250")]
    )
    assert [tell(book, method)[0].exit_cost / 10**18 for method in METHODS] == [200, 100, 200, 300]
