"""From a request to an answer: routes, limits, signature, endpoint, and the faults that get in the way."""

from collections.abc import Mapping
from dataclasses import replace

from exchanges.simulators.account import Account
from exchanges.simulators.binance_like import ApiError, BinanceLikeApp, body
from exchanges.simulators.faults import Faults, Struck
from exchanges.simulators.mexc import errors, private, public, signing, wallet
from exchanges.simulators.mexc.context import Context, PublicContext, SignedEndpoint
from exchanges.simulators.mexc.contract_desk import ContractDesk
from exchanges.simulators.mexc.limits import Pool
from exchanges.simulators.mexc.parameters import Parameters
from exchanges.simulators.server import Request, Response
from exchanges.simulators.weights import WeightLedger
from exchanges.simulators.world import World

_CONTRACTS = "/api/v1/"
_SIGNED: Mapping[tuple[str, str], SignedEndpoint] = {**private.ENDPOINTS, **wallet.ENDPOINTS}


class MexcApp(BinanceLikeApp):
    """Answers requests about one world."""

    key_header = signing.KEY_HEADER

    def __init__(self, world: World, faults: Faults, ledger: WeightLedger, desk: ContractDesk) -> None:
        super().__init__(world, faults)
        self.ledger = ledger
        self.desk = desk
        self.without_transfers: set[str] = set()  # labels of accounts whose keys lack the right to them

    def __call__(self, request: Request) -> Response:
        """Requests about contracts carry the key in a header of another name."""
        if request.path.startswith(_CONTRACTS):
            key = request.headers.get("apikey", "")
            request = replace(request, headers={**request.headers, self.key_header: key})
        return super().__call__(request)

    def too_many_requests(self, retry_after: int) -> ApiError:
        return errors.too_many_requests(0, retry_after)

    def banned(self, until_ms: int, retry_after: int) -> ApiError:
        return errors.banned(until_ms, retry_after)

    def unknown_error(self) -> ApiError:
        return errors.unknown()

    def content(self, request: Request, struck: Struck, headers: dict[str, str]) -> bytes | None:
        offset = struck.get("clock_offset")
        now_ms = self.world.clock.now_ms()
        server_ms = now_ms + (offset.ms if offset else 0)
        if request.path.startswith(_CONTRACTS):
            return self.desk.content(request, self.accounts_by_key(), struck, server_ms=server_ms)
        parameters = Parameters(request.query, request.body)
        if request.method == "GET" and (endpoint := public.ENDPOINTS.get(request.path)):
            self.ledger.charge(Pool.IP, request.client, endpoint.weight(parameters), now_ms=now_ms)
            return body(endpoint.answer(PublicContext(self.world, now_ms, server_ms), parameters), struck)
        signed = _SIGNED.get((request.method, request.path))
        if signed is None:
            return None
        account = self._admit(request, signed.weight, parameters, struck, now_ms, server_ms)
        if request.path == wallet.MOVES and account.label in self.without_transfers:
            raise errors.forbidden()
        with self.world.lock:
            context = Context(self.world, self.world.refresh(), server_ms, account)
            return body(signed.answer(context, parameters), struck)

    def _admit(
        self,
        request: Request,
        weight: int,
        parameters: Parameters,
        struck: Struck,
        now_ms: int,
        server_ms: int,
    ) -> Account:
        """Find out who sent the request and charge them; strangers are charged by their address."""
        try:
            account = signing.find_account(request, self.accounts_by_key())
        except ApiError:
            self.ledger.charge(Pool.IP, request.client, weight, now_ms=now_ms)
            raise
        self.ledger.charge(Pool.UID, str(account.uid), weight, now_ms=now_ms)
        if "revoked_key" in struck:
            raise errors.unknown_key()
        signing.check_timestamp(parameters, server_ms=server_ms)
        signing.check_signature(request, parameters, account.api_secret)
        if "bad_signature" in struck:
            raise errors.bad_signature()
        return account
