"""What a simulated account did with contracts. Amounts are in units of 10**-8, times in milliseconds since
1970, quantities as `contracts` says."""

from dataclasses import dataclass, field
from fractions import Fraction

from exchanges.simulators.contracts import Listing

BOTH, LONG, SHORT = "BOTH", "LONG", "SHORT"
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


@dataclass(slots=True)
class Position:
    """`quantity` > 0 is long. `cost` is the other leg of what is held, exact: entry price is their quotient."""

    listing: Listing
    side: str  # BOTH, LONG, SHORT
    leverage: int
    is_isolated: bool
    quantity: int = 0
    cost: Fraction = Fraction(0)
    opened_at: int = 0
    updated_at: int = 0

    @property
    def entry_price(self) -> Fraction:
        """0 where nothing is held."""
        if not self.quantity:
            return Fraction(0)
        held, one = abs(self.quantity), 10**8
        return held * one / self.cost if self.listing.is_inverse else self.cost * one / held

    @property
    def initial_margin(self) -> int:
        """In the settle asset."""
        return int(self.cost / self.leverage) if self.quantity else 0

    def unrealized(self, mark: int) -> int:
        """Profit at a mark price, in the settle asset."""
        if not self.quantity:
            return 0
        value = exact_value(self.listing, abs(self.quantity), mark)
        gain = self.cost - value if self.listing.is_inverse else value - self.cost
        return round(gain if self.quantity > 0 else -gain)


@dataclass(slots=True)
class ContractOrder:
    """An order in the book or done; `executed_value` is the other leg. `origin` is the conditional order it
    comes from, 0 for none."""

    contract: str
    order_id: int
    client_order_id: str
    side: str  # BUY, SELL
    position_side: str
    type: str  # MARKET, LIMIT
    time_in_force: str  # GTC, IOC, GTX
    price: int
    quantity: int
    reduce_only: bool
    placed_at: int
    updated_at: int
    leverage: int
    is_isolated: bool
    origin: int = 0
    status: str = "NEW"  # NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED
    executed: int = 0
    executed_value: int = 0
    realized_pnl: int = 0
    is_liquidation: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def remaining(self) -> int:
        return self.quantity - self.executed


@dataclass(slots=True)
class ConditionalOrder:
    """Waits for the mark price to touch `trigger_price`, then places an order at market."""

    contract: str
    order_id: int  # in a number space of its own
    client_order_id: str
    side: str
    position_side: str
    type: str  # STOP_MARKET, TAKE_PROFIT_MARKET
    trigger_price: int
    quantity: int  # 0: whatever the position holds then
    reduce_only: bool
    placed_at: int
    updated_at: int
    status: str = "NEW"  # NEW, TRIGGERED, CANCELED, EXPIRED
    triggered_at: int = 0
    actual_order_id: int = 0
    actual_price: int = 0

    @property
    def is_open(self) -> bool:
        return self.status == "NEW"


@dataclass(slots=True)
class ContractFill:
    """One execution. `closed` of its quantity reduced the position; `wire` keeps its encoded form."""

    contract: str
    fill_id: int
    order_id: int
    is_buyer: bool
    position_side: str
    is_maker: bool
    price: int
    quantity: int
    value: int
    fee: int  # < 0 is a rebate
    fee_asset: str
    realized_pnl: int
    closed: int
    is_liquidation: bool
    executed_at: int
    wire: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """`amount` > 0 was received; `quantity` > 0 was long."""

    contract: str
    payment_id: int
    position_side: str
    asset: str
    amount: int
    rate: int
    quantity: int
    mark_price: int
    paid_at: int


@dataclass(frozen=True, slots=True)
class WalletTransfer:
    """Between two wallets of the account: "spot", "futures", or the house's outside one."""

    transfer_id: int
    asset: str
    amount: int
    from_wallet: str
    to_wallet: str
    moved_at: int


@dataclass(frozen=True, slots=True)
class Income:
    """Money the futures wallet got (> 0) or lost otherwise: "rebate", "kickback", "insurance"."""

    kind: str
    income_id: int
    asset: str
    amount: int
    contract: str
    happened_at: int


def exact_value(listing: Listing, quantity: int, price: int) -> Fraction:
    """The other leg, unrounded."""
    one = 10**8
    return Fraction(quantity * one, price) if listing.is_inverse else Fraction(quantity * price, one)
