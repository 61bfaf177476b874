"""Contracts of a classic account against the simulated Bitget, in one-way and in hedge mode."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges import bitget
from exchanges.base import Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import FillRow, OrderRow, PositionRow, TransferKind
from exchanges.simulators.profiles import SMALL_CONTRACTS
from tests.exchanges.bitget.worlds import OPEN, Facts, World, exact, made, walk

LABELS = ["leveraged", "hedged"]
FILL_AMOUNTS = ("price", "quantity", "value", "fee", "realized_pnl")
FILLS = "/api/v2/mix/order/fills"


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    with made(profiles=SMALL_CONTRACTS) as world:
        yield world


@pytest.fixture
def world() -> Iterator[World]:
    with made(profiles=SMALL_CONTRACTS) as world:
        yield world


def contracts(world: World, label: str) -> Derivatives:
    found = world.account(label).derivatives
    assert found is not None
    return found


def truth(world: World, label: str) -> dict[str, Any]:
    told: dict[str, Any] = world.truth(label)["futures"]
    return told


def flat(rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows by contract as one list, each with its contract."""
    return [{**row, "contract": name} for name, each in rows.items() for row in each]


def fill_facts(rows: list[FillRow]) -> Facts:
    return {
        row.fill_id: {
            "contract": row.symbol,
            "id": int(row.fill_id),
            "order_id": int(row.order_id),
            "side": row.side.value,
            "position_side": row.contract.position_side.value,
            "price": row.price,
            "quantity": row.quantity,
            "value": row.quote_quantity,
            "fee": row.fee_amount,
            "fee_asset": row.fee_currency,
            "realized_pnl": row.contract.realized_pnl,
            "is_maker": row.is_maker,
            "is_liquidation": row.contract.is_liquidation,
            "time": clock.to_ms(row.executed_at),
        }
        for row in rows
        if row.contract is not None
    }


def true_fills(world: World, label: str) -> Facts:
    return exact(flat(truth(world, label)["fills"]), *FILL_AMOUNTS)


def walked_fills(world: World, label: str) -> Facts:
    found, rows = contracts(world, label), list[FillRow]()
    for scope in found.trade_scopes([]):
        good, bad, _ = walk(partial(found.fills, scope))
        assert bad == []
        rows += good
    return fill_facts(rows)


@pytest.mark.parametrize("label", LABELS)
def test_all_fills_walked_are_the_truth(still: World, label: str) -> None:
    assert walked_fills(still, label) == true_fills(still, label)


def test_the_truth_has_what_is_to_be_told_apart(still: World) -> None:
    fills = [row for label in LABELS for row in flat(truth(still, label)["fills"])]
    assert {row["is_liquidation"] for row in fills} == {True, False}
    assert {row["position_side"] for row in fills} == {"BOTH", "LONG", "SHORT"}
    assert {row["fee_asset"] for row in fills} == {"USDT", "USDC"}
    assert {Decimal(row["fee"]) < 0 for row in fills} == {True, False}


@pytest.mark.parametrize("label", LABELS)
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    found = contracts(still, label)
    since, until = still.now() - timedelta(days=11), still.now() - timedelta(days=2)
    pages = [page for scope in found.trade_scopes([]) for page in found.fills_between(scope, since, until)]
    edges = clock.to_ms(since), clock.to_ms(until)
    expected = {
        key: row for key, row in true_fills(still, label).items() if edges[0] <= row["time"] < edges[1]
    }
    assert fill_facts([row for page in pages for row in page.rows]) == expected
    assert expected


def order_facts(rows: list[OrderRow]) -> Facts:
    return {
        row.order_id: {
            "contract": row.symbol,
            "id": int(row.order_id),
            "client_order_id": row.client_order_id,
            "side": row.side.value,
            "position_side": row.position_side.value if row.position_side else "",
            "type": row.type.replace("LIMIT_MAKER", "LIMIT"),
            "status": row.status.value,
            "price": row.price or Decimal(0),
            "quantity": row.quantity,
            "executed": row.executed_quantity,
            "executed_value": row.executed_quote_quantity,
            "time": clock.to_ms(row.ordered_at),
            "updated": clock.to_ms(row.updated_at),
        }
        for row in rows
    }


def true_orders(world: World, label: str, *, is_open: bool) -> Facts:
    rows = [
        {name: value for name, value in row.items() if name not in _UNTOLD}
        for row in flat(truth(world, label)["orders"])
        if (row["status"] in OPEN) is is_open
    ]
    return exact(rows, "price", "quantity", "executed", "executed_value")


