"""One account of the simulated exchange: its balances, orders and fills. No balance ever goes below zero."""

import bisect
import hashlib
import random
from collections import defaultdict
from operator import attrgetter

from exchanges.simulators import amounts
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.facts import NO_LIST, Conversion, Dividend, Fill, Hole, Order, Transfer
from exchanges.simulators.houses import BINANCE, House
from exchanges.simulators.market import Market
from exchanges.simulators.symbols import SYMBOLS, Symbol

_FIRST_ID = 1_000  # the same for every symbol, as ids are unique per symbol only


class InsufficientBalance(Exception):
    """A movement would take a balance below zero: a mistake of the generator."""


class Account:
    """Keys and uid follow from world and label; the market is only asked what a fee is worth in the house's coin.

    `world` names seed and start: a world begun at another time has other facts, so it has other keys too.
    """

    def __init__(
        self, *, world: str, label: str, market: Market, can_withdraw: bool = False, house: House = BINANCE
    ) -> None:
        world = house.realm + world
        self.label = label
        self.house = house
        self.api_key = (house.key_prefix + _token(world, label, "key"))[: house.key_length]
        self.api_secret = _token(world, label, "secret")[: house.secret_length]
        self.uid = 10_000_000 + int(_token(world, label, "uid")[:6], 16)
        self.can_withdraw = can_withdraw
        self.market = market
        self.pays_in_coin = False
        self.free: defaultdict[str, int] = defaultdict(int)
        self.locked: defaultdict[str, int] = defaultdict(int)
        self.orders: dict[str, list[Order]] = {}
        self.fills: dict[str, list[Fill]] = {}
        self.open_orders: dict[tuple[str, int], Order] = {}
        self.deposits: list[Transfer] = []
        self.withdrawals: list[Transfer] = []
        self.holes: list[Hole] = []
        self.dividends: list[Dividend] = []
        self.conversions: list[Conversion] = []
        self.updated_at = 0
        self.last_list_id = 0
        self.margin: MarginAccount | None = None  # of those who trade contracts
        self._gaps = random.Random(f"{world}:{label}:ids")  # noqa: S311

    def next_list_id(self) -> int:
        self.last_list_id += 7
        return self.last_list_id

    def place(
        self,
        symbol: Symbol,
        *,
        side: str,
        kind: str,
        quantity: int,
        at: int,
        price: int = 0,
        stop_price: int = 0,
        client_order_id: str,
        list_id: int = NO_LIST,
        time_in_force: str = "GTC",
        holds: bool = True,
        status: str = "NEW",
    ) -> Order:
        """Accept an order. It locks its quote (buy) or base (sell), unless another leg of its list holds
        it."""
        rows = self.orders.setdefault(symbol.name, [])
        order = Order(
            symbol=symbol.name,
            order_id=(rows[-1].order_id if rows else _FIRST_ID) + self._gaps.randrange(2, 7),
            client_order_id=client_order_id,
            list_id=list_id,
            side=side,
            type=kind,
            time_in_force=time_in_force,
            price=price,
            stop_price=stop_price,
            quantity=quantity,
            placed_at=at,
            updated_at=at,
            status=status,
        )
        rows.append(order)
        self.open_orders[symbol.name, order.order_id] = order
        if holds and (kind, side) != ("MARKET", "BUY"):
            self.hold(order)
        return order

    def hold(self, order: Order) -> None:
        """Lock what the rest of an order may use."""
        symbol = SYMBOLS[order.symbol]
        buys = order.side == "BUY"
        order.held_asset = symbol.quote if buys else symbol.base
        order.held = amounts.product(order.price, order.remaining) if buys else order.remaining
        self._move(order.held_asset, -order.held)
        self.locked[order.held_asset] += order.held

    def fill(self, order: Order, *, price: int, quantity: int, at: int, is_maker: bool) -> Fill:
        """Execute part of an open order: move base, quote and fee, and append the fill."""
        symbol = SYMBOLS[order.symbol]
        quote = amounts.product(price, quantity)
        buys = order.side == "BUY"
        released = amounts.product(order.price, quantity) if buys else quantity
        self._release(order, min(released, order.held))
        self._move(symbol.quote if buys else symbol.base, -(quote if buys else quantity))
        self._move(symbol.base if buys else symbol.quote, quantity if buys else quote)
        fee, fee_asset = self._charge(
            symbol, buys=buys, quantity=quantity, quote=quote, at=at, is_maker=is_maker
        )
        order.executed += quantity
        order.executed_quote += quote
        order.updated_at = max(order.updated_at, at)
        order.status = "PARTIALLY_FILLED" if order.remaining else "FILLED"
        if not order.remaining:
            self._finish(order)
        rows = self.fills.setdefault(symbol.name, [])
        fill_id = (rows[-1].fill_id if rows else _FIRST_ID) + self._gaps.randrange(3, 10)
        row = Fill(
            symbol=symbol.name,
            fill_id=fill_id,
            order_id=order.order_id,
            list_id=order.list_id,
            is_buyer=buys,
            is_maker=is_maker,
            price=price,
            quantity=quantity,
            quote_quantity=quote,
            fee=fee,
            fee_asset=fee_asset,
            executed_at=at,
        )
        rows.append(row)
        self.updated_at = max(self.updated_at, at)
        return row

    def close(self, order: Order, *, status: str, at: int) -> None:
        """End an open order without (further) fills and give back what it holds. A closed one stays as it
        is."""
        if not order.is_open:
            return
        order.status = status
        order.updated_at = at
        self._finish(order)

    def deposit(self, transfer: Transfer) -> None:
        self.deposits.append(transfer)
        if transfer.moves_balance:
            self._move(transfer.asset, transfer.amount)
            self.updated_at = max(self.updated_at, transfer.completed_at)

    def withdraw(self, transfer: Transfer) -> None:
        self.withdrawals.append(transfer)
        if transfer.moves_balance:
            self._move(transfer.asset, -(transfer.amount + transfer.fee))
            self.updated_at = max(self.updated_at, transfer.applied_at)

    def shift(self, asset: str, change: int, *, at: int) -> None:
        """Money that comes from another wallet of the account (> 0) or goes there."""
        self._move(asset, change)
        self.updated_at = max(self.updated_at, at)

    def give(self, row: Dividend) -> None:
        self._move(row.asset, row.amount)
        self.dividends.append(row)

    def convert(self, row: Conversion) -> None:
        self._move(row.from_asset, -row.from_amount)
        self._move(row.to_asset, row.to_amount - row.fee)
        self.conversions.append(row)

    def change_silently(self, hole: Hole) -> None:
        """A conversion or interest: the balance moves, no endpoint says why."""
        self._move(hole.asset, hole.change)
        self.holes.append(hole)

    def insert_late(self, order: Order, fill: Fill) -> None:
        """Put a fill that was reported late at its place in id order, and its order with it."""
        symbol = SYMBOLS[order.symbol]
        paid, got = (symbol.quote, symbol.base) if fill.is_buyer else (symbol.base, symbol.quote)
        sums = (fill.quote_quantity, fill.quantity)
        self._move(paid, -(sums[0] if fill.is_buyer else sums[1]))
        self._move(got, sums[1] if fill.is_buyer else sums[0])
        self._move(fill.fee_asset, -fill.fee)
        bisect.insort(self.orders[symbol.name], order, key=attrgetter("order_id"))
        bisect.insort(self.fills[symbol.name], fill, key=attrgetter("fill_id"))

    def _charge(
        self, symbol: Symbol, *, buys: bool, quantity: int, quote: int, at: int, is_maker: bool
    ) -> tuple[int, str]:
        """Take the fee: in the coin where the holder chose so and has enough, else as the house does."""
        house = self.house
        if self.pays_in_coin:
            value = amounts.product(quote, self.market.usdt_price(symbol.quote, at))
            fee = amounts.quotient(
                house.fee_in_coin(value, is_maker=is_maker), self.market.usdt_price(house.coin, at)
            )
            if 0 < fee <= self.free[house.coin]:
                self._move(house.coin, -fee)
                return fee, house.coin
        fee = house.fee(quote, is_maker=is_maker)
        if buys and not (house.takes_quote and fee <= self.free[symbol.quote]):
            asset, fee = symbol.base, house.fee(quantity, is_maker=is_maker)
        else:
            asset = symbol.quote
        self._move(asset, -fee)
        return fee, asset

    def _release(self, order: Order, amount: int) -> None:
        if amount:
            order.held -= amount
            self.locked[order.held_asset] -= amount
            self._move(order.held_asset, amount)

    def _finish(self, order: Order) -> None:
        self._release(order, order.held)
        self.open_orders.pop((order.symbol, order.order_id), None)

    def _move(self, asset: str, change: int) -> None:
        if self.free[asset] + change < 0:
            raise InsufficientBalance(f"{self.label}: {asset} {self.free[asset]} {change:+}")
        self.free[asset] += change


def _token(world: str, label: str, purpose: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(f"{world}:{label}:{purpose}".encode()).hexdigest()
