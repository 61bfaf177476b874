"""Worked cases of portfolio trackers, where their conventions are ours. Numbers only.

ghostfolio/ghostfolio (AGPL-3.0) at c542997d, apps/api/src/app/portfolio/calculator/roai: average cost without fees,
performance = realised and unrealised, net of all fees; in another currency by the day's rate ("with currency
effect"). Its percentages are of a time-weighted investment and no figure of ours.
GeneBO98/tradetally (Apache-2.0) at 3af36e29, tests/fixtures/trading-calculation-contracts.json: entry costs
are shared out over the exits.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import pytest

from core.money import from_units
from portfolio.accounting.bracket_sums import multiple, planned_risk
from portfolio.accounting.events import Event
from portfolio.accounting.results import Collector
from tests.portfolio.accounting.books import booked, fill, fold, gross, net, only, shown

Leg = tuple[str, str, str, str]
"""Side, quantity, price, fee."""


def events_of(legs: Sequence[Leg], rates: Sequence[str] | None = None) -> list[Event]:
    """`rates`: what one coin of the quote is worth at each."""
    return [
        event
        for number, (side, quantity, price, fee) in enumerate(legs, 1)
        for event in booked(
            [fill(number, side, quantity, price, fee=fee)], quote_price=rates[number - 1] if rates else "1"
        )
    ]


class Seen(NamedTuple):
    held: str
    invested: str
    gross: str
    net: str


def seen(rows: Collector, price: str) -> Seen:
    """What is held at a price, and all that was made."""
    open_quantity = sum(from_units(each.open_quantity) for each in rows.positions)
    cost = sum(from_units(each.open_cost) for each in rows.positions)
    made = (
        sum(from_units(each.realised_gross) for each in rows.positions)
        + open_quantity * Decimal(price)
        - cost
    )
    fees = sum(from_units(each.entry_fees + each.exit_fees) for each in rows.positions)
    figures = (open_quantity, cost, made, made - fees)
    return Seen(*(format(Decimal(figure).normalize(), "f") for figure in figures))


@pytest.mark.parametrize(
    ("legs", "price", "told"),
    [
        (
            [("BUY", "2", "142.9", "1.55"), ("BUY", "2", "136.6", "1.65")],
            "148.9", Seen("4", "559", "36.6", "33.4"),
        ),
        (
            [("BUY", "2", "142.9", "1.55"), ("SELL", "2", "136.6", "1.65")],
            "148.9", Seen("0", "0", "-12.6", "-15.8"),
        ),
        ([("BUY", "2", "136.6", "1.55")], "148.9", Seen("2", "273.2", "24.6", "23.05")),
        ([("BUY", "2", "135", "1.55")], "136.6", Seen("2", "270", "3.2", "1.65")),
        ([("BUY", "1", "44558.42", "4.46")], "43099.7", Seen("1", "44558.42", "-1458.72", "-1463.18")),
        (
            [
                ("BUY", "9", "209.45", "1"), ("SELL", "9", "210", "1"),
                ("BUY", "10", "204.11", "1"), ("SELL", "10", "208.01", "1"),
            ],
            "237.8", Seen("0", "0", "43.95", "39.95"),
        ),
        (
            [("BUY", "2", "75.8", "2.95"), ("SELL", "1", "85.73", "1.3")],
            "87.8", Seen("1", "75.8", "21.93", "17.68"),
        ),
        ([], "1", Seen("0", "0", "0", "0")),
    ],
    ids=["buy-and-buy", "buy-and-sell", "buy", "below-the-close", "btcusd", "two-rounds", "partially", "nothing"],
)  # fmt: skip
def test_held_invested_and_made(legs: list[Leg], price: str, told: Seen) -> None:
    assert seen(fold(events_of(legs)), price) == told


# Bought at 0.99411 Swiss francs for a dollar, half sold at 0.9787, the rest worth 13657.2 dollars at 0.97373.
def test_each_fact_in_its_own_days_rate() -> None:
    legs = [("BUY", "2", "320.43", "0"), ("SELL", "1", "14156.4", "0")]
    rows = fold(events_of(legs, ["0.9941099999999999", "0.9787"]))
    assert seen(rows, "13298.425356") == Seen(
        "1", "318.542667299999967957", "26516.208701400000064086", "26516.208701400000064086"
    )


def test_a_fee_in_its_days_rate() -> None:
    rows = fold(events_of([("BUY", "1", "89.12", "1")], ["0.9238"]))
    assert seen(rows, "103.10483") == Seen("1", "82.329056", "20.775774", "19.851974")


# Thirds as binary fractions: a 10**-16 part was never bought. Nothing stays, neither coins nor cost.
def test_thirds_that_do_not_add_up_leave_nothing() -> None:
    legs = [
        ("BUY", "0.3333333333333333", "408", "0"), ("BUY", "0.6666666666666666", "400", "0"), ("SELL", "1", "411", "0"),
    ]  # fmt: skip
    position = only(fold(events_of(legs)).positions)
    assert (shown(position.open_quantity), shown(position.open_cost)) == ("0", "0")
    assert shown(position.unknown_quantity) == "0.0000000000000001"


@pytest.mark.parametrize(
    ("legs", "gains", "nets", "percents"),
    [
        ([("BUY", "100", "10", "1"), ("SELL", "100", "12", "1.25")], ["200"], ["197.75"], ["19.775"]),
        (
            [("BUY", "100", "10", "1.1"), ("SELL", "40", "11", "0.44"), ("SELL", "60", "12", "0.66")],
            ["40", "120"], ["39.12", "118.68"], ["9.78", "19.78"],
        ),
        ([("BUY", "25", "100", "0"), ("SELL", "25", "105", "0")], ["125"], ["125"], ["5"]),
    ],
    ids=["round-trip", "partial-exits", "measurement"],
)  # fmt: skip
def test_exits_bear_their_share_of_the_entry(
    legs: list[Leg], gains: list[str], nets: list[str], percents: list[str]
) -> None:
    rows = fold(events_of(legs), method="fifo")
    assert (gross(rows.trades), net(rows.trades)) == (gains, nets)
    assert [shown(trade.pnl_percent) for trade in rows.trades] == percents


# Two micro contracts' worth, 22 000 stopped at 21 995, left at 22 010; 55 shares at 94.71 stopped at 93.37 that
# made 16.29. Their multiples are told to two decimals.
@pytest.mark.parametrize(
    ("entry", "stop", "quantity", "made", "risk", "told"),
    [
        ("22000", "21995", "2", "20", "10", "2"),
        ("94.71", "93.37", "55", "16.29", "73.7", "0.22"),
    ],
)
def test_multiples_of_what_was_risked(
    entry: str, stop: str, quantity: str, made: str, risk: str, told: str
) -> None:
    risked = planned_risk(side="BUY", entry=Decimal(entry), stop=Decimal(stop), quantity=Decimal(quantity))
    assert risked == Decimal(risk)
    assert round(multiple(Decimal(made), risked), 2) == Decimal(told)
