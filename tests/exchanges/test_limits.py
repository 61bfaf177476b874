"""What adapters declare they spend, held against what simulated exchanges charge and what adapters ask for."""

import ast
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import exchanges
from exchanges import registry
from exchanges.binance import limits as binance
from exchanges.bitget import limits as bitget
from exchanges.gateio import limits as gateio
from exchanges.limits import Bucket, Charge, Payer, refused_payer
from exchanges.mexc import limits as mexc
from exchanges.simulators.binance import futures, futures_public
from exchanges.simulators.binance import private as binance_private
from exchanges.simulators.binance import public as binance_public
from exchanges.simulators.binance import wallet as binance_wallet
from exchanges.simulators.binance.limits import Limits as BinanceLimits
from exchanges.simulators.binance.limits import Pool
from exchanges.simulators.binance.parameters import Parameters as BinanceParameters
from exchanges.simulators.gateio.limits import Limits as GateioLimits
from exchanges.simulators.mexc import private as mexc_private
from exchanges.simulators.mexc import public as mexc_public
from exchanges.simulators.mexc import wallet as mexc_wallet
from exchanges.simulators.mexc.limits import Limits as MexcLimits
from exchanges.simulators.mexc.parameters import Parameters as MexcParameters

BINANCE_POOLS: Final = {
    binance.SPOT: Pool.API,
    binance.WALLET: Pool.SAPI_IP,
    binance.FUTURES: Pool.FAPI,
    binance.WITHDRAWALS: Pool.SAPI_UID_SECOND,
}
ASKED: Final[tuple[dict[str, str], ...]] = (
    {},
    {"symbol": "BTCUSDT"},
    {"limit": "1000"},
    {"limit": "1500"},
    {"limit": "50"},
)
ENDPOINT: Final = re.compile(r"[a-z]+\w*_(?:get|post)_\w+")


@pytest.mark.parametrize("exchange", list(registry.supported()))
def test_every_exchange_declares_limits_and_a_probe(exchange: str) -> None:
    entry = registry.supported()[exchange]
    assert entry.probe is not None
    assert entry.limits.charges("public_get_anything", {}) != ()


def asked_endpoints(exchange: str) -> set[str]:
    """ccxt's endpoints that stand in an adapter's source."""
    folder = Path(exchanges.__file__).parent / exchange
    return {
        node.value
        for path in folder.glob("*.py")
        if path.name != "limits.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ENDPOINT.fullmatch(node.value)
    }


def test_everything_asked_of_binance_has_its_own_cost() -> None:
    asked = asked_endpoints("binance")
    assert len(asked) > 10
    assert asked - {*binance.COSTS, *binance.ACCOUNT_COSTS} == set()


def test_everything_asked_of_mexcs_spot_has_its_own_cost() -> None:
    asked = {name for name in asked_endpoints("mexc") if name.startswith("spot_")}
    assert len(asked) > 10
    assert asked - {*mexc.COSTS} == set()


def test_binances_buckets_are_as_large_as_the_exchange_says() -> None:
    theirs = BinanceLimits()
    for ours, pool in BINANCE_POOLS.items():
        assert (ours.amount, ours.seconds * 1000) == (theirs.of(pool), pool.period_ms)


def implicit(section: str, method: str, path: str) -> str:
    """ccxt's name of an endpoint."""
    words = path.replace("/", "_").replace("-", "_").lower()
    return f"{section}_{method.lower()}_{words}"


def binance_endpoint(path: str, kind: str) -> str:
    _, house, version, *rest = path.split("/")
    section = {"api": kind, "sapi": "sapi", "fapi": f"fapi{kind}"}[house]
    return implicit(section + (version if house == "fapi" and version != "v1" else ""), "get", "/".join(rest))


def simulated(*tables: ModuleType) -> list[tuple[str, Any]]:
    """Path and endpoint of all GET requests."""
    found: list[tuple[str, Any]] = []
    for table in tables:
        for name, endpoint in table.ENDPOINTS.items():
            method, path = name if isinstance(name, tuple) else ("GET", name)
            if method == "GET":
                found.append((path, endpoint))
    return found


