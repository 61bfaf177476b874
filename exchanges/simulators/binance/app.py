"""From a request to an answer: routes, limits, signature, endpoint, and the faults that get in the way."""

import json
from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.binance import admin, errors, private, public, signing, wallet, wire
from exchanges.simulators.binance.context import (
    Answer,
    Context,
    PublicContext,
    PublicEndpoint,
    SignedEndpoint,
)
from exchanges.simulators.binance.limits import Pool, WeightLedger
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.faults import NOTHING, Faults, Struck
from exchanges.simulators.server import Request, Response
from exchanges.simulators.world import World

_SIGNED: Mapping[tuple[str, str], SignedEndpoint] = {**private.ENDPOINTS, **wallet.ENDPOINTS}
_DEFAULT_WAIT = 60
_DEFAULT_BAN = 120
_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>"


class BinanceApp:
    """Answers requests about one world. `failures` are mistakes of its own, answered as -1000."""

    def __init__(self, world: World, faults: Faults, ledger: WeightLedger) -> None:
        self.world = world
        self.faults = faults
        self.ledger = ledger
        self.failures: list[Exception] = []
        self._by_key = {account.api_key: account for account in world.accounts.values()}

    def __call__(self, request: Request) -> Response:
        if request.path.startswith("/__"):
            return admin.answer(request, self.world, self.faults)
        struck = self._strike(request)
        if "bad_gateway" in struck:
            response = Response(502, _BAD_GATEWAY, content_type="text/html")
        else:
            response = self._answer(request, struck)
        response.truncated = "truncate" in struck
        response.reset = "reset" in struck
        if rule := struck.get("latency"):
            response.delay = rule.ms / 1000
        return response

    def accounts_by_key(self) -> Mapping[str, Account]:
        if len(self._by_key) != len(self.world.accounts):
            self._by_key = {account.api_key: account for account in self.world.accounts.values()}
        return self._by_key

    def _strike(self, request: Request) -> Struck:
        if not self.faults:
            return NOTHING
        account = self.accounts_by_key().get(request.headers.get("x-mbx-apikey", ""))
        try:
            values = Parameters(request.query, request.body).values
        except errors.ApiError:
            values = {}
        return self.faults.strike(path=request.path, params=values, account=account.label if account else "")

    def _answer(self, request: Request, struck: Struck) -> Response:
        headers: dict[str, str] = {}
        try:
            self._refuse(struck)
            body = self._body(request, struck, headers)
        except errors.ApiError as error:
            return Response(error.status, error.body(), headers | error.headers)
        except Exception as error:
            self.failures.append(error)
            return Response(500, errors.unknown().body())
        if body is None:
            return Response(404, _NOT_FOUND, content_type="text/html")
        return Response(200, body, headers)

    def _refuse(self, struck: Struck) -> None:
        if rule := struck.get("ban"):
            seconds = rule.retry_after or _DEFAULT_BAN
            raise errors.banned(self.world.clock.now_ms() + seconds * 1000, seconds)
        if rule := struck.get("rate_limit"):
            raise errors.too_many_requests(self.ledger.limits.api, rule.retry_after or _DEFAULT_WAIT)

    def _body(self, request: Request, struck: Struck, headers: dict[str, str]) -> bytes | None:
        offset = struck.get("clock_offset")
        now_ms = self.world.clock.now_ms()
        server_ms = now_ms + (offset.ms if offset else 0)
        parameters = Parameters(request.query, request.body)
        if request.method == "GET" and (public_endpoint := public.ENDPOINTS.get(request.path)):
            weight = public_endpoint.weight(parameters)
            headers |= self.ledger.charge(Pool.API, request.client, weight, now_ms=now_ms)
            return _encode(self._ask_public(public_endpoint, parameters, now_ms, server_ms), struck)
        endpoint = _SIGNED.get((request.method, request.path))
        if endpoint is None:
            return None
        account = self._admit(request, endpoint, parameters, struck, headers, now_ms, server_ms)
        with self.world.lock:
            context = Context(self.world, self.ledger.limits, self.world.refresh(), server_ms, account)
            answer = endpoint.answer(context, parameters)
        parameters.finish(signed=True)
        return _encode(answer, struck)

    def _ask_public(
        self, endpoint: PublicEndpoint, parameters: Parameters, now_ms: int, server_ms: int
    ) -> Answer:
        context = PublicContext(self.world, self.ledger.limits, now_ms, server_ms)
        answer = endpoint.answer(context, parameters)
        parameters.finish(signed=False)
        return answer

    def _admit(
        self,
        request: Request,
        endpoint: SignedEndpoint,
        parameters: Parameters,
        struck: Struck,
        headers: dict[str, str],
        now_ms: int,
        server_ms: int,
    ) -> Account:
        """Charge the request and find out who sent it."""
        weight = endpoint.weight(parameters)
        if endpoint.pool is not Pool.SAPI_UID_SECOND:
            headers |= self.ledger.charge(endpoint.pool, request.client, weight, now_ms=now_ms)
        account = signing.find_account(request, self.accounts_by_key())
        if "revoked_key" in struck:
            raise errors.key_refused()
        signing.check_timestamp(parameters, server_ms=server_ms)
        signing.check_signature(request, parameters, account.api_secret)
        if "bad_signature" in struck:
            raise errors.bad_signature()
        if endpoint.pool is Pool.SAPI_UID_SECOND:
            headers |= self.ledger.charge(endpoint.pool, str(account.uid), weight, now_ms=now_ms)
        return account


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
