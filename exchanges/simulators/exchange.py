"""A simulated exchange as one object: a world, its faults, and the server in front of them."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from exchanges.simulators.account import Account
from exchanges.simulators.app import SimulatorApp
from exchanges.simulators.facts import Fill
from exchanges.simulators.server import HttpServer
from exchanges.simulators.truth import Json


class SimulatedExchange:
    """Runs from `start` (or `with`) to `stop` on 127.0.0.1; port 0 takes a free one."""

    def __init__(self, app: SimulatorApp, *, port: int = 0) -> None:
        self.world = app.world
        self.clock = app.world.clock
        self.faults = app.faults
        self._app = app
        app.tell = self.truth
        self._server = HttpServer(app, port=port)
        self.port = self._server.port
        self.url = self._server.url

    @property
    def accounts(self) -> Mapping[str, Account]:
        """By label. Keys: `.api_key`, `.api_secret`; read facts through `truth`, which is up to date."""
        return self.world.accounts

    def truth(self) -> Json:
        """All facts up to now; see `exchanges.simulators.truth`."""
        return self.world.truth()

    def report_late_fill(self, *, account: str, symbol: str, days: int = 2, newest_id: bool = False) -> Fill:
        """From now on the account has one more fill, dated `days` ago, with an id just below its newest
        (or, with `newest_id`, above it). Raises `late.NothingToReport`."""
        return self.world.report_late_fill(account, symbol, days=days, newest_id=newest_id)

    def add_bulk_account(self, *, fills: int, symbol: str = "BTCUSDT", label: str = "bulk") -> Account:
        """An account with very many fills on one symbol, for measuring clients."""
        return self.world.add_bulk_account(label=label, symbol=symbol, fills=fills)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Stop serving. Raises the first mistake the simulator itself made, so that no test passes over it."""
        self._server.stop()
        if self._app.failures:
            raise self._app.failures[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