_UNTOLD = ("time_in_force", "reduce_only", "is_liquidation")


@pytest.mark.parametrize("label", LABELS)
def test_all_orders_walked_are_the_truth(still: World, label: str) -> None:
    found, rows = contracts(still, label), list[OrderRow]()
    for scope in found.trade_scopes([]):
        good, bad, _ = walk(partial(found.orders, scope))
        assert bad == []
        rows += good
    assert order_facts(rows) == true_orders(still, label, is_open=False)


def plan_facts(rows: list[OrderRow]) -> Facts:
    return {
        row.order_id.removeprefix("tpsl-"): {
            "contract": row.symbol,
            "id": int(row.order_id.removeprefix("tpsl-")),
            "client_order_id": row.client_order_id,
            "side": row.side.value,
            "position_side": row.position_side.value if row.position_side else "",
            "type": {"STOP_LOSS": "STOP_MARKET", "TAKE_PROFIT": "TAKE_PROFIT_MARKET"}[row.type],
            "status": row.status.value,
            "trigger_price": row.stop_price,
            "quantity": row.quantity,
            "time": clock.to_ms(row.ordered_at),
            "updated": clock.to_ms(row.updated_at),
        }
        for row in rows
    }


def true_plans(world: World, label: str) -> Facts:
    rows = [
        {name: value for name, value in row.items() if name not in ("reduce_only", "actual_order_id")}
        for row in flat(truth(world, label)["conditional_orders"])
    ]
    return exact(rows, "trigger_price", "quantity")


@pytest.mark.parametrize("label", LABELS)
def test_open_orders_are_those_of_the_book_and_those_that_wait(still: World, label: str) -> None:
    page = contracts(still, label).open_orders()
    placed = [row for row in page.rows if not row.order_id.startswith("tpsl-")]
    waiting = [row for row in page.rows if row.order_id.startswith("tpsl-")]
    expected = {key: row for key, row in true_plans(still, label).items() if row["status"] == "NEW"}
    assert (order_facts(placed), page.bad) == (true_orders(still, label, is_open=True), ())
    assert plan_facts(waiting) == expected
    assert placed
    assert waiting


@pytest.mark.parametrize("label", LABELS)
def test_every_order_asked_for_alone_is_the_truth(still: World, label: str) -> None:
    found = contracts(still, label)
    told = truth(still, label)
    orders = [found.order(row["contract"], str(row["id"])) for row in flat(told["orders"])[::7]]
    plans = [
        found.order(row["contract"], f"tpsl-{row['id']}") for row in flat(told["conditional_orders"])[::7]
    ]
    both = true_orders(still, label, is_open=False) | true_orders(still, label, is_open=True)
    assert order_facts(orders) == {key: both[key] for key in order_facts(orders)}
    assert plan_facts(plans) == {key: true_plans(still, label)[key] for key in plan_facts(plans)}
    assert (len(orders) > 5, len(plans) > 2) == (True, True)


@pytest.mark.parametrize("order_id", ["1", "tpsl-1"])
def test_an_order_nobody_knows_is_the_callers_mistake(still: World, order_id: str) -> None:
    with pytest.raises(ExchangeError) as raised:
        contracts(still, "hedged").order("BTCUSDT", order_id)
    assert raised.value.kind is ErrorKind.USER


def position_facts(rows: tuple[PositionRow, ...]) -> list[dict[str, Any]]:
    return sorted(
        (
            {
                "contract": row.symbol,
                "side": row.side.value,
                "quantity": row.quantity,
                "entry_price": row.entry_price,
                "mark_price": row.mark_price,
                "liquidation_price": row.liquidation_price or Decimal(0),
                "leverage": row.leverage,
                "margin_mode": row.margin_mode.value if row.margin_mode else "",
                "unrealized": row.unrealized_pnl,
            }
            for row in rows
        ),
        key=lambda each: (each["contract"], each["side"]),
    )


@pytest.mark.parametrize("label", LABELS)
def test_positions_are_the_truth(still: World, label: str) -> None:
    page = contracts(still, label).positions()
    amounts = ("quantity", "entry_price", "mark_price", "liquidation_price", "unrealized")
    expected = [
        {
            name: Decimal(value) if name in (*amounts, "leverage") else value
            for name, value in row.items()
            if name != "position_side"
        }
        for row in truth(still, label)["positions"]
    ]
    expected.sort(key=lambda each: (each["contract"], each["side"]))
    assert (position_facts(page.rows), page.bad) == (expected, ())
    assert {row.is_hedged for row in page.rows} == {label == "hedged"}


