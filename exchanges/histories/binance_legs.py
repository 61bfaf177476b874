"""The sides of trades and conversions in Binance's transaction history, put together.

Lines of one trade stand in one second, and say nothing else of belonging together. All of one pair in a second becomes
one fill. A second that has only one side of it is completed by the next or last one that has only the other, if both
together have as many lines on either side; what is left is set aside.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from core.money import ZERO
from exchanges.histories import swaps
from exchanges.histories.binance_operations import DUST, SWAP, TRADE, TRADES, Meaning, Operation
from exchanges.histories.history import History
from exchanges.histories.tables import Line, identity
from exchanges.rows import ConversionRow

NAME: Final = "binance-statement"
_PATIENCE: Final = {SWAP: timedelta(days=30)}
"""How far apart two halves of one thing may stand. The exchange takes days to replace a coin by its successor."""
USUAL_PATIENCE: Final = timedelta(days=1)


class Entry(NamedTuple):
    line: Line
    at: datetime
    account: str
    operation: Operation
    coin: str
    change: Decimal


class _Second(NamedTuple):
    """All legs of one kind in one second."""

    at: datetime
    spent: list[Entry]
    got: list[Entry]
    fees: list[Entry]

    @property
    def entries(self) -> list[Entry]:
        return [*self.spent, *self.got, *self.fees]

    @property
    def is_balanced(self) -> bool:
        return len(self.spent) == len(self.got)

    @property
    def is_one_pair(self) -> bool:
        return len(self._coins(self.spent)) == 1 == len(self._coins(self.got))

    @staticmethod
    def _coins(entries: Iterable[Entry]) -> set[str]:
        return {entry.coin for entry in entries}


def book(entries: Iterable[Entry], *, cash: Collection[str], history: History) -> None:
    """Legs and fees as fills and conversions of `history`; other entries are passed over."""
    _Trades(cash, history).book(entries)


class _Trades:
    """The work over all lines."""

    def __init__(self, cash: Collection[str], history: History) -> None:
        self._cash, self._history = cash, history

    def book(self, entries: Iterable[Entry]) -> None:
        groups: dict[str, list[Entry]] = defaultdict(list)
        traded: dict[datetime, str] = {}
        fees = []
        for entry in entries:
            if entry.operation.meaning is Meaning.FEE:
                fees.append(entry)
            elif entry.operation.meaning is Meaning.LEG:
                groups[entry.operation.group].append(entry)
                if entry.operation.group in TRADES:
                    traded.setdefault(entry.at, entry.operation.group)
        for fee in fees:
            groups[traded.get(fee.at, TRADE)].append(fee)
        for group, legs in groups.items():
            for second in self._completed(group, _seconds(legs)):
                self._book(group, second)

    def _completed(self, group: str, seconds: Sequence[_Second]) -> list[_Second]:
        found: list[_Second] = []
        for second in seconds:
            last = found[-1] if found else None
            if last is not None and _complete(last, second, _PATIENCE.get(group, USUAL_PATIENCE)):
                found[-1] = joined = _joined(last, second)
                self._history.remark(
                    [entry.line for entry in joined.entries],
                    f"taken as one {group}, though its sides stand {second.at - last.at} apart",
                )
            else:
                found.append(second)
        return found

    def _book(self, group: str, second: _Second) -> None:
        lines = [entry.line for entry in second.entries]
        if not second.is_one_pair:
            self._history.reject(lines, _why(second))
            return
        spent, got = (sum((abs(each.change) for each in side), ZERO) for side in (second.spent, second.got))
        coins = second.spent[0].coin, second.got[0].coin
        if coins[0] == coins[1]:
            self._history.left_out[f"moves of one coin within a {group}"] += len(lines)
            return
        whole = swaps.Swap(spent, coins[0], got, coins[1], ZERO, "", second.at, lines)
        name = identity(NAME, group, second.at.isoformat(), *coins)
        if group not in TRADES:
            self._history.conversions.append(
                ConversionRow(
                    name, coins[0], spent, coins[1], got, ZERO, coins[1], second.at, swaps.raw(lines)
                )
            )
            return
        parts = swaps.split(whole, _fees(second.fees), parts=(NAME, group, second.at.isoformat(), *coins))
        self._history.fills += [
            swaps.fill(part, name=each, order=name, cash=self._cash) for each, part in parts
        ]


def _seconds(entries: Iterable[Entry]) -> list[_Second]:
    found: dict[datetime, _Second] = {}
    for entry in entries:
        second = found.setdefault(entry.at, _Second(entry.at, [], [], []))
        if entry.operation.meaning is Meaning.FEE:
            second.fees.append(entry)
        else:
            (second.spent if entry.change < ZERO else second.got).append(entry)
    return sorted(found.values(), key=lambda second: second.at)


def _complete(one: _Second, other: _Second, patience: timedelta) -> bool:
    """Whether two that are not whole are so together: as many lines on either side, of one pair."""
    if one.is_balanced or other.is_balanced or other.at - one.at > patience:
        return False
    joined = _joined(one, other)
    return joined.is_balanced and joined.is_one_pair


def _joined(one: _Second, other: _Second) -> _Second:
    return _Second(other.at, one.spent + other.spent, one.got + other.got, one.fees + other.fees)


def _fees(entries: Iterable[Entry]) -> list[tuple[Decimal, str]]:
    sums: dict[str, Decimal] = {}
    for entry in entries:
        sums[entry.coin] = sums.get(entry.coin, ZERO) - entry.change
    return [(amount, coin) for coin, amount in sorted(sums.items()) if amount]


def _why(second: _Second) -> str:
    if not second.spent and not second.got:
        return "a fee without its trade"
    if not second.got:
        return "spent, and nothing came in that second"
    if not second.spent:
        return "came, and nothing was spent in that second"
    if second.spent[0].operation.group == DUST:
        return "several coins in one second: how much each became is not told"
    return "several pairs in one second: what was paid for which is not told"
