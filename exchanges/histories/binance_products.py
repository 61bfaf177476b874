"""Binance, order histories of products that are no markets: Auto-Invest, and ETH staked for BETH. In UTC.

The transaction history tells the same: one of the two is imported, not both.
"""

import re
from datetime import datetime
from functools import partial
from typing import Final

from exchanges.histories import binance_legs, cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

INVESTED: Final = "binance-auto-invest"
STAKED: Final = "binance-beth"
_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M")
_PAIR: Final = re.compile(r"([0-9.]+) ([A-Z0-9]+)")


def _invested(line: Line) -> Record:
    at = cells.moment(line, "Auto-Invest Date(UTC)", _TIMES)
    if (nothing := _undone(line, at)) is not None:
        return nothing
    split = {}
    for column in ("Amount per period", "Trading Fee", "Units"):
        parts = _PAIR.fullmatch(line.cells[column])
        if parts is None:
            raise UnreadableRow(f"{column} is no amount with a coin")
        split[column], split[f"{column} coin"] = parts.groups()
    columns = records.Columns(
        "Units",
        "Units coin",
        "Amount per period",
        "Amount per period coin",
        "Trading Fee",
        "Trading Fee coin",
    )
    return records.sides(line._replace(cells=split), columns, kind=Kind.TRADE, at=at)


def _staked(line: Line) -> Record:
    at = cells.moment(line, "Date(UTC)", _TIMES)
    if (nothing := _undone(line, at)) is not None:
        return nothing
    amount = cells.positive(line, "Amount")
    return Record(Kind.TRADE, at, amount, cells.asset(line, "Token"), amount, cells.asset(line, "Coin"))


def _undone(line: Line, at: datetime) -> Record | None:
    if line.cells["Status"].lower() == "success":
        return None
    return Record(Kind.NOTHING, at, words=f"with the status {line.cells['Status']!r:.20}")


FORMATS: Final = (
    Format(
        INVESTED,
        "Binance Auto-Invest history",
        "binance",
        frozenset({"Auto-Invest Date(UTC)", "Amount per period", "Trading Fee", "Units", "Status"}),
        partial(records.read, name=INVESTED, record=_invested),
        frozenset({binance_legs.NAME}),
    ),
    Format(
        STAKED,
        "Binance ETH staking history",
        "binance",
        frozenset({"Date(UTC)", "Coin", "Token", "Amount", "Status"}),
        partial(records.read, name=STAKED, record=_staked),
        frozenset({binance_legs.NAME}),
    ),
)
