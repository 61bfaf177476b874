"""Who asks: the API-key header, the timestamp rule and the HMAC-SHA256 signature over query and body."""

import re
from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.binance import errors
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import (
    DEFAULT_WINDOW_MS,
    LARGEST_WINDOW_MS,
    MOST_AHEAD_MS,
    is_signed,
)
from exchanges.simulators.server import Request

_KEY = re.compile(r"[0-9A-Za-z]{64}")


def find_account(request: Request, accounts: Mapping[str, Account]) -> Account:
    """The account whose key the header carries. `accounts` is by API key."""
    key = request.headers.get("x-mbx-apikey", "")
    if not _KEY.fullmatch(key):
        raise errors.bad_key_format()
    if key not in accounts:
        raise errors.key_refused()
    return accounts[key]


def check_timestamp(parameters: Parameters, *, server_ms: int) -> None:
    """`timestamp < server + 1000` and `server − timestamp ≤ recvWindow ≤ 60000`, else -1021 (-1131)."""
    timestamp = parameters.integer("timestamp")
    if timestamp is None:
        raise errors.missing_parameter("timestamp")
    window = parameters.integer("recvWindow", default=DEFAULT_WINDOW_MS)
    if window is None or window > LARGEST_WINDOW_MS:
        raise errors.bad_recv_window()
    if timestamp >= server_ms + MOST_AHEAD_MS:
        raise errors.timestamp_ahead()
    if server_ms - timestamp > window:
        raise errors.timestamp_too_old()


def check_signature(request: Request, parameters: Parameters, secret: str) -> None:
    signature = parameters.text("signature")
    if not signature:
        raise errors.missing_parameter("signature")
    if not is_signed(request, signature.lower(), secret):
        raise errors.bad_signature()
