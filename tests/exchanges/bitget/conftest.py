import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.base import ApiKeys, Markets
from exchanges.bitget.account import BitgetAccount
from exchanges.bitget.client import connect
from exchanges.rows import Contract
from exchanges.transport import CcxtClient
from tests.exchanges.stub import Asked, Reply, Script, Stub, serving

KEYS = ApiKeys("CANARY" + "k" * 26, "CANARY" + "s" * 58, "CANARYphrase")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = "/api/v3/account/settings"


def _linear(base: str, settle: str) -> Contract:
    return Contract(base_asset=base, quote_asset=settle, settle_asset=settle, size=Decimal(1))


MARKETS = Markets(
    spot={"BTCUSDT": ("BTC", "USDT"), "ETHBTC": ("ETH", "BTC"), "ETHUSDT": ("ETH", "USDT")},
    contracts={
        "BTCUSDT": _linear("BTC", "USDT"),
        "ETHUSDT": _linear("ETH", "USDT"),
        "BTCPERP": _linear("BTC", "USDC"),
    },
)


def wrapped(data: Any) -> dict[str, Any]:
    """An answer of Bitget."""
    return {"code": "00000", "msg": "success", "requestTime": 1695808949356, "data": data}


def refusal(code: str, message: str = "No.", status: int = 400) -> Reply:
    return Reply({"code": code, "msg": message, "requestTime": 1695808949356, "data": None}, status)


@pytest.fixture(scope="session")
def samples() -> dict[str, Any]:
    """What stands in the answers, by name, decoded as the client decodes them."""
    text = Path(__file__).with_name("samples.json").read_text()
    decoded: dict[str, Any] = json.loads(text, parse_float=str)
    return {name: answer["data"] for name, answer in decoded.items()}


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
) -> Callable[[Script], tuple[Stub, BitgetAccount]]:
    """A classic account: the script answers what stands in the envelopes."""

    def start(script: Script) -> tuple[Stub, BitgetAccount]:
        def answer(asked: Asked) -> Any:
            if asked.path == SETTINGS:
                return refusal("40084")
            told = script(asked)
            return told if isinstance(told, Reply) else wrapped(told)

        stub, client = serve(answer)
        return stub, BitgetAccount(client, MARKETS)

    return start
