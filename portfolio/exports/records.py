"""The records of a complete export as they are read in again: checked for their types, nothing left out, nothing more.

Amounts stay text until `core.money.parse` reads them.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from exchanges.rows import MarketType, OrderStatus, PositionSide, Side, TransferKind, TransferStatus

Amount = str
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Raw = dict[str, msgspec.Raw]


class _Record(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="record", tag=str.lower):
    """A line of the file."""


class Header(_Record, tag="header"):
    producer: str
    version: int
    kind: str
    generated_at: str
    currency: str
    method: str
    cost_scope: str
    accounts: list[str]
    since: str | None
    until: str | None


class End(_Record, tag="end"):
    counts: dict[str, int]


class Account(_Record):
    id: UUID
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    exchange: str
    mode: Literal["live", "demo"]
    exchange_uid: Annotated[str, msgspec.Meta(max_length=64)]
    coverage: list[str] = []
    """What is not known of its history, in codes; files of before have none."""


class StrategyPrefixRecord(_Record, tag="strategy_prefix"):
    prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    strategy: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class OrderRecord(_Record, tag="order"):
    account: UUID
    market_type: MarketType
    symbol: str
    exchange_order_id: str
    client_order_id: str
    order_list_id: str
    side: Side
    type: str
    status: OrderStatus
    price: Amount | None
    stop_price: Amount | None
    quantity: Amount
    executed_quantity: Amount
    executed_quote_quantity: Amount
    time_in_force: str
    position_side: Literal["", "BOTH", "LONG", "SHORT"]
    reduce_only: bool
    role: str
    group_id: str
    parent: str | None
    linked_by: Literal["", "exchange", "client_id", "inferred", "import"]
    strategy: str
    strategy_by: Literal["", "prefix", "bot", "user"]
    note: str
    tags: list[str]
    ordered_at: Moment
    exchange_updated_at: Moment
    raw: Raw
    placed_order_id: str = ""


class FillRecord(_Record, tag="fill"):
    account: UUID
    market_type: MarketType
    symbol: str
    base_asset: str
    quote_asset: str
    exchange_fill_id: str
    exchange_order_id: str
    side: Side
    price: Amount
    quantity: Amount
    quote_quantity: Amount
    fee_amount: Amount
    fee_currency: str
    is_maker: bool
    is_conversion: bool
    is_inferred: bool
    position_side: Literal["", "BOTH", "LONG", "SHORT"]
    settle_asset: str
    is_inverse: bool
    realized_pnl: Amount | None
    is_liquidation: bool
    executed_at: Moment
    raw: Raw


class FundingRecord(_Record, tag="funding"):
    account: UUID
    symbol: str
    exchange_payment_id: str
    position_side: PositionSide
    asset: str
    amount: Amount
    rate: Amount | None
    quantity: Amount | None
    paid_at: Moment
    raw: Raw


class TransferRecord(_Record, tag="transfer"):
    account: UUID
    kind: TransferKind
    exchange_transfer_id: str
    asset: str
    amount: Amount
    fee_amount: Amount
    network: str
    address: str
    tx_id: str
    from_wallet: str
    to_wallet: str
    status: TransferStatus
    occurred_at: Moment
    stated_cost: Amount | None
    stated_note: str | None
    raw: Raw


class OwnTransferRecord(_Record, tag="own_transfer"):
    outgoing_account: UUID
    outgoing: str
    incoming_account: UUID
    incoming: str
    state: Literal["proposed", "confirmed", "rejected"]
    matched_by: Literal["tx_id", "amount", "hand"]
    note: str


class Balance(_Record):
    account: UUID
    wallet: str
    asset: str
    available: Amount
    locked: Amount
    computed: Amount
    unrealized_pnl: Amount | None
    reported_at: Moment


class Position(_Record):
    account: UUID
    symbol: str
    side: Literal["LONG", "SHORT"]
    is_hedged: bool
    quantity: Amount
    settle_asset: str
    is_inverse: bool
    entry_price: Amount
    mark_price: Amount | None
    liquidation_price: Amount | None
    leverage: Amount | None
    margin_mode: str
    margin: Amount | None
    unrealized_pnl: Amount | None
    reported_at: Moment


class BookRecord(_Record, tag="book"):
    account: UUID
    asset: str
    step: Amount


class DismissalRecord(_Record, tag="dismissal"):
    account: UUID
    kind: str
    subject: str
    side: str
    reported: Amount
    computed: Amount
    value: Amount | None
    reported_at: Moment
    diverged_from: Moment | None
    diverged_to: Moment | None
    cause: str
    evidence: list[str]
    reason: str
    opened_at: Moment
    changed_at: Moment
    resolved_at: Moment


class RejectedRecord(_Record, tag="rejected"):
    """A row that could not be read where it comes from, and is not here either."""

    account: UUID
    stream: Annotated[str, msgspec.Meta(max_length=16)]
    scope: Annotated[str, msgspec.Meta(max_length=40)]
    position: Annotated[str, msgspec.Meta(max_length=200)]
    reason: Annotated[str, msgspec.Meta(max_length=300)]
    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    raw: msgspec.Raw


class PositionLeverage(_Record, tag="position_leverage"):
    account: UUID
    symbol: str
    book_side: str
    opening_fill: str
    leverage: int
    margin_mode: str


class TradeLeverage(_Record, tag="trade_leverage"):
    account: UUID
    symbol: str
    book_side: str
    opening_fill: str
    first_exit_fill: str
    leverage: int
    margin_mode: str


class ValuationRecord(_Record, tag="valuation"):
    asset: str
    currency: str
    at: Moment
    price: Amount
    source: str
    source_at: Moment
    version: int


Record = (
    Header | End | Account | StrategyPrefixRecord | OrderRecord | FillRecord | FundingRecord | TransferRecord
    | OwnTransferRecord | Balance | Position | BookRecord | DismissalRecord | PositionLeverage
    | RejectedRecord | TradeLeverage | ValuationRecord
)  # fmt: skip
DECODER: Final = msgspec.json.Decoder(Record)
