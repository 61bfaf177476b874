"""Bybit, USDT perpetuals > Closed P&L: what a closing order ended, at averages, and what it made after all fees.

It tells no executions. Each line becomes two fills that stand for them, marked as inferred: the entry at its average
price, and the exit, both at the moment of the exit, which bears all fees: what the prices made less what is told.
So the result is the told one to its last digit, and how long it was held is not known.
"""

from functools import partial
from typing import Final

from core.money import CONTEXT, ZERO, parse
from exchanges.histories import cells, swaps
from exchanges.histories.history import Format, History, Wanted
from exchanges.histories.tables import Line, Table, identity
from exchanges.reading import UnreadableRow
from exchanges.rows import ContractSide, FillRow, MarketType, PositionSide, Side

NAME: Final = "bybit-closed-pnl"
_TIMES: Final = ("%Y-%m-%d %H:%M:%S",)
_SETTLE: Final = "USDT"
_SIDES: Final = {"close long": PositionSide.LONG, "close short": PositionSide.SHORT}
_LIQUIDATIONS: Final = ("bust", "liquidation", "adl")


def read(table: Table, wanted: Wanted) -> History:
    """Raises nothing: what cannot be read is set aside."""
    history = History()
    for line in history.once(table.lines):
        try:
            history.inferred += _round_trip(line)
        except UnreadableRow as error:
            history.reject([line], str(error))
    return history


def _round_trip(line: Line) -> tuple[FillRow, FillRow]:
    symbol, words = cells.asset(line, "Contracts"), line.cells["Closing Direction"].lower()
    held = _SIDES.get(words)
    if held is None or not symbol.endswith(_SETTLE) or symbol == _SETTLE:
        raise UnreadableRow(f"{words!r:.20} of {symbol} is no end of a USDT perpetual's long or short")
    quantity = cells.positive(line, "Qty")
    entry, exit_ = cells.positive(line, "Entry Price"), cells.positive(line, "Exit Price")
    entered, left = (parse(CONTEXT.multiply(quantity, price)) for price in (entry, exit_))
    gross = left - entered if held is PositionSide.LONG else entered - left
    name = identity(
        NAME, symbol, line.cells["Order No."], line.cells["Trade Time(UTC+0)"], quantity, entry, exit_
    )
    opens, closes = (Side.BUY, Side.SELL) if held is PositionSide.LONG else (Side.SELL, Side.BUY)
    fill = partial(
        FillRow,
        market_type=MarketType.FUTURES,
        symbol=symbol,
        base_asset=symbol.removesuffix(_SETTLE),
        quote_asset=_SETTLE,
        quantity=quantity,
        fee_currency=_SETTLE,
        is_maker=False,
        executed_at=cells.moment(line, "Trade Time(UTC+0)", _TIMES),
        raw=swaps.raw([line]),
    )
    fee = gross - cells.amount(line, "Closed P&L")
    is_liquidation = any(word in line.cells["Exit Type"].lower() for word in _LIQUIDATIONS)
    side = ContractSide(_SETTLE, False, held, ZERO)
    return (
        fill(
            fill_id=f"{name}-1", order_id=f"{name}-1", side=opens, price=entry, quote_quantity=entered,
            fee_amount=ZERO, contract=side,
        ),
        fill(
            fill_id=f"{name}-2", order_id=line.cells["Order No."] or f"{name}-2", side=closes, price=exit_,
            quote_quantity=left, fee_amount=fee, contract=ContractSide(_SETTLE, False, held, gross, is_liquidation),
        ),
    )  # fmt: skip


FORMAT: Final = Format(
    NAME,
    "Bybit closed P&L",
    "files",
    frozenset(
        {"Contracts", "Closing Direction", "Qty", "Entry Price", "Exit Price", "Closed P&L", "Order No."}
    ),
    read,
)
