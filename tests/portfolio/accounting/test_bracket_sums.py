"""Slippage, planned risk and R."""

from decimal import Decimal

import pytest

from portfolio.accounting.bracket_sums import Executed, Slippage, multiple, planned_risk, slippage


def executed(quantity: str, value: str, *, is_inverse: bool = False) -> Executed:
    return Executed(Decimal(quantity), Decimal(value), is_inverse)


@pytest.mark.parametrize(
    ("side", "planned", "worse", "percent", "amount"),
    [("BUY", "100", "1", "1", "2"), ("SELL", "100", "-1", "-1", "-2"), ("SELL", "102", "1", "0.9804", "2")],
)
def test_buying_dearer_and_selling_cheaper_is_worse(
    side: str, planned: str, worse: str, percent: str, amount: str
) -> None:
    found = slippage(side=side, planned=Decimal(planned), executed=executed("2", "202"))

    assert found == Slippage(Decimal(worse), Decimal(percent), Decimal(amount))


def test_an_inverse_contracts_average_is_its_money_by_its_coins() -> None:
    # 10 000 USD at 50 000 and 10 000 USD at 40 000 are 0.45 BTC: 44 444.4… on average.
    found = executed("20000", "0.45", is_inverse=True)

    assert found.average == Decimal("44444.444444444444444444")
    worse = slippage(side="BUY", planned=Decimal(44000), executed=found)
    assert worse is not None
    assert worse.amount is None


@pytest.mark.parametrize(("planned", "quantity"), [(None, "1"), ("100", "0")])
def test_without_a_plan_or_a_fill_there_is_no_slippage(planned: str | None, quantity: str) -> None:
    plan = None if planned is None else Decimal(planned)

    assert slippage(side="BUY", planned=plan, executed=executed(quantity, quantity)) is None


def test_risk_is_what_the_stop_would_cost() -> None:
    assert planned_risk(side="BUY", entry=Decimal(100), stop=Decimal(95), quantity=Decimal(2)) == 10
    assert planned_risk(side="SELL", entry=Decimal(100), stop=Decimal(110), quantity=Decimal(2)) == 20
    assert planned_risk(side="BUY", entry=Decimal(100), stop=Decimal(101), quantity=Decimal(2)) is None


def test_r_is_the_result_in_units_of_the_risk() -> None:
    assert multiple(Decimal(-11), Decimal(10)) == Decimal("-1.1")
