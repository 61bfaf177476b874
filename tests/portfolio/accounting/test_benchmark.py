from datetime import date
from decimal import Decimal

from portfolio.accounting.benchmark import Benchmark, hold
from portfolio.accounting.measure import Measure, Reason
from portfolio.accounting.returns import EquityDay, IndexPoint, chain
from tests.portfolio.accounting.series import balances, day


def closes(*prices: str) -> dict[date, Decimal]:
    return {day(number): Decimal(price) for number, price in enumerate(prices)}


def amounts(*values: int) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def history(*rows: tuple[str, str, str]) -> list[IndexPoint]:
    """(equity, paid in, paid out) of each day."""
    return chain(
        [
            EquityDay(day(n), Decimal(equity), Decimal(paid), Decimal(out))
            for n, (equity, paid, out) in enumerate(rows)
        ]
    )


def test_without_flows_the_opening_equity_follows_the_price() -> None:
    found = hold(chain(balances(["1000", "900", "1100"])), closes("100", "120", "150"))
    assert found == Benchmark((Decimal(1000), Decimal(1200), Decimal(1500)), Measure.ratio(Decimal(50)), None)


def test_a_deposit_buys_at_the_close_before_and_a_withdrawal_sells_at_the_close() -> None:
    """10 coins; 5 more at 100 for the deposit; 3 sold at 150 for the withdrawal."""
    points = history(("1000", "0", "0"), ("1500", "500", "0"), ("1000", "0", "450"))
    assert hold(points, closes("100", "120", "150")).worth == amounts(1000, 15 * 120, 12 * 150)


def test_a_day_without_a_close_stands_at_the_last_one() -> None:
    prices = closes("100", "120", "150")
    del prices[day(1)]
    assert hold(chain(balances(["1000", "1000", "1000"])), prices).worth == amounts(1000, 1000, 1500)


def test_without_a_close_on_the_first_day_there_is_nothing_to_hold() -> None:
    prices = closes("100", "120")
    del prices[day(0)]
    found = hold(chain(balances(["1000", "1000"])), prices)
    assert found == Benchmark((None, None), Measure.undefined(Reason.NO_PRICE), Reason.NO_PRICE)


def test_withdrawals_can_use_it_up() -> None:
    points = history(("1000", "0", "0"), ("3000", "0", "0"), ("500", "0", "2500"))
    found = hold(points, closes("100", "100", "100"))
    assert (found.worth, found.reason) == ((*amounts(1000, 1000), None), Reason.USED_UP)


def test_one_day_has_nothing_to_compare() -> None:
    assert hold(chain(balances(["1000"])), closes("100")).reason is Reason.NO_RETURNS
