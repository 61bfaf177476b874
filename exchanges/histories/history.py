"""What a file tells: facts, and what of it is none."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exchanges.histories.tables import Line, Table, identity, repeated
from exchanges.rows import BadRow, ConversionRow, FillRow, TransferRow


class SetAside(NamedTuple):
    """A line that was not understood: it may hold a fact that is missing now."""

    line: Line
    reason: str

    @property
    def row(self) -> BadRow:
        """As rows are set aside that an exchange told."""
        return BadRow({"line": self.line.text}, f"line {self.line.number}: {self.reason}")


@dataclass(slots=True)
class History:
    """Facts with ids of their own that are the same whenever the same lines are read.

    `inferred` are fills that the file does not tell one by one. `left_out` counts, by reason, lines that are understood
    and bring nothing; `remarks` say what was done with lines that leave a choice.
    """

    fills: list[FillRow] = field(default_factory=list)
    inferred: list[FillRow] = field(default_factory=list)
    conversions: list[ConversionRow] = field(default_factory=list)
    transfers: list[TransferRow] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    _named: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def reject(self, lines: Iterable[Line], reason: str) -> None:
        """Set lines aside for one reason."""
        self.set_aside += [SetAside(line, reason) for line in lines]

    def whole(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Lines whose cells have a column each; the others are set aside, as it is open which cell is what."""
        for line in lines:
            if line.excess:
                self.reject([line], "it has more cells than the header")
            else:
                yield line

    def once(self, lines: Sequence[Line]) -> Iterator[Line]:
        """Whole lines, those that say what one before said left out, which is told."""
        again = repeated(lines)
        for line in self.whole(lines):
            if line.number in again:
                self.remark([line], f"says what line {again[line.number]} says, and is taken once")
            else:
                yield line

    def name(self, *parts: object) -> str:
        """An id for what the parts say; each of several facts that say the same has its own."""
        self._named[parts] += 1
        number = self._named[parts]
        return identity(*parts) if number == 1 else identity(*parts, number)

    def remark(self, lines: Sequence[Line], words: str) -> None:
        """Tell what was done with some lines."""
        numbers = ", ".join(str(line.number) for line in lines[:8]) + (", …" if len(lines) > 8 else "")
        self.remarks.append(f"{'line' if len(lines) == 1 else 'lines'} {numbers}: {words}")


class Wanted(NamedTuple):
    """What the reader of a file must know beside it: which assets are money, and whose lines are meant in files that
    tell of several places ("" where the file has one)."""

    cash: Collection[str]
    place: str = ""


class Format(NamedTuple):
    """`exchange`: whose export it is, by our name; "" for exchanges we do not speak to, and for programs that keep
    the trades of many. `columns`: those that a header must have."""

    name: str
    title: str
    exchange: str
    columns: frozenset[str]
    read: Callable[[Table, Wanted], History]
    tells_like: frozenset[str] = frozenset()
    """Other formats in which the exchange tells the same, under other ids of ours."""
    owner: frozenset[str] = frozenset()
    """Columns, the first of their lines, that say whose account at the exchange a line is of."""

    def owners(self, table: Table) -> set[str]:
        """Whose accounts a file tells of; none where it does not say."""
        names = self.owner & set(table.columns[:1])
        return {line.cells[name] for name in names for line in table.lines} - {""}
