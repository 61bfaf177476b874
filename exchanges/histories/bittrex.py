"""Bittrex's closing exports: orders that were filled, and deposits and withdrawals; times in UTC."""

from functools import partial
from typing import Final

from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

_ORDERS: Final = "bittrex-orders"
_TRANSFERS: Final = "bittrex-transfers"


def _order(line: Line) -> Record:
    """`Total` holds the fee: it is what was paid with it, or what came without it."""
    base, quote = cells.asset(line, "Base"), cells.asset(line, "Quote")
    quantity, fee = cells.positive(line, "Quantity (Base)"), cells.not_negative(line, "Fees (Quote)")
    total, words = cells.positive(line, "Total (Quote)"), line.cells["Transaction"].lower()
    if words not in ("bought", "sold"):
        raise UnreadableRow(f"Transaction {words!r:.40} is not known")
    got, spent = (
        ((quantity, base), (total - fee, quote))
        if words == "bought"
        else ((total + fee, quote), (quantity, base))
    )
    at = cells.moment(line, "Time (UTC)", ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"))
    return Record(Kind.TRADE, at, *got, *spent, fee, quote if fee else "", reference=line.cells["TXID"])


def _transfer(line: Line) -> Record:
    kind = records.kind_of(line, "Type", {"deposit": Kind.DEPOSIT, "withdrawal": Kind.WITHDRAWAL})
    coin, amount = cells.asset(line, "Currency"), cells.amount(line, "Amount")
    at = cells.moment(line, "Date", ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"))
    if (amount > 0) is not (kind is Kind.DEPOSIT):
        raise UnreadableRow(f"Amount {amount} has the wrong sign")
    record = Record(kind, at, reference=line.cells["TxId"])
    if amount > 0:
        return record._replace(got=amount, got_coin=coin)
    return record._replace(spent=-amount, spent_coin=coin)


FORMATS: Final = (
    Format(
        _ORDERS,
        "Bittrex order history",
        "files",
        frozenset({"TXID", "Time (UTC)", "Transaction", "Quantity (Base)", "Fees (Quote)", "Total (Quote)"}),
        partial(records.read, name=_ORDERS, record=_order),
    ),
    Format(
        _TRANSFERS,
        "Bittrex deposits and withdrawals",
        "files",
        frozenset({"Date", "Currency", "Type", "Address", "TxId", "Amount"}),
        partial(records.read, name=_TRANSFERS, record=_transfer),
    ),
)
