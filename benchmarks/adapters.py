"""What reading fills costs: our adapters' CPU a fill against ccxt's own parsing of the same pages.

`python -m benchmarks.adapters [--fills N] [--rounds N]` prints one JSON line per exchange. Pages are fetched once from
the simulated exchange over HTTP, decoded and kept; then our whole walk (positions, windows, rows) runs over them, and
ccxt's `parse_trades` over the same decoded rows, in turns; the best round of each counts. Both leave out the network
and JSON, which are the same for both. Target: ≥ 5 × less CPU than ccxt.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from importlib import import_module
from typing import Any
from unittest import mock

from core import clock
from exchanges import registry
from exchanges.base import Account, ApiKeys
from exchanges.errors import ExchangeError
from exchanges.simulators.bitget import signing
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.command import SIMULATORS
from exchanges.transport import CcxtClient

SYMBOLS = {"binance": "BTCUSDT", "bitget": "BTCUSDT", "gateio": "BTC_USDT", "mexc": "BTCUSDT"}
TRADED = "BTCUSDT"  # as the simulated world calls it
TARGET = ">= 5"
Answers = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    for exchange, symbol in SYMBOLS.items():
        _measure(exchange, symbol, options.fills, options.rounds)


def _measure(exchange: str, symbol: str, fills: int, rounds: int) -> None:
    stands_still = FixedClock(clock.now())
    simulator = SIMULATORS[exchange](profiles=(), clock=stands_still, limits=_no_limits(exchange))
    holder = simulator.add_bulk_account(fills=fills, symbol=TRADED)
    passphrase = signing.passphrase(holder) if exchange == "bitget" else ""
    at = clock.from_ms(stands_still.now_ms())
    with simulator:
        keys = ApiKeys(holder.api_key, holder.api_secret, passphrase)

        def client() -> Account:  # a new one each time: some remember pages; at one moment, to ask the same
            return registry.open_account(exchange, keys, urls={exchange: simulator.url}, now=lambda: at)

        answers, count = _recorded(client(), symbol)
        ours = min(_cpu(partial(_replay, client(), symbol, answers)) for _ in range(rounds))
        parser = client()._client._exchange  # type: ignore[attr-defined]
        theirs = min(_cpu(partial(_parse, parser, answers)) for _ in range(rounds))
    figures = {
        "measurement": f"reading fills of {exchange}",
        "fills": count,
        "answers": len(answers),
        "cpu_microseconds_per_fill": round(ours / count * 1e6, 2),
        "ccxt_microseconds_per_fill": round(theirs / count * 1e6, 2),
        "ratio": round(theirs / ours, 2),
        "target": TARGET,
    }
    print(json.dumps(figures), flush=True)


def _no_limits(exchange: str) -> Any:
    limits = import_module(f"exchanges.simulators.{exchange}.limits").Limits
    numbers = {each.name: 10**9 for each in fields(limits) if each.type in (int, "int")}
    return limits(**numbers, **({"by_endpoint": {}} if exchange == "bitget" else {}))


def _recorded(client: Account, symbol: str) -> tuple[Answers, int]:
    """Every decoded answer of a whole walk, and how many fills were in them."""
    answers: Answers = {}
    send = CcxtClient._send

    def kept(self: CcxtClient, endpoint: str, params: Mapping[str, Any]) -> Any:
        try:
            answer = send(self, endpoint, params)
        except ExchangeError as error:
            answers[_key(endpoint, params)] = error
            raise
        return answers.setdefault(_key(endpoint, params), answer)

    with mock.patch.object(CcxtClient, "_send", kept):
        return answers, _walk(client, symbol)


def _replay(client: Account, symbol: str, answers: Answers) -> int:
    def found(_: CcxtClient, endpoint: str, params: Mapping[str, Any]) -> Any:
        answer = answers[_key(endpoint, params)]
        if isinstance(answer, ExchangeError):
            raise answer
        return answer

    with mock.patch.object(CcxtClient, "_send", found):
        return _walk(client, symbol)


def _key(endpoint: str, params: Mapping[str, Any]) -> str:
    return f"{endpoint} {sorted(params.items())}"


def _walk(client: Account, symbol: str) -> int:
    position, count, has_more = "", 0, True
    while has_more:
        page = client.fills(symbol, position)
        if page.bad:
            raise SystemExit(f"Unreadable: {page.bad[0].reason}")
        count += len(page.rows)
        position, has_more = page.next_position, page.has_more
    return count


def _parse(parser: Any, answers: Answers) -> None:
    for key, answer in answers.items():
        if "trades" in key.partition(" ")[0] or "fills" in key.partition(" ")[0]:
            parser.parse_trades(list(answer["data"] if isinstance(answer, dict) else answer))


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
