"""The futures wallet of an account: positions, orders, and every movement of its money. It never goes below
zero."""

import random
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

from exchanges.simulators import amounts
from exchanges.simulators.contract_facts import (
    BOTH,
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    FundingPayment,
    Income,
    Position,
    WalletTransfer,
    exact_value,
)
from exchanges.simulators.contracts import RATE, ContractMarket, Listing, Terms

if TYPE_CHECKING:
    from exchanges.simulators.account import Account

_FIRST_ID = 5_000
_DEFAULT_LEVERAGE = 20


class FuturesWalletEmpty(Exception):
    """A movement would take the futures wallet below zero: a mistake of the generator."""


class MarginAccount:
    """Contracts of one account. Ids rise with time and are unique in the account; conditional orders have
    their own. Everything is told by contract name, oldest first."""

    def __init__(self, owner: "Account", terms: Terms, *, is_hedged: bool, seed: str) -> None:
        self.owner = owner
        self.terms = terms
        self.is_hedged = is_hedged
        self.market = ContractMarket(owner.market)
        self.wallet: defaultdict[str, int] = defaultdict(int)
        self.outside: defaultdict[str, int] = defaultdict(int)
        self.positions: dict[tuple[str, str], Position] = {}
        self.orders: dict[str, list[ContractOrder]] = {}
        self.fills: dict[str, list[ContractFill]] = {}
        self.conditional_orders: dict[str, list[ConditionalOrder]] = {}
        self.open_orders: dict[int, ContractOrder] = {}
        self.open_conditionals: dict[int, ConditionalOrder] = {}
        self.funding: list[FundingPayment] = []
        self.transfers: list[WalletTransfer] = []
        self.incomes: list[Income] = []
        self.updated_at = 0
        self._leverage: dict[str, int] = {}
        self._isolated: set[str] = set()
        self._gaps = random.Random(f"{seed}:contract-ids")  # noqa: S311
        self._last_ids = dict.fromkeys(("order", "fill", "conditional", "movement"), _FIRST_ID)

    # Settings

    def set_leverage(self, contract: str, leverage: int, *, is_isolated: bool) -> None:
        """Before anything is held."""
        self._leverage[contract] = leverage
        (self._isolated.add if is_isolated else self._isolated.discard)(contract)

    def leverage(self, contract: str) -> int:
        return self._leverage.get(contract, _DEFAULT_LEVERAGE)

    def is_isolated(self, contract: str) -> bool:
        return contract in self._isolated

    # Orders

    def place(
        self,
        listing: Listing,
        *,
        side: str,
        quantity: int,
        at: int,
        client_order_id: str,
        position_side: str = BOTH,
        price: int = 0,
        time_in_force: str = "GTC",
        reduce_only: bool = False,
        origin: int = 0,
        is_liquidation: bool = False,
    ) -> ContractOrder:
        """Accept an order: LIMIT with a price, else MARKET."""
        order = ContractOrder(
            contract=listing.name,
            order_id=self._next("order"),
            client_order_id=client_order_id,
            side=side,
            position_side=position_side,
            type="LIMIT" if price else "MARKET",
            time_in_force=time_in_force,
            price=price,
            quantity=quantity,
            reduce_only=reduce_only,
            placed_at=at,
            updated_at=at,
            leverage=self.leverage(listing.name),
            is_isolated=self.is_isolated(listing.name),
            origin=origin,
            is_liquidation=is_liquidation,
        )
        self.orders.setdefault(listing.name, []).append(order)
        self.open_orders[order.order_id] = order
        return order

    def fill(
        self, order: ContractOrder, *, price: int, quantity: int, at: int, is_maker: bool
    ) -> ContractFill:
        """Execute part of an open order: the position changes, profit and fee go to the wallet."""
        listing = self.terms.listings[order.contract]
        position = self.position(listing, order.position_side)
        buys = order.side == "BUY"
        closed, profit = _trade(position, quantity if buys else -quantity, price, at)
        value = listing.value(quantity, price)
        fee, fee_asset = self._fee(listing, value, price=price, at=at, is_maker=is_maker)
        self._move(listing.settle, profit)
        self._move(fee_asset, -fee)
        order.executed += quantity
        order.executed_value += value
        order.realized_pnl += profit
        order.updated_at = max(order.updated_at, at)
        order.status = "PARTIALLY_FILLED" if order.remaining else "FILLED"
        if not order.remaining:
            del self.open_orders[order.order_id]
        row = ContractFill(
            contract=listing.name,
            fill_id=self._next("fill"),
            order_id=order.order_id,
            is_buyer=buys,
            position_side=order.position_side,
            is_maker=is_maker,
            price=price,
            quantity=quantity,
            value=value,
            fee=fee,
            fee_asset=fee_asset,
            realized_pnl=profit,
            closed=closed,
            is_liquidation=order.is_liquidation,
            executed_at=at,
        )
        self.fills.setdefault(listing.name, []).append(row)
        self.updated_at = max(self.updated_at, at)
        return row

    def close(self, order: ContractOrder, *, at: int, status: str = "CANCELED") -> None:
        """End an open order without (further) fills; a closed one stays as it is."""
        if order.is_open:
            order.status, order.updated_at = status, at
            del self.open_orders[order.order_id]

    def place_conditional(
        self,
        listing: Listing,
        *,
        side: str,
        kind: str,
        trigger_price: int,
        at: int,
        client_order_id: str,
        position_side: str = BOTH,
        quantity: int = 0,
    ) -> ConditionalOrder:
        """A stop or target; without a quantity it closes whatever is held then."""
        order = ConditionalOrder(
            contract=listing.name,
            order_id=self._next("conditional"),
            client_order_id=client_order_id,
            side=side,
            position_side=position_side,
            type=kind,
            trigger_price=trigger_price,
            quantity=quantity,
            reduce_only=quantity > 0 and position_side == BOTH,
            placed_at=at,
            updated_at=at,
        )
        self.conditional_orders.setdefault(listing.name, []).append(order)
        self.open_conditionals[order.order_id] = order
        return order

    def trigger(self, conditional: ConditionalOrder, *, at: int) -> ContractOrder:
        """The order at market that a touched conditional order places; it is still to be filled."""
        listing = self.terms.listings[conditional.contract]
        held = abs(self.position(listing, conditional.position_side).quantity)
        order = self.place(
            listing,
            side=conditional.side,
            quantity=min(conditional.quantity or held, held),
            at=at,
            client_order_id=conditional.client_order_id,
            position_side=conditional.position_side,
            reduce_only=conditional.position_side == BOTH,
            origin=conditional.order_id,
        )
        conditional.status, conditional.triggered_at, conditional.updated_at = "TRIGGERED", at, at
        conditional.actual_order_id = order.order_id
        conditional.actual_price = conditional.trigger_price
        del self.open_conditionals[conditional.order_id]
        return order

    def close_conditional(self, order: ConditionalOrder, *, at: int, status: str = "CANCELED") -> None:
        if order.is_open:
            order.status, order.updated_at = status, at
            del self.open_conditionals[order.order_id]

    # Money

    def transfer(self, asset: str, amount: int, *, from_wallet: str, to_wallet: str, at: int) -> None:
        """Move money between two wallets of the account."""
        for wallet, change in ((from_wallet, -amount), (to_wallet, amount)):
            if wallet == "spot":
                self.owner.shift(asset, change, at=at)
            elif wallet == "futures":
                self._move(asset, change)
            else:
                self.outside[asset] += change
        self.transfers.append(
            WalletTransfer(self._next("movement"), asset, amount, from_wallet, to_wallet, at)
        )

    def pay_funding(self, at: int) -> None:
        """Settle the funding of the period that ends at `at` on everything held."""
        for position in self.held():
            listing = position.listing
            rate, late = self.market.funding_rate(listing, at)
            mark = self.market.mark(listing, at)
            value = exact_value(listing, abs(position.quantity), mark)
            owed = round(value * rate / amounts.ONE)
            amount = -owed if position.quantity > 0 else owed
            if not amount:
                continue
            self._move(listing.settle, amount)
            self.funding.append(
                FundingPayment(
                    contract=listing.name,
                    payment_id=self._next("movement"),
                    position_side=position.side,
                    asset=listing.settle,
                    amount=amount,
                    rate=rate,
                    quantity=position.quantity,
                    mark_price=mark,
                    paid_at=at + late,
                )
            )

    def credit(self, kind: str, asset: str, amount: int, *, at: int, contract: str = "") -> None:
        """A rebate (> 0) or charge (< 0) outside fills."""
        self._move(asset, amount)
        self.incomes.append(Income(kind, self._next("movement"), asset, amount, contract, at))

    def liquidate(self, position: Position, *, at: int) -> ContractFill:
        """The house closes a position at its liquidation price and takes its fee from what is left of the
        margin."""
        listing, price = position.listing, self.liquidation_price(position)
        margin = position.initial_margin
        for waiting in [row for row in self.open_orders.values() if row.contract == listing.name]:
            self.close(waiting, at=at)
        order = self.place(
            listing,
            side="SELL" if position.quantity > 0 else "BUY",
            quantity=abs(position.quantity),
            at=at,
            client_order_id=f"autoclose-{at}",
            position_side=position.side,
            price=price,
            time_in_force="IOC",
            is_liquidation=True,
        )
        row = self.fill(order, price=price, quantity=order.quantity, at=at, is_maker=False)
        left = margin + row.realized_pnl - (row.fee if row.fee_asset == listing.settle else 0)
        charge = min(max(left, 0), row.value * self.terms.liquidation_fee // RATE)
        if charge:
            self.credit("insurance", listing.settle, -charge, at=at, contract=listing.name)
        return row

    # What stands

    def position(self, listing: Listing, side: str) -> Position:
        """The position of a contract and side, with today's settings while nothing is held."""
        position = self.positions.get((listing.name, side))
        if position is None or not position.quantity:
            position = Position(listing, side, self.leverage(listing.name), self.is_isolated(listing.name))
            self.positions[listing.name, side] = position
        return position

    def held(self) -> list[Position]:
        return [position for position in self.positions.values() if position.quantity]

    def liquidation_price(self, position: Position) -> int:
        """Where the margin no longer covers what the house wants to be left, on the tick; 0: nowhere."""
        listing, held = position.listing, abs(position.quantity)
        margin = Fraction(position.initial_margin)
        if not position.is_isolated:
            margin = Fraction(self.cross_balance(listing.settle))
        kept = Fraction(listing.maintenance, RATE)
        is_long = position.quantity > 0
        if listing.is_inverse:
            worth = position.cost + (margin if is_long else -margin)
            factor = 1 + kept if is_long else 1 - kept
            price = held * factor / worth if worth > 0 else Fraction(0)
        else:
            worth = position.cost + (-margin if is_long else margin)
            price = worth / (held * ((1 - kept) if is_long else (1 + kept)))
        return max(amounts.floor_to(int(price * amounts.ONE), listing.tick), 0)

    def cross_balance(self, asset: str) -> int:
        """The wallet without what isolated positions hold."""
        isolated = sum(
            position.initial_margin
            for position in self.held()
            if position.is_isolated and position.listing.settle == asset
        )
        return self.wallet[asset] - isolated

    def unrealized(self, asset: str, at: int) -> int:
        """Profit of everything held that settles in `asset`."""
        return sum(
            position.unrealized(self.market.mark(position.listing, at))
            for position in self.held()
            if position.listing.settle == asset
        )

    def available(self, asset: str, at: int) -> int:
        """What new orders and transfers may use: the wallet without margins and losses that stand."""
        used = sum(row.initial_margin for row in self.held() if row.listing.settle == asset)
        for order in self.open_orders.values():
            listing = self.terms.listings[order.contract]
            if listing.settle == asset and not order.reduce_only:
                used += (
                    listing.value(order.remaining, order.price or 1) // order.leverage if order.price else 0
                )
        return max(self.wallet[asset] - used + min(self.unrealized(asset, at), 0), 0)

    def _fee(self, listing: Listing, value: int, *, price: int, at: int, is_maker: bool) -> tuple[int, str]:
        maker = self.terms.maker_fee if listing.maker_fee is None else listing.maker_fee
        fee = value * (maker if is_maker else self.terms.taker_fee) // RATE
        coin, percent = self.owner.house.coin, self.terms.coin_percent
        if percent and fee > 0 and self.owner.pays_in_coin:
            worth = amounts.product(fee, price) if listing.is_inverse else fee
            in_coin = amounts.quotient(worth * percent // 100, self.owner.market.usdt_price(coin, at))
            if 0 < in_coin <= self.wallet[coin]:
                return in_coin, coin
        return fee, listing.settle

    def _move(self, asset: str, change: int) -> None:
        if self.wallet[asset] + change < 0:
            raise FuturesWalletEmpty(f"{self.owner.label}: {asset} {self.wallet[asset]} {change:+}")
        self.wallet[asset] += change

    def _next(self, kind: str) -> int:
        self._last_ids[kind] += self._gaps.randrange(2, 9)
        return self._last_ids[kind]


def _trade(position: Position, change: int, price: int, at: int) -> tuple[int, int]:
    """Let a position meet an execution; (quantity closed, profit of it rounded half-even)."""
    held, size = position.quantity, abs(change)
    value = exact_value(position.listing, size, price)
    closed = min(abs(held), size) if held * change < 0 else 0
    profit = 0
    if closed:
        share, back = position.cost * closed / abs(held), value * closed / size
        gain = share - back if position.listing.is_inverse else back - share
        profit = round(gain if held > 0 else -gain)
        position.cost -= share
    if closed < size:
        position.cost += value * (size - closed) / size
        position.opened_at = at if closed == abs(held) else position.opened_at
    position.quantity += change
    position.updated_at = at
    return closed, profit
