"""What contracts were held at, told of their positions and trades once these are folded. In the owner's open door."""

from collections.abc import Sequence

from credentials.models import ExchangeAccount
from portfolio import leverage
from portfolio.exports.records import PositionLeverage, TradeLeverage
from portfolio.models import Position, Trade


def restore_positions(account: ExchangeAccount, rows: Sequence[PositionLeverage]) -> int:
    """Answers of how many nothing was known."""
    known = Position.objects.filter(
        account=account, opening_fill__exchange_fill_id__in={row.opening_fill for row in rows}
    ).values_list("book__asset", "book__side", "opening_fill__exchange_fill_id", "id")
    ids = {(symbol, side, fill): row_id for symbol, side, fill, row_id in known}
    found = [
        (row_id, row.leverage, row.margin_mode)
        for row in rows
        if (row_id := ids.get((row.symbol, row.book_side, row.opening_fill))) is not None
    ]
    return leverage.restore(positions=found, trades=())


def restore_trades(account: ExchangeAccount, rows: Sequence[TradeLeverage]) -> int:
    """Answers of how many nothing was known."""
    known = Trade.objects.filter(
        account=account, first_exit_fill__exchange_fill_id__in={row.first_exit_fill for row in rows}
    ).values_list(
        "position__book__asset",
        "position__book__side",
        "position__opening_fill__exchange_fill_id",
        "first_exit_fill__exchange_fill_id",
        "id",
    )
    ids = {row[:4]: row[4] for row in known}
    found = [
        (row_id, row.leverage, row.margin_mode)
        for row in rows
        if (row_id := ids.get((row.symbol, row.book_side, row.opening_fill, row.first_exit_fill))) is not None
    ]
    return leverage.restore(positions=(), trades=found)
