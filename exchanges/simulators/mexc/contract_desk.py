"""From a request about contracts to an answer: routes, limits, signature, endpoint."""

import hashlib
import hmac
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from exchanges.simulators.account import Account
from exchanges.simulators.binance_like import encode
from exchanges.simulators.clock import SECOND_MS
from exchanges.simulators.faults import Struck
from exchanges.simulators.mexc import contract_errors as errors
from exchanges.simulators.mexc import futures, futures_public
from exchanges.simulators.mexc.parameters import Parameters
from exchanges.simulators.server import Request
from exchanges.simulators.world import World

_PERIOD_MS: Final = 2 * SECOND_MS
_WINDOW_MS: Final = 10 * SECOND_MS
_LONGEST_WINDOW_MS: Final = 60 * SECOND_MS
_SLOW: Final = "detail"  # one request in five seconds
_SLOW_PERIOD_MS: Final = 5 * SECOND_MS
_E = TypeVar("_E")


@dataclass(slots=True)
class Requests:
    """`allowed` requests in two seconds to one endpoint, `slow` in five to the list of contracts: public ones by
    address, private ones by account."""

    allowed: int
    slow: int
    _lines: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, route: str, who: str, *, now_ms: int) -> None:
        is_slow = route == _SLOW
        period = now_ms // (_SLOW_PERIOD_MS if is_slow else _PERIOD_MS)
        with self._lock:
            known, used = self._lines.get((route, who), (period, 0))
            used = used + 1 if known == period else 1
            self._lines[route, who] = (period, used)
        if used > (self.slow if is_slow else self.allowed):
            raise errors.too_many_requests()


@dataclass(slots=True)
class ContractDesk:
    """Answers what begins with /api/v1/. `closed_to`: labels of accounts whose keys may not see contracts."""

    world: World
    requests: Requests
    closed_to: set[str] = field(default_factory=set)

    def content(
        self, request: Request, accounts: Mapping[str, Account], struck: Struck, *, server_ms: int
    ) -> bytes | None:
        now_ms = self.world.clock.now_ms()
        parameters = Parameters(request.query, b"")
        route, public = _find(futures_public.ENDPOINTS, futures_public.PREFIX, request, parameters)
        if public is not None:
            self.requests.charge(route, request.client, now_ms=now_ms)
            return _enveloped(public(self.world, server_ms, parameters), struck)
        if not request.path.startswith(futures.PREFIX):
            return None
        account = self._admit(request, accounts, struck, server_ms=server_ms)
        route, private = _find(futures.ENDPOINTS, futures.PREFIX, request, parameters)
        if request.method == "POST":
            raise errors.no_write_right()
        if private is None:
            return None
        self.requests.charge(route, str(account.uid), now_ms=now_ms)
        if account.label in self.closed_to:
            raise errors.no_read_right()
        with self.world.lock:
            moment = futures.Moment(self.world.refresh())
            return _enveloped(private(futures.margin_of(account), moment, parameters), struck)

    def _admit(
        self, request: Request, accounts: Mapping[str, Account], struck: Struck, *, server_ms: int
    ) -> Account:
        """Who asks: HMAC-SHA256 over key, time and the query or the body; the clock is looked at first."""
        key, told = request.headers.get("apikey", ""), request.headers.get("request-time", "")
        account = accounts.get(key)
        if account is None or "revoked_key" in struck:
            raise errors.unknown_key()
        window = request.headers.get("recv-window", "")
        allowed = min(int(window) if window.isdigit() else _WINDOW_MS, _LONGEST_WINDOW_MS)
        if not told.isdigit() or abs(int(told) - server_ms) > allowed:
            raise errors.outside_window()
        signed = key + told + (request.query or request.body.decode("utf-8", "replace"))
        expected = hmac.new(account.api_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        given = request.headers.get("signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode()) or "bad_signature" in struck:
            raise errors.bad_signature()
        return account


def _find(
    endpoints: Mapping[str, _E], prefix: str, request: Request, parameters: Parameters
) -> tuple[str, _E | None]:
    """The route and the endpoint of a request; what its path names becomes a parameter."""
    path = request.path.removeprefix(prefix)
    if path == request.path:
        return "", None
    if path in endpoints:
        return path, endpoints[path]
    parent, _, last = path.rpartition("/")
    for route, endpoint in endpoints.items():
        named = re.fullmatch(re.escape(parent) + r"/\{(\w+)\}", route)
        if named and last:
            parameters.values[named.group(1)] = last
            return route, endpoint
    return "", None


def _enveloped(answer: futures.Answer, struck: Struck) -> bytes:
    """Faults spoil the rows inside."""
    if isinstance(answer, futures.Pages):
        data: object = answer.around(_spoiled(answer.chosen, struck))
    else:
        data = _spoiled(answer, struck) if isinstance(answer, list) else answer
    return encode({"success": True, "code": 0, "data": data})


def _spoiled(rows: list[dict[str, object]], struck: Struck) -> list[object]:
    return list(struck.spoil_rows(rows)) if struck else list(rows)
