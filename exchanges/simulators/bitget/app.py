"""From a request to an answer: routes, limits, signature, account mode, endpoint, and the faults in the way."""

import json
from collections.abc import Mapping
from typing import Final

from exchanges.simulators.account import Account
from exchanges.simulators.app import SimulatorApp
from exchanges.simulators.bitget import (
    bills,
    errors,
    mix,
    private,
    public,
    signing,
    unified,
    wallet,
    wire,
)
from exchanges.simulators.bitget.context import Answer, Context, PublicContext, PublicEndpoint, SignedEndpoint
from exchanges.simulators.bitget.limits import RequestLedger
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.faults import Faults, Struck
from exchanges.simulators.server import Request, Response
from exchanges.simulators.world import World

_SIGNED: Final[Mapping[tuple[str, str], SignedEndpoint]] = {
    **private.ENDPOINTS,
    **wallet.ENDPOINTS,
    **bills.ENDPOINTS,
    **mix.ENDPOINTS,
    **unified.ENDPOINTS,
}
_PUBLIC: Final[Mapping[tuple[str, str], PublicEndpoint]] = {
    **public.ENDPOINTS,
    **mix.PUBLIC,
    **unified.PUBLIC,
}
# Bitget's API tells of no bans: an address is barred by what stands before it.
_BARRED = b"<html><head><title>Access Denied</title></head><body><h1>Access Denied</h1></body></html>"


class BitgetApp(SimulatorApp):
    """Answers requests about one world; `unified` are the labels of its unified accounts."""

    key_header = "access-key"

    def __init__(
        self, world: World, faults: Faults, ledger: RequestLedger, unified: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(world, faults)
        self.ledger = ledger
        self.unified = unified

    def _answer(self, request: Request, struck: Struck) -> Response:
        if "ban" in struck:
            return Response(403, _BARRED, content_type="text/html")
        offset = struck.get("clock_offset")
        server_ms = self.world.clock.now_ms() + (offset.ms if offset else 0)
        try:
            data = self._data(request, struck, server_ms)
        except errors.ApiError as error:
            headers = self._wait(struck) if error.code == "429" else {}
            return Response(error.status, error.body(server_ms), headers)
        except Exception as error:
            self.failures.append(error)
            internal = errors.internal()
            return Response(internal.status, internal.body(server_ms))
        head = b'{"code":"00000","msg":"success","requestTime":%d,"data":' % server_ms
        return Response(200, head + data + b"}")

    def _data(self, request: Request, struck: Struck, server_ms: int) -> bytes:
        now_ms = self.world.clock.now_ms()
        if "rate_limit" in struck:
            raise errors.too_many_requests()
        parameters = Parameters(request.query)
        open_endpoint = _PUBLIC.get((request.method, request.path))
        if open_endpoint is not None:
            limit = self.ledger.limits.public
            self.ledger.charge(request.path, request.client, limit, now_ms=now_ms)
            return _encode(open_endpoint(PublicContext(self.world, now_ms, server_ms), parameters), struck)
        endpoint = self._endpoint(request)
        if endpoint is None:
            raise errors.not_found()
        account = self._admit(request, struck, server_ms)
        self._check_mode(request, account)
        limit = self.ledger.limits.private
        self.ledger.charge(request.path, str(account.uid), limit, now_ms=now_ms)
        with self.world.lock:
            context = Context(self.world, self.world.refresh(), server_ms, account)
            answer = endpoint(context, parameters)
        return _encode(answer, struck)

    def _endpoint(self, request: Request) -> SignedEndpoint | None:
        if request.method == "POST" and request.path.startswith("/api/"):
            return private.refused
        return _SIGNED.get((request.method, request.path))

    def _admit(self, request: Request, struck: Struck, server_ms: int) -> Account:
        """Find out who sent a request."""
        account = signing.find_account(request, self.accounts_by_key(), server_ms=server_ms)
        if "revoked_key" in struck:
            raise errors.invalid_key()
        signing.check(request, account)
        if "bad_signature" in struck:
            raise errors.invalid_signature()
        return account

    def _check_mode(self, request: Request, account: Account) -> None:
        """The endpoints of one kind of account are closed to the other."""
        is_unified = account.label in self.unified
        if is_unified != request.path.startswith("/api/v3/"):
            raise errors.unified_account() if is_unified else errors.classic_account()

    def _wait(self, struck: Struck) -> dict[str, str]:
        """Bitget tells no time to wait; a script may make what stands before it tell one."""
        rule = struck.get("rate_limit")
        return {"Retry-After": str(rule.retry_after)} if rule and rule.retry_after else {}


def _encode(answer: Answer, struck: Struck) -> bytes:
    """A page's rows are decoded only when a fault wants to spoil them."""
    if isinstance(answer, bytes):
        return answer
    rows = answer.rows
    if struck:
        rows = [wire.encode(row) for row in _spoil(rows, struck)]
    if not answer.member:
        return wire.page(rows)
    ends = b"".join(b",%s:%s" % (wire.encode(name), wire.encode(value)) for name, value in answer.more)
    return b"{%s:%s%s}" % (wire.encode(answer.member), wire.page(rows), ends)


def _spoil(rows: list[bytes], struck: Struck) -> list[object]:
    decoded = [json.loads(row) for row in rows]
    if not all(isinstance(row, dict) for row in decoded):
        return decoded[:0] if "empty_page" in struck else decoded
    return list(struck.spoil_rows(decoded))
