"""Signed endpoints: pages, cursors and windows."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.profiles import HOLES
from tests.exchanges.simulators.http import ask

TRADES = "/api/v3/myTrades"
ORDERS = "/api/v3/allOrders"
ORDER = "/api/v3/order"


@pytest.fixture
def fills(simulator: BinanceSimulator) -> list[dict[str, Any]]:
    """The demo account's fills of BTCUSDT as they really are."""
    rows: list[dict[str, Any]] = simulator.truth()["accounts"]["demo"]["fills"]["BTCUSDT"]
    return rows


@pytest.fixture
def orders(simulator: BinanceSimulator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = simulator.truth()["accounts"]["demo"]["orders"]["BTCUSDT"]
    return rows


def ids(simulator: BinanceSimulator, path: str, **parameters: Any) -> list[int]:
    name = "id" if path == TRADES else "orderId"
    return [row[name] for row in ask(simulator, path, symbol="BTCUSDT", **parameters).json]


def test_walking_by_from_id_finds_every_fill_once(
    simulator: BinanceSimulator, fills: list[dict[str, Any]]
) -> None:
    walked: list[int] = []
    while page := ids(simulator, TRADES, fromId=walked[-1] + 1 if walked else 0, limit=3):
        walked += page
    assert walked == [row["id"] for row in fills]


def test_without_a_cursor_the_latest_fills_come_in_rising_order(
    simulator: BinanceSimulator, fills: list[dict[str, Any]]
) -> None:
    assert ids(simulator, TRADES, limit=4) == [row["id"] for row in fills[-4:]]


def test_a_fill_reads_as_it_happened(simulator: BinanceSimulator, fills: list[dict[str, Any]]) -> None:
    true = fills[0]
    assert ask(simulator, TRADES, symbol="BTCUSDT", fromId=0, limit=1).json == [
        {
            "symbol": "BTCUSDT",
            "id": true["id"],
            "orderId": true["order_id"],
            "orderListId": -1,
            "price": true["price"],
            "qty": true["quantity"],
            "quoteQty": true["quote_quantity"],
            "commission": true["fee"],
            "commissionAsset": true["fee_asset"],
            "time": true["time"],
            "isBuyer": True,
            "isMaker": False,
            "isBestMatch": True,
        }
    ]


def test_fills_of_one_order(simulator: BinanceSimulator, fills: list[dict[str, Any]]) -> None:
    order_id = fills[0]["order_id"]
    expected = [row["id"] for row in fills if row["order_id"] == order_id]
    assert ids(simulator, TRADES, orderId=order_id) == expected


def test_a_window_holds_the_fills_between_its_ends(
    simulator: BinanceSimulator, fills: list[dict[str, Any]]
) -> None:
    start = fills[0]["time"]
    end = start + DAY_MS
    expected = [row["id"] for row in fills if start <= row["time"] <= end]
    assert ids(simulator, TRADES, startTime=start, endTime=end) == expected


@pytest.mark.parametrize("path", [TRADES, ORDERS])
def test_a_window_above_24_hours_is_1127(simulator: BinanceSimulator, path: str) -> None:
    answer = ask(simulator, path, symbol="BTCUSDT", startTime=1, endTime=DAY_MS + 2)
    assert answer.error == (400, -1127)


@pytest.mark.parametrize("cursor", ["fromId", "orderId"])
def test_ids_and_times_do_not_combine_on_fills(simulator: BinanceSimulator, cursor: str) -> None:
    answer = ask(simulator, TRADES, **{"symbol": "BTCUSDT", "startTime": "1", cursor: "1"})
    assert answer.error == (400, -1128)


@pytest.mark.parametrize("path", [TRADES, ORDERS, ORDER])
def test_the_symbol_is_mandatory(simulator: BinanceSimulator, path: str) -> None:
    assert ask(simulator, path).error == (400, -1102)


@pytest.mark.parametrize("path", [TRADES, ORDERS, ORDER, "/api/v3/openOrders"])
def test_an_unknown_symbol_is_1121(simulator: BinanceSimulator, path: str) -> None:
    assert ask(simulator, path, symbol="NOSUCH").error == (400, -1121)


def test_a_parameter_nobody_reads_is_1104(simulator: BinanceSimulator) -> None:
    answer = ask(simulator, TRADES, symbol="BTCUSDT", stopLoss="1")
    assert answer.error == (400, -1104)
    assert answer.json["msg"].endswith("read '3' parameter(s) but was sent '4'.")


def test_a_limit_that_is_no_number_is_1100(simulator: BinanceSimulator) -> None:
    assert ask(simulator, TRADES, symbol="BTCUSDT", limit="many").error == (400, -1100)


def test_no_page_is_longer_than_a_thousand(simulator: BinanceSimulator) -> None:
    simulator.add_bulk_account(fills=1_500)
    answer = ask(simulator, TRADES, account="bulk", symbol="BTCUSDT", fromId=0, limit=5_000)
    assert len(answer.json) == 1_000


def test_walking_by_order_id_finds_every_order(
    simulator: BinanceSimulator, orders: list[dict[str, Any]]
) -> None:
    walked: list[int] = []
    while page := ids(simulator, ORDERS, orderId=walked[-1] + 1 if walked else 1, limit=2):
        walked += page
    assert walked == [row["id"] for row in orders]


def test_orders_placed_in_a_window(simulator: BinanceSimulator, orders: list[dict[str, Any]]) -> None:
    start = orders[0]["time"]
    expected = [row["id"] for row in orders if start <= row["time"] <= start + DAY_MS]
    assert ids(simulator, ORDERS, startTime=start, endTime=start + DAY_MS) == expected


def test_open_orders_are_those_not_finished(simulator: BinanceSimulator) -> None:
    told = simulator.truth()["accounts"]["demo"]["orders"]
    expected = {
        (name, row["id"])
        for name, rows in told.items()
        for row in rows
        if row["status"] in ("NEW", "PENDING_NEW")
    }
    answer = ask(simulator, "/api/v3/openOrders")
    assert {(row["symbol"], row["orderId"]) for row in answer.json} == expected
    assert expected


def test_one_order_by_either_of_its_ids(simulator: BinanceSimulator, orders: list[dict[str, Any]]) -> None:
    last = orders[-1]
    by_id = ask(simulator, ORDER, symbol="BTCUSDT", orderId=last["id"]).json
    by_name = ask(simulator, ORDER, symbol="BTCUSDT", origClientOrderId=last["client_order_id"]).json
    assert by_id == by_name
    assert (by_id["orderId"], by_id["status"]) == (last["id"], last["status"])


def test_an_order_that_never_was_is_2013(simulator: BinanceSimulator) -> None:
    assert ask(simulator, ORDER, symbol="BTCUSDT", orderId=1).error == (400, -2013)


def test_an_idle_order_is_archived_after_90_days(clock: FixedClock) -> None:
    with BinanceSimulator(seed=1, clock=clock, profiles=[HOLES.shortened(20)]) as simulator:
        name, order_id = next(
            (name, row["id"])
            for name, rows in simulator.truth()["accounts"]["holes"]["orders"].items()
            for row in rows
            if row["status"] in ("CANCELED", "EXPIRED") and Decimal(row["executed"]) == 0
        )
        assert ask(simulator, ORDER, account="holes", symbol=name, orderId=order_id).status == 200
        clock.advance(days=91)
        answer = ask(simulator, ORDER, account="holes", symbol=name, orderId=order_id)
    assert answer.error == (400, -2026)


def test_the_account_tells_its_balances(simulator: BinanceSimulator) -> None:
    told = simulator.truth()["accounts"]["demo"]["balances"]
    answer = ask(simulator, "/api/v3/account", omitZeroBalances="true")
    balances = {row.pop("asset"): row for row in answer.json["balances"]}
    assert balances == told


def test_without_omission_empty_assets_are_listed(simulator: BinanceSimulator) -> None:
    balances = ask(simulator, "/api/v3/account", account="quiet").json["balances"]
    assert {"asset": "DOGE", "free": "0.00000000", "locked": "0.00000000"} in balances
