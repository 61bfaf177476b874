"""Dust turned into MX: rows as MEXC shows them, and answers with several pages."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges import reading
from exchanges.mexc import dust
from tests.exchanges.mexc.conftest import NOW
from tests.exchanges.stub import Asked

# As MEXC's documents show it.
COIN: dict[str, Any] = {
    "id": "3e52a99c5c3447b2af2163cd829dca28",
    "convert": "0.00885018",
    "fee": "0.000177",
    "amount": "0.007130464601986065",
    "time": 1665360563000,
    "asset": "ETHF",
}


def test_dust_is_told_before_its_fee() -> None:
    row = dust.conversion(COIN)
    assert (row.from_asset, row.from_amount) == ("ETHF", Decimal("0.007130464601986065"))
    assert (row.to_asset, row.to_amount, row.fee_amount) == ("MX", Decimal("0.00885018"), Decimal("0.000177"))


def test_a_row_that_cannot_be_read_says_why() -> None:
    _, bad = reading.rows([COIN | {"amount": "0"}], dust.conversion)
    assert [each.reason for each in bad] == ["amount is not above zero: 0"]


def test_all_pages_of_a_window_are_asked_for(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dust, "PAGE", 2)
    coins = [COIN | {"id": str(number)} for number in range(5)]

    def answer(asked: Asked) -> Any:
        page = int(asked.query["page"])
        sweeps = [{"convertDetails": [coin]} for coin in coins[2 * page - 2 : 2 * page]]
        return {"data": [*sweeps, {}] if page == 3 else sweeps}

    _, reader = account(answer)
    page = reader.conversions("", NOW)
    assert [row.conversion_id for row in page.rows] == ["0", "1", "2", "3", "4"]
    assert (len(page.bad), page.floor, page.has_more) == (1, NOW - dust.REACH, True)
