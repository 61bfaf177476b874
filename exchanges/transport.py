"""What all exchanges behind ccxt share: it signs and sends, we read the raw answer and name what went wrong.

One client serves one thread and one set of keys; it repeats nothing, except a request the exchange refused because of
our clock. When a request may go out is its governor's word (`governed_by`).
"""

import functools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from core import clock
from exchanges.base import ApiKeys
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.failures import Answer, Dialect, scrub, translate
from exchanges.reading import UnreadableRow

TIMEOUT_MS: Final = 10_000  # to connect, and between two bytes of an answer
CLOCK_MEASUREMENTS: Final = 2  # tries to mend a refused clock before giving up
_CONFIG: Final = {"number": str, "enableRateLimit": False, "timeout": TIMEOUT_MS}
Clock = Callable[[], datetime]


class Governor(Protocol):
    """Who decides when a request may go out, and hears how it went."""

    def before(self, endpoint: str, params: Mapping[str, Any]) -> None:
        """Returns when the request may be sent, after a short wait perhaps. Raises ExchangeError when not now."""
        ...

    def after(
        self,
        endpoint: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        failure: ExchangeError | None,
    ) -> None:
        """The answer's headers, empty where none came; `failure` is None for a good answer."""
        ...


class _Ungoverned:
    """Every request goes out at once."""

    def before(self, endpoint: str, params: Mapping[str, Any]) -> None: ...

    def after(
        self,
        endpoint: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        failure: ExchangeError | None,
    ) -> None: ...


_governor: ContextVar[Governor] = ContextVar("governor", default=_Ungoverned())  # noqa: B039  # it has no state


@contextmanager
def governed_by(governor: Governor | None) -> Iterator[None]:
    """Clients made inside the block ask `governor` before every request of theirs; None: nobody."""
    token = _governor.set(governor or _Ungoverned())
    try:
        yield
    finally:
        _governor.reset(token)


class _ExactAnswers:
    """Mixed into a ccxt class: numbers never pass through float; the last answer is kept for its errors."""

    answer: Answer | None = None

    def on_json_response(self, body: str) -> object:
        try:
            decoded = json.loads(body, parse_float=str, parse_constant=str)
            # Only an escape can bring what no database stores.
            return _storable(decoded) if "\\u" in body else decoded
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def on_rest_response(
        self,
        code: int,
        _reason: str,
        _url: str,
        _method: str,
        headers: Mapping[str, str],
        body: str,
        *_: object,
    ) -> str:
        self.answer = Answer(code, headers, body)
        return body.strip()


