"""The four simulated exchanges of `benchmarks.chaos`, their people, and what goes wrong on the way to them.

The limits are the exchanges' own, and every request one of them refuses without a fault of the script is counted.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from typing import Any, Final, cast
from unittest import mock

from exchanges.simulators import bulk, faults, late, profiles
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import RequestLedger as BitgetLedger
from exchanges.simulators.clock import SimulatorClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.faults import Faults, Struck
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import RequestLedger as GateioLedger
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.contract_desk import Requests as MexcLedger
from exchanges.simulators.weights import WeightLedger

EXCHANGES: Final = ("binance", "bitget", "gateio", "mexc")
DAYS: Final = 20  # MEXC tells fills of a month only
BULK_SYMBOL: Final = "DOGEUSDT"  # nobody's ideas are about it
HOLE_DAYS: Final = 6  # MEXC tells orders of a week only
# Requests in ten thousand that meet each fault.
_ODDS: Final[Mapping[str, int]] = {
    "rate_limit": 40,
    "ban": 3,
    "bad_gateway": 80,
    "truncate": 60,
    "reset": 60,
    "latency": 100,
    "duplicate_rows": 300,
    "out_of_order_rows": 300,
    "unreadable_row": 60,
    "clock_offset": 5,
    "late_fill": 20,
}
_SKEWED: Final = 40  # requests that meet a clock that is off
# Where a row is known to have the field that is taken away.
_UNREADABLE: Final[Mapping[str, str]] = {
    "/api/v3/myTrades": "price",
    "/fapi/v1/userTrades": "price",
    "/api/v4/spot/my_trades": "price",
    "/api/v4/futures/usdt/my_trades_timerange": "price",
    "/api/v2/spot/trade/fills": "size",
    "/api/v1/private/order/list/order_deals": "price",
}


class Script(Faults):
    """Faults by chance, the same for the same seed and requests, until `is_over`. `struck` counts them."""

    def __init__(self, simulator: SimulatedExchange, *, seed: str, odds: int = 1) -> None:
        """`odds` multiplies how often something goes wrong."""
        super().__init__()
        self.struck: Counter[str] = Counter()
        self.is_over = False
        self._simulator = simulator
        self._odds = odds
        self._rng = random.Random(seed)
        self._guard = threading.Lock()

    def __bool__(self) -> bool:
        return not self.is_over

    def strike(self, *, path: str, params: Mapping[str, str], account: str) -> Struck:
        if self.is_over:
            return faults.NOTHING
        with self._guard:
            action = self._draw(path)
            if action == "late_fill":
                self._report_late()
            elif action == "clock_offset":
                self.add(action, ms=self._rng.choice((-9_000, 15_000)), times=_SKEWED)
            elif action:
                self.add(action, times=1, **self._details(action, path))
            if action:
                self.struck[action] += 1
        return super().strike(path=path, params=params, account=account)

    def _draw(self, path: str) -> str:
        """What happens to this request; "" for nothing."""
        chance = self._rng.randrange(10_000)
        for action, odds in _ODDS.items():
            chance -= odds * self._odds
            if chance < 0:
                return "" if action == "unreadable_row" and path not in _UNREADABLE else action
        return ""

    def _details(self, action: str, path: str) -> dict[str, Any]:
        match action:
            case "rate_limit":
                return {"retry_after": self._rng.choice((1, 5, 30))}
            case "ban":
                return {"retry_after": 30}
            case "latency":
                return {"ms": self._rng.randrange(20, 300)}
            case "unreadable_row":
                return {"field": _UNREADABLE[path]}
            case _:
                return {}

    def _report_late(self) -> None:
        """One more fill of some account, of the last days; its id is the newest, or just below that."""
        account = self._rng.choice(list(self._simulator.accounts.values()))
        with suppress(late.NothingToReport, LookupError):
            self._simulator.report_late_fill(
                account=account.label,
                symbol=self._rng.choice((BULK_SYMBOL, "BTCUSDT", "ETHUSDT")),
                days=self._rng.randrange(3),
                newest_id=self._rng.random() < 0.5,
            )


@dataclass
class Key:
    """What a person connects an account with."""

    exchange: str
    label: str
    api_key: str
    secret: str
    passphrase: str


class Exchanges:
    """Four simulated exchanges; `refused` counts by exchange and endpoint what was asked beyond a limit."""

    def __init__(
        self, clock: SimulatorClock, *, accounts: int, fills: int, seed: int, odds: int = 1, **limits: Any
    ) -> None:
        """`accounts` in all, with at least so many fills each, of spot and contracts together. `limits`: by exchange,
        where they are not its own."""
        self.refused: Counter[str] = Counter()
        self.simulators: dict[str, SimulatedExchange] = {}
        for number, exchange in enumerate(EXCHANGES):
            people = [_person(index, fills) for index in range(number, accounts, len(EXCHANGES))]
            self.simulators[exchange] = self._make(
                exchange, clock=clock, profiles=people, seed=seed, limits=limits.get(exchange)
            )
            self._fill_up(exchange, fills=fills, seed=seed)
        self.scripts = {
            exchange: Script(each, seed=f"{seed}:{exchange}", odds=odds)
            for exchange, each in self.simulators.items()
        }
        for exchange, script in self.scripts.items():
            self.simulators[exchange].faults = self.simulators[exchange]._app.faults = script

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve for the length of the block."""
        with ExitStack() as stack:
            for ledger in (WeightLedger, BitgetLedger, GateioLedger, MexcLedger):
                stack.enter_context(mock.patch.object(ledger, "charge", self._counted(ledger)))
            for simulator in self.simulators.values():
                stack.enter_context(simulator)
            yield

    def urls(self) -> str:
        return " ".join(f"{name}={each.url}" for name, each in self.simulators.items())

    def people(self) -> list[Key]:
        """Of everybody, the exchanges in turns."""
        return [
            Key(
                exchange,
                account.label,
                account.api_key,
                account.api_secret,
                simulator.passphrase(account.label) if isinstance(simulator, BitgetSimulator) else "",
            )
            for exchange, simulator in self.simulators.items()
            for account in simulator.accounts.values()
        ]

    def end_faults(self) -> None:
        for script in self.scripts.values():
            script.is_over = True

    def struck(self) -> Counter[str]:
        """The faults so far, by kind."""
        return sum((script.struck for script in self.scripts.values()), Counter())

    def _make(self, exchange: str, *, profiles: Sequence[profiles.Profile], **how: Any) -> SimulatedExchange:
        match exchange:
            case "binance":
                return BinanceSimulator(profiles=profiles, **how)
            case "bitget":
                unified = [each.label for each in profiles[2::3]]
                return BitgetSimulator(profiles=profiles, unified=unified, **how)
            case "gateio":
                return GateioSimulator(profiles=profiles, **how)
            case _:
                return MexcSimulator(profiles=profiles, **how)

    def _fill_up(self, exchange: str, *, fills: int, seed: int) -> None:
        """What people's own ideas leave missing is traded on one more symbol."""
        world = self.simulators[exchange].world
        for account in world.accounts.values():
            margin = account.margin
            contracts = sum(map(len, margin.fills.values())) if margin is not None else 0
            missing = fills - sum(map(len, account.fills.values())) - contracts
            bulk.trade(
                account,
                BULK_SYMBOL,
                fills=max(missing, 40),
                until=world.live_from_ms,
                rng=random.Random(f"{seed}:{exchange}:{account.label}"),
                begin=world.live_from_ms - timedelta(days=HOLE_DAYS) // timedelta(milliseconds=1),
            )

    def _counted(self, ledger: type) -> Callable[..., Any]:
        charge = cast(Any, ledger).charge

        @wraps(charge)
        def counted(own: Any, where: Any, *arguments: Any, **named: Any) -> Any:
            try:
                return charge(own, where, *arguments, **named)
            except Exception:
                self.refused[f"{ledger.__module__.split('.')[2]}:{where}"] += 1
                raise

        return counted


def _person(index: int, fills: int) -> profiles.Profile:
    """Two of three trade one way, one hedges; every fourth goes on trading."""
    base = profiles.HEDGED if index // 4 % 3 == 1 else profiles.LEVERAGED
    return replace(
        base,
        label=f"p{index}",
        days=DAYS,
        ideas_per_100_days=min(60 + fills // 2, 1_500),
        is_live=index // 4 % 4 == 0,
    )
