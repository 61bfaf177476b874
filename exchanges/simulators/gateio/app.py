"""From a request to an answer: routes, limits, signature, endpoint, and the faults that get in the way."""

import json
import re
from collections.abc import Mapping
from typing import Final, TypeVar

from exchanges.simulators.account import Account
from exchanges.simulators.app import SimulatorApp
from exchanges.simulators.faults import Faults, Struck
from exchanges.simulators.gateio import (
    errors,
    futures,
    futures_public,
    private,
    public,
    signing,
    wallet,
    wire,
)
from exchanges.simulators.gateio.context import Answer, Context, PublicContext, PublicEndpoint, SignedEndpoint
from exchanges.simulators.gateio.limits import RequestLedger, tell
from exchanges.simulators.gateio.parameters import Parameters
from exchanges.simulators.server import Request, Response
from exchanges.simulators.world import World

_SIGNED: Final[Mapping[tuple[str, str], SignedEndpoint]] = {
    **private.ENDPOINTS,
    **wallet.ENDPOINTS,
    **futures.ENDPOINTS,
}
_PUBLIC: Final[Mapping[tuple[str, str], PublicEndpoint]] = {**public.ENDPOINTS, **futures_public.ENDPOINTS}
_DEFAULT_WAIT: Final = 10
# Gate.io's API tells of no bans: an address is barred by what stands before it.
_BARRED = b"<html><head><title>Access Denied</title></head><body><h1>Access Denied</h1></body></html>"
_E = TypeVar("_E")


class GateioApp(SimulatorApp):
    """Answers requests about one world; its own mistakes are answered as INTERNAL."""

    key_header = "key"

    def __init__(self, world: World, faults: Faults, ledger: RequestLedger) -> None:
        super().__init__(world, faults)
        self.ledger = ledger
        self.without_contracts: set[str] = set()  # labels of accounts whose keys have no right to futures
        self.ledger_days = 10_000  # how far back the ledger of contracts reaches

    def _answer(self, request: Request, struck: Struck) -> Response:
        headers: dict[str, str] = {}
        if "ban" in struck:
            return Response(403, _BARRED, content_type="text/html")
        try:
            body = self._body(request, struck, headers)
        except errors.ApiError as error:
            return Response(error.status, error.body(), headers | error.headers)
        except Exception as error:
            self.failures.append(error)
            return Response(500, errors.internal().body())
        return Response(200, body, headers)

    def _body(self, request: Request, struck: Struck, headers: dict[str, str]) -> bytes:
        offset = struck.get("clock_offset")
        now_ms = self.world.clock.now_ms()
        server_ms = now_ms + (offset.ms if offset else 0)
        if rule := struck.get("rate_limit"):
            wait_ms = (rule.retry_after or _DEFAULT_WAIT) * 1000
            raise errors.too_many_requests(tell(self.ledger.limits.private, 0, now_ms + wait_ms))
        parameters = Parameters(request.query)
        route, open_endpoint = _find(_PUBLIC, request, parameters)
        if open_endpoint is not None:
            headers |= self.ledger.charge(route, request.client, self.ledger.limits.public, now_ms=now_ms)
            return _encode(open_endpoint(PublicContext(self.world, now_ms, server_ms), parameters), struck)
        route, endpoint = _find(_SIGNED, request, parameters)
        if endpoint is None:
            raise errors.ApiError("NOT_FOUND", "Requested path is not found", status=404)
        account = self._admit(request, struck, server_ms)
        headers |= self.ledger.charge(route, str(account.uid), self.ledger.limits.private, now_ms=now_ms)
        with self.world.lock:
            context = Context(
                self.world,
                self.world.refresh(),
                server_ms,
                account,
                sees_contracts=account.label not in self.without_contracts,
                ledger_days=self.ledger_days,
            )
            answer = endpoint(context, parameters)
        return _encode(answer, struck)

    def _admit(self, request: Request, struck: Struck, server_ms: int) -> Account:
        """Find out who sent a request."""
        account = signing.find_account(request, self.accounts_by_key(), server_ms=server_ms)
        if "revoked_key" in struck:
            raise errors.invalid_key()
        signing.check_signature(request, account.api_secret)
        if "bad_signature" in struck:
            raise errors.invalid_signature()
        return account


def _find(
    endpoints: Mapping[tuple[str, str], _E], request: Request, parameters: Parameters
) -> tuple[str, _E | None]:
    """The route and the endpoint of a request; what its path names becomes a parameter."""
    exact = endpoints.get((request.method, request.path))
    if exact is not None:
        return request.method + request.path, exact
    parent, _, last = request.path.rpartition("/")
    for (method, path), endpoint in endpoints.items():
        named = re.fullmatch(re.escape(parent) + r"/\{(\w+)\}", path)
        if method == request.method and named and last:
            parameters.values[named.group(1)] = last
            return method + path, endpoint
    return "", None


def _encode(answer: Answer, struck: Struck) -> bytes:
    """A page's rows are decoded only when a fault wants to spoil them."""
    if isinstance(answer, bytes):
        return answer
    if struck:
        answer = [wire.encode(row) for row in _spoil(answer, struck)]
    return wire.page(answer)


def _spoil(rows: list[bytes], struck: Struck) -> list[object]:
    decoded = [json.loads(row) for row in rows]
    if not all(isinstance(row, dict) for row in decoded):
        return decoded[:0] if "empty_page" in struck else decoded
    return list(struck.spoil_rows(decoded))
