"""Who asks: the API-key header, the timestamp rule and the HMAC-SHA256 signature over query and body."""

import re
from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.binance_like import (
    DEFAULT_WINDOW_MS,
    LARGEST_WINDOW_MS,
    MOST_AHEAD_MS,
    is_signed,
)
from exchanges.simulators.mexc import errors
from exchanges.simulators.mexc.parameters import Parameters
from exchanges.simulators.server import Request

KEY_HEADER = "x-mexc-apikey"
_KEY = re.compile(r"mx0[0-9A-Za-z]{8,61}")


def find_account(request: Request, accounts: Mapping[str, Account]) -> Account:
    """The account whose key the header carries. `accounts` is by API key."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        raise errors.key_required()
    if not _KEY.fullmatch(key):
        raise errors.bad_key_format()
    if key not in accounts:
        raise errors.unknown_key()
    return accounts[key]


def check_timestamp(parameters: Parameters, *, server_ms: int) -> None:
    """`timestamp < server + 1000` and `server − timestamp ≤ recvWindow ≤ 60000`, else 700003 (700005)."""
    timestamp, window = parameters.integer("timestamp"), parameters.integer("recvWindow")
    if timestamp is None:
        raise errors.missing_parameter("timestamp")
    window = DEFAULT_WINDOW_MS if window is None else window
    if window > LARGEST_WINDOW_MS:
        raise errors.bad_recv_window()
    if timestamp >= server_ms + MOST_AHEAD_MS or server_ms - timestamp > window:
        raise errors.outside_window()


def check_signature(request: Request, parameters: Parameters, secret: str) -> None:
    """Unlike Binance, MEXC takes lower case only."""
    signature = parameters.text("signature")
    if not signature:
        raise errors.missing_parameter("signature")
    if not is_signed(request, signature, secret):
        raise errors.bad_signature()
