"""What most files tell line by line: something came, something went, a fee was paid; and such records as rows.

A fee comes on top of what was spent, and is taken out of what came, as the fee of a fill is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Final, NamedTuple

from core.errors import Invalid
from core.money import ZERO
from exchanges.histories import cells, swaps
from exchanges.histories.history import History, Wanted
from exchanges.histories.tables import Line, Table
from exchanges.reading import UnreadableRow
from exchanges.rows import TransferKind, TransferRow, TransferStatus


class Kind(Enum):
    TRADE = auto()
    DEPOSIT = auto()
    WITHDRAWAL = auto()
    INTEREST = auto()
    GIFT = auto()
    REBATE = auto()
    CHARGE = auto()
    NOTHING = auto()  # understood, and no change of what is held


_COMES: Final = {
    Kind.DEPOSIT: TransferKind.DEPOSIT,
    Kind.INTEREST: TransferKind.INTEREST,
    Kind.GIFT: TransferKind.AIRDROP,
    Kind.REBATE: TransferKind.REBATE,
}
_GOES: Final = {Kind.WITHDRAWAL: TransferKind.WITHDRAWAL, Kind.CHARGE: TransferKind.CHARGE}
NOWHERE: Final = "(none)"


class Record(NamedTuple):
    """Amounts ≥ 0; a side that the line does not have is zero and "". `reference`: the file's own id of it, where its
    lines have one."""

    kind: Kind
    at: datetime
    got: Decimal = ZERO
    got_coin: str = ""
    spent: Decimal = ZERO
    spent_coin: str = ""
    fee: Decimal = ZERO
    fee_coin: str = ""
    reference: str = ""
    words: str = ""
    """Of NOTHING: what it is."""


Reader = Callable[[Line], Record]


def read(table: Table, wanted: Wanted, *, name: str, record: Reader, place: str = "") -> History:
    """All lines of the wanted place by one reader; `place` is the column that tells it. A line that says what one
    before said is taken once. Raises Invalid for a file of several places, where none is wanted."""
    history = History()
    lines = _of_place(table.lines, place, wanted.place, history) if place else table.lines
    for line in history.once(lines):
        try:
            book(line, record(line), history, name=name, wanted=wanted)
        except UnreadableRow as error:
            history.reject([line], str(error))
    return history


def _of_place(lines: Sequence[Line], column: str, place: str, history: History) -> list[Line]:
    places = Counter(line.cells[column] or NOWHERE for line in lines)
    if len(places) > 1 and not place:
        told = ", ".join(f"{each} ({count})" for each, count in sorted(places.items()))
        raise Invalid(f"The file tells of several places; choose one by --place: {told}.")
    wanted = [each for each in places if place.casefold() in ("", each.casefold())]
    history.left_out.update(
        {f"lines of {each}": count for each, count in places.items() if each not in wanted}
    )
    return [line for line in lines if (line.cells[column] or NOWHERE) in wanted]


def book(line: Line, each: Record, history: History, *, name: str, wanted: Wanted) -> None:
    """A record as rows of `history`. Raises UnreadableRow."""
    if each.kind is Kind.NOTHING:
        history.left_out[each.words] += 1
        return
    parts = (each.reference,) if each.reference else (each.at.isoformat(), *each[2:8])
    own = history.name(name, each.kind.name, *parts)
    if each.kind is Kind.TRADE:
        if not each.got or not each.spent or each.got_coin == each.spent_coin:
            raise UnreadableRow("a trade needs two coins and an amount of each")
        swap = swaps.Swap(
            each.spent, each.spent_coin, each.got, each.got_coin, each.fee, each.fee_coin, each.at, [line]
        )
        history.fills.append(swaps.fill(swap, name=own, cash=wanted.cash))
        return
    history.transfers += _transfers(line, each, own)


def _transfers(line: Line, each: Record, own: str) -> Iterator[TransferRow]:
    comes = _COMES.get(each.kind)
    amount, coin = (each.got, each.got_coin) if comes else (each.spent, each.spent_coin)
    other = each.spent if comes else each.got
    if not amount or other:
        raise UnreadableRow(f"{'something must come' if comes else 'something must go'}, and nothing else")
    kind = comes or _GOES[each.kind]
    # Only what a withdrawal cost stands beside it; other fees are charges of their own.
    with_fee = each.fee_coin == coin and kind is TransferKind.WITHDRAWAL
    yield _transfer(kind, own, coin, amount, each.fee if with_fee else ZERO, each.at, line)
    if each.fee and not with_fee:
        yield _transfer(TransferKind.CHARGE, f"{own}-fee", each.fee_coin, each.fee, ZERO, each.at, line)


def _transfer(
    kind: TransferKind, own: str, coin: str, amount: Decimal, fee: Decimal, at: datetime, line: Line
) -> TransferRow:
    return TransferRow(
        kind=kind, transfer_id=own, asset=coin, amount=amount, fee_amount=fee, network="", address="", tx_id="",
        status=TransferStatus.SUCCESS, occurred_at=at, raw=swaps.raw([line]),
    )  # fmt: skip


class Columns(NamedTuple):
    """Where a line has the parts of a record."""

    got: str
    got_coin: str
    spent: str
    spent_coin: str
    fee: str
    fee_coin: str


def sides(line: Line, columns: Columns, *, kind: Kind, at: datetime, reference: str = "") -> Record:
    """A record by its columns; empty cells and zeros are sides that are not there."""
    from_cells = [_side(line, *pair) for pair in (columns[0:2], columns[2:4], columns[4:6])]
    (got, got_coin), (spent, spent_coin), (fee, fee_coin) = from_cells
    return Record(kind, at, got, got_coin, spent, spent_coin, fee, fee_coin, reference)


def _side(line: Line, amount: str, coin: str) -> tuple[Decimal, str]:
    value = cells.not_negative(line, amount)
    return (value, cells.asset(line, coin)) if value else (ZERO, "")


def kind_of(line: Line, column: str, kinds: Mapping[str, Kind]) -> Kind:
    """What a word means, whatever its case. Raises UnreadableRow."""
    words = line.cells[column]
    found = kinds.get(words.lower())
    if found is None:
        raise UnreadableRow(f"{column} {words!r:.40} is not known")
    return found
