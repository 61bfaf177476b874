"""Bitget's error codes where ccxt's names for them are not our kinds."""

from collections.abc import Mapping
from typing import Final

from exchanges.errors import ErrorKind
from exchanges.failures import Dialect

CLASSIC_ACCOUNT: Final = "40084"  # the endpoint is for unified accounts
UNIFIED_ACCOUNT: Final = "40085"  # the endpoint is for classic accounts

# 40006 unknown key, 40009 signature, 40012 and 40036 passphrase, 40018 and 40038 address not on the key's list,
# 40037 no such key, 40001 to 40003 and 40011 missing headers.
_AUTH = ("40001", "40002", "40003", "40006", "40009", "40011", "40012", "40018", "40036", "40037", "40038")
# 40014 for this endpoint, 40016 no phone bound, 40013, 40022 to 40024, 40031 and 40710 an account that is not in
# order, 40301 and 40731 not opened to this user (copy trading).
_PERMISSION = (
    *("40013", "40014", "40016", "40022", "40023", "40024", "40031", "40040", "40301", "40710", "40731"),
    *(CLASSIC_ACCOUNT, UNIFIED_ACCOUNT),
)
_CLOCK = ("40005", "40008", "40078")
_RATE = ("429", "30007", "40429")
_DOWN = ("40010", "40015", "40200", "40308", "40725", "41114", "45001")
_USER = (
    *("25204", "40109", "40768", "43001", "43025"),  # no such order
    *("40034", "40309"),  # no such symbol
    *("43012", "40754"),  # not enough money
    *("40808", "41103", "43011", "45113"),  # not tradable so
)
# A request the exchange finds malformed was built wrongly by us.
_BUG = (
    *("40007", "40017", "40019", "40020", "400172", "40102", "40302", "40304", "40305", "40404", "40408"),
    *("40409", "40812", "00171", "00172"),
)

KINDS: Final[Mapping[str, ErrorKind]] = {
    **dict.fromkeys(_AUTH, ErrorKind.AUTH),
    **dict.fromkeys(_PERMISSION, ErrorKind.PERMISSION),
    **dict.fromkeys(_CLOCK, ErrorKind.CLOCK),
    **dict.fromkeys(_RATE, ErrorKind.RATE),
    **dict.fromkeys(_DOWN, ErrorKind.DOWN),
    **dict.fromkeys(_USER, ErrorKind.USER),
    **dict.fromkeys(_BUG, ErrorKind.BUG),
}
_LONGEST_CODE: Final = 20


def read(answer: object) -> tuple[str, str]:
    """(code, message) of `{"code": "40006", "msg": "…"}`; both empty for anything else."""
    if not isinstance(answer, Mapping):
        return "", ""
    code, message = answer.get("code"), answer.get("msg") or answer.get("message")
    told = str(code) if isinstance(code, int | str) and not isinstance(code, bool) else ""
    return told[:_LONGEST_CODE], message if isinstance(message, str) else ""


def banned_until(message: str) -> None:
    """Bitget tells of no bans."""


DIALECT: Final = Dialect(kinds=KINDS, read=read, banned_until=banned_until)
