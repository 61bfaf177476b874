"""Who asks: the ACCESS headers, the rule of 30 seconds, the HMAC-SHA256 signature and the passphrase."""

import base64
import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.bitget import errors
from exchanges.simulators.server import Request

_LARGEST_GAP_MS = 30_000
_HEADERS = ("ACCESS_KEY", "ACCESS_SIGN", "ACCESS_TIMESTAMP", "ACCESS_PASSPHRASE")


def passphrase(account: Account) -> str:
    """What the holder chose beside the key."""
    return hashlib.sha256(f"{account.api_secret}:passphrase".encode()).hexdigest()[:16]


def find_account(request: Request, accounts: Mapping[str, Account], *, server_ms: int) -> Account:
    """The account whose key the header carries; `accounts` is by API key. The clock is looked at first."""
    for name in _HEADERS:
        if not request.headers.get(name.lower().replace("_", "-")):
            raise errors.empty_header(name)
    told = request.headers["access-timestamp"]
    if not told.isascii() or not told.isdigit():
        raise errors.invalid_timestamp()
    if abs(int(told) - server_ms) > _LARGEST_GAP_MS:
        raise errors.expired()
    account = accounts.get(request.headers["access-key"])
    if account is None:
        raise errors.invalid_key()
    return account


def check(request: Request, account: Account) -> None:
    """The signature, over the query as it was sent or decoded, and the passphrase. Raises ApiError."""
    sent = request.headers["access-sign"].encode()
    queries = {request.query, urllib.parse.unquote_plus(request.query)}
    if not any(hmac.compare_digest(sign(request, query, account.api_secret), sent) for query in queries):
        raise errors.invalid_signature()
    if not hmac.compare_digest(passphrase(account).encode(), request.headers["access-passphrase"].encode()):
        raise errors.invalid_passphrase()


def sign(request: Request, query: str, secret: str) -> bytes:
    """Over timestamp, method, path, `?` and query, and body."""
    head = (
        request.headers["access-timestamp"] + request.method + request.path + (f"?{query}" if query else "")
    )
    return base64.b64encode(hmac.new(secret.encode(), head.encode() + request.body, hashlib.sha256).digest())
