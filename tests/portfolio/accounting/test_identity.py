from decimal import Decimal

from portfolio.accounting.identity import residual


def _residual(**changed: str) -> Decimal:
    """A day that earned 30 realised and 20 unrealised, paid 1 in fees and 0.5 funding, and took in 100."""
    day = {
        "equity_before": "1000",
        "equity_after": "1148.5",
        "flows": "100",
        "gross_realised": "30",
        "unrealised_before": "-5",
        "unrealised_after": "15",
        "fees": "1",
        "funding": "-0.5",
    }
    return residual(**{name: Decimal(value) for name, value in (day | changed).items()})


def test_a_day_that_closes_has_no_residual() -> None:
    assert _residual() == 0


def test_money_that_went_without_a_fact_is_a_negative_residual() -> None:
    assert _residual(equity_after="1140") == Decimal("-8.5")


def test_the_residual_keeps_38_digits() -> None:
    before, after = "98999999999999999999", "98999999999999999999.000000000000000001"
    left = _residual(equity_before=before, equity_after=after, flows="-48.5")
    assert left == Decimal("0.000000000000000001")
