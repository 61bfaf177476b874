"""Very many fills on one symbol, quickly: for measuring clients, not for looking at."""

import random

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.amounts import ONE
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.facts import Order, Transfer
from exchanges.simulators.profiles import HISTORY_DAYS
from exchanges.simulators.symbols import SYMBOLS
from exchanges.simulators.transfers import DEPOSIT_SUCCESS

_FILLS_PER_ORDER = 4
_ORDERS_PER_EPISODE = 8


def trade(
    account: Account,
    symbol_name: str,
    *,
    fills: int,
    until: int,
    rng: random.Random,
    begin: int | None = None,
) -> None:
    """Buy and sell back in turns of eight orders of four fills each, evenly over the time from `begin` (by default
    the candles' whole time) up to `until`."""
    symbol = SYMBOLS[symbol_name]
    market = account.market
    begin = market.first_day_ms + DAY_MS if begin is None else begin
    identity = str(len(account.deposits) + 1)
    account.deposit(
        Transfer(
            identity,
            symbol.quote,
            1_000_000 * ONE,
            0,
            "TRX",
            f"T{identity}",
            identity,
            DEPOSIT_SUCCESS,
            begin,
            begin,
        )
    )
    count = -(-fills // _FILLS_PER_ORDER)
    pace = (min(until, begin + HISTORY_DAYS * DAY_MS) - begin - 2) // max(count, 1)
    size = amounts.floor_to(amounts.quotient(400 * ONE, market.price(symbol, until)), 4 * symbol.step)
    size = max(size, 4 * symbol.step)
    for number in range(count):
        at = begin + 1 + number * pace
        buys = number // _ORDERS_PER_EPISODE % 2 == 0
        parts = min(_FILLS_PER_ORDER, fills - number * _FILLS_PER_ORDER)
        quantity = size if buys else amounts.floor_to(size * 99 // 100, 4 * symbol.step) or size // 2
        order = account.place(
            symbol,
            side="BUY" if buys else "SELL",
            kind="MARKET",
            quantity=quantity // _FILLS_PER_ORDER * parts,
            at=at,
            client_order_id=f"web_{number:028x}",
        )
        _fill(account, order, parts=parts, price=market.price(symbol, at), tick=symbol.tick, at=at, rng=rng)


def _fill(
    account: Account, order: Order, *, parts: int, price: int, tick: int, at: int, rng: random.Random
) -> None:
    for _ in range(parts):
        account.fill(order, price=price, quantity=order.quantity // parts, at=at, is_maker=False)
        price += tick * rng.randrange(3)
