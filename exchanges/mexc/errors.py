"""MEXC's error codes where ccxt's names for them are not our kinds."""

from collections.abc import Mapping
from typing import Final

from exchanges.binance_like import read_error
from exchanges.errors import ErrorKind
from exchanges.failures import Dialect

# 10072 unknown key, 700001 its form, 700002 and 602 signature, 700006 address not on the key's list,
# 401 and 402 not logged in and expired, 10001 no such user; 406 a foreign address, where contracts are asked for.
_AUTH = ("401", "402", "406", "602", "10001", "10072", "700001", "700002", "700006")
# 700007 for this endpoint, 70011 and 30020 for this symbol, 701 to 704 switched off for the key, 403 and 511 denied,
# 60005, 730100 and 140002 an account that is not in order.
_PERMISSION = (
    "403",
    "511",
    "701",
    "702",
    "703",
    "704",
    "30020",
    "60005",
    "70011",
    "140002",
    "700007",
    "730100",
)
_CLOCK = ("513", "10073", "700003")  # 513: contracts, more than 10 s off
_RATE = ("429", "510")
_DOWN = ("500", "501", "503", "504", "604", "801", "10216", "11444", "20002", "730000")
_USER = (
    *("-1121", "10007", "30014", "30021"),  # no such symbol
    *("1000", "1001", "1002", "2009", "2040"),  # no such account, contract, position or order of contracts
    *("-2011", "-2013", "22222"),  # no such order or record
    *("10101", "30004", "30005"),  # not enough money
    *(
        "26",
        "30000",
        "30001",
        "30002",
        "30003",
        "30010",
        "30016",
        "30018",
        "30019",
        "30029",
    ),  # not tradable so
)
# A request the exchange finds malformed was built wrongly by us.
_BUG = ("-1128", "400", "600", "10015", "33333", "44444", "700004", "700005", "700008", "730002")

KINDS: Final[Mapping[str, ErrorKind]] = {
    **dict.fromkeys(_AUTH, ErrorKind.AUTH),
    **dict.fromkeys(_PERMISSION, ErrorKind.PERMISSION),
    **dict.fromkeys(_CLOCK, ErrorKind.CLOCK),
    **dict.fromkeys(_RATE, ErrorKind.RATE),
    **dict.fromkeys(_DOWN, ErrorKind.DOWN),
    **dict.fromkeys(_USER, ErrorKind.USER),
    **dict.fromkeys(_BUG, ErrorKind.BUG),
}


def read(answer: object) -> tuple[str, str]:
    """(code, message): spot says `msg`, contracts say `message`."""
    code, words = read_error(answer)
    if not words and isinstance(answer, Mapping) and isinstance(answer.get("message"), str):
        words = answer["message"]
    return code, words


def banned_until(message: str) -> None:
    """A ban's end is told by `Retry-After` alone."""


DIALECT: Final = Dialect(kinds=KINDS, read=read, banned_until=banned_until)
