"""Readers of single values: the short way for what nearly all values look like tells the same as the long one."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock, money
from exchanges import reading
from exchanges.reading import UnreadableRow
from exchanges.rows import BalanceRow

END = 2**63
WORDS = st.text(alphabet="0123456789.-+eE_ naif٣²", min_size=1, max_size=45)


def parsed(words: str) -> str:
    try:
        return repr(money.parse(words))
    except money.InvalidAmount as error:
        return f"value: {error.message}"


def read(words: str) -> str:
    try:
        return repr(reading.amount({"value": words}, "value"))
    except UnreadableRow as error:
        return str(error)


@given(WORDS | st.decimals(-(10**24), 10**24).map(str))
def test_an_amount_is_what_the_parser_of_money_makes_of_it(words: str) -> None:
    assert read(words) == parsed(words)


@given(st.integers(reading.EARLIEST_MS, reading.LATEST_MS - 1))
def test_a_moment_is_exact_to_the_millisecond(milliseconds: int) -> None:
    expected = clock.from_ms(milliseconds)
    assert reading.moment(milliseconds, "time") == reading.moment(str(milliseconds), "time") == expected
    assert reading.moment(milliseconds, "time").tzinfo is UTC


@pytest.mark.parametrize("offset", [-1, 0])
def test_the_first_and_the_last_moment_are_told_apart_from_those_outside(offset: int) -> None:
    first, last = reading.EARLIEST_MS + offset, reading.LATEST_MS + offset
    readable = [each for each in (first, last, str(first), str(last)) if _is_moment(each)]
    assert readable == ([first, str(first)] if offset == 0 else [last, str(last)])


@pytest.mark.parametrize("value", ["01700000000000", "١٧٠٠٠٠٠٠٠٠٠٠٠", "1700000000000.0", True, 1.7e12, None])
def test_what_only_resembles_a_moment_is_refused(value: object) -> None:
    assert not _is_moment(value)


@given(WORDS | st.integers(-END, 2 * END).map(str))
def test_an_id_is_a_whole_number_below_its_end(words: str) -> None:
    is_id = words.isascii() and words.isdigit() and len(words) <= len(str(END)) and int(words) < END
    try:
        assert reading.identity({"id": words}, "id", below=END) == words
    except UnreadableRow:
        assert not is_id
    else:
        assert is_id


def test_a_word_means_what_is_listed_also_where_it_came_as_a_number() -> None:
    assert [reading.one_of({"side": side}, "side", {"1": "BUY"}) for side in ("1", 1)] == ["BUY", "BUY"]
    with pytest.raises(UnreadableRow, match="side '2' is unknown"):
        reading.one_of({"side": 2}, "side", {"1": "BUY"})


def test_a_row_tells_everything_but_the_exchanges_own_object() -> None:
    row = BalanceRow(asset="BTC", available=Decimal(1), locked=Decimal(0), raw={"uid": "7"})
    assert repr(row) == (
        "BalanceRow(asset='BTC', available=Decimal('1'), locked=Decimal('0'), wallet='spot', unrealized_pnl=None)"
    )


def _is_moment(value: object) -> bool:
    try:
        moment = reading.moment(value, "time")
    except UnreadableRow:
        return False
    return datetime(2010, 1, 1, tzinfo=UTC) <= moment < datetime(2100, 1, 1, tzinfo=UTC)
