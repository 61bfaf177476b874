"""What a planned stop of a contract would have lost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portfolio.metrics import trade_facts


def risk(**more: Any) -> Decimal | None:
    """Of 2 entered at 100."""
    row = {
        "exit_time": datetime(2026, 2, 1, tzinfo=UTC), "net_pnl": 0, "gross_pnl": 0, "entry_fees": 0, "exit_fees": 0,
        "cost": Decimal(200), "proceeds": Decimal(200), "hold_duration": timedelta(0), "exit_quantity": Decimal(2),
        "entry_price": Decimal(100), "stop_loss_price": None, "side": "LONG", "market_type": "futures",
        "is_inverse": False,
    }  # fmt: skip
    [fact] = trade_facts([row | more])
    return fact.planned_risk


@pytest.mark.parametrize(
    ("side", "stop", "is_inverse", "expected"),
    [
        ("LONG", "90", False, "20"),
        ("SHORT", "110", False, "20"),
        ("LONG", "110", False, None),
        ("SHORT", "90", False, None),
        ("LONG", "80", True, "50"),  # 200 × (100 / 80 − 1)
        ("SHORT", "125", True, "40"),
        ("LONG", "0", True, None),
    ],
)
def test_the_risk_is_what_the_stop_would_have_lost(
    side: str, stop: str, is_inverse: bool, expected: str | None
) -> None:
    found = risk(side=side, stop_loss_price=Decimal(stop), is_inverse=is_inverse)
    assert found == (None if expected is None else Decimal(expected))


def test_without_a_stop_there_is_no_planned_risk() -> None:
    assert risk() is None


def test_a_spot_stop_above_the_entry_plans_no_risk() -> None:
    assert risk(market_type="spot", stop_loss_price=Decimal(110)) is None
