"""Coinbase Pro (GDAX), account statement: every change of a balance, a line each; lines of a trade share its id."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from core.money import ZERO
from exchanges.histories import cells, records, swaps
from exchanges.histories.history import Format, History, Wanted
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line, Table, identity
from exchanges.reading import UnreadableRow

NAME: Final = "coinbase-pro"
_TIMES: Final = ("%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z")
_TRADE: Final = ("match", "fee", "rebate")
_COIN: Final = "Amount/balance unit"


class _Entry(NamedTuple):
    line: Line
    at: datetime
    type: str
    change: Decimal
    coin: str


def read(table: Table, wanted: Wanted) -> History:
    """Raises nothing: what cannot be read is set aside."""
    history = History()
    trades: dict[tuple[str, str], list[_Entry]] = defaultdict(list)
    for line in history.once(table.lines):
        try:
            entry = _entry(line)
            if entry.type in _TRADE:
                trades[line.cells["Trade id"], line.cells["Order id"]].append(entry)
            else:
                records.book(line, _transfer(entry), history, name=NAME, wanted=wanted)
        except UnreadableRow as error:
            history.reject([line], str(error))
    for (trade_id, order), entries in trades.items():
        try:
            swap = _swap(entries)
        except UnreadableRow as error:
            history.reject([entry.line for entry in entries], str(error))
        else:
            name = identity(NAME, trade_id, swap.got_coin, swap.spent_coin)
            history.fills.append(swaps.fill(swap, name=name, order=order, cash=wanted.cash))
    return history


def _entry(line: Line) -> _Entry:
    words = line.cells["Type"].lower()
    if words not in (*_TRADE, "deposit", "withdrawal"):
        raise UnreadableRow(f"Type {words!r:.40} is not known")
    at, change = cells.moment(line, "Timestamp", _TIMES), cells.amount(line, "Amount")
    if words in _TRADE and not line.cells["Trade id"]:
        raise UnreadableRow("Trade id is empty")
    return _Entry(line, at, words, change, cells.asset(line, _COIN))


def _transfer(entry: _Entry) -> Record:
    reference = entry.line.cells["Transfer id"]
    if (entry.change > ZERO) is not (entry.type == "deposit"):
        raise UnreadableRow(f"Amount {entry.change} has the wrong sign")
    if entry.change > ZERO:
        return Record(Kind.DEPOSIT, entry.at, got=entry.change, got_coin=entry.coin, reference=reference)
    return Record(Kind.WITHDRAWAL, entry.at, spent=-entry.change, spent_coin=entry.coin, reference=reference)


def _swap(entries: Iterable[_Entry]) -> swaps.Swap:
    entries = list(entries)
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        sums[entry.type if entry.type == "match" else "fee", entry.coin] += entry.change
    legs = {coin: amount for (what, coin), amount in sums.items() if what == "match" and amount}
    fees = [(-amount, coin) for (what, coin), amount in sums.items() if what == "fee" and amount]
    if sorted(amount > ZERO for amount in legs.values()) != [False, True]:
        raise UnreadableRow("a trade needs one coin that came and one that went")
    if len(fees) > 1:
        raise UnreadableRow("a trade has fees in several coins")
    [(got_coin, got)] = [(coin, amount) for coin, amount in legs.items() if amount > ZERO]
    [(spent_coin, spent)] = [(coin, -amount) for coin, amount in legs.items() if amount < ZERO]
    fee, fee_coin = fees[0] if fees else (ZERO, "")
    return swaps.Swap(
        spent, spent_coin, got, got_coin, fee, fee_coin, entries[0].at, [entry.line for entry in entries]
    )


FORMAT: Final = Format(
    NAME,
    "Coinbase Pro account statement",
    "files",
    frozenset({"Type", "Timestamp", "Amount", "Balance", _COIN, "Transfer id", "Trade id", "Order id"}),
    read,
)
