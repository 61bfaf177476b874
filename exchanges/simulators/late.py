"""A fill the exchange reports days after it happened: the trap for every client that trusts a cursor."""

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.facts import NO_LIST, Fill, Order
from exchanges.simulators.symbols import SYMBOLS


class NothingToReport(ValueError):
    """The account has no fill of that symbol yet, or too little money for one more."""


def report(account: Account, symbol_name: str, *, at: int, newest_id: bool) -> Fill:
    """Add an order with one fill dated `at`: bought if the quote suffices, else sold. Raises
    NothingToReport."""
    symbol = SYMBOLS[symbol_name]
    if not account.fills.get(symbol_name):
        raise NothingToReport(f"{account.label} never traded {symbol_name}")
    price = account.market.price(symbol, at)
    quantity = amounts.floor_to(amounts.quotient(2 * symbol.min_notional, price), symbol.step) + symbol.step
    quote = amounts.product(price, quantity)
    buys = account.free[symbol.quote] >= quote
    if not buys and account.free[symbol.base] < quantity:
        raise NothingToReport(f"{account.label} cannot pay for one more fill of {symbol_name}")
    order_id = _identity({row.order_id for row in account.orders[symbol_name]}, newest_id=newest_id)
    order = _order(account, symbol_name, order_id, buys=buys, quantity=quantity, quote=quote, at=at)
    fill = Fill(
        symbol=symbol_name,
        fill_id=_identity({row.fill_id for row in account.fills[symbol_name]}, newest_id=newest_id),
        order_id=order_id,
        list_id=NO_LIST,
        is_buyer=buys,
        is_maker=False,
        price=price,
        quantity=quantity,
        quote_quantity=quote,
        fee=account.house.fee(quantity if buys else quote, is_maker=False),
        fee_asset=symbol.base if buys else symbol.quote,
        executed_at=at,
    )
    account.insert_late(order, fill)
    return fill


def _order(
    account: Account, symbol: str, order_id: int, *, buys: bool, quantity: int, quote: int, at: int
) -> Order:
    """The market order the late fill belongs to."""
    return Order(
        symbol=symbol,
        order_id=order_id,
        client_order_id=f"web_{account.uid:012x}{order_id:016x}",
        list_id=NO_LIST,
        side="BUY" if buys else "SELL",
        type="MARKET",
        time_in_force="GTC",
        price=0,
        stop_price=0,
        quantity=quantity,
        placed_at=at,
        updated_at=at,
        status="FILLED",
        executed=quantity,
        executed_quote=quote,
    )


def _identity(taken: set[int], *, newest_id: bool) -> int:
    """Above every id, or the highest free one below the newest: ids of an account have gaps."""
    newest = max(taken)
    if newest_id:
        return newest + 1
    return next(number for number in range(newest - 1, 0, -1) if number not in taken)
