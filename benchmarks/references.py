"""What the engine is measured and checked against; shares no code with it."""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.money import UNIT
from portfolio.accounting.events import Fill

_EXTRA = 10**40


def decimal_fifo(fills: Iterable[tuple[bool, Decimal, Decimal]]) -> list[Decimal]:
    """Realised PnL of each sale in (is buy, quantity, price), by the plainest FIFO there is."""
    lots: deque[list[Decimal]] = deque()
    realised = []
    for is_buy, quantity, price in fills:
        if is_buy:
            lots.append([quantity, price])
            continue
        left, gross = quantity, Decimal(0)
        while left and lots:
            lot = lots[0]
            part = lot[0] if lot[0] <= left else left
            gross += part * (price - lot[1])
            left -= part
            lot[0] -= part
            if not lot[0]:
                lots.popleft()
        realised.append(gross)
    return realised


def fifo_reference(fills: Sequence[Fill]) -> dict[str, int]:
    """Realised gross in units of each exit fill; exact, as no part of these fills needs more than 18 places."""
    lots: deque[list[int]] = deque()
    realised: dict[str, int] = {}
    for fill in fills:
        if fill.side == "BUY":
            lots.append([fill.quantity, fill.price])
            continue
        left, gross = fill.quantity, fill.quote_quantity * UNIT
        while left:
            part = min(left, lots[0][0])
            gross -= part * lots[0][1]
            left -= part
            lots[0][0] -= part
            if not lots[0][0]:
                lots.popleft()
        realised[fill.fill_id], rest = divmod(gross, UNIT)
        assert rest == 0
    return realised


def average_reference(fills: Sequence[Fill]) -> dict[str, int]:
    """The same by running average, carried with 40 more digits; running totals of each episode rounded."""
    quantity = cost = proceeds = sold = published = 0
    realised: dict[str, int] = {}
    for fill in fills:
        if fill.side == "BUY":
            quantity += fill.quantity
            cost += fill.quote_quantity * _EXTRA
            continue
        part = cost if fill.quantity == quantity else cost * fill.quantity // quantity
        quantity -= fill.quantity
        cost -= part
        sold += part
        proceeds += fill.quote_quantity
        total = proceeds - (sold + _EXTRA // 2) // _EXTRA
        realised[fill.fill_id] = total - published
        published = total
        if not quantity:
            proceeds = sold = published = 0
    return realised