@pytest.mark.parametrize("label", LABELS)
def test_all_funding_walked_is_the_truth(still: World, label: str) -> None:
    found = contracts(still, label)
    rows = [
        row
        for scope in found.ledger_scopes()
        for row in walk(partial(found.funding, scope, until=still.now()))[0]
    ]
    told = truth(still, label)["funding"]
    assert {
        (int(row.payment_id), row.symbol, row.asset, row.amount, clock.to_ms(row.paid_at)) for row in rows
    } == {
        (row["id"], row["contract"], row["asset"], Decimal(row["amount"]), row["time"])
        for row in told
        if row["time"] < clock.to_ms(still.now())
    }
    assert told


@pytest.mark.parametrize("label", LABELS)
def test_balances_of_all_wallets_are_the_truth(still: World, label: str) -> None:
    rows = still.account(label).balances().rows
    told = truth(still, label)["balances"]
    assert {
        row.asset: (row.available + row.locked, row.available, row.unrealized_pnl)
        for row in rows
        if row.wallet == "futures"
    } == {
        asset: (Decimal(row["balance"]), Decimal(row["available"]), Decimal(row["unrealized"]))
        for asset, row in told.items()
    }
    assert {row.wallet for row in rows} == {"spot", "futures"}


@pytest.mark.parametrize("label", LABELS)
def test_transfers_between_wallets_are_told_once(still: World, label: str) -> None:
    account = still.account(label)
    rows, bad, _ = walk(partial(account.transfers, TransferKind.INTERNAL, until=still.now()))
    told = truth(still, label)["transfers"]
    assert sorted(
        (int(row.transfer_id), row.asset, row.amount, row.from_wallet, row.to_wallet) for row in rows
    ) == sorted((row["id"], row["asset"], Decimal(row["amount"]), row["from"], row["to"]) for row in told)
    assert bad == []
    assert told


@pytest.mark.parametrize(
    ("kind", "member"), [(TransferKind.REBATE, "rebates"), (TransferKind.CHARGE, "charges")]
)
def test_rebates_and_charges_are_the_truth(still: World, kind: TransferKind, member: str) -> None:
    found: set[tuple[Any, ...]] = set()
    told: set[tuple[Any, ...]] = set()
    for label in LABELS:
        rows, _, _ = walk(partial(still.account(label).transfers, kind, until=still.now()))
        found |= {(label, int(row.transfer_id), row.asset, row.amount) for row in rows}
        told |= {
            (label, row["id"], row["asset"], abs(Decimal(row["amount"])))
            for row in truth(still, label)[member]
        }
    assert found == told
    assert told


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("revoked_key", ErrorKind.AUTH),
        ("rate_limit", ErrorKind.RATE),
        ("bad_gateway", ErrorKind.DOWN),
        ("truncate", ErrorKind.NETWORK),
        ("reset", ErrorKind.NETWORK),
    ],
)
def test_every_fault_is_of_its_kind_and_the_next_walk_recovers(
    world: World, action: str, kind: ErrorKind
) -> None:
    world.simulator.faults.add(action, path=FILLS, times=1, skip=3)
    with pytest.raises(ExchangeError) as raised:
        walked_fills(world, "leveraged")
    assert raised.value.kind is kind
    assert walked_fills(world, "leveraged") == true_fills(world, "leveraged")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    assert walked_fills(world, "leveraged") == true_fills(world, "leveraged")


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    found = contracts(world, "leveraged")
    first = {scope: walk(partial(found.fills, scope)) for scope in found.trade_scopes([])}
    world.clock.advance(hours=6)
    later = [walk(partial(found.fills, scope), ended)[0] for scope, (_, _, ended) in first.items()]
    rows = [row for known, _, _ in first.values() for row in known] + [row for each in later for row in each]
    assert fill_facts(rows) == true_fills(world, "leveraged")


def test_contracts_and_their_mark_prices_are_read(still: World) -> None:
    market = bitget.open_market(still.simulator.url, still.now)
    listings, prices = market.contracts(), market.contract_prices()
    market.close()
    assert (listings.bad, prices.bad, market.has_contracts) == ((), (), True)
    assert {row.symbol for row in prices.rows} == {row.symbol for row in listings.rows}
    known = {row.symbol: row.contract for row in listings.rows}
    perpetual = known["BTCPERP"]
    assert perpetual is not None
    assert (perpetual.base_asset, perpetual.settle_asset, perpetual.size) == ("BTC", "USDC", Decimal(1))
    assert "BTCUSDT" in known


def test_an_account_without_contracts_has_none(still: World) -> None:
    assert still.account("quiet").derivatives is None
