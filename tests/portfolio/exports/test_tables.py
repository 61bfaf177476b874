"""How rows become a file."""

import csv
import io
import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from portfolio.exports.tables import MARK, Counts, Row, Table, Type, csv_file, defuse, json_lines

TABLE = Table(
    "thing",
    (
        ("name", Type.TEXT),
        ("amount", Type.AMOUNT),
        ("is_new", Type.FLAG),
        ("tags", Type.LIST),
        ("n", Type.INTEGER),
    ),
)
ROW = ("=1+1", "-0.5", True, ["a", "=b"], 7)
# What PostgreSQL stores of texts.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def as_csv(rows: Iterable[Row]) -> str:
    return b"".join(csv_file(TABLE, rows, Counts({}))).decode()


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_has_a_header_and_every_cell_quoted() -> None:
    assert as_csv([ROW]) == (
        '"name","amount","is_new","tags","n"\r\n"\'=1+1","-0.5","true","[""a"",""=b""]","7"\r\n'
    )


def test_csv_without_rows_is_a_header() -> None:
    assert read_csv(as_csv([])) == [["name", "amount", "is_new", "tags", "n"]]


def test_nothing_is_an_empty_cell() -> None:
    assert read_csv(as_csv([(None, None, None, None, None)]))[1] == ["", "", "", "", ""]


def test_negative_amounts_stay_numbers_and_negative_texts_do_not() -> None:
    assert read_csv(as_csv([("-5", "-5", None, None, -5)]))[1] == ["'-5", "-5", "", "", "-5"]


@given(texts)
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    assert not defuse(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(texts)
def test_an_apostrophe_less_is_what_it_was(text: str) -> None:
    assert defuse(text).removeprefix(MARK) == text


@given(st.lists(texts, min_size=1, max_size=5))
def test_any_text_comes_back_from_csv(names: list[str]) -> None:
    rows = read_csv(as_csv([(name, "1", False, [], 0) for name in names]))

    assert [row[0].removeprefix(MARK) for row in rows[1:]] == names


def test_json_lines_have_texts_as_they_are_between_a_header_and_an_end() -> None:
    counts = Counts({})
    lines = b"".join(json_lines({"kind": "things"}, [(TABLE, [ROW])], counts)).splitlines()

    assert [json.loads(line) for line in lines] == [
        {"record": "header", "producer": "crypto-graph-trader", "version": 1, "kind": "things"},
        {"record": "thing", "name": "=1+1", "amount": "-0.5", "is_new": True, "tags": ["a", "=b"], "n": 7},
        {"record": "end", "counts": {"thing": 1}},
    ]
    assert counts.total == 1


def test_rows_are_asked_for_as_they_are_written() -> None:
    """However many there are, few are in memory."""
    given_out = 0

    def many() -> Iterable[Row]:
        nonlocal given_out
        for _ in range(10_000):
            given_out += 1
            yield ROW

    file = csv_file(TABLE, many(), Counts({}))
    next(file)

    assert given_out <= 1_000
