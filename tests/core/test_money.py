"""Exact money: what is read, what is refused, and the one rounding."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money
from core.money import InvalidAmount

UNITS = st.integers(min_value=-(10**38) + 1, max_value=10**38 - 1)


@given(UNITS)
def test_every_storable_amount_is_read_exactly(units: int) -> None:
    amount = money.from_units(units)
    assert Fraction(money.parse(f"{amount:f}")) == Fraction(units, money.UNIT)
    assert money.parse(money.text(amount)) == amount == money.parse(amount)


@given(UNITS)
def test_the_shortest_text_reads_back_as_the_same_amount(units: int) -> None:
    told = money.text(money.from_units(units))
    assert "e" not in told.lower()
    assert money.to_units(money.parse(told)) == units


@given(st.text(alphabet="0123456789.+-eE_ naif٣", max_size=60))
def test_no_text_is_read_as_more_than_it_says(text: str) -> None:
    """Whatever is taken is a finite decimal of at most 38 digits, 18 of them behind the point."""
    try:
        amount = money.parse(text)
    except InvalidAmount:
        return
    assert amount == Decimal(text)
    assert abs(amount) < 10**20
    assert amount.scaleb(18, money.CONTEXT) == int(amount.scaleb(18, money.CONTEXT))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.000000000000000001", "1E-18"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("00012.50", "12.5"),
        ("-0", "0"),
        ("1e3", "1000"),
        ("1.0000000000000000000", "1"),
        (".5", "0.5"),
        ("5.", "5"),
    ],
)
def test_amounts_in_their_many_forms(text: str, amount: str) -> None:
    assert money.parse(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.0000000000000000001", "more than 18 decimals"),
        ("100000000000000000000", "more than 20 digits before the point"),
        ("NaN", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("", "not a number"),
        ("1,5", "not a number"),
        ("1.5\n1", "not a number"),
        (1.5, "must be text, not float"),
        (True, "must be text, not bool"),
        (None, "must be text, not NoneType"),
    ],
)
def test_what_is_no_amount_is_refused_in_words(value: object, words: str) -> None:
    with pytest.raises(InvalidAmount, match=words):
        money.parse(value)  # type: ignore[arg-type]


@given(st.integers(min_value=-(10**70), max_value=10**70))
def test_a_product_is_rounded_half_even_as_decimal_does(product: int) -> None:
    with localcontext(money.CONTEXT):
        expected = (Decimal(product) / money.UNIT).to_integral_value()
    assert money.round_product(product) == expected


@given(UNITS, st.integers(min_value=0, max_value=18))
def test_rounding_to_places_is_off_by_half_a_step_at_most(units: int, places: int) -> None:
    amount = money.from_units(units)
    rounded = money.quantize(amount, places)
    assert abs(Fraction(rounded) - Fraction(amount)) <= Fraction(1, 2 * 10**places)


@given(UNITS.map(money.from_units), UNITS.map(money.from_units))
def test_a_product_is_rounded_once_and_refused_where_it_does_not_fit(one: Decimal, other: Decimal) -> None:
    rounded = money.quantize(money.CONTEXT.multiply(one, other))
    if abs(rounded) < 10**20:
        assert money.multiply(one, other) == rounded
    else:
        with pytest.raises(InvalidAmount):
            money.multiply(one, other)
