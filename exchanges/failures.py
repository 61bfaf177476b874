"""From what went wrong to one of our few kinds. Their texts carry signed URLs: nothing leaves unscrubbed."""

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, quote_plus

from exchanges.errors import ErrorKind, ExchangeError

DETAIL_LENGTH: Final = 200
_IM_A_TEAPOT: Final = HTTPStatus.IM_A_TEAPOT  # how Binance says that an address is banned
# The longest waiting time believed: an exchange that names more is not to stop us for ever.
_LONGEST_WAIT: Final = timedelta(days=7)
_HIDDEN: Final = "[…]"
_NOT_SHOWN: Final = (
    re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
    re.compile(r"\S*[?&][\w.-]+=\S*"),
    re.compile(
        r"\b(?:signature|sign|timestamp|recvWindow|api_?key|secret|passphrase)\W{1,3}\S+", re.IGNORECASE
    ),
    re.compile(r"[A-Za-z0-9+/=_-]{32,}"),
)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*(>|$)")

# ccxt's error names, the most special first: a subclass stands before its base.
_BY_NAME: Final[tuple[tuple[str, ErrorKind], ...]] = (
    ("RateLimitExceeded", ErrorKind.RATE),
    ("DDoSProtection", ErrorKind.RATE),
    ("InvalidNonce", ErrorKind.CLOCK),
    ("ExchangeNotAvailable", ErrorKind.DOWN),
    ("RequestTimeout", ErrorKind.NETWORK),
    ("NetworkError", ErrorKind.NETWORK),
    ("OperationFailed", ErrorKind.DOWN),
    ("PermissionDenied", ErrorKind.PERMISSION),
    ("AuthenticationError", ErrorKind.AUTH),
    ("RestrictedLocation", ErrorKind.DOWN),
    ("BadSymbol", ErrorKind.USER),
    ("InsufficientFunds", ErrorKind.USER),
    ("InvalidAddress", ErrorKind.USER),
    ("InvalidOrder", ErrorKind.USER),
    ("OperationRejected", ErrorKind.USER),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP, whatever it was."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)

    @property
    def json(self) -> object:
        """The decoded body, or None when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def _untold(headers: Mapping[str, str]) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one exchange words its errors, where ccxt's naming is not ours."""

    kinds: Mapping[str, ErrorKind]  # by the exchange's own code
    read: Callable[[object], tuple[str, str]]  # decoded answer to (code, message), "" for none
    banned_until: Callable[[str], datetime | None]  # from the message
    resumes_at: Callable[[Mapping[str, str]], datetime | None] = _untold  # a spent allowance, from headers


def translate(
    error: Exception, answer: Answer | None, *, dialect: Dialect, secrets: Iterable[str], now: datetime
) -> ExchangeError:
    """Our error for whatever ccxt raised; `answer` is what the exchange had sent, None when nothing came."""
    if answer is None:
        return _without_answer(error)
    body = answer.json
    code, message = dialect.read(body)
    banned_until = dialect.banned_until(message)
    kind = _kind(
        error, answer, dialect.kinds.get(code), is_json=body is not None, is_ban=banned_until is not None
    )
    retry_at = None
    if kind in (ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.DOWN):
        resumes_at = dialect.resumes_at(answer.headers) if kind is ErrorKind.RATE else None
        retry_at = _believable(banned_until or resumes_at or _retry_after(answer.headers, now), now)
    shown = message if body is not None else _page_title(answer.body)
    detail = scrub(f"HTTP {answer.status} {code} {shown}", secrets)
    return ExchangeError(kind, detail, code=code or str(answer.status), retry_at=retry_at)


def _without_answer(error: Exception) -> ExchangeError:
    """No answer arrived; only our own words are used, because ccxt's text holds the signed URL."""
    names = _names(error)
    if "RequestTimeout" in names:
        return ExchangeError(ErrorKind.NETWORK, "The exchange did not answer in time.", code="timeout")
    if "AuthenticationError" in names or isinstance(error, ValueError):
        return ExchangeError(ErrorKind.AUTH, "These keys cannot sign a request.", code="keys")
    # A wrong certificate or a redirect reaches us as ccxt's ExchangeError caused by one of requests' errors.
    if "NetworkError" in names or "RequestException" in _names(error.__cause__):
        return ExchangeError(ErrorKind.NETWORK, "The exchange could not be reached.", code="unreachable")
    return ExchangeError(ErrorKind.BUG, f"{type(error).__name__} before anything was sent.", code="client")


def _kind(
    error: Exception, answer: Answer, by_code: ErrorKind | None, *, is_json: bool, is_ban: bool
) -> ErrorKind:
    if is_ban or answer.status == _IM_A_TEAPOT:
        return ErrorKind.BANNED
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return ErrorKind.RATE
    # A page of a proxy or a firewall says nothing of our keys, whatever its status.
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not is_json:
        return ErrorKind.DOWN
    if by_code is not None:
        return by_code
    if answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS):
        return ErrorKind.DOWN
    names = _names(error)
    if "BaseError" not in names:  # not ccxt's: it stumbled over the answer
        return ErrorKind.DOWN
    return next((kind for name, kind in _BY_NAME if name in names), ErrorKind.BUG)


def scrub(words: str, secrets: Iterable[str] = ()) -> str:
    """Words fit to store and show: no URL, no key, no signature, no markup, at most 200 characters."""
    words = html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", words)))
    for secret in secrets:
        for form in _forms(secret):
            words = words.replace(form, _HIDDEN)
    for pattern in _NOT_SHOWN:
        words = pattern.sub(_HIDDEN, words)
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return words if len(words) <= DETAIL_LENGTH else f"{words[: DETAIL_LENGTH - 1]}…"


def _forms(secret: str) -> list[str]:
    """How a secret may be written: as it is, in a URL, in JSON; the longest first."""
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return sorted(filter(None, forms), key=len, reverse=True)


def _page_title(body: str) -> str:
    """What a page that is no JSON says first."""
    found = _TITLE.search(body)
    if found:
        return found.group(1)
    return body[:2000] if "<" in body else "unreadable answer"


def _retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """`Retry-After` in either of its two forms."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return now + timedelta(seconds=min(int(value[:12]), _LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _believable(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now + _LONGEST_WAIT)


def _names(error: BaseException | None) -> frozenset[str]:
    """Names of an error's classes: ccxt itself is imported only where requests are sent."""
    return frozenset(cls.__name__ for cls in type(error).__mro__)
