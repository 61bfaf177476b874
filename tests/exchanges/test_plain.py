"""Pages of plain rows: the short way reads what the long one reads, and leaves to it what is not plain."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import plain, reading
from exchanges.bitget import mapping as bitget
from exchanges.mexc import mapping as mexc
from exchanges.reading import UnreadableRow
from exchanges.rows import FillRow

Row = dict[str, Any]

# Shapes as in the recorded samples beside the adapters' own tests.
DEAL: Row = {
    "symbol": "BNBBTC",
    "id": "fad2af9e942049b6adbda1a271f990c6",
    "orderId": "bb41e5663e124046bd9497a3f5692f39",
    "price": "4.00000100",
    "qty": "12.00000000",
    "quoteQty": "48.000012",
    "commission": "10.1",
    "commissionAsset": "BNB",
    "time": 1499865549590,
    "isBuyer": True,
    "isMaker": False,
}
FILL: Row = {
    "symbol": "BTCUSDT",
    "orderId": "12345678910",
    "tradeId": "12345678911",
    "side": "buy",
    "priceAvg": "13000",
    "size": "0.0007",
    "amount": "9.1",
    "feeDetail": {"deduction": "no", "feeCoin": "BTC", "totalFee": "-0.0000007"},
    "tradeScope": "taker",
    "cTime": "1695865232579",
}
FEES = [
    {"deduction": "yes", "feeCoin": "BTC", "totalDeductionFee": "-0.2", "totalFee": "-1"},
    {"deduction": "no", "feeCoin": "usdt", "totalFee": "0.3"},
    {"deduction": "no", "feeCoin": "", "totalFee": "0"},
    {"deduction": "no", "feeCoin": "BTC", "totalFee": "--1"},
    [{"feeCoin": "BTC", "totalFee": "-1"}],
]
VALUES = (
    st.text(alphabet="0123456789.-+eE_ naif٣²\x00", max_size=40)
    | st.sampled_from(["0", "0.00", ".", "1.", "1e5", "buy", "sell", "maker", "XYZ", "1499865549", *FEES])
    | st.integers(-1, 2**65)
    | st.booleans()
    | st.none()
    | st.integers(reading.EARLIEST_MS - 2, reading.LATEST_MS + 2).map(str)
)


def assets(symbol: str) -> tuple[str, str]:
    if symbol.startswith("X"):
        raise UnreadableRow("not listed")
    return symbol[:3], symbol[3:]


def mexc_page(raws: Any) -> tuple[FillRow, ...]:
    return mexc.fills(raws, assets)


def bitget_page(raws: Any) -> tuple[FillRow, ...]:
    return bitget.fills(raws, assets)


def mexc_row(raw: Any) -> FillRow:
    return mexc.fill(raw, assets)


def bitget_row(raw: Any) -> FillRow:
    return bitget.fill(raw, assets)


MEXC, BITGET = (DEAL, mexc_page, mexc_row), (FILL, bitget_page, bitget_row)
Case = tuple[Row, Callable[[Any], tuple[FillRow, ...]], Callable[[Any], FillRow]]


@pytest.mark.parametrize("case", [MEXC, BITGET], ids=["mexc", "bitget"])
def test_recorded_rows_go_the_short_way(case: Case) -> None:
    raw, page, row = case
    assert page([raw, raw]) == (row(raw), row(raw))


@pytest.mark.parametrize("case", [MEXC, BITGET], ids=["mexc", "bitget"])
@given(data=st.data())
def test_the_short_way_tells_what_the_long_one_tells(case: Case, data: st.DataObject) -> None:
    raw, page, row = case
    changes = data.draw(
        st.lists(st.dictionaries(st.sampled_from(sorted(raw)), VALUES, max_size=2), max_size=3)
    )
    raws = [raw | change for change in changes]
    assert reading.rows(raws, plain.reader(page, row)) == reading.rows(raws, row)


def test_one_row_that_is_not_plain_leaves_the_others_as_they_are() -> None:
    odd = DEAL | {"commission": "0", "commissionAsset": None}
    rows, bad = reading.rows([DEAL, odd, DEAL | {"qty": "0"}], plain.reader(mexc_page, mexc_row))
    assert (rows, bad[0].reason) == ((mexc_row(DEAL), mexc_row(odd)), "qty is not above zero: 0")


@pytest.mark.parametrize("told", ["-1", "1e5", "..", "NaN", " 1"])
def test_an_amount_with_a_sign_or_an_exponent_is_not_plain(told: str) -> None:
    with pytest.raises(plain.DIFFERENT):
        plain.amounts(["1.5", told])


def test_a_name_with_nul_is_not_plain() -> None:
    with pytest.raises(msgspec.ValidationError):
        plain.hold_for_names(["BTC", "B\x00C"])
