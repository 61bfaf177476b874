"""Bisq, portfolio history: trades between people; times as its user's computer shows them, read as UTC.

The maker's words (`Sell BTC`) are of the coin that is no money. Fees of miners and a trade fee in bitcoin come on top;
a trade fee in BSQ is told beside them and kept out, as its coin moves in a wallet of its own.
"""

from functools import partial
from typing import Final

from core.money import ZERO
from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

NAME: Final = "bisq-trades"
_BTC: Final = "BTC"
_TIMES: Final = ("%d %b %Y %H:%M:%S",)


def _record(line: Line) -> Record:
    at, status = cells.moment(line, "Date/Time", _TIMES), line.cells["Status"]
    if status != "Completed":
        return Record(Kind.NOTHING, at, words=f"with the status {status!r:.20}")
    side, _, coin = line.cells["Offer type"].partition(" ")
    other = cells.asset(line, "Currency")
    bitcoin, amount = cells.positive(line, "Amount in BTC"), cells.positive(line, "Amount")
    traded, money = ((bitcoin, _BTC), (amount, other)) if coin == _BTC else ((amount, other), (bitcoin, _BTC))
    if side not in ("Buy", "Sell") or coin not in (_BTC, other):
        raise UnreadableRow(f"Offer type {line.cells['Offer type']!r:.20} names no side of the trade")
    got, spent = (traded, money) if side == "Buy" else (money, traded)
    fee = cells.not_negative(line, "Transaction Fee") + cells.not_negative(line, "Trade Fee BTC")
    return Record(Kind.TRADE, at, *got, *spent, fee, _BTC if fee > ZERO else "", line.cells["Trade ID"])


FORMAT: Final = Format(
    NAME,
    "Bisq trade history",
    "files",
    frozenset(
        {"Trade ID", "Date/Time", "Market", "Amount in BTC", "Amount", "Currency", "Offer type", "Status"}
    ),
    partial(records.read, name=NAME, record=_record),
)
