"""Short ways to read a file's text in tests."""

from typing import Final

from core.money import text
from exchanges.histories import formats
from exchanges.histories.history import History, Wanted
from exchanges.rows import FillRow

CASH: Final = frozenset({"USDT", "USDC", "BUSD", "EUR", "USD", "GBP"})


def read(content: str, *, place: str = "") -> History:
    one, table = formats.recognise(content)
    return one.read(table, Wanted(CASH, place))


def told(fill: FillRow) -> tuple[str, str, str, str, str]:
    """Side and symbol, quantity, what was paid, fee and its coin."""
    return (
        f"{fill.side} {fill.symbol}", text(fill.quantity), text(fill.quote_quantity), text(fill.fee_amount),
        fill.fee_currency,
    )  # fmt: skip


def reasons(history: History) -> list[tuple[int, str]]:
    return [(one.line.number, one.reason) for one in history.set_aside]
