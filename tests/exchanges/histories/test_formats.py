"""How a file is recognised, and how its lines are counted."""

import pytest

from core.errors import Invalid
from exchanges.histories import formats
from exchanges.histories.tables import identity, tables

HEAD = "User_ID;UTC_Time;Account;Operation;Coin;Change;Remark"


def test_a_header_is_found_behind_other_lines_and_by_any_separator() -> None:
    one, table = formats.recognise(
        f"\ufeffName: J\n\n{HEAD}\n\n1;2020-10-28 22:03:03;Spot;Deposit;EUR;245.25;\n"
    )
    assert (one.name, [line.number for line in table.lines]) == ("binance-statement", [5])
    assert table.lines[0].cells["Change"] == "245.25"


def test_a_file_of_no_known_format_is_refused() -> None:
    with pytest.raises(Invalid, match="No header of a format"):
        formats.recognise("symbol,amount\nBTC,1\n")


def test_a_format_that_was_named_is_the_only_one_tried() -> None:
    with pytest.raises(Invalid, match="tried: binance-futures-trades"):
        formats.recognise(HEAD, name="binance-futures-trades")


def test_columns_of_one_name_are_numbered() -> None:
    table = next(tables("Buy,Cur.,Sell,Cur.\n1,BTC,2,ETH,extra\n"))
    assert table.lines[0].cells == {"Buy": "1", "Cur.": "BTC", "Sell": "2", "Cur.#2": "ETH"}
    assert table.lines[0].excess == 1


def test_an_identity_is_told_apart_by_its_parts() -> None:
    assert identity("a", "bc") == identity("a", "bc") != identity("ab", "c")
