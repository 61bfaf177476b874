"""Gate.io's error labels where ccxt's names for them are not our kinds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core import clock
from exchanges import reading
from exchanges.errors import ErrorKind
from exchanges.failures import Dialect

BARRED_ADDRESS: Final = "IP_FORBIDDEN"
RESET_HEADER: Final = "X-Gate-RateLimit-Reset-Timestamp"  # Unix time, in seconds or milliseconds

_AUTH = ("AUTHENTICATION_FAILED", "INVALID_CREDENTIALS", "INVALID_KEY", "INVALID_SIGNATURE", BARRED_ADDRESS)
_PERMISSION = ("ACCOUNT_LOCKED", "FORBIDDEN", "READ_ONLY", "SUB_ACCOUNT_LOCKED")
_RATE = ("TOO_FAST", "TOO_MANY_REQUESTS")
_DOWN = ("INTERNAL", "SERVER_ERROR", "TOO_BUSY")
_USER = (
    *("AMOUNT_TOO_LITTLE", "AMOUNT_TOO_MUCH", "AUTO_ORDER_NOT_FOUND", "BALANCE_NOT_ENOUGH"),
    *(
        "CLIENT_ID_NOT_FOUND",
        "CONTRACT_NOT_FOUND",
        "INVALID_CURRENCY",
        "INVALID_CURRENCY_PAIR",
        "INVALID_PRECISION",
    ),
    *("ORDER_CANCELLED", "ORDER_CLOSED", "ORDER_NOT_FOUND", "QUANTITY_NOT_ENOUGH"),
    *("SUB_ACCOUNT_NOT_FOUND", "TRADE_RESTRICTED", "USER_NOT_FOUND"),
)
# A request the exchange finds malformed was built wrongly by us.
_BUG = (
    *("BAD_REQUEST", "INVALID_ARGUMENT", "INVALID_CONTENT_TYPE", "INVALID_PARAM_VALUE", "INVALID_PROTOCOL"),
    *("INVALID_REQUEST_BODY", "METHOD_NOT_ALLOWED", "MISSING_REQUIRED_HEADER", "MISSING_REQUIRED_PARAM"),
    *("NOT_ACCEPTABLE", "NOT_FOUND"),
)

KINDS: Final[Mapping[str, ErrorKind]] = {
    **dict.fromkeys(_AUTH, ErrorKind.AUTH),
    **dict.fromkeys(_PERMISSION, ErrorKind.PERMISSION),
    **dict.fromkeys(_RATE, ErrorKind.RATE),
    **dict.fromkeys(_DOWN, ErrorKind.DOWN),
    **dict.fromkeys(_USER, ErrorKind.USER),
    **dict.fromkeys(_BUG, ErrorKind.BUG),
    "REQUEST_EXPIRED": ErrorKind.CLOCK,
}
_MILLISECONDS_FROM: Final = 10**11  # in seconds this would be the year 5138
_LONGEST_LABEL: Final = 60


def read(answer: object) -> tuple[str, str]:
    """(label, message) of `{"label": "INVALID_KEY", "message": "…"}`; both empty for anything else.

    FORBIDDEN stands for a right the key lacks and for an address it must not be used from; the latter gets
    the label Gate.io's documents name for it.
    """
    if not isinstance(answer, Mapping):
        return "", ""
    label = answer.get("label")
    message = answer.get("message") or answer.get("detail")
    words = message if isinstance(message, str) else ""
    if label == "FORBIDDEN" and "whitelist" in words.lower():
        label = BARRED_ADDRESS
    return label[:_LONGEST_LABEL] if isinstance(label, str) else "", words


def banned_until(message: str) -> datetime | None:
    """Gate.io tells of no bans."""
    return None


def resumes_at(headers: Mapping[str, str]) -> datetime | None:
    """When the endpoint's allowance is new again."""
    value = reading.whole(headers.get(RESET_HEADER), below=reading.LATEST_MS, default=0)
    value = value if value >= _MILLISECONDS_FROM else value * 1000
    return clock.from_ms(value) if reading.EARLIEST_MS <= value < reading.LATEST_MS else None


DIALECT: Final = Dialect(kinds=KINDS, read=read, banned_until=banned_until, resumes_at=resumes_at)