def query(asked: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in asked.items())


@pytest.mark.parametrize(
    ("kind", "tables"),
    [("private", (binance_private, binance_wallet, futures)), ("public", (binance_public, futures_public))],
)
def test_a_request_to_binance_costs_what_is_declared(kind: str, tables: tuple[ModuleType, ...]) -> None:
    rows = simulated(*tables)
    declared, charged = {}, {}
    for path, endpoint in rows:
        for asked in ASKED:
            [charge] = binance.charges(binance_endpoint(path, kind), asked)
            declared[path, query(asked)] = (BINANCE_POOLS[charge.bucket], charge.cost)
            weight = endpoint.weight(BinanceParameters(query(asked), b""))
            charged[path, query(asked)] = (endpoint.pool, weight)
    assert len(rows) > 10
    assert declared == charged


@pytest.mark.parametrize(
    ("kind", "tables", "bucket"),
    [("private", (mexc_private, mexc_wallet), mexc.ACCOUNT), ("public", (mexc_public,), mexc.ADDRESS)],
)
def test_a_request_to_mexc_costs_what_is_declared(
    kind: str, tables: tuple[ModuleType, ...], bucket: Bucket
) -> None:
    declared, charged = {}, {}
    for path, endpoint in simulated(*tables):
        if not path.startswith("/api/v3/"):
            continue
        for asked in ASKED:
            name = implicit(f"spot_{kind}", "get", path.removeprefix("/api/v3/"))
            [declared[path, query(asked)]] = mexc.charges(name, asked)
            weight = endpoint.weight
            cost = weight(MexcParameters(query(asked), b"")) if callable(weight) else weight
            charged[path, query(asked)] = Charge(bucket, cost)
    assert declared == charged
    assert (mexc.ADDRESS.amount, mexc.ACCOUNT.amount) == (MexcLimits().ip, MexcLimits().uid)


@pytest.mark.parametrize(
    ("endpoint", "amount", "payer"),
    [
        ("private_spot_get_my_trades", 200, Payer.ACCOUNT),
        ("private_wallet_get_deposits", 150, Payer.ACCOUNT),
        ("private_account_get_detail", 150, Payer.ACCOUNT),
        ("public_spot_get_tickers", 200, Payer.ADDRESS),
    ],
)
def test_gateio_counts_each_endpoint_by_itself(endpoint: str, amount: int, payer: Payer) -> None:
    assert gateio.charges(endpoint, {}) == (Charge(Bucket(endpoint, amount, 10, payer), 1),)
    assert amount <= GateioLimits().private


@pytest.mark.parametrize(
    ("endpoint", "rate", "payer"),
    [
        ("private_spot_get_v2_spot_trade_fills", 10, Payer.ACCOUNT),
        ("private_spot_get_v2_spot_account_info", 1, Payer.ACCOUNT),
        ("private_spot_get_v2_spot_trade_unfilled_orders", 10, Payer.ACCOUNT),
        ("public_spot_get_v2_spot_market_tickers", 20, Payer.ADDRESS),
    ],
)
def test_bitget_counts_each_endpoint_and_the_address(endpoint: str, rate: int, payer: Payer) -> None:
    own = Charge(Bucket(endpoint, rate, 1, payer), 1)
    assert bitget.charges(endpoint, {}) == (Charge(bitget.ADDRESS, 1), own)


def test_a_refusal_concerns_the_account_where_it_paid() -> None:
    own, shared = Charge(mexc.ACCOUNT, 1), Charge(mexc.ADDRESS, 1)
    assert [refused_payer(charges) for charges in ((own,), (shared,), (own, shared), ())] == [
        Payer.ACCOUNT,
        Payer.ADDRESS,
        Payer.ACCOUNT,
        Payer.ADDRESS,
    ]
