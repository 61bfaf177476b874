import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchanges.base import ApiKeys, Markets
from exchanges.gateio.account import GateioAccount
from exchanges.gateio.client import connect
from exchanges.transport import CcxtClient
from tests.exchanges.stub import Asked, Reply, Script, Stub, serving

KEYS = ApiKeys("CANARY" + "k" * 26, "CANARY" + "s" * 58)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LISTINGS = {"BTC_USDT": ("BTC", "USDT"), "ETH_BTC": ("ETH", "BTC"), "ETH_USDT": ("ETH", "USDT")}
NO_WALLET = Reply({"label": "USER_NOT_FOUND", "message": "please transfer funds first"}, 400)


def without_futures(script: Script) -> Script:
    """The answers of an account that never moved anything into a wallet of contracts."""

    def answer(asked: Asked) -> Any:
        return NO_WALLET if asked.path.startswith("/api/v4/futures/") else script(asked)

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
) -> Callable[[Script], tuple[Stub, GateioAccount]]:
    def start(script: Script) -> tuple[Stub, GateioAccount]:
        stub, client = serve(without_futures(script))
        return stub, GateioAccount(client, Markets(LISTINGS, {}))

    return start
