from collections.abc import Mapping
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CONTEXT
from portfolio.accounting import returns
from portfolio.accounting.holdings import (
    DoubtKind,
    Grade,
    Holding,
    HoldingFacts,
    ReconstructedDay,
    Reconstruction,
)
from portfolio.accounting.identity import residual
from portfolio.accounting.reconstruction import ClosePrice, reconstruct
from tests.portfolio.accounting.series import day

Amounts = Mapping[int, Mapping[str, str]]
"""Amounts by day number and asset."""


def _parse(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    return {asset: Decimal(amount) for asset, amount in amounts.items()}


def _by_day(amounts: Amounts) -> dict[date, dict[str, Decimal]]:
    return {day(number): _parse(by_asset) for number, by_asset in amounts.items()}


def _facts(
    reported: Mapping[str, str],
    changes: Amounts,
    *,
    today: int,
    deposits: Amounts | None = None,
    withdrawals: Amounts | None = None,
) -> HoldingFacts:
    return HoldingFacts(
        reported=_parse(reported),
        reported_day=day(today),
        changes=_by_day(changes),
        deposits=_by_day(deposits or {}),
        withdrawals=_by_day(withdrawals or {}),
    )


def _closes(**prices: list[str | None]) -> ClosePrice:
    """Closing prices by asset from day 0."""
    table = {
        (asset, day(number)): Decimal(price)
        for asset, by_day in prices.items()
        for number, price in enumerate(by_day)
        if price is not None
    }
    return lambda asset, on: table.get((asset, on))


def _rebuild(facts: HoldingFacts, **prices: list[str | None]) -> Reconstruction:
    return reconstruct(facts, _closes(**prices), currency="USDT")


def _quantities(days: tuple[ReconstructedDay, ...]) -> list[dict[str, Decimal]]:
    return [{holding.asset: holding.quantity for holding in each.holdings} for each in days]


def _reasons(days: tuple[ReconstructedDay, ...]) -> list[list[str]]:
    return [[str(doubt) for doubt in each.doubts] for each in days]


# Day 0: 1000 USDT come in. Day 1: 0.01 BTC bought at 40,000 with a fee of 0.4 USDT. Day 2: half sold at
# 50,000, fee 0.25. Day 3: 100 USDT go out.
EXPLAINED = _facts(
    {"USDT": "749.35", "BTC": "0.005"},
    {
        0: {"USDT": "1000"},
        1: {"USDT": "-400.4", "BTC": "0.01"},
        2: {"USDT": "249.75", "BTC": "-0.005"},
        3: {"USDT": "-100"},
    },
    today=3,
    deposits={0: {"USDT": "1000"}},
    withdrawals={3: {"USDT": "100"}},
)
CLOSES: list[str | None] = ["39000", "41000", "48000", "52000"]


def test_explained_holdings_of_each_day() -> None:
    rebuilt = _rebuild(EXPLAINED, BTC=CLOSES)
    assert rebuilt.differences == {}
    assert _quantities(rebuilt.days) == [
        _parse({"USDT": "1000"}),
        _parse({"BTC": "0.01", "USDT": "599.6"}),
        _parse({"BTC": "0.005", "USDT": "849.35"}),
        _parse({"BTC": "0.005", "USDT": "749.35"}),
    ]
    assert {each.grade for each in rebuilt.days} == {Grade.COMPLETE}


def test_a_days_composition_adds_up_to_its_total() -> None:
    third = _rebuild(EXPLAINED, BTC=CLOSES).days[2]
    assert third.holdings == (
        Holding("BTC", Decimal("0.005"), Decimal(48000), day(2), Decimal(240)),
        Holding("USDT", Decimal("849.35"), Decimal(1), day(2), Decimal("849.35")),
    )
    assert third.total == Decimal("1089.35")


def test_the_identity_closes_on_every_day() -> None:
    days = _rebuild(EXPLAINED, BTC=CLOSES).days
    # Gross realised, unrealised at the close (cost 40,000) and fees, by hand.
    books = [("0", "0", "0"), ("0", "10", "0.4"), ("50", "40", "0.25"), ("0", "60", "0")]
    equity = unrealised = Decimal(0)
    for each, (realised, at_close, fees) in zip(days, books, strict=True):
        left = residual(
            equity_before=equity,
            equity_after=each.total,
            flows=each.flows,
            gross_realised=Decimal(realised),
            unrealised_before=unrealised,
            unrealised_after=Decimal(at_close),
            fees=Decimal(fees),
        )
        assert left == 0
        equity, unrealised = each.total, Decimal(at_close)


def test_returns_start_from_nothing_and_ignore_the_flows() -> None:
    points = returns.chain(
        (each.equity_day() for each in _rebuild(EXPLAINED, BTC=CLOSES).days), opening=Decimal(0)
    )
    assert points[-1].profit == Decimal("109.35")
    assert points[1].change == 0


def test_a_coin_paid_in_is_valued_at_the_days_close() -> None:
    facts = _facts({"BTC": "2"}, {0: {"BTC": "1"}, 1: {"BTC": "1"}}, today=1, deposits={1: {"BTC": "1"}})
    second = _rebuild(facts, BTC=["100", "110"]).days[1]
    assert (second.paid_in, second.flows, second.total) == (Decimal(110), Decimal(110), Decimal(220))


def test_more_reported_than_explained_was_held_before_the_first_fact() -> None:
    facts = _facts({"BTC": "3"}, {0: {"BTC": "1"}, 2: {"BTC": "-0.5"}}, today=2)
    rebuilt = _rebuild(facts, BTC=["100", "110", "120"])
    assert rebuilt.differences == {"BTC": Decimal("2.5")}
    assert _quantities(rebuilt.days) == [_parse({"BTC": "3.5"}), _parse({"BTC": "3.5"}), _parse({"BTC": "3"})]
    assert [each.opening for each in rebuilt.days] == [Decimal(250), 0, 0]
    assert [each.unexplained for each in rebuilt.days] == [0, 0, 0]
    assert _reasons(rebuilt.days) == [["opening_balance:BTC"], ["opening_balance:BTC"], []]


def test_less_reported_than_explained_stays_out_of_the_past() -> None:
    facts = _facts({"BTC": "1"}, {0: {"BTC": "2"}, 1: {"BTC": "1"}}, today=2)
    rebuilt = _rebuild(facts, BTC=["100", "100", "100"])
    assert rebuilt.differences == {"BTC": Decimal(-2)}
    assert _quantities(rebuilt.days) == [{"BTC": Decimal(2)}, {"BTC": Decimal(3)}, {"BTC": Decimal(1)}]
    assert [each.unexplained for each in rebuilt.days] == [0, 0, Decimal(-200)]
    assert {each.grade for each in rebuilt.days} == {Grade.PARTIAL}


def test_what_nobody_can_explain_is_no_loss_in_the_returns() -> None:
    facts = _facts({"BTC": "1"}, {0: {"BTC": "3"}}, today=1)
    rebuilt = _rebuild(facts, BTC=["100", "110"])
    points = returns.chain(each.equity_day() for each in rebuilt.days)
    assert [point.change for point in points] == [None, Decimal("0.1")]


def test_a_holding_is_never_below_zero_and_the_cut_is_marked() -> None:
    facts = _facts({"BTC": "0"}, {0: {"BTC": "-1", "USDT": "100"}, 1: {"BTC": "1", "USDT": "-100"}}, today=2)
    rebuilt = _rebuild(facts, BTC=["100", "100", "100"])
    assert _quantities(rebuilt.days) == [{"USDT": Decimal(100)}, {}, {}]
    assert [each.unexplained for each in rebuilt.days] == [Decimal(100), Decimal(-100), 0]
    assert [each.grade for each in rebuilt.days] == [Grade.UNRELIABLE, Grade.COMPLETE, Grade.COMPLETE]
    assert rebuilt.days[0].doubts == ((DoubtKind.BELOW_ZERO, "BTC"),)


def test_an_asset_without_a_price_is_listed_outside_the_total() -> None:
    facts = _facts({"USDT": "5", "AIR": "7"}, {0: {"USDT": "5", "AIR": "7"}}, today=0)
    only = _rebuild(facts).days[0]
    assert only.holdings[0] == Holding("AIR", Decimal(7), None, None, None)
    assert (only.holdings[0].priced, only.total, only.grade) == (False, Decimal(5), Grade.PARTIAL)
    assert _reasons((only,)) == [["unpriced:AIR"]]


def test_a_first_price_is_no_profit() -> None:
    facts = _facts({"USDT": "100", "AIR": "7"}, {0: {"USDT": "100", "AIR": "7"}}, today=2)
    rebuilt = _rebuild(facts, AIR=[None, "10", "20"])
    assert [each.total for each in rebuilt.days] == [100, 170, 240]
    assert [each.unexplained for each in rebuilt.days] == [0, 70, 0]


def test_a_missing_close_is_the_last_one_marked_stale() -> None:
    facts = _facts({"BTC": "1"}, {0: {"BTC": "1"}}, today=2)
    rebuilt = _rebuild(facts, BTC=["100", None, "120"])
    assert [each.total for each in rebuilt.days] == [100, 100, 120]
    assert rebuilt.days[1].holdings[0].price_day == day(0)
    assert _reasons(rebuilt.days) == [[], ["stale_price:BTC"], []]


def test_a_difference_below_the_tolerance_lowers_no_grade() -> None:
    facts = _facts({"BTC": "1.00001"}, {0: {"BTC": "1"}}, today=1)
    rebuilt = _rebuild(facts, BTC=["100", "100"])
    assert rebuilt.differences == {"BTC": Decimal("0.00001")}
    assert {each.grade for each in rebuilt.days} == {Grade.COMPLETE}


def test_without_facts_only_the_report_is_known() -> None:
    (only,) = _rebuild(_facts({"USDT": "12"}, {}, today=5)).days
    assert (only.day, only.total, only.opening, only.grade) == (
        day(5),
        Decimal(12),
        Decimal(12),
        Grade.PARTIAL,
    )


def test_facts_after_the_report_are_refused() -> None:
    with pytest.raises(ValueError, match="after the report"):
        _facts({}, {2: {"BTC": "1"}}, today=1)


@given(
    st.dictionaries(st.sampled_from("ABC"), st.decimals(0, 100, places=18)),
    st.lists(
        st.dictionaries(st.sampled_from("ABC"), st.decimals(-50, 50, places=18)), min_size=1, max_size=15
    ),
)
def test_backwards_equals_forwards_when_the_facts_are_complete(
    opening: dict[str, Decimal], moves: list[dict[str, Decimal]]
) -> None:
    held, forwards = dict(opening), []
    changes: dict[date, dict[str, Decimal]] = {}
    with localcontext(CONTEXT):
        for number, move in enumerate(moves):
            changes[day(number)] = {}
            for asset, amount in move.items():
                before = held.get(asset, Decimal(0))
                held[asset] = max(before + amount, Decimal(0))
                changes[day(number)][asset] = held[asset] - before
            forwards.append({asset: amount for asset, amount in held.items() if amount})
    facts = HoldingFacts(reported=held, reported_day=day(len(moves) - 1), changes=changes)
    rebuilt = reconstruct(facts, lambda _asset, _day: Decimal(2), currency="USDT")
    assert [{each.asset: each.quantity for each in one.holdings} for one in rebuilt.days] == forwards
    assert {asset: amount for asset, amount in opening.items() if amount} == rebuilt.differences
    assert all(one.unexplained == 0 for one in rebuilt.days)


@given(
    st.dictionaries(st.sampled_from("AB"), st.decimals(0, 100, places=8)),
    st.lists(st.dictionaries(st.sampled_from("AB"), st.decimals(-50, 50, places=8)), max_size=12),
)
def test_any_facts_add_up_to_the_report_and_nothing_is_negative(
    reported: dict[str, Decimal], moves: list[dict[str, Decimal]]
) -> None:
    changes = {day(number): move for number, move in enumerate(moves)}
    facts = HoldingFacts(reported=reported, reported_day=day(len(moves)), changes=changes)
    days = reconstruct(facts, lambda _asset, _day: Decimal(1), currency="USDT").days
    assert all(holding.quantity > 0 for each in days for holding in each.holdings)
    moved = sum((amount for move in moves for amount in move.values()), Decimal(0))
    accounted = sum((each.opening + each.unexplained for each in days), moved)
    assert days[-1].total == accounted == sum(reported.values(), Decimal(0))
