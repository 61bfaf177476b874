"""Who asks: the KEY header, the rule of 60 seconds and the HMAC-SHA512 signature."""

import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.gateio import errors
from exchanges.simulators.server import Request

_LARGEST_GAP_S = 60


def find_account(request: Request, accounts: Mapping[str, Account], *, server_ms: int) -> Account:
    """The account whose key the header carries; `accounts` is by API key. The clock is looked at first."""
    for name in ("KEY", "Timestamp", "SIGN"):
        if not request.headers.get(name.lower()):
            raise errors.missing_header(name)
    _check_timestamp(request.headers["timestamp"], server_s=server_ms // 1000)
    account = accounts.get(request.headers["key"])
    if account is None:
        raise errors.invalid_key()
    return account


def check_signature(request: Request, secret: str) -> None:
    """Over method, path, decoded query, SHA-512 of the body and timestamp, each on its line."""
    payload = "\n".join(
        (
            request.method,
            request.path,
            urllib.parse.unquote_plus(request.query),
            hashlib.sha512(request.body).hexdigest(),
            request.headers["timestamp"],
        )
    )
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha512).hexdigest()
    if not hmac.compare_digest(expected.encode(), request.headers["sign"].encode()):
        raise errors.invalid_signature()


def _check_timestamp(told: str, *, server_s: int) -> None:
    """Seconds, with or without a fraction."""
    try:
        gap = abs(float(told) - server_s)
    except ValueError:
        raise errors.ApiError("INVALID_PARAM_VALUE", f"Invalid header Timestamp: {told}") from None
    if not gap <= _LARGEST_GAP_S:
        raise errors.expired(server_s, told)
