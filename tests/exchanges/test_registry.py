import subprocess
import sys

import ccxt
import pytest

from core.errors import Invalid
from exchanges import registry
from exchanges.base import ApiKeys


def test_every_ccxt_class_used_is_still_there() -> None:
    required = {each.ccxt_class for each in registry.supported().values()} - {""}
    assert required <= set(ccxt.exchanges)
    assert required


def test_importing_the_registry_does_not_load_ccxt() -> None:
    code = "import sys, exchanges.registry; print(sorted({'ccxt', 'requests', 'django'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("exchange", registry.supported())
def test_every_exchange_opens_by_name(exchange: str) -> None:
    registry.open_account(exchange, ApiKeys("key", "secret")).close()
    registry.open_market(exchange).close()


def test_exchanges_are_shown_by_their_titles() -> None:
    titles = {name: each.title for name, each in registry.supported().items()}
    assert titles.items() >= {"binance": "Binance", "gateio": "Gate.io", "mexc": "MEXC"}.items()


def test_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(Invalid, match="'mtgox' is no supported exchange; there are: binance, "):
        registry.open_market("mtgox")


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", {}),
        ("binance=http://127.0.0.1:9001", {"binance": "http://127.0.0.1:9001"}),
        (" binance=http://localhost:9001/ ,", {"binance": "http://localhost:9001"}),
        ("binance=http://[::1]:9001", {"binance": "http://[::1]:9001"}),
        ("binance=https://testnet.example.com/base", {"binance": "https://testnet.example.com/base"}),
    ],
)
def test_addresses_are_read(text: str, urls: dict[str, str]) -> None:
    assert registry.parse_urls(text) == urls


@pytest.mark.parametrize(
    "text",
    [
        "binance",
        "binance=",
        "mtgox=http://127.0.0.1:9001",
        "binance=http://10.0.0.5:9001",
        "binance=http://127.0.0.1.example.com",
        "binance=ftp://127.0.0.1",
        "binance=https://user:word@example.com",
        "binance=https://example.com/?key=1",
        "binance=http://127.0.0.1:port",
        "binance=http://[::1",
    ],
)
def test_addresses_that_could_leak_keys_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        registry.parse_urls(text)
