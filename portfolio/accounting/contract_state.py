"""The open contract position and its trades: what a fold changes, and its JSON form."""

from typing import Any, Final

from core.money import UNIT
from portfolio.accounting.contracts import (
    BookSide,
    Contract,
    ContractPosition,
    ContractStatus,
    ContractTrade,
    Published,
)
from portfolio.accounting.lots import Pool
from portfolio.accounting.methods import METHODS
from portfolio.accounting.results import PositionKey, State, TradeKey, TradeKind, quotient

_PERCENT: Final = 100 * 10**4
_PERCENT_UNIT: Final = UNIT // 10**4
_TRADE_AMOUNTS: Final = (
    "entry_ms", "exit_ms", "quantity", "cost", "proceeds", "entry_value", "exit_value", "gross", "settled_gross",
    "entry_fees", "exit_fees", "funding", "unknown_quantity", "unknown_proceeds", "unknown_value", "told",
)  # fmt: skip
_POSITION_AMOUNTS: Final = (
    "opened_ms", "last_ms", "quantity", "entry_quantity", "exit_quantity", "used_value", "used_fees", "gross",
    "settled_gross", "unknown_quantity", "told", "unsettled",
)  # fmt: skip
_POSITION_SUMS: Final = (
    "entry_value", "entry_fees", "exit_value", "exit_fees", "cost", "proceeds", "funding", "used_funding",
    "unknown_proceeds",
)  # fmt: skip


class OpenTrade:
    """One exit order: sums of what its fills published."""

    __slots__ = ("closes", "dirty", "fact", "is_liquidation", "is_told", "key", *_TRADE_AMOUNTS)

    entry_ms: int
    exit_ms: int
    quantity: int
    cost: int
    proceeds: int
    entry_value: int
    exit_value: int
    gross: int
    settled_gross: int
    entry_fees: int
    exit_fees: int
    funding: int
    unknown_quantity: int
    unknown_proceeds: int
    unknown_value: int
    told: int

    def __init__(self, key: TradeKey, time: int, fact: int) -> None:
        self.key, self.fact = key, fact
        for name in _TRADE_AMOUNTS:
            setattr(self, name, 0)
        self.entry_ms = self.exit_ms = time
        self.is_told, self.is_liquidation, self.closes, self.dirty = True, False, False, True

    def row(self, contract: Contract, side: BookSide) -> ContractTrade:
        net = self.gross - self.entry_fees - self.exit_fees + self.funding
        entry_price, exit_price = (
            contract.price(self.quantity, self.entry_value),
            contract.price(self.quantity, self.exit_value),
        )
        if not self.quantity:
            exit_price = contract.price(self.unknown_quantity, self.unknown_value)
        percent = quotient(net * _PERCENT, self.cost) * _PERCENT_UNIT if self.cost > 0 else None
        return ContractTrade(
            self.key, side, self.entry_ms, self.exit_ms, self.quantity, self.cost, self.proceeds, entry_price,
            exit_price, self.gross, self.settled_gross, self.entry_fees, self.exit_fees, self.funding, net, percent,
            self.unknown_quantity, self.unknown_proceeds, self.told if self.is_told else None, self.closes,
            self.is_liquidation, self.fact,
        )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        return {
            "key": list(self.key[1:]),
            "fact": self.fact,
            "flags": [self.is_told, self.is_liquidation, self.closes],
            **_dump_amounts(self, _TRADE_AMOUNTS),
        }

    @classmethod
    def load(cls, data: dict[str, Any], position: PositionKey) -> "OpenTrade":
        symbol, order_id, kind, first_fill_id = data["key"]
        trade = cls(TradeKey(position, symbol, order_id, TradeKind(kind), first_fill_id), 0, data["fact"])
        for name in _TRADE_AMOUNTS:
            setattr(trade, name, int(data.get(name, 0)))
        trade.is_told, trade.is_liquidation, trade.closes = data["flags"]
        trade.dirty = False
        return trade


