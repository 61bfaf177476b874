"""How far back MEXC answers, and in what windows. None of its histories can be paged: no id, no offset."""

from datetime import timedelta
from typing import Final

from exchanges.windows import WindowWalk

FILLS_REACH: Final = timedelta(days=30)
ORDERS_REACH: Final = timedelta(days=7)
# 90 days; a start too old by the time it arrives is refused, and costs the whole walk.
TRANSFERS_REACH: Final = timedelta(days=90) - timedelta(hours=1)

FILLS: Final = WindowWalk(page=100, longest=FILLS_REACH + timedelta(days=1), overlap=timedelta(days=1))
# Both ends of a window count: seven days and the millisecond they end with.
ORDERS: Final = WindowWalk(page=1000, longest=timedelta(days=7, milliseconds=1), overlap=timedelta(days=1))
# Transfers change their state for days.
TRANSFERS: Final = WindowWalk(page=1000, longest=timedelta(days=7), overlap=timedelta(days=14))
