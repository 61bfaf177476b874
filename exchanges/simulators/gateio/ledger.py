"""The ledger of the spot wallet as Gate.io writes it: every change with its type, its code and the balance after it.

Ids are made of the moment, so they count up, and a late row changes no other's.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from exchanges.simulators import amounts
from exchanges.simulators.account import Account
from exchanges.simulators.facts import Conversion, Dividend, Fill, Order
from exchanges.simulators.following import follows
from exchanges.simulators.gateio import names
from exchanges.simulators.gateio.parameters import Span
from exchanges.simulators.gateio.wire import short, transfer_id
from exchanges.simulators.symbols import SYMBOLS

Json = dict[str, Any]
# Type and code of each kind of change.
_PLACED, _CANCELLED, _FILLED, _FEE = (
    ("new_order", 101),
    ("cancel_order", 103),
    ("order_fill", 102),
    ("order_fee", 151),
)
_DEPOSIT, _WITHDRAWAL = ("deposit", 110), ("withdraw", 4)
_TO_CONTRACTS, _FROM_CONTRACTS = ("perp_out", 702), ("perp_in", 701)
_INTEREST, _AIRDROP = ("hodl_int", 627), ("airdrop", 404)
_SOLD, _BOUGHT = ("cv_sell", 2602), ("cv_buy", 2601)
_SWEPT, _COIN_CAME, _SWEEP_FEE = ("dust_swap_dctd", 1301), ("dust_swap_gt_add", 1302), ("dust_swap_fee", 1303)
_ROOM: Final = 10_000


class Row(NamedTuple):
    at: int
    number: int
    """Tells rows of a millisecond apart."""
    kind: tuple[str, int]
    asset: str
    change: int
    text: str

    @property
    def row_id(self) -> str:
        return f"{self.at}{self.number:06d}"


class Entry(NamedTuple):
    """A change, and what was there after it."""

    row: Row
    balance: int

    def told(self) -> Json:
        row = self.row
        return {
            "id": row.row_id,
            "time": row.at,
            "currency": row.asset,
            "change": short(row.change),
            "balance": short(self.balance),
            "type": row.kind[0],
            "code": str(row.kind[1]),
            "text": row.text,
        }


def entries(account: Account, span: Span) -> list[Entry]:
    """What changed the wallet in that time, newest first."""
    return [entry for entry in _book(account) if entry.row.at in span]


def _facts(account: Account) -> tuple[int, ...]:
    by_symbol = [sum(map(len, rows.values())) for rows in (account.orders, account.fills)]
    return (
        *(account.updated_at, len(account.open_orders), *by_symbol),
        *(len(account.deposits), len(account.withdrawals), len(account.dividends), len(account.conversions)),
        len(account.margin.transfers) if account.margin else 0,
    )


@follows(_facts)
def _book(account: Account) -> list[Entry]:
    """Everything that ever changed the wallet, newest first."""
    found: list[Entry] = []
    balances: dict[str, int] = {}
    for row in sorted(each for each in _changes(account) if each.change):
        balances[row.asset] = balances.get(row.asset, 0) + row.change
        found.append(Entry(row, balances[row.asset]))
    return found[::-1]


def dividend_ids(account: Account) -> list[str]:
    return [_given(number, row).row_id for number, row in enumerate(account.dividends)]


def conversion_ids(account: Account) -> list[str]:
    """Of what left."""
    return [next(_converted(number, row)).row_id for number, row in enumerate(account.conversions)]


def move_ids(account: Account) -> list[str]:
    """Of all transfers between wallets that spot takes part in."""
    return [row.row_id for row in _moves(account)]


def _changes(account: Account) -> Iterator[Row]:
    for orders in account.orders.values():
        for order in orders:
            yield from _withdrawn(order)
    for name, fills in account.fills.items():
        for fill in fills:
            yield from _traded(name, fill)
    for deposit in account.deposits:
        if deposit.moves_balance:
            yield _row(
                deposit.applied_at,
                4,
                0,
                0,
                _DEPOSIT,
                deposit.asset,
                deposit.amount,
                transfer_id(deposit, "d"),
            )
    for away in account.withdrawals:
        if away.moves_balance:
            gone = -(away.amount + away.fee)
            yield _row(away.applied_at, 5, 0, 0, _WITHDRAWAL, away.asset, gone, transfer_id(away, "w"))
    yield from _moves(account)
    for number, given in enumerate(account.dividends):
        yield _given(number, given)
    for number, changed in enumerate(account.conversions):
        yield from _converted(number, changed)


def _withdrawn(order: Order) -> Iterator[Row]:
    """What an order that was cancelled whole froze, and gave back."""
    if order.executed or order.is_open or not names.is_placed(order) or order.type == "MARKET":
        return
    symbol, text = SYMBOLS[order.symbol], str(names.order_id(order.symbol, order.order_id))
    buys = order.side == "BUY"
    asset = symbol.quote if buys else symbol.base
    held = amounts.product(order.price, order.quantity) if buys else order.quantity
    yield _row(order.placed_at, 1, order.order_id, 0, _PLACED, asset, -held, text)
    yield _row(order.updated_at, 1, order.order_id, 1, _CANCELLED, asset, held, text)


def _traded(name: str, fill: Fill) -> Iterator[Row]:
    symbol, text = SYMBOLS[name], str(names.order_id(name, fill.order_id))
    sign = 1 if fill.is_buyer else -1
    legs = (
        (_FILLED, symbol.base, sign * fill.quantity),
        (_FILLED, symbol.quote, -sign * fill.quote_quantity),
        (_FEE, fill.fee_asset, -fill.fee),
    )
    for leg, (kind, asset, change) in enumerate(legs):
        yield _row(fill.executed_at, 2, fill.fill_id, leg, kind, asset, change, text)


def _moves(account: Account) -> Iterator[Row]:
    for number, row in enumerate(account.margin.transfers if account.margin else ()):
        if "spot" in (row.from_wallet, row.to_wallet):
            came = row.to_wallet == "spot"
            kind, change = (_FROM_CONTRACTS, row.amount) if came else (_TO_CONTRACTS, -row.amount)
            yield _row(row.moved_at, 6, number, 0, kind, row.asset, change, "")


def _given(number: int, row: Dividend) -> Row:
    kind = _INTEREST if row.words == "Flexible" else _AIRDROP
    return _row(row.paid_at, 7, number, 0, kind, row.asset, row.amount, row.words)


def _converted(number: int, row: Conversion) -> Iterator[Row]:
    text = str(row.conversion_id)
    kinds = (_SWEPT, _COIN_CAME, _SWEEP_FEE) if row.is_dust else (_SOLD, _BOUGHT, _SWEEP_FEE)
    legs = ((row.from_asset, -row.from_amount), (row.to_asset, row.to_amount), (row.to_asset, -row.fee))
    for leg, (kind, (asset, change)) in enumerate(zip(kinds, legs, strict=True)):
        yield _row(row.happened_at, 8, number, leg, kind, asset, change, text)


def _row(
    at: int, sort: int, fact: int, leg: int, kind: tuple[str, int], asset: str, change: int, text: str
) -> Row:
    return Row(at, (sort * _ROOM + fact % _ROOM) * 10 + leg, kind, asset, change, text)
