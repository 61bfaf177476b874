"""rotki's generic trades: what was spent and received at a location; times in milliseconds."""

from functools import partial
from typing import Final

from exchanges import reading
from exchanges.histories import records
from exchanges.histories.history import Format
from exchanges.histories.records import Columns, Kind, Record
from exchanges.histories.tables import Line

NAME: Final = "rotki-trades"
_COLUMNS: Final = Columns(
    "Receive Amount", "Receive Currency", "Spend Amount", "Spend Currency", "Fee", "Fee Currency"
)


def _record(line: Line) -> Record:
    return records.sides(line, _COLUMNS, kind=Kind.TRADE, at=reading.moment_ms(line.cells, "Timestamp"))


FORMAT: Final = Format(
    NAME,
    "rotki generic trades",
    "",
    frozenset(
        {"Location", "Spend Currency", "Receive Currency", "Receive Amount", "Spend Amount", "Timestamp"}
    ),
    partial(records.read, name=NAME, record=_record, place="Location"),
)
