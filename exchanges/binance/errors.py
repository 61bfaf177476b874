"""Binance's error codes where ccxt's names for them are not our kinds."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core import clock
from exchanges import reading
from exchanges.binance_like import read_error
from exchanges.errors import ErrorKind
from exchanges.failures import Dialect

_AUTH = ("-1002", "-1022", "-1099", "-2008", "-2014", "-2015", "-2017")
_RATE = ("-1003", "-1015", "-1034")
_DOWN = ("-1000", "-1001", "-1006", "-1007", "-1008", "-1016")
_USER = ("-1010", "-1013", "-1120", "-1121", "-2010", "-2011", "-2013", "-2026", "-2038", "-2039")
# A request the exchange finds malformed was built wrongly by us.
_BUG = tuple(str(-code) for code in (*range(1100, 1109), *range(1111, 1120), *range(1125, 1132)))

KINDS: Final[Mapping[str, ErrorKind]] = {
    **dict.fromkeys(_AUTH, ErrorKind.AUTH),
    **dict.fromkeys(_RATE, ErrorKind.RATE),
    **dict.fromkeys(_DOWN, ErrorKind.DOWN),
    **dict.fromkeys(_USER, ErrorKind.USER),
    **dict.fromkeys(_BUG, ErrorKind.BUG),
    "-1021": ErrorKind.CLOCK,
}
_BANNED: Final = re.compile(r"banned until (\d{13})")


def banned_until(message: str) -> datetime | None:
    """The moment in "IP banned until 1499827319559"."""
    found = _BANNED.search(message)
    if found is None or not reading.EARLIEST_MS <= int(found.group(1)) < reading.LATEST_MS:
        return None
    return clock.from_ms(int(found.group(1)))


DIALECT: Final = Dialect(kinds=KINDS, read=read_error, banned_until=banned_until)
