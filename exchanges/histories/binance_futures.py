"""Binance, Futures > Trade history: executions of USD-M contracts, each with the id that the API gives it, too.

The file does not tell the mode of positions: its fills are those of one-way mode. `Realized Profit` is before fees.
"""

import re
from decimal import Decimal
from typing import Final

from core.money import CONTEXT
from exchanges.histories import cells, swaps
from exchanges.histories.history import Format, History, Wanted
from exchanges.histories.tables import Line, Table
from exchanges.reading import UnreadableRow
from exchanges.rows import ContractSide, FillRow, MarketType, PositionSide, Side

NAME: Final = "binance-futures-trades"
_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%y-%m-%d %H:%M:%S")
_SETTLES: Final = ("USDT", "USDC", "BUSD", "FDUSD")
_FEE: Final = re.compile(r"(-?[0-9.]+(?:[Ee]-?[0-9]+)?) ([A-Z0-9]+)")
_ID: Final = re.compile(r"[0-9]{1,19}")
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_FLAGS: Final = {"true": True, "false": False}


def read(table: Table, wanted: Wanted) -> History:
    """Raises nothing: what cannot be read is set aside."""
    history = History()
    known: dict[tuple[str, str], FillRow] = {}
    for line in history.whole(table.lines):
        try:
            fill = _fill(line)
        except UnreadableRow as error:
            history.reject([line], str(error))
            continue
        first = known.setdefault((fill.symbol, fill.fill_id), fill)
        if first is not fill:
            history.remark([line], f"execution {fill.fill_id} of {fill.symbol} was told before")
    history.fills = list(known.values())
    return history


def _fill(line: Line) -> FillRow:
    symbol = cells.asset(line, "Symbol")
    settle = next((each for each in _SETTLES if symbol.partition("_")[0].endswith(each)), None)
    if settle is None or symbol.partition("_")[0] == settle:
        raise UnreadableRow(f"{symbol} is no contract settled in {', '.join(_SETTLES)}")
    price, quantity = cells.positive(line, "Price"), cells.positive(line, "Quantity")
    fee, coin = _fee(line)
    side = _SIDES.get(line.cells["Side"].upper())
    if side is None:
        raise UnreadableRow(f"Side {line.cells['Side']!r:.20} is not known")
    return FillRow(
        market_type=MarketType.FUTURES,
        symbol=symbol,
        base_asset=symbol.partition("_")[0].removesuffix(settle),
        quote_asset=settle,
        fill_id=_id(line, "Trade ID"),
        order_id=_id(line, "Order ID"),
        side=side,
        price=price,
        quantity=quantity,
        quote_quantity=_value(line, price, quantity),
        fee_amount=fee,
        fee_currency=coin,
        is_maker=_FLAGS.get(line.cells["Maker"].lower(), False),
        executed_at=cells.moment(line, "Time", _TIMES),
        raw=swaps.raw([line]),
        contract=ContractSide(settle, False, PositionSide.BOTH, cells.amount(line, "Realized Profit")),
    )


def _fee(line: Line) -> tuple[Decimal, str]:
    """An amount and its coin in one cell."""
    parts = _FEE.fullmatch(line.cells["Fee"])
    if parts is None:
        raise UnreadableRow(f"Fee {line.cells['Fee']!r:.40} is no amount with a coin")
    cell = Line(line.number, line.text, {"Fee": parts[1]})
    return cells.amount(cell, "Fee"), parts[2]


def _value(line: Line, price: Decimal, quantity: Decimal) -> Decimal:
    """Of COIN-M contracts the file counts contracts, whose worth it does not tell."""
    told, value = cells.positive(line, "Amount"), CONTEXT.multiply(price, quantity)
    if told != value:
        raise UnreadableRow(f"Amount {told} is not Price × Quantity, {value.normalize():f}")
    return told


def _id(line: Line, column: str) -> str:
    words = line.cells[column]
    if not _ID.fullmatch(words):
        raise UnreadableRow(f"{column} {words!r:.40} is no id")
    return words


FORMAT: Final = Format(
    NAME,
    "Binance futures trade history",
    "binance",
    frozenset(
        {"Symbol", "Side", "Price", "Quantity", "Amount", "Fee", "Realized Profit", "Trade ID", "Order ID"}
    ),
    read,
)
