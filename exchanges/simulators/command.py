"""Running a simulator in the foreground, for a management command."""

import hashlib
import json
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from core.errors import DomainError
from exchanges.simulators import profiles
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.mexc import MexcSimulator

SIMULATORS: Mapping[str, Callable[..., SimulatedExchange]] = {
    "binance": BinanceSimulator,
    "bitget": BitgetSimulator,
    "gateio": GateioSimulator,
    "mexc": MexcSimulator,
}
_PEOPLE: Final = hashlib.sha256(repr(profiles.SHOWN).encode()).hexdigest()[:16]  # others do other things


class UnknownSimulator(DomainError):
    code = "unknown_simulator"


def run(exchange: str, port: int, seed: int, truth: Path | None, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; call from the main thread. `ready` is given the URL once requests are
    answered.

    `truth` is written before that. Where it already tells of a world with this seed and the same people, that
    world goes on (same keys, same ids, longer history) instead of a new one being made, so a database that
    knows it stays right.
    """
    if exchange not in SIMULATORS:
        raise UnknownSimulator(f"There is no simulator of {exchange!r}; known: {', '.join(SIMULATORS)}.")
    simulator = SIMULATORS[exchange](
        seed=seed, port=port, profiles=profiles.SHOWN, live_from=_recall(truth, exchange, seed)
    )
    over = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with simulator:
            if truth is not None:
                _write(truth, json.dumps({**simulator.truth(), "people": _PEOPLE}, indent=1))
            ready(simulator.url)
            over.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _recall(truth: Path | None, exchange: str, seed: int) -> datetime | None:
    """Where history ended when this world was first made; None when the file tells of no such world."""
    try:
        told = json.loads(truth.read_text()) if truth else {}
        known = (told.get("exchange"), told.get("seed"), told.get("people")) == (exchange, seed, _PEOPLE)
        return datetime.fromisoformat(told["live_from"]) if known else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _write(path: Path, content: str) -> None:
    """Replace the file in one step: it holds keys, so only its owner may read it."""
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    part.write_text(content)
    part.replace(path)
