"""KuCoin, spot order history (filled orders): an execution a line; times read as UTC."""

from functools import partial
from typing import Final

from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

NAME: Final = "kucoin-orders"


def _record(line: Line) -> Record:
    base, _, quote = cells.asset(line, "symbol").partition("-")
    size, funds, fee = (
        cells.positive(line, "size"),
        cells.positive(line, "funds"),
        cells.not_negative(line, "fee"),
    )
    side = line.cells["side"].lower()
    if side not in ("buy", "sell") or not base or not quote:
        raise UnreadableRow("symbol and side name no trade of two coins")
    got, spent = ((size, base), (funds, quote)) if side == "buy" else ((funds, quote), (size, base))
    at = cells.moment(line, "tradeCreatedAt", ("%Y-%m-%d %H:%M:%S",))
    return Record(Kind.TRADE, at, *got, *spent, fee, cells.asset(line, "feeCurrency") if fee else "")


FORMAT: Final = Format(
    NAME,
    "KuCoin spot order history",
    "files",
    frozenset({"tradeCreatedAt", "symbol", "side", "size", "funds", "fee", "feeCurrency"}),
    partial(records.read, name=NAME, record=_record),
)
