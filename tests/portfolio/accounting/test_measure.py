from dataclasses import dataclass
from decimal import Decimal

import pytest

from portfolio.accounting import measure
from portfolio.accounting.measure import Measure, Reason


@dataclass(frozen=True)
class _Record:
    count: int
    ratio: Measure
    factor: Measure


def test_a_measure_holds_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Measure(None)
    with pytest.raises(ValueError, match="one of the two"):
        Measure(Decimal(1), Reason.NO_TRADES)


@pytest.mark.parametrize(
    ("raw", "rounded"), [("0.00005", "0"), ("0.00015", "0.0002"), ("-0.00025", "-0.0002")]
)
def test_ratios_round_half_to_even_at_four_decimals(raw: str, rounded: str) -> None:
    assert Measure.ratio(Decimal(raw)).value == Decimal(rounded)


def test_splitting_a_record_gives_columns_and_reasons() -> None:
    record = _Record(3, Measure.ratio(Decimal("1.5")), Measure.undefined(Reason.NO_LOSSES))
    assert measure.split(record) == (
        {"count": 3, "ratio": Decimal("1.5"), "factor": None},
        {"factor": "no_losses"},
    )
