"""How parts of exits are told."""

from typing import Any

import pytest

from orders.models import Fill
from portfolio.models import Allocation
from portfolio.selectors.trees import facts


@pytest.mark.parametrize(
    ("source", "entry", "exit_market", "words"),
    [
        ("LOT", {"side": "BUY"}, "spot", "bought with a fill"),
        ("LOT", {"side": "BUY", "is_inferred": True}, "spot", "bought with an inferred fill"),
        ("LOT", {"side": "SELL"}, "spot", "taken in payment with a fill"),
        ("LOT", {"side": "SELL", "is_conversion": True}, "spot", "from a conversion"),
        ("LOT", {"side": "BUY", "market_type": "futures"}, "futures", "bought with a fill"),
        ("LOT", {"side": "SELL", "market_type": "futures"}, "futures", "sold short with a fill"),
        ("DUST", None, "spot", "left over from an earlier position"),
        ("AIRDROP", None, "spot", "from an airdrop"),
        ("INTEREST", None, "spot", "received as interest"),
        ("STATED", None, "spot", "deposited at a cost the user stated"),
        ("TRANSFER", None, "spot", "carried over from another own account"),
        ("UNKNOWN", None, "spot", "never seen bought: in no PnL"),
        ("UNKNOWN", None, "futures", "never seen entered: in no PnL"),
    ],
)
def test_how_a_part_came_in(source: str, entry: dict[str, Any] | None, exit_market: str, words: str) -> None:
    part = Allocation(
        source=source,
        entry_fill=None if entry is None else Fill(**entry),
        exit_fill=Fill(market_type=exit_market),
    )

    assert facts.entered(part) == words
