"""What Binance's protocol and those modelled on it share: error bodies, pages, signatures, the clock rule."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from exchanges.simulators.faults import Struck
from exchanges.simulators.server import Request

Answer = bytes | list[bytes]
"""A body, or the encoded rows of a page (which faults may spoil)."""
MOST_AHEAD_MS = 1_000
DEFAULT_WINDOW_MS = 5_000
LARGEST_WINDOW_MS = 60_000
_SIGNATURE = re.compile(r"(^|&)signature=[^&]*")


class ApiError(Exception):
    """An answer with `{"code": …, "msg": …}`."""

    def __init__(
        self, code: int, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        return encode({"code": self.code, "msg": self.message})


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def body(answer: Answer, struck: Struck) -> bytes:
    """A page's rows are decoded only when a fault wants to spoil them."""
    if isinstance(answer, bytes):
        return answer
    if struck:
        answer = [encode(row) for row in _spoil(answer, struck)]
    return b"[" + b",".join(answer) + b"]"


def is_signed(request: Request, signature: str, secret: str) -> bool:
    """The signature is over the query string and the body, put together as they came, without itself."""
    text = request.body.decode("utf-8", "replace")
    payload = _SIGNATURE.sub("", request.query).lstrip("&") + _SIGNATURE.sub("", text).lstrip("&")
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def flag(value: bool) -> str:
    return "true" if value else "false"


def _spoil(rows: list[bytes], struck: Struck) -> list[object]:
    decoded = [json.loads(row) for row in rows]
    if not all(isinstance(row, dict) for row in decoded):
        return decoded[:0] if "empty_page" in struck else decoded
    return list(struck.spoil_rows(decoded))
