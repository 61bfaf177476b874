"""Each rule by which a cause is proposed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portfolio.accounting.causes import Cause, Difference, Hole, Surroundings, propose

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BTC = Difference(
    subject="BTC",
    amount=Decimal("0.5"),
    reported=Decimal(2),
    value=Decimal(30000),
    since=NOON,
    until=NOON + HOUR,
)
OLDER = Hole("Fills of BTCUSDT", None, NOON, "the exchange keeps no older ones", "BTCUSDT", is_older=True)


def gap(**changes: Any) -> Hole:
    hole = Hole("Deposits", NOON - HOUR, NOON + HOUR / 2, "the exchange had forgotten them")
    return replace(hole, **changes)


def cause(one: Difference, *others: Difference, **known: Any) -> Cause:
    return propose(one, Surroundings(currency="USDT", differences=(one, *others), **known)).cause


def test_more_of_one_asset_is_a_missing_deposit() -> None:
    assert cause(BTC) is Cause.MISSING_DEPOSIT


def test_less_of_one_asset_is_a_missing_withdrawal() -> None:
    assert cause(replace(BTC, amount=Decimal("-0.5"), value=Decimal(-30000))) is Cause.MISSING_WITHDRAWAL


def test_what_was_not_read_meanwhile_comes_first() -> None:
    found = propose(BTC, Surroundings(currency="USDT", differences=[BTC], holes=[gap()]))

    assert found == (
        Cause.MISSING_WINDOW,
        [
            "Deposits from 2026-02-03 11:00 to 2026-02-03 12:30 are not known: the exchange had forgotten them."
        ],
    )


def test_what_is_said_of_many_streams_is_said_once() -> None:
    found = propose(BTC, Surroundings(currency="USDT", differences=[BTC], holes=[gap(), gap()]))

    assert len(found.evidence) == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        gap(until=NOON),
        gap(since=NOON + HOUR, until=NOON + 2 * HOUR),
        gap(market="ETHUSDT"),
    ],
)
def test_a_hole_at_another_time_or_of_another_market_hides_nothing(elsewhere: Hole) -> None:
    assert cause(BTC, holes=[elsewhere]) is Cause.MISSING_DEPOSIT


def test_what_differed_before_the_first_report_may_be_older_than_is_kept() -> None:
    assert cause(replace(BTC, since=None), holes=[OLDER]) is Cause.OLDER_THAN_KEPT


def test_what_agreed_once_is_not_older_than_is_kept() -> None:
    assert cause(BTC, holes=[OLDER]) is Cause.MISSING_DEPOSIT


def test_two_assets_against_each_other_of_like_value_are_a_conversion() -> None:
    paid = replace(BTC, subject="ETH", amount=Decimal(-10), value=Decimal(-30500))

    assert cause(BTC, paid) is Cause.CONVERSION
    assert cause(paid, BTC) is Cause.CONVERSION


ETH = replace(BTC, subject="ETH", amount=Decimal(-10), value=Decimal(-30000))


@pytest.mark.parametrize("value", [Decimal(-40000), None])
def test_two_assets_of_other_value_are_not_known(value: Decimal | None) -> None:
    assert cause(BTC, replace(ETH, value=value)) is Cause.UNKNOWN


def test_what_is_worth_far_less_was_not_given_for_it() -> None:
    little = replace(ETH, value=Decimal(-5999))

    assert (
        cause(BTC, little),
        cause(replace(BTC, amount=-BTC.amount), replace(little, amount=Decimal(1))),
    ) == (
        Cause.MISSING_DEPOSIT,
        Cause.MISSING_WITHDRAWAL,
    )


def test_what_differs_at_another_time_or_the_same_way_is_another_matter() -> None:
    later = replace(ETH, since=NOON + HOUR, until=NOON + 2 * HOUR)

    assert cause(BTC, later) is Cause.MISSING_DEPOSIT
    assert cause(BTC, replace(ETH, amount=Decimal(10), value=Decimal(30000))) is Cause.MISSING_DEPOSIT


def test_where_the_day_is_not_known_values_may_be_further_apart() -> None:
    one, other = replace(BTC, since=None), replace(ETH, since=None, value=Decimal(-34000))

    assert cause(one, other) is Cause.CONVERSION
    assert cause(BTC, replace(ETH, value=Decimal(-34000))) is Cause.UNKNOWN


def test_a_little_of_what_an_open_contract_settles_in_is_funding() -> None:
    paid = replace(BTC, subject="USDT", amount=Decimal("-1.2"), reported=Decimal(900), value=Decimal("-1.2"))

    assert cause(paid, settles={"USDT": ["ETHUSDT"]}) is Cause.FUNDING
    assert cause(paid, settles={"BTC": ["BTCUSD"]}) is Cause.MISSING_WITHDRAWAL


def test_much_of_it_is_not() -> None:
    much = replace(BTC, subject="USDT", amount=Decimal(-500), reported=Decimal(900), value=Decimal(-500))

    assert cause(much, settles={"USDT": ["ETHUSDT"]}) is Cause.MISSING_WITHDRAWAL


def test_a_little_more_is_earned() -> None:
    assert cause(replace(BTC, amount=Decimal("0.01"), value=Decimal(600))) is Cause.EARNED
    assert cause(replace(BTC, reported=Decimal("0.5"), value=Decimal(3))) is Cause.EARNED


def test_a_little_less_is_not() -> None:
    assert cause(replace(BTC, amount=Decimal("-0.01"), value=Decimal(-600))) is Cause.MISSING_WITHDRAWAL


def test_a_position_lacks_fills() -> None:
    one = replace(BTC, subject="BTCUSDT", is_position=True)

    found = propose(one, Surroundings(currency="USDT"))

    assert found == (
        Cause.MISSING_FILLS,
        ["The exchange reports 0.5 more of BTCUSDT than its fills give."],
    )


def test_a_position_lacks_the_fills_of_a_window() -> None:
    assert cause(replace(BTC, subject="BTCUSDT", is_position=True), holes=[gap()]) is Cause.MISSING_WINDOW


def test_nothing_known_is_unknown() -> None:
    nothing = replace(BTC, amount=Decimal(0), value=None)

    assert cause(nothing) is Cause.UNKNOWN
