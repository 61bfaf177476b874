"""What a simulated account did. Amounts are in units of 10**-8, times in milliseconds since 1970."""

from dataclasses import dataclass, field

NO_LIST = -1
OPEN_STATUSES = frozenset({"NEW", "PARTIALLY_FILLED", "PENDING_NEW"})


@dataclass(slots=True)
class Order:
    """An order in the exchange's own words. `held` is what it still locks of `held_asset`."""

    symbol: str
    order_id: int
    client_order_id: str
    list_id: int
    side: str
    type: str
    time_in_force: str
    price: int
    stop_price: int
    quantity: int
    placed_at: int
    updated_at: int
    status: str = "NEW"
    executed: int = 0
    executed_quote: int = 0
    held: int = 0
    held_asset: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> int:
        return self.quantity - self.executed


@dataclass(slots=True)
class Fill:
    """One execution. `wire` keeps its encoded form once a page has carried it."""

    symbol: str
    fill_id: int
    order_id: int
    list_id: int
    is_buyer: bool
    is_maker: bool
    price: int
    quantity: int
    quote_quantity: int
    fee: int
    fee_asset: str
    executed_at: int
    wire: bytes = field(default=b"", repr=False, compare=False)


@dataclass(slots=True)
class Transfer:
    """A deposit or a withdrawal. A withdrawal takes `amount` + `fee` from the balance once it is not
    refused."""

    transfer_id: str
    asset: str
    amount: int
    fee: int
    network: str
    address: str
    tx_id: str
    status: int
    applied_at: int
    completed_at: int
    moves_balance: bool = True


@dataclass(frozen=True, slots=True)
class Dividend:
    """Coins given to the account, with what the exchange says of them."""

    dividend_id: int
    asset: str
    amount: int
    words: str
    paid_at: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """One coin changed into another outside the order book. Of dust, `fee` is taken out of `to_amount`."""

    conversion_id: int
    from_asset: str
    from_amount: int
    to_asset: str
    to_amount: int
    fee: int
    is_dust: bool
    happened_at: int


@dataclass(frozen=True, slots=True)
class Hole:
    """A change of balance that no endpoint tells."""

    kind: str
    asset: str
    change: int
    happened_at: int
