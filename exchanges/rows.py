"""What adapters return: frozen rows of exact facts. Amounts are `Decimal`, times aware UTC, ids text.

`raw` is the exchange's own object with numbers kept as text. A row that cannot be read becomes a `BadRow`;
it never stops the good rows beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

import msgspec

from core.money import ZERO

Raw = Mapping[str, Any]
Row = TypeVar("Row")


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class MarketType(StrEnum):
    SPOT = "spot"
    FUTURES = "futures"  # contracts held on margin: perpetual or dated, settled in money or in a coin


SPOT: Final = MarketType.SPOT  # to look a member up by its name takes as long as to read a field


class PositionSide(StrEnum):
    """Which position of a contract an order or fill belongs to."""

    BOTH = "BOTH"  # one-way mode: the one signed position
    LONG = "LONG"  # hedge mode
    SHORT = "SHORT"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class OrderStatus(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """No further fills are announced; late ones are still taken."""
        return self not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class TransferKind(StrEnum):
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    INTERNAL = "INTERNAL"  # between wallets of the same account
    REBATE = "REBATE"  # paid by the exchange: returned commission, referral, bonus
    CHARGE = (
        "CHARGE"  # taken by the exchange outside fills and withdrawals: insurance, interest, liquidation fee
    )
    AIRDROP = "AIRDROP"  # coins given for holding others: its cost is what they were worth then
    INTEREST = "INTEREST"  # earned by lending or staking: the same

    @property
    def is_acquisition(self) -> bool:
        """Coins that came in for nothing, and cost what they were worth in that hour."""
        return self in (TransferKind.AIRDROP, TransferKind.INTEREST)


REPORTED_WALLETS: Final = (
    "spot",
    "futures",
    "funding",
)  # what `Account.balances` may tell of; others are outside


class TransferStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Record(msgspec.Struct, frozen=True, gc=False):
    """A row: made six times as fast as a dataclass, by the hundred thousand. Nothing in it points back at it, so
    the garbage collector need not know of it."""

    def __repr__(self) -> str:
        told = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "raw"
        )
        return f"{type(self).__name__}({told})"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A payload that could not be read, with the reason in words."""

    raw: Raw
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One answer of an exchange: the readable rows in its order, the unreadable ones, and where to go on.

    `next_position` continues the walk (opaque text kept in the cursor, also when `has_more` is false, as the
    start of the next incremental walk); `raw_count` is how many rows the exchange sent. `floor` is told by exchanges
    that forget: what happened before it they do not give any more, so the walk says nothing about it. With a floor,
    `covered_to` says up to where everything older was told by now; None: only the rows themselves say it.
    """

    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...]
    next_position: str
    has_more: bool
    raw_count: int
    floor: datetime | None = None
    covered_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """Who the key belongs to and what it may do."""

    uid: str
    can_read: bool
    can_trade: bool
    can_withdraw: bool
    ip_restricted: bool
    maker_commission: Decimal | None
    taker_commission: Decimal | None
    permissions: tuple[str, ...]
    account_type: str = ""  # how the exchange calls the account's mode
    untold: tuple[str, ...] = ()  # fields above that stand for what the exchange does not tell
    raw: Raw = field(repr=False, default_factory=dict)


class BalanceRow(Record, frozen=True):
    """One asset of one wallet. `locked` holds margin and orders; unrealised PnL is no balance and stands apart."""

    asset: str
    available: Decimal
    locked: Decimal
    raw: Raw = msgspec.field(default_factory=dict)
    wallet: str = "spot"  # "spot", "futures", "funding", "earn", …: the exchange's wallets under common names
    unrealized_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What one contract is worth. Linear: `size` units of the base asset, profit in `settle_asset` = quote.

    Inverse: `size` units of the quote asset, profit in `settle_asset` = base.
    """

    base_asset: str
    quote_asset: str
    settle_asset: str
    size: Decimal
    is_inverse: bool = False


class ContractSide(Record, frozen=True):
    """What a fill on a contract carries beside a spot fill's columns.

    The fill's `quantity` is in units of the contract's base asset (linear: contracts × size) or of its quote asset
    (inverse: contracts × size); `quote_quantity` is the other leg: price × quantity in quote (linear), quantity / price
    in base (inverse, rounded to 18 decimals).
    """

    settle_asset: str
    is_inverse: bool
    position_side: PositionSide
    realized_pnl: Decimal | None = None  # the exchange's own, before fees, in settle_asset; None when untold
    is_liquidation: bool = False


