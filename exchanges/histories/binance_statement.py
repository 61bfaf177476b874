"""Binance, Wallet > Transaction history ("Generate all statements"): every change of every wallet, a line each.

What it tells of trades and conversions is put together in `binance_legs`.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from core.money import ZERO
from exchanges.histories import binance_legs, cells, swaps
from exchanges.histories.binance_legs import NAME, USUAL_PATIENCE, Entry
from exchanges.histories.binance_operations import OPERATIONS, WALLETS, Meaning
from exchanges.histories.binance_products import INVESTED, STAKED
from exchanges.histories.history import Format, History, Wanted
from exchanges.histories.tables import Line, Table, identity, repeated
from exchanges.reading import UnreadableRow
from exchanges.rows import REPORTED_WALLETS, TransferKind, TransferRow, TransferStatus

_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%y-%m-%d %H:%M:%S")
_KINDS: Final = {
    Meaning.DEPOSIT: (TransferKind.DEPOSIT, None),
    Meaning.WITHDRAWAL: (None, TransferKind.WITHDRAWAL),
    Meaning.INTEREST: (TransferKind.INTEREST, None),
    Meaning.GIFT: (TransferKind.AIRDROP, None),
    Meaning.REBATE: (TransferKind.REBATE, TransferKind.CHARGE),
}
"""What a line is that adds, and one that takes."""


def read(table: Table, wanted: Wanted) -> History:
    """Raises nothing: what cannot be read is set aside."""
    history = History()
    repeats = repeated(table.lines)
    entries = [entry for line in history.whole(table.lines) if (entry := _entry(line, history)) is not None]
    if repeats:
        again = [line for line in table.lines if line.number in repeats]
        history.remark(
            again, "the same was said before; each is counted, as the exchange tells equal fills so"
        )
    inside = _pick(entries, history)
    moves = [entry for entry in entries if entry.operation.meaning is Meaning.MOVE]
    _move(moves, history)
    binance_legs.book(inside, cash=wanted.cash, history=history)
    _transfer([entry for entry in inside if entry.operation.meaning in _KINDS], history)
    return history


def _entry(line: Line, history: History) -> Entry | None:
    try:
        words = line.cells["Operation"]
        operation = OPERATIONS.get(words)
        if operation is None:
            raise UnreadableRow(f"operation {words!r:.60} is not known")
        column = "UTC_Time" if "UTC_Time" in line.cells else "Time"
        at = cells.moment(line, column, _TIMES)
        change = cells.amount(line, "Change")
        if not change:
            raise UnreadableRow("Change is zero")
        return Entry(line, at, line.cells["Account"], operation, cells.asset(line, "Coin"), change)
    except UnreadableRow as error:
        history.reject([line], str(error))
        return None


def _pick(entries: Iterable[Entry], history: History) -> list[Entry]:
    """Those of wallets that are read; a contract's results are told by its executions."""
    picked = []
    for entry in entries:
        if entry.operation.meaning is Meaning.MOVE:
            continue
        if entry.operation.meaning is Meaning.CONTRACT:
            history.left_out["results of contracts and loans: executions tell them"] += 1
        elif WALLETS.get(entry.account) not in REPORTED_WALLETS:
            history.left_out[f"what happened in the wallet {entry.account}, which is not read"] += 1
        else:
            picked.append(entry)
    return picked


def _name(entry: Entry, numbers: dict[object, int]) -> str:
    """Equal lines are told apart by their number among equals."""
    key = (entry.at, entry.account, entry.operation, entry.coin, entry.change)
    numbers[key] = numbers.get(key, -1) + 1
    return identity(NAME, entry.at.isoformat(), *key[1:], numbers[key])


# Coins that came or went


def _transfer(entries: Iterable[Entry], history: History) -> None:
    numbers: dict[object, int] = {}
    for entry in entries:
        adds, takes = _KINDS[entry.operation.meaning]
        kind = adds if entry.change > ZERO else takes
        if kind is None:
            history.reject(
                [entry.line], f"{entry.line.cells['Operation']} of {entry.change} has the wrong sign"
            )
        else:
            history.transfers.append(_row(kind, _name(entry, numbers), [entry]))


def _row(
    kind: TransferKind, name: str, entries: Sequence[Entry], source: str = "", target: str = ""
) -> TransferRow:
    entry = entries[0]
    return TransferRow(
        kind=kind, transfer_id=name, asset=entry.coin, amount=abs(entry.change), fee_amount=ZERO, network="",
        address="", tx_id="", status=TransferStatus.SUCCESS, occurred_at=entry.at,
        raw=swaps.raw([each.line for each in entries]), from_wallet=source, to_wallet=target,
    )  # fmt: skip


# Moves between wallets


def _move(entries: Sequence[Entry], history: History) -> None:
    """Both wallets tell of a move where both are in the file: the one that gives and the one that gets are one."""
    numbers: dict[object, int] = {}
    for both in _pairs(entries):
        entry = both[0]
        giver = next((each for each in both if each.change < ZERO), None)
        getter = next((each for each in both if each.change > ZERO), None)
        beside = _beside(entry)
        source = _wallet(giver) if giver else beside
        target = _wallet(getter) if getter else beside
        if source == target:
            history.left_out["moves within one wallet"] += len(both)
        else:
            history.transfers.append(
                _row(TransferKind.INTERNAL, _name(giver or entry, numbers), both, source, target)
            )


def _pairs(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Every entry once, in order, with the first one after it that is its other side: of the same operation, the same
    amount with the other sign, another wallet, and about the same time."""
    alike: dict[object, list[tuple[datetime, int]]] = defaultdict(list)
    for place, entry in enumerate(entries):
        alike[entry.operation, entry.coin, entry.change].append((entry.at, place))
    for times in alike.values():
        times.sort()
    taken: set[int] = set()
    for place, entry in enumerate(entries):
        if place in taken:
            continue
        times = alike.get((entry.operation, entry.coin, -entry.change), [])
        first = bisect_left(times, (entry.at - USUAL_PATIENCE, 0))
        last = bisect_right(times, (entry.at + USUAL_PATIENCE, len(entries)))
        others = [
            other
            for _, other in times[first:last]
            if other > place and other not in taken and entries[other].account != entry.account
        ]
        other = min(others, default=None)
        taken.update({place} if other is None else {place, other})
        yield [entry] if other is None else [entry, entries[other]]


def _wallet(entry: Entry) -> str:
    return WALLETS.get(entry.account, entry.account.lower()[:20])


def _beside(entry: Entry) -> str:
    """The wallet that an operation names beside the spot wallet; beside that one, the spot wallet."""
    return "spot" if _wallet(entry) == entry.operation.group else entry.operation.group


FORMAT: Final = Format(
    NAME,
    "Binance transaction history",
    "binance",
    frozenset({"Account", "Operation", "Coin", "Change", "Remark"}),
    read,
    frozenset({INVESTED, STAKED}),
    frozenset({"User ID", "User_ID"}),
)
