"""What storing facts affected: the answer every ingest gives, and what derived rows are marked stale by."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(slots=True)
class Touched:
    """`assets`: the earliest moment per asset whose spot book, or whose fees, are affected.

    `contracts`: the same by (symbol, position side) of contracts. `days`: (asset, UTC day) whose balance changed.
    `conflicts`: in words, each append-only fact that came again with other content (the first stays).
    """

    stored: int = 0
    changed: int = 0
    assets: dict[str, datetime] = field(default_factory=dict)
    contracts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    days: set[tuple[str, date]] = field(default_factory=set)
    conflicts: list[str] = field(default_factory=list)

    def note(self, asset: str, at: datetime) -> None:
        """An asset is affected from `at` on."""
        self.assets[asset] = min(at, self.assets.get(asset, at))

    def note_contract(self, symbol: str, position_side: str, at: datetime) -> None:
        """A contract is affected from `at` on."""
        contract = symbol, position_side
        self.contracts[contract] = min(at, self.contracts.get(contract, at))

    def merge(self, other: "Touched") -> "Touched":
        """Take the other's in; answers itself."""
        self.stored += other.stored
        self.changed += other.changed
        for asset, at in other.assets.items():
            self.note(asset, at)
        for contract, at in other.contracts.items():
            self.note_contract(*contract, at)
        self.days |= other.days
        self.conflicts += other.conflicts
        return self
