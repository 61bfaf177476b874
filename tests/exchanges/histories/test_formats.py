"""How a file is recognised, and how its lines are counted."""

import pytest

from core.errors import Invalid
from exchanges.histories import formats
from exchanges.histories.tables import headers, identity, table
from tests.exchanges.histories.reading import read, reasons

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
    content = "Buy,Cur.,Sell,Cur.\n1,BTC,2,ETH,extra\n"
    [line] = table(content, next(headers(content))).lines
    assert line.cells == {"Buy": "1", "Cur.": "BTC", "Sell": "2", "Cur.#2": "ETH"}
    assert line.excess == 1


def test_an_identity_is_told_apart_by_its_parts() -> None:
    assert identity("a", "bc") == identity("a", "bc") != identity("ab", "c")


BUY = "1;2020-10-28 22:03:03;Spot;Deposit;EUR;245.25;"


def test_a_header_in_the_middle_begins_another_file_whose_lines_may_be_those_before() -> None:
    """Equal lines of one file are facts of their own; of two that overlap they are the same ones."""
    history = read(f"{HEAD}\n{BUY}\n{BUY}\n\ufeff{HEAD}\n{BUY}\n{BUY}\n{BUY}\n{HEAD}\n{BUY}")

    assert (len(history.transfers), history.set_aside) == (3, [])


def test_a_quote_that_never_ends_hides_no_lines() -> None:
    with pytest.raises(Invalid, match="Line 2: unexpected end of data"):
        read(f'{HEAD}\n{BUY}"oops\n{BUY}\n')
    with pytest.raises(Invalid, match="Line 2: field larger than"):
        read(f'{HEAD}\n{BUY}"oops\n{"x" * 140_000}\n')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_machine_ends_them(end: str) -> None:
    history = read(end.join([HEAD, BUY, BUY + "a\u2028b\x85c", ""]))

    remarks = [transfer.raw["lines"][0].split(",")[-1] for transfer in history.transfers]
    assert remarks == ["", "a\u2028b\x85c"]


def test_cells_beyond_the_header_leave_open_what_the_others_are() -> None:
    history = read(f"{HEAD}\n1;2020-10-28 22:03:03;Spot;Deposit;EUR;1;245.25;x\n")

    assert reasons(history) == [(2, "it has more cells than the header")]


def test_only_the_lines_of_the_header_that_fits_are_made() -> None:
    header = next(headers(f"{HEAD}\n{BUY}\n"))
    assert (header.columns, header.separator) == (tuple(HEAD.split(";")), ";")
