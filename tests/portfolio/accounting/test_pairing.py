"""The frontend's pairing figures, and that they are the books' own over a closed position."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting.pairing import Leg, Pairing, pair


def leg(size: str, value: str, fees: str = "0") -> Leg:
    return Leg(Decimal(size), Decimal(value), Decimal(fees))


def test_fees_are_within_both_sides() -> None:
    assert pair(bought=leg("2", "200", "0.2"), sold=leg("2", "220", "0.22")) == Pairing(
        total_buy_cost=Decimal("200.2"),
        effective_buy_size=Decimal(2),
        avg_buy_price=Decimal("100.1"),
        total_sell_revenue=Decimal("219.78"),
        avg_sell_price=Decimal("109.89"),
        matched_size=Decimal(2),
        cost_basis=Decimal("200.2"),
        pnl=Decimal("19.58"),
        pnl_percent=Decimal("9.7802"),
    )


def test_a_fee_in_the_coin_makes_what_was_bought_smaller_and_dearer() -> None:
    # 1 bought at 100 less a fee of 0.001 of it, whose worth of 0.1 stands beside the cost of the rest.
    figures = pair(bought=leg("0.999", "99.9", "0.1"), sold=leg("0.999", "109.89"))

    assert (figures.total_buy_cost, figures.effective_buy_size, figures.pnl) == (
        Decimal(100),
        Decimal("0.999"),
        Decimal("9.89"),
    )


def test_what_was_not_sold_is_matched_with_nothing() -> None:
    figures = pair(bought=leg("2", "200"), sold=leg("1", "150"))

    assert (figures.matched_size, figures.cost_basis, figures.pnl) == (Decimal(1), Decimal(100), Decimal(50))


def test_without_a_purchase_there_is_no_percentage() -> None:
    figures = pair(bought=leg("0", "0"), sold=leg("1", "150"))

    assert (figures.avg_buy_price, figures.cost_basis, figures.pnl_percent) == (None, Decimal(0), None)


amounts = st.decimals(min_value="0.00000001", max_value="1000000", places=8)


@given(size=amounts, cost=amounts, revenue=amounts, paid=amounts, taken=amounts)
def test_of_all_that_was_bought_the_pnl_is_exact(
    size: Decimal, cost: Decimal, revenue: Decimal, paid: Decimal, taken: Decimal
) -> None:
    figures = pair(bought=Leg(size, cost, paid), sold=Leg(size, revenue, taken))

    assert figures.pnl == revenue - taken - cost - paid
