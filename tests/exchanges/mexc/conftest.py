import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchanges.base import ApiKeys, Markets
from exchanges.mexc.account import MexcAccount
from exchanges.mexc.client import connect
from exchanges.transport import CcxtClient
from tests.exchanges.mexc.worlds import LONGEST, World, made
from tests.exchanges.stub import Asked, Script, Stub, serving

KEYS = ApiKeys("mx0CANARY" + "k" * 9, "CANARY" + "s" * 26)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LISTINGS = {"BTCUSDT": ("BTC", "USDT"), "BNBBTC": ("BNB", "BTC"), "LTCBTC": ("LTC", "BTC")}
NO_ACCOUNT = {"success": False, "code": 1000, "message": "Account does not exist"}


def without_contracts(script: Script) -> Script:
    """The answers of an account that never opened a wallet of contracts."""

    def answer(asked: Asked) -> Any:
        return NO_ACCOUNT if asked.path.startswith("/api/v1/") else script(asked)

    return answer


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
) -> Callable[[Script], tuple[Stub, MexcAccount]]:
    def start(script: Script) -> tuple[Stub, MexcAccount]:
        stub, client = serve(without_contracts(script))
        return stub, MexcAccount(client, Markets(LISTINGS, {}))

    return start


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: to spoil, or to let time pass."""
    with made() as world:
        yield world


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    """One for all who only read."""
    with made(LONGEST) as world:
        yield world
