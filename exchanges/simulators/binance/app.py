"""From a request to an answer: routes, limits, signature, endpoint, and the faults that get in the way."""

from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.binance import (
    errors,
    futures,
    futures_public,
    outside,
    private,
    public,
    signing,
    wallet,
)
from exchanges.simulators.binance.context import (
    Context,
    PublicContext,
    PublicEndpoint,
    SignedEndpoint,
)
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.binance.parameters import Parameters
from exchanges.simulators.binance_like import Answer, ApiError, BinanceLikeApp, body
from exchanges.simulators.faults import Faults, Struck
from exchanges.simulators.server import Request
from exchanges.simulators.weights import WeightLedger
from exchanges.simulators.world import World

_PUBLIC: Mapping[str, PublicEndpoint] = {**public.ENDPOINTS, **futures_public.ENDPOINTS}
_SIGNED: Mapping[tuple[str, str], SignedEndpoint] = {
    **private.ENDPOINTS,
    **wallet.ENDPOINTS,
    **outside.ENDPOINTS,
    **futures.ENDPOINTS,
}


class BinanceApp(BinanceLikeApp):
    """Answers requests about one world; mistakes of its own are answered as -1000."""

    key_header = "x-mbx-apikey"

    def __init__(self, world: World, faults: Faults, limits: Limits, ledger: WeightLedger) -> None:
        super().__init__(world, faults)
        self.limits = limits
        self.ledger = ledger

    def too_many_requests(self, retry_after: int) -> ApiError:
        return errors.too_many_requests(self.limits.api, retry_after)

    def banned(self, until_ms: int, retry_after: int) -> ApiError:
        return errors.banned(until_ms, retry_after)

    def unknown_error(self) -> ApiError:
        return errors.unknown()

    def content(self, request: Request, struck: Struck, headers: dict[str, str]) -> bytes | None:
        offset = struck.get("clock_offset")
        now_ms = self.world.clock.now_ms()
        server_ms = now_ms + (offset.ms if offset else 0)
        parameters = Parameters(request.query, request.body)
        if request.method == "GET" and (public_endpoint := _PUBLIC.get(request.path)):
            weight = public_endpoint.weight(parameters)
            headers |= self.ledger.charge(public_endpoint.pool, request.client, weight, now_ms=now_ms)
            return body(self._ask_public(public_endpoint, parameters, now_ms, server_ms), struck)
        endpoint = _SIGNED.get((request.method, request.path))
        if endpoint is None:
            return None
        account = self._admit(request, endpoint, parameters, struck, headers, now_ms, server_ms)
        with self.world.lock:
            context = Context(self.world, self.limits, self.world.refresh(), server_ms, account)
            answer = endpoint.answer(context, parameters)
        parameters.finish(signed=True)
        return body(answer, struck)

    def _ask_public(
        self, endpoint: PublicEndpoint, parameters: Parameters, now_ms: int, server_ms: int
    ) -> Answer:
        context = PublicContext(self.world, self.limits, now_ms, server_ms)
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
        if not endpoint.pool.is_of_account:
            headers |= self.ledger.charge(endpoint.pool, request.client, weight, now_ms=now_ms)
        account = signing.find_account(request, self.accounts_by_key())
        if "revoked_key" in struck:
            raise errors.key_refused()
        signing.check_timestamp(parameters, server_ms=server_ms)
        signing.check_signature(request, parameters, account.api_secret)
        if "bad_signature" in struck:
            raise errors.bad_signature()
        if endpoint.pool.is_of_account:
            headers |= self.ledger.charge(endpoint.pool, str(account.uid), weight, now_ms=now_ms)
        return account
