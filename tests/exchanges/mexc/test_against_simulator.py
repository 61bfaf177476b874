"""The adapter against the simulated exchange: all that is walked is true."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges.mexc import open_market
from exchanges.rows import OrderRow, TransferKind, TransferRow
from tests.exchanges.mexc.worlds import (
    LABELS,
    START,
    World,
    busiest,
    exact,
    fill_facts,
    true_fills,
    walk,
)


@pytest.mark.parametrize("label", LABELS)
def test_all_fills_of_thirty_days_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["fills"]:
        rows, bad, _ = walk(partial(account.fills, symbol))
        assert (fill_facts(rows), bad) == (true_fills(still, symbol, label), [])


def test_older_fills_are_gone(still: World) -> None:
    facts = still.truth()["fills"]
    assert sum(map(len, facts.values())) > sum(len(still.since(30, each)) for each in facts.values())


@pytest.mark.parametrize("label", LABELS)
def test_fees_are_in_the_quote_or_in_mx(still: World, label: str) -> None:
    rows = [
        row
        for name in still.truth(label)["fills"]
        for row in walk(partial(still.account(label).fills, name))[0]
    ]
    assert {row.fee_currency for row in rows} <= {"USDT", "USDC", "BTC", "MX"}
    assert {"USDT"} < {row.fee_currency for row in rows} or label == "quiet"


@pytest.mark.parametrize("label", LABELS)
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["fills"]:
        pages = account.fills_between(symbol, START - timedelta(days=60), START + timedelta(milliseconds=1))
        assert fill_facts([row for page in pages for row in page.rows]) == true_fills(still, symbol, label)


def order_facts(rows: list[OrderRow]) -> dict[str, dict[str, Any]]:
    return {
        row.order_id: {
            "id": row.order_id,
            "client_order_id": row.client_order_id,
            "list_id": int(row.order_list_id or -1),
            "side": row.side.value,
            "type": row.type,
            "status": row.status.value,
            "price": row.price or Decimal(0),
            "stop_price": row.stop_price or Decimal(0),
            "quantity": row.quantity,
            "executed": row.executed_quantity,
            "executed_quote": row.executed_quote_quantity,
            "time": clock.to_ms(row.ordered_at),
            "updated": clock.to_ms(row.updated_at),
        }
        for row in rows
    }


def true_orders(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    told = exact(facts, "price", "stop_price", "quantity", "executed", "executed_quote")
    for each in told.values():
        each["status"] = {"PARTIALLY_CANCELED": "CANCELED"}.get(each["status"], each["status"])
    return told


@pytest.mark.parametrize("label", LABELS)
def test_all_orders_of_seven_days_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, symbol))
        assert (order_facts(rows), bad) == (true_orders(still.since(7, facts)), [])


@pytest.mark.parametrize("label", LABELS)
def test_open_orders_are_those_not_final_however_old(still: World, label: str) -> None:
    facts = [each for orders in still.truth(label)["orders"].values() for each in orders]
    truth = true_orders([each for each in facts if each["status"] in ("NEW", "PARTIALLY_FILLED")])
    assert order_facts(list(still.account(label).open_orders().rows)) == truth


def test_one_order_is_told_however_old(still: World) -> None:
    account, symbol = still.account(), busiest(still)
    first = still.truth()["orders"][symbol][0]
    assert order_facts([account.order(symbol, first["id"])]) == true_orders([first])


def transfer_facts(rows: list[TransferRow]) -> dict[str, dict[str, Any]]:
    return {
        row.tx_id: {
            "tx_id": row.tx_id,
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "moves_balance": row.status == "success",
            "time": clock.to_ms(row.occurred_at),
        }
        for row in rows
    }


@pytest.mark.parametrize(
    ("kind", "name"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", LABELS)
def test_all_transfers_of_ninety_days_walked_are_the_truth(
    still: World, label: str, kind: TransferKind, name: str
) -> None:
    rows, bad, _ = walk(partial(still.account(label).transfers, kind, until=START))
    truth = exact(still.since(90, still.truth(label)[name]), "amount", "fee", key="tx_id")
    for each in truth.values():
        del each["id"], each["status"]
    assert (transfer_facts(rows), bad) == (truth, [])


@pytest.mark.parametrize("label", LABELS)
def test_balances_are_the_truth(still: World, label: str) -> None:
    page = still.account(label).balances()
    truth = still.truth(label)["balances"]
    assert {row.asset: (row.available, row.locked) for row in page.rows} == {
        asset: (Decimal(each["free"]), Decimal(each["locked"])) for asset, each in truth.items()
    }


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.ip_restricted) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        False,
    )


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, symbol))
    world.clock.advance(hours=6)
    later, _, _ = walk(partial(account.fills, symbol), position)
    assert set(fill_facts([*first, *later])) >= set(true_fills(world, symbol))
    assert set(true_fills(world, symbol)) - set(fill_facts(first))


def test_a_crowd_of_fills_is_the_truth(world: World) -> None:
    world.simulator.add_bulk_account(fills=6_000, label="bulk")
    rows, bad, _ = walk(partial(world.account("bulk").fills, "BTCUSDT"))
    truth = true_fills(world, "BTCUSDT", "bulk")
    assert (fill_facts(rows), bad) == (truth, [])
    assert len(truth) > 400


@pytest.mark.parametrize("days", [0, 2, 29])
@pytest.mark.parametrize("newest_id", [False, True])
def test_a_late_fill_of_a_calm_symbol_is_found_by_the_next_walk(
    world: World, days: int, newest_id: bool
) -> None:
    account, symbol = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, symbol))
    world.simulator.report_late_fill(account="demo", symbol=symbol, days=days, newest_id=newest_id)
    again, _, _ = walk(partial(account.fills, symbol), position)
    assert len(fill_facts(first)) == len(true_fills(world, symbol)) - 1
    assert fill_facts([*first, *again]) == true_fills(world, symbol)


def test_a_late_fill_of_a_busy_symbol_is_found_by_the_nightly_recheck(world: World) -> None:
    world.simulator.add_bulk_account(fills=6_000, label="bulk")
    account = world.account("bulk")
    first, _, _ = walk(partial(account.fills, "BTCUSDT"))
    world.simulator.report_late_fill(account="bulk", symbol="BTCUSDT", days=3)
    pages = account.fills_between("BTCUSDT", START - timedelta(days=4), START)
    again = [row for page in pages for row in page.rows]
    assert fill_facts([*first, *again]) == true_fills(world, "BTCUSDT", "bulk")


def test_market_data_is_read(still: World) -> None:
    market = open_market(still.simulator.url, still.now)
    listings, prices = market.listings(), market.prices()
    candles = market.candles("MXUSDT", "1d", START - timedelta(days=30), START)
    market.close()
    assert {row.symbol for row in prices.rows} == {row.symbol for row in listings.rows} >= {"MXUSDT"}
    assert (listings.bad, prices.bad, candles.bad) == ((), (), ())
    assert [row.opened_at for row in candles.rows] == [
        datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=number) for number in range(30)
    ]
