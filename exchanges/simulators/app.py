"""What every simulated exchange does with a request: the back door, the scripted faults, and its own answer."""

import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from exchanges.simulators import admin
from exchanges.simulators.account import Account
from exchanges.simulators.faults import NOTHING, Faults, Struck
from exchanges.simulators.server import Request, Response
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World

_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


class SimulatorApp(ABC):
    """Subclasses answer; faults of the way there are done here. `failures` are the simulator's own mistakes."""

    key_header: str  # lower case

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self.failures: list[Exception] = []
        self.tell: Callable[[], Json] = world.truth
        self._by_key: Mapping[str, Account] = {}

    def __call__(self, request: Request) -> Response:
        if request.path.startswith(admin.PREFIX):
            return admin.answer(request, self.world, self.faults, self.tell)
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

    @abstractmethod
    def _answer(self, request: Request, struck: Struck) -> Response:
        """The house's own answer, with the fault that struck it."""

    def _strike(self, request: Request) -> Struck:
        if not self.faults:
            return NOTHING
        account = self.accounts_by_key().get(request.headers.get(self.key_header, ""))
        text = f"{request.query}&{request.body.decode('utf-8', 'replace')}"
        values = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        return self.faults.strike(path=request.path, params=values, account=account.label if account else "")
