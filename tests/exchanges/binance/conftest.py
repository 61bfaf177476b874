import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchanges.base import ApiKeys
from exchanges.binance.account import BinanceAccount
from exchanges.binance.client import connect
from exchanges.transport import CcxtClient
from tests.exchanges.stub import Asked, Reply, Script, Stub, serving

KEYS = ApiKeys("CANARY" + "k" * 58, "CANARY" + "s" * 58)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NO_FUTURES = Reply({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, status=401)
LISTINGS = {"BTCUSDT": ("BTC", "USDT"), "BNBBTC": ("BNB", "BTC"), "LTCBTC": ("LTC", "BTC")}


@pytest.fixture(scope="session")
def samples() -> dict[str, Any]:
    """Answers by endpoint, decoded as the client decodes them."""
    text = Path(__file__).with_name("samples.json").read_text()
    decoded: dict[str, Any] = json.loads(text, parse_float=str)
    return decoded


@pytest.fixture
def open_stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(open_stack: ExitStack) -> Callable[[Script], tuple[Stub, CcxtClient]]:
    """A scripted server and a client of it, both closed at the end."""

    def start(script: Script) -> tuple[Stub, CcxtClient]:
        stub = open_stack.enter_context(serving(script))
        client = connect(KEYS, url=stub.url, now=lambda: NOW)
        open_stack.callback(client.close)
        return stub, client

    return start


@pytest.fixture
def account(
    serve: Callable[[Script], tuple[Stub, CcxtClient]],
) -> Callable[[Script], tuple[Stub, BinanceAccount]]:
    """An account that never opened futures."""

    def start(script: Script) -> tuple[Stub, BinanceAccount]:
        def answer(asked: Asked) -> Any:
            return NO_FUTURES if asked.path == "/fapi/v3/account" else script(asked)

        stub, client = serve(answer)
        return stub, BinanceAccount(client, LISTINGS)

    return start