class FillRow(Record, frozen=True):
    """One execution. `fee_amount` ≥ 0 is a cost, < 0 a rebate, in `fee_currency`."""

    market_type: MarketType
    symbol: str
    base_asset: str
    quote_asset: str
    fill_id: str
    order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee_amount: Decimal
    fee_currency: str
    is_maker: bool
    executed_at: datetime
    raw: Raw = msgspec.field(default_factory=dict)
    contract: ContractSide | None = None  # on MarketType.FUTURES


class OrderRow(Record, frozen=True):
    """An order as last seen. `price` is None for market orders; `order_list_id` ties OCO/OTO legs.

    A conditional order that has a number space of its own carries a prefix in `order_id`; `stop_price` is its trigger,
    `placed_order_id` the order it placed when it fired, which has the fills.
    Quantities of contracts are in the units of their fills.
    """

    market_type: MarketType
    symbol: str
    order_id: str
    client_order_id: str
    order_list_id: str
    side: Side
    type: str
    status: OrderStatus
    price: Decimal | None
    stop_price: Decimal | None
    quantity: Decimal
    executed_quantity: Decimal
    executed_quote_quantity: Decimal
    time_in_force: str
    ordered_at: datetime
    updated_at: datetime
    raw: Raw = msgspec.field(default_factory=dict)
    position_side: PositionSide | None = None  # on MarketType.FUTURES
    reduce_only: bool = False
    placed_order_id: str = ""


class PositionRow(Record, frozen=True):
    """A contract position as the exchange reports it; `quantity` ≥ 0 in the units of its fills."""

    symbol: str
    side: PositionSide  # LONG or SHORT, also in one-way mode
    is_hedged: bool  # whether the account may hold both sides of the contract
    quantity: Decimal
    settle_asset: str
    is_inverse: bool
    entry_price: Decimal
    mark_price: Decimal | None
    liquidation_price: Decimal | None
    leverage: Decimal | None
    margin_mode: MarginMode | None
    margin: Decimal | None
    unrealized_pnl: Decimal | None
    raw: Raw = msgspec.field(default_factory=dict)


class FundingRow(Record, frozen=True):
    """A funding payment: `amount` > 0 was received, < 0 was paid."""

    symbol: str
    payment_id: str
    asset: str
    amount: Decimal
    rate: Decimal | None
    quantity: Decimal | None  # the position it was paid on, in the units of its fills
    position_side: PositionSide
    paid_at: datetime
    raw: Raw = msgspec.field(default_factory=dict)


class TransferRow(Record, frozen=True):
    """`amount` ≥ 0. Internal transfers name both wallets; what one wallet tells must not be told by the other again."""

    kind: TransferKind
    transfer_id: str
    asset: str
    amount: Decimal
    status: TransferStatus
    occurred_at: datetime
    fee_amount: Decimal = ZERO
    network: str = ""
    address: str = ""
    tx_id: str = ""
    raw: Raw = msgspec.field(default_factory=dict)
    from_wallet: str = ""
    to_wallet: str = ""


class ConversionRow(Record, frozen=True):
    """Coins changed into others outside the order book: a conversion, or dust turned into a coin (a row for each).

    `to_amount` is what came before `fee_amount`, which is ≥ 0 and taken out of `fee_currency` beside it.
    """

    conversion_id: str
    from_asset: str
    from_amount: Decimal
    to_asset: str
    to_amount: Decimal
    fee_amount: Decimal
    fee_currency: str
    occurred_at: datetime
    raw: Raw = msgspec.field(default_factory=dict)


class ListingRow(Record, frozen=True):
    """A market as the exchange lists it. Steps and minimums are None where it states none."""

    market_type: MarketType
    symbol: str
    base_asset: str
    quote_asset: str
    status: str
    is_trading: bool
    price_step: Decimal | None
    quantity_step: Decimal | None
    min_quantity: Decimal | None
    min_notional: Decimal | None
    raw: Raw = msgspec.field(default_factory=dict)
    contract: Contract | None = (
        None  # on MarketType.FUTURES; its steps and minimums are in the units of fills
    )


class CandleRow(Record, frozen=True):
    """Half-open [opened_at, opened_at + timeframe)."""

    symbol: str
    timeframe: str
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class PriceRow(Record, frozen=True):
    symbol: str
    price: Decimal