def _storable(value: Any) -> Any:
    """The same JSON with NUL and lone surrogates replaced: one such letter must not cost a page."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return value


@functools.cache
def _exact_class(name: str) -> Any:
    # 75 MB and half a second: only processes that talk to an exchange pay for it, web processes never do.
    import ccxt  # noqa: PLC0415

    # Their debug lines hold the API key and the signed URL.
    for logger in ("ccxt", "urllib3"):
        logging.getLogger(logger).setLevel(logging.INFO)
    return type(f"Exact{name.title()}", (_ExactAnswers, getattr(ccxt, name)), {})


@dataclass(frozen=True, slots=True)
class CcxtProfile:
    """What an exchange brings to its client."""

    name: str  # of the ccxt class
    options: Mapping[str, Any]
    dialect: Dialect
    weight_header: str  # of the pool most requests are charged to
    time_endpoint: str  # public
    read_time: Callable[[object], datetime]  # from the answer of `time_endpoint`; raises UnreadableRow


class CcxtClient:
    """Signed and public requests of one exchange.

    `clock_offset` is how far the exchange's clock is ahead of ours, zero until the exchange first refused it:
    requests are then signed with the corrected time.
    """

    def __init__(
        self, profile: CcxtProfile, keys: ApiKeys | None, *, url: str | None = None, now: Clock = clock.now
    ) -> None:
        self._profile = profile
        self._now = now
        self._governor = _governor.get()
        self._secrets = (keys.key, keys.secret, keys.passphrase) if keys else ()
        self.clock_offset = timedelta(0)
        self._sent_at = self._answered_at = now()
        self._exchange = _exact_class(profile.name)(
            {**_CONFIG, "options": dict(profile.options), **_credentials(keys)}
        )
        self._exchange.milliseconds = lambda: clock.to_ms(now())
        # A redirect would carry the API key to another host.
        self._exchange.session.max_redirects = 0
        if url:
            self._exchange.urls["api"] = point_at(self._exchange.urls["api"], url)

    @property
    def used_weight(self) -> int | None:
        """Request weight used in the running period, as the last answer told; None when it told nothing."""
        answer: Answer | None = self._exchange.answer
        told = answer.headers.get(self._profile.weight_header, "") if answer else ""
        return int(told) if told.isascii() and told.isdigit() else None

    @property
    def api_key(self) -> str:
        """For the few endpoints that want it as a parameter."""
        key: str = self._exchange.apiKey
        return key

    def now(self) -> datetime:
        """The exchange's time, as well as we know it."""
        return self._now() + self.clock_offset

    def records(self, endpoint: str, params: Mapping[str, Any] | None = None) -> list[Any]:
        """A JSON array from one of ccxt's implicit endpoints. Raises ExchangeError."""
        answer = self._call(endpoint, params)
        if not isinstance(answer, list):
            raise unreadable("a list was expected")
        return answer

    def record(self, endpoint: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A JSON object from one of ccxt's implicit endpoints. Raises ExchangeError."""
        answer = self._call(endpoint, params)
        if not isinstance(answer, dict):
            raise unreadable("an object was expected")
        return answer

    def value(self, endpoint: str, params: Mapping[str, Any] | None = None) -> Any:
        """What an endpoint answers, where it is told as an object here and as an array there. Raises ExchangeError."""
        return self._call(endpoint, params)

    def measure_clock(self) -> None:
        """Ask the exchange for the time and sign with it from now on."""
        answer = self._guarded(self._profile.time_endpoint, {})
        local = self._sent_at + (self._answered_at - self._sent_at) / 2
        try:
            server = self._profile.read_time(answer)
        except UnreadableRow as error:
            raise unreadable(str(error)) from None
        self.clock_offset = server - local
        self._exchange.options["timeDifference"] = round(-self.clock_offset / timedelta(milliseconds=1))

    def close(self) -> None:
        """Close the connection and forget the keys."""
        self._exchange.session.close()
        self._exchange.apiKey = self._exchange.secret = self._exchange.password = ""
        self._secrets = ()

    def _call(self, endpoint: str, params: Mapping[str, Any] | None) -> object:
        asked = params or {}
        for _ in range(CLOCK_MEASUREMENTS):
            try:
                return self._guarded(endpoint, asked)
            except ExchangeError as error:
                if error.kind is not ErrorKind.CLOCK:
                    raise
            self.measure_clock()
        return self._guarded(endpoint, asked)

    def _guarded(self, endpoint: str, params: Mapping[str, Any]) -> Any:
        """Send a request when it may go out, and tell how it went. Raises ExchangeError."""
        self._exchange.answer = None
        self._governor.before(endpoint, params)
        try:
            content = self._send(endpoint, params)
        except ExchangeError as error:
            self._governor.after(endpoint, params, self._headers, error)
            raise
        self._governor.after(endpoint, params, self._headers, None)
        return content

    @property
    def _headers(self) -> Mapping[str, str]:
        answer: Answer | None = self._exchange.answer
        return answer.headers if answer else {}

    def _send(self, endpoint: str, params: Mapping[str, Any]) -> Any:
        """Run a request; whatever it raises becomes an ExchangeError with no trace of the original text."""
        self._sent_at = self._now()
        try:
            return getattr(self._exchange, endpoint)(dict(params))
        except Exception as error:  # ccxt lets errors of many libraries through
            failure = translate(
                error,
                self._exchange.answer,
                dialect=self._profile.dialect,
                secrets=self._secrets,
                now=self._now(),
            )
        finally:
            self._answered_at = self._now()
        # Raised outside the except block: the original, whose text holds the signed URL, is not chained.
        raise failure


def check_time(client: CcxtClient) -> None:
    """Ask for the exchange's time, the smallest of requests, and close the client. Raises ExchangeError."""
    with closing(client):
        client.measure_clock()


def unreadable(reason: str) -> ExchangeError:
    """An answer that came, but is not what was asked for."""
    return ExchangeError(
        ErrorKind.DOWN, scrub(f"The exchange's answer is unreadable: {reason}."), code="unreadable"
    )


def point_at(urls: Any, base: str) -> Any:
    """ccxt's (nested) API addresses with scheme and host replaced by `base`, their paths kept."""
    if isinstance(urls, Mapping):
        return {name: point_at(value, base) for name, value in urls.items()}
    return base.rstrip("/") + urlsplit(urls).path


def _credentials(keys: ApiKeys | None) -> dict[str, str]:
    if keys is None:
        return {}
    if not keys.key or not keys.secret or not (keys.key.isascii() and keys.key.isprintable()):
        raise ExchangeError(
            ErrorKind.AUTH, "The API key or secret is empty or holds unusable characters.", code="keys"
        )
    return {"apiKey": keys.key, "secret": keys.secret, "password": keys.passphrase}