class OpenEpisode:
    """Running totals of the position a book is in, or was last in while funding or its closing order may follow.

    `entry_value`, `exit_value`, `used_value`, `settled_gross`, `told` and `unsettled` are in the settle asset, all
    other money is in the reporting currency. `pool` holds the funding that exits have not taken yet.
    """

    __slots__ = (
        "checkpoint", "closed", "dirty", "fact", "inventory", "is_liquidated", "is_told", "key", "order_id", "pool",
        "side", "trades", *_POSITION_AMOUNTS, *_POSITION_SUMS,
    )  # fmt: skip

    opened_ms: int
    last_ms: int
    quantity: int
    entry_quantity: int
    exit_quantity: int
    used_value: int
    used_fees: int
    gross: int
    settled_gross: int
    unknown_quantity: int
    told: int
    unsettled: int
    entry_value: Published
    entry_fees: Published
    exit_value: Published
    exit_fees: Published
    cost: Published
    proceeds: Published
    funding: Published
    used_funding: Published
    unknown_proceeds: Published

    def __init__(
        self,
        key: PositionKey,
        *,
        side: BookSide,
        order_id: str,
        opened_ms: int,
        fact: int,
        method: str,
        checkpoint: State | None,
    ) -> None:
        self.key, self.side, self.order_id, self.fact, self.checkpoint = key, side, order_id, fact, checkpoint
        for name in _POSITION_AMOUNTS:
            setattr(self, name, 0)
        for name in _POSITION_SUMS:
            setattr(self, name, Published())
        self.opened_ms = self.last_ms = opened_ms
        self.inventory = METHODS[method]()
        self.inventory.refine()
        self.pool = Pool()
        self.trades: dict[str, OpenTrade] = {}
        self.closed, self.is_liquidated, self.is_told, self.dirty = False, False, True, True

    @property
    def is_long(self) -> bool:
        return self.side is BookSide.LONG

    @property
    def open_value(self) -> int:
        return 0 if self.closed else self.entry_value.shown - self.used_value

    def row(self, contract: Contract) -> ContractPosition:
        status = ContractStatus.LIQUIDATED if self.is_liquidated else ContractStatus.CLOSED
        used_funding = self.used_funding.shown
        return ContractPosition(
            self.key, self.order_id, self.side, status if self.closed else ContractStatus.OPEN, self.opened_ms,
            self.last_ms if self.closed else None, self.entry_quantity, self.entry_value.shown,
            contract.price(self.entry_quantity, self.entry_value.shown), self.exit_quantity,
            contract.price(self.exit_quantity, self.exit_value.shown), self.quantity, self.open_value,
            self.entry_fees.shown, self.exit_fees.shown, self.used_fees, self.funding.shown, used_funding, self.gross,
            self.settled_gross, self.gross - self.used_fees - self.exit_fees.shown + used_funding,
            self.unknown_quantity, self.unknown_proceeds.shown, self.told if self.is_told else None, self.checkpoint,
            self.fact,
        )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """Of a closed position only the trade that closed it: no other can still change."""
        return {
            "key": list(self.key),
            "side": str(self.side),
            "fact": self.fact,
            "order_id": self.order_id,
            "flags": [self.closed, self.is_liquidated, self.is_told],
            "checkpoint": self.checkpoint,
            "inventory": self.inventory.dump(),
            "pool": [*map(str, self.pool.dump())],
            "trades": [trade.dump() for trade in self.trades.values() if trade.closes or not self.closed],
            **_dump_amounts(self, _POSITION_AMOUNTS),
            **{name: str(total) for name in _POSITION_SUMS if (total := getattr(self, name).total)},
        }

    @classmethod
    def load(cls, data: dict[str, Any], method: str) -> "OpenEpisode":
        episode = cls(
            PositionKey(*data["key"]),
            side=BookSide(data["side"]),
            order_id=data["order_id"],
            opened_ms=0,
            fact=data["fact"],
            method=method,
            checkpoint=data["checkpoint"],
        )
        for name in _POSITION_AMOUNTS:
            setattr(episode, name, int(data.get(name, 0)))
        for name in _POSITION_SUMS:
            setattr(episode, name, Published(int(data.get(name, 0))))
        episode.inventory.load(data["inventory"], UNIT)
        episode.pool = Pool(*map(int, data["pool"]))
        episode.trades = {row["key"][1]: OpenTrade.load(row, episode.key) for row in data["trades"]}
        episode.closed, episode.is_liquidated, episode.is_told = data["flags"]
        episode.dirty = False
        return episode


def _dump_amounts(source: object, names: tuple[str, ...]) -> dict[str, str]:
    """Amounts as text, zeros left out."""
    return {name: str(amount) for name in names if (amount := getattr(source, name))}
