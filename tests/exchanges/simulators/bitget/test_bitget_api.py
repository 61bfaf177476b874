"""An independent client, bitget-api for Node, takes the simulator for Bitget: v2 and v3, signed by its own code.

Runs where Node finds the package (`npm install bitget-api` somewhere, and NODE_PATH pointing at its node_modules).
"""

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.simulators.bitget import BitgetSimulator

NODE = shutil.which("node") or ""
SCRIPT = Path(__file__).with_name("bitget_api.cjs")
OPEN = ("NEW", "PARTIALLY_FILLED")


def _is_installed() -> bool:
    asked = [NODE, "-e", "require.resolve('bitget-api')"]
    return bool(NODE) and subprocess.run(asked, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _is_installed(), reason="Node does not find bitget-api.")


def keys(simulator: BitgetSimulator, label: str) -> str:
    account = simulator.accounts[label]
    return f"{account.api_key},{account.api_secret},{simulator.passphrase(label)}"


@pytest.fixture(scope="module")
def told(simulator: BitgetSimulator) -> dict[str, Any]:
    """What the client understood."""
    arguments = [
        NODE,
        str(SCRIPT),
        simulator.url,
        keys(simulator, "leveraged"),
        keys(simulator, "hedged"),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def classic(simulator: BitgetSimulator) -> dict[str, Any]:
    facts: dict[str, Any] = simulator.truth()["accounts"]["leveraged"]
    return facts


@pytest.fixture(scope="module")
def unified(simulator: BitgetSimulator) -> dict[str, Any]:
    facts: dict[str, Any] = simulator.truth()["accounts"]["hedged"]
    return facts


def pairs(rows: dict[str, list[dict[str, Any]]]) -> set[tuple[str, str]]:
    return {(name, str(row["id"])) for name, each in rows.items() for row in each}


def test_it_pages_through_spot_fills(told: dict[str, Any], classic: dict[str, Any]) -> None:
    assert {tuple(row) for row in told["spot"]} == pairs(classic["fills"])


def test_it_pages_through_fills_of_contracts(told: dict[str, Any], classic: dict[str, Any]) -> None:
    expected = {row for row in pairs(classic["futures"]["fills"]) if row[0].endswith("USDT")}
    assert {tuple(row) for row in told["futures"]} == expected
    assert len(expected) > 100


def test_it_pages_through_the_fills_of_a_unified_account(
    told: dict[str, Any], unified: dict[str, Any]
) -> None:
    expected = {("SPOT", *row) for row in pairs(unified["fills"])} | {
        ("USDT-FUTURES" if row[0].endswith("USDT") else "USDC-FUTURES", *row)
        for row in pairs(unified["futures"]["fills"])
    }
    assert {tuple(row) for row in told["unified"]} == expected


def test_it_reads_who_and_what_there_is(told: dict[str, Any], classic: dict[str, Any]) -> None:
    assert told["account"] == str(classic["uid"])
    assert set(told["assets"]) == set(classic["balances"])


def test_it_reads_open_orders_and_triggers(told: dict[str, Any], classic: dict[str, Any]) -> None:
    for name, kind in (("open", "orders"), ("plans", "plans")):
        rows = [row for each in classic[kind].values() for row in each]
        assert set(told[name]) == {str(row["id"]) for row in rows if row["status"] in OPEN}


@pytest.mark.parametrize("kind", ["deposits", "withdrawals"])
def test_it_reads_deposits_and_withdrawals(told: dict[str, Any], classic: dict[str, Any], kind: str) -> None:
    assert set(told[kind]) == {str(row["id"]) for row in classic[kind]}


def test_it_reads_transfers_and_funding(told: dict[str, Any], classic: dict[str, Any]) -> None:
    moved = classic["futures"]["transfers"]
    assert set(told["transfers"]) == {
        str(row["id"]) for row in moved if (row["asset"], row["from"]) == ("USDT", "spot")
    }
    paid = {str(row["id"]) for row in classic["futures"]["funding"] if row["asset"] == "USDT"}
    assert set(told["funding"]) <= paid
    assert len(told["funding"]) == min(len(paid), 100)


def test_it_reads_positions_and_the_wallet(told: dict[str, Any], classic: dict[str, Any]) -> None:
    held = {row["contract"] for row in classic["futures"]["positions"]}
    assert set(told["positions"]) == {name for name in held if name.endswith("USDT")}
    assert Decimal(told["equity"]) > 0


def test_it_reads_a_unified_account(told: dict[str, Any], unified: dict[str, Any]) -> None:
    assert told["settings"] == "hedge_mode"
    assert set(told["balances"]) == set(unified["wallets"]["spot"])
    assert set(told["held"]) <= {row["contract"] for row in unified["futures"]["positions"]}
    assert {str(row["id"]) for each in unified["orders"].values() for row in each} >= set(told["orders"])
    assert told["instruments"] == ["BTCPERP"]


def test_its_clock_is_near(told: dict[str, Any]) -> None:
    assert abs(told["clock"]) < 5_000


def test_refusals_are_its_errors(told: dict[str, Any]) -> None:
    assert (told["refused"], told["classicOnly"], told["mayNotTrade"]) == ("40012", "40084", "40014")
