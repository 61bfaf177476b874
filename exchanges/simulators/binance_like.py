"""What Binance's protocol and those modelled on it share: error bodies, pages, signatures, the clock rule."""

import hashlib
import hmac
import json
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from exchanges.simulators.app import SimulatorApp
from exchanges.simulators.faults import Struck
from exchanges.simulators.server import Request, Response

Answer = bytes | list[bytes]
"""A body, or the encoded rows of a page (which faults may spoil)."""
MOST_AHEAD_MS = 1_000
DEFAULT_WINDOW_MS = 5_000
LARGEST_WINDOW_MS = 60_000
_DEFAULT_WAIT = 60
_DEFAULT_BAN = 120
_NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>"
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


class BinanceLikeApp(SimulatorApp):
    """Subclasses give the content of an answer, and their own words for the refusals faults ask for."""

    @abstractmethod
    def content(self, request: Request, struck: Struck, headers: dict[str, str]) -> bytes | None:
        """The body, None for an unknown path; `headers` are to be filled. Raises ApiError."""

    @abstractmethod
    def too_many_requests(self, retry_after: int) -> ApiError:
        """For an allowance that is used up; `retry_after` in seconds."""

    @abstractmethod
    def banned(self, until_ms: int, retry_after: int) -> ApiError:
        """For an address that went on after being told to wait."""

    @abstractmethod
    def unknown_error(self) -> ApiError:
        """For a mistake of the simulator itself."""

    def _answer(self, request: Request, struck: Struck) -> Response:
        headers: dict[str, str] = {}
        try:
            self._refuse(struck)
            content = self.content(request, struck, headers)
        except ApiError as error:
            return Response(error.status, error.body(), headers | error.headers)
        except Exception as error:
            self.failures.append(error)
            return Response(500, self.unknown_error().body())
        if content is None:
            return Response(404, _NOT_FOUND, content_type="text/html")
        return Response(200, content, headers)

    def _refuse(self, struck: Struck) -> None:
        if rule := struck.get("ban"):
            seconds = rule.retry_after or _DEFAULT_BAN
            raise self.banned(self.world.clock.now_ms() + seconds * 1000, seconds)
        if rule := struck.get("rate_limit"):
            raise self.too_many_requests(rule.retry_after or _DEFAULT_WAIT)


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
