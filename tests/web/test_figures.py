"""How numbers and moments are written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from web.templatetags import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234567.891", "1,234,567.89"),
        ("-1234.5", "−1,234.50"),
        ("0", "0.00"),
        ("0.005", "0.005"),
        ("-0.000012345", "−0.00001234"),
        ("1E-18", "0.000000000000000001"),
        ("99999999999999999999.999999999999999999", "100,000,000,000,000,000,000.00"),
    ],
)
def test_money_is_written_with_two_decimals_or_what_it_takes(value: str, text: str) -> None:
    assert figures.written(Decimal(value), places=2) == text


def test_a_change_carries_its_sign_and_its_colour() -> None:
    assert figures.amount(Decimal("12.5"), "USDT", signed=True) == (
        '<span class="num up" title="12.5 USDT">+12.50<span class="unit">USDT</span></span>'
    )


def test_the_title_keeps_every_digit() -> None:
    assert 'title="0.123456789012345678 BTC"' in figures.quantity(Decimal("0.123456789012345678"), "BTC")


def test_unknown_is_a_dash_with_its_reason() -> None:
    words = "no losing trade in this time, and nothing can be divided by zero"
    assert figures.ratio(None, reason="no_losses") == (
        f'<span class="unknown" title="{words}">—<span class="sr-only"> not known: {words}</span></span>'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("67123.456", "67,123.46"),
        ("2999.9", "2,999.90"),
        ("1.2345678", "1.23457"),
        ("0.000012345", "0.00001234"),
        ("100", "100.00"),
    ],
)
def test_prices_keep_six_digits_that_count(value: str, text: str) -> None:
    assert figures.price(Decimal(value)) == f'<span class="num" title="{value}">{text}</span>'


@pytest.mark.parametrize(
    ("value", "text"), [("0.05", "0.05"), ("1.39991082", "1.39991082"), ("5627.67792098", "5,627.6779")]
)
def test_quantities_lose_trailing_zeros_and_decimals_nobody_reads(value: str, text: str) -> None:
    assert figures.quantity(Decimal(value)) == f'<span class="num" title="{value}">{text}</span>'


def test_a_drawdown_is_shown_as_a_loss() -> None:
    assert ">−3.20<" in figures.fall(Decimal("3.2"))


def test_text_from_outside_is_escaped() -> None:
    assert "<script" not in figures.quantity(Decimal(1), "<script>")


def test_an_age_says_the_moment_until_the_browser_counts() -> None:
    at = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
    assert figures.age(at) == (
        '<time datetime="2026-03-01T12:00:05Z" title="2026-03-01 12:00:05 UTC" data-age>1 Mar 12:00:05 UTC</time>'
    )


def test_a_sum_keeps_the_decimals_it_needs_to_be_added_up_again() -> None:
    assert ">−0.11085950<" in figures.exactly(Decimal("-0.110859500000001"))
    assert ">30.00<" in figures.exactly(Decimal(30))


def test_a_tiny_percentage_is_nothing_but_keeps_its_title() -> None:
    assert figures.percentage(Decimal("0.0003")) == (
        '<span class="num" title="0.0003 %">0.00<span class="unit">%</span></span>'
    )
