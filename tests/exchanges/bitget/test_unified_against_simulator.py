"""Unified accounts against the simulated Bitget: the same people, told by the endpoints of v3."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from core import clock
from exchanges.base import Account, Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import FillRow, OrderRow, TransferKind
from exchanges.simulators.profiles import SMALL_CONTRACTS
from tests.exchanges.bitget import test_futures_against_simulator as classic
from tests.exchanges.bitget.worlds import (
    OPEN,
    ORDER_AMOUNTS,
    Facts,
    World,
    exact,
    exact_fills,
    fill_facts,
    made,
    order_facts,
    transfer_facts,
    walk,
)

LABELS = ["leveraged", "hedged", "quiet"]
TRADERS = LABELS[:2]
FILLS = "/api/v3/trade/fills"


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    with made(profiles=SMALL_CONTRACTS, unified=LABELS) as world:
        yield world


@pytest.fixture
def world() -> Iterator[World]:
    with made(profiles=SMALL_CONTRACTS, unified=LABELS) as world:
        yield world


def contracts(world: World, label: str) -> Derivatives:
    found = world.account(label).derivatives
    assert found is not None
    return found


def test_info_tells_the_mode_and_what_the_key_may(still: World) -> None:
    info = still.account("leveraged").info()
    assert (info.uid, info.account_type, info.can_read, info.can_trade, info.can_withdraw) == (
        str(still.truth("leveraged")["uid"]),
        "unified",
        True,
        False,
        False,
    )


def test_a_key_that_may_withdraw_says_so() -> None:
    person = replace(SMALL_CONTRACTS[2], can_withdraw=True)
    with made(profiles=[person], unified=["quiet"]) as world:
        assert world.account("quiet").info().can_withdraw


def test_classic_endpoints_are_closed_to_unified_accounts_and_the_other_way() -> None:
    with made(profiles=SMALL_CONTRACTS, unified=["quiet"]) as world:
        kinds = [world.account(label).info().account_type for label in ("quiet", "hedged")]
    assert kinds == ["unified", "classic"]


def walked_spot(account: Account, symbols: list[str]) -> Facts:
    rows: list[FillRow] = []
    for symbol in symbols:
        good, bad, _ = walk(partial(account.fills, symbol))
        assert bad == []
        rows += good
    return fill_facts(rows)


@pytest.mark.parametrize("label", LABELS)
def test_all_spot_fills_walked_are_the_truth(still: World, label: str) -> None:
    truth = still.truth(label)["fills"]
    account = still.account(label)
    facts = exact_fills([row for rows in truth.values() for row in rows])
    assert walked_spot(account, account.sweep_symbols([])) == facts


def test_spot_fills_are_asked_for_once_for_all_symbols(world: World) -> None:
    rule = world.simulator.faults.add("latency", path=FILLS)
    account = world.account("leveraged")
    symbols = account.traded_symbols([], [])
    found = walked_spot(account, symbols)
    pages = -(-len(found) // 100)
    assert set(symbols) >= set(world.truth("leveraged")["fills"])
    assert rule.hits <= pages + 3


def test_the_next_walk_of_spot_finds_what_is_new(world: World) -> None:
    first = world.account("leveraged")
    symbols = first.sweep_symbols([])
    ends = {symbol: walk(partial(first.fills, symbol)) for symbol in symbols}
    world.clock.advance(hours=6)
    second = world.account("leveraged")
    positions = {symbol: position for symbol, (_, _, position) in ends.items()}
    known = [*symbols, *second.traded_symbols([], symbols)]
    later = [
        row for symbol in known for row in walk(partial(second.fills, symbol), positions.get(symbol, ""))[0]
    ]
    rows = [row for told, _, _ in ends.values() for row in told] + later
    truth = world.truth("leveraged")["fills"]
    assert fill_facts(rows) == exact_fills([row for each in truth.values() for row in each])


@pytest.mark.parametrize("label", LABELS)
def test_spot_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    since, until = still.now() - timedelta(days=25), still.now() - timedelta(days=1)
    edges = clock.to_ms(since), clock.to_ms(until)
    for symbol, facts in still.truth(label)["fills"].items():
        rows = [row for page in account.fills_between(symbol, since, until) for row in page.rows]
        expected = [each for each in facts if edges[0] <= each["time"] < edges[1]]
        assert fill_facts(rows) == exact_fills(expected)


@pytest.mark.parametrize("label", LABELS)
def test_all_spot_orders_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, symbol))
        finished = [each for each in facts if each["status"] not in OPEN]
        assert (order_facts(rows), bad) == (exact(finished, *ORDER_AMOUNTS), [])


def strategy_facts(rows: list[OrderRow]) -> Facts:
    """As those of classic accounts; ids carry another prefix here."""
    return order_facts(
        [structs.replace(row, order_id=row.order_id.removeprefix("strategy-")) for row in rows]
    )


@pytest.mark.parametrize("label", LABELS)
def test_open_spot_orders_are_those_of_the_book_and_those_that_wait(still: World, label: str) -> None:
    truth = still.truth(label)
    waiting = [
        each
        for kind in ("orders", "plans")
        for rows in truth[kind].values()
        for each in rows
        if each["status"] in OPEN
    ]
    page = still.account(label).open_orders()
    assert (strategy_facts(list(page.rows)), page.bad) == (exact(waiting, *ORDER_AMOUNTS), ())


def test_every_spot_order_asked_for_alone_is_the_truth(still: World) -> None:
    account, truth = still.account("leveraged"), still.truth("leveraged")
    for kind, prefix in (("orders", ""), ("plans", "strategy-")):
        facts = [(symbol, each) for symbol, rows in truth[kind].items() for each in rows][::5]
        rows = [account.order(symbol, f"{prefix}{each['id']}") for symbol, each in facts]
        assert strategy_facts(rows) == exact([each for _, each in facts], *ORDER_AMOUNTS)
        assert rows


@pytest.mark.parametrize("order_id", ["17", "strategy-17"])
def test_an_order_nobody_knows_is_the_callers_mistake(still: World, order_id: str) -> None:
    with pytest.raises(ExchangeError) as raised:
        still.account("leveraged").order("BTCUSDT", order_id)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.USER, "25204")


@pytest.mark.parametrize("label", LABELS)
def test_balances_of_both_wallets_are_the_truth(still: World, label: str) -> None:
    rows = still.account(label).balances().rows
    for wallet, told in still.truth(label)["wallets"].items():
        found = {row.asset: row.available + row.locked for row in rows if row.wallet == wallet}
        assert found == {asset: Decimal(amount) for asset, amount in told.items()}


def test_unrealised_profit_stands_apart(still: World) -> None:
    rows = still.account("leveraged").balances().rows
    told = still.truth("leveraged")["futures"]["balances"]
    assert {row.asset: row.unrealized_pnl for row in rows if row.unrealized_pnl} == {
        asset: Decimal(row["unrealized"]) for asset, row in told.items() if Decimal(row["unrealized"])
    }


@pytest.mark.parametrize("label", TRADERS)
def test_all_contract_fills_walked_are_the_truth(still: World, label: str) -> None:
    found, rows = contracts(still, label), list[FillRow]()
    for scope in found.trade_scopes([]):
        good, bad, _ = walk(partial(found.fills, scope))
        assert bad == []
        rows += good
    assert classic.fill_facts(rows) == classic.true_fills(still, label)


@pytest.mark.parametrize("label", TRADERS)
def test_all_contract_orders_walked_are_the_truth(still: World, label: str) -> None:
    found, rows = contracts(still, label), list[OrderRow]()
    for scope in found.trade_scopes([]):
        rows += walk(partial(found.orders, scope))[0]
    assert classic.order_facts(rows) == classic.true_orders(still, label, is_open=False)


@pytest.mark.parametrize("label", TRADERS)
def test_open_contract_orders_are_those_of_the_book_and_those_that_wait(still: World, label: str) -> None:
    page = contracts(still, label).open_orders()
    placed = [row for row in page.rows if not row.order_id.startswith("strategy-")]
    waiting = [row for row in page.rows if row.order_id.startswith("strategy-")]
    bare = [structs.replace(row, order_id="tpsl-" + row.order_id.split("-")[1]) for row in waiting]
    plans = {key: row for key, row in classic.true_plans(still, label).items() if row["status"] == "NEW"}
    assert (classic.order_facts(placed), page.bad) == (
        classic.true_orders(still, label, is_open=True),
        (),
    )
    assert classic.plan_facts(bare) == plans
    assert {row.order_id.rpartition("-")[2] for row in waiting} <= {"tp", "sl"}


@pytest.mark.parametrize("label", TRADERS)
def test_contract_orders_asked_for_alone_are_the_truth(still: World, label: str) -> None:
    found, told = contracts(still, label), still.truth(label)["futures"]
    suffixes = {"STOP_MARKET": "sl", "TAKE_PROFIT_MARKET": "tp"}
    orders = [found.order(row["contract"], str(row["id"])) for row in classic.flat(told["orders"])[::9]]
    plans = [
        found.order(row["contract"], f"strategy-{row['id']}-{suffixes[row['type']]}")
        for row in classic.flat(told["conditional_orders"])[::9]
    ]
    both = classic.true_orders(still, label, is_open=False) | classic.true_orders(still, label, is_open=True)
    bare = [structs.replace(row, order_id="tpsl-" + row.order_id.split("-")[1]) for row in plans]
    assert classic.order_facts(orders) == {str(row.order_id): both[row.order_id] for row in orders}
    truth = classic.true_plans(still, label)
    assert classic.plan_facts(bare) == {key: truth[key] for key in classic.plan_facts(bare)}
    assert plans


@pytest.mark.parametrize("label", TRADERS)
def test_positions_are_the_truth(still: World, label: str) -> None:
    page = contracts(still, label).positions()
    told = {(row["contract"], row["side"]): row for row in still.truth(label)["futures"]["positions"]}
    found = {(row.symbol, row.side.value): row for row in page.rows}
    assert (found.keys(), page.bad) == (told.keys(), ())
    for key, row in found.items():
        assert (row.quantity, row.entry_price, row.unrealized_pnl, row.is_hedged) == (
            Decimal(told[key]["quantity"]),
            Decimal(told[key]["entry_price"]),
            Decimal(told[key]["unrealized"]),
            label == "hedged",
        )


@pytest.mark.parametrize("label", TRADERS)
def test_all_funding_walked_is_the_truth(still: World, label: str) -> None:
    found = contracts(still, label)
    rows = [
        row
        for scope in found.ledger_scopes()
        for row in walk(partial(found.funding, scope, until=still.now()))[0]
    ]
    now_ms = clock.to_ms(still.now())
    told = [row for row in still.truth(label)["futures"]["funding"] if row["time"] < now_ms]
    assert {(int(row.payment_id), row.symbol, row.amount) for row in rows} == {
        (row["id"], row["contract"], Decimal(row["amount"])) for row in told
    }
    assert {row.amount > 0 for row in rows} == {True, False}


@pytest.mark.parametrize("label", TRADERS)
def test_only_transfers_with_the_funding_wallet_are_told(still: World, label: str) -> None:
    rows, bad, _ = walk(partial(still.account(label).transfers, TransferKind.INTERNAL, until=still.now()))
    told = [
        (Decimal(row["amount"]), row["asset"], row["to"] == "margin")
        for row in still.truth(label)["futures"]["transfers"]
        if "margin" in (row["from"], row["to"])
    ]
    assert sorted((row.amount, row.asset, row.to_wallet == "funding") for row in rows) == sorted(told)
    assert {frozenset((row.from_wallet, row.to_wallet)) for row in rows} <= {frozenset(("spot", "funding"))}
    assert bad == []


@pytest.mark.parametrize(
    ("kind", "member"), [(TransferKind.REBATE, "rebates"), (TransferKind.CHARGE, "charges")]
)
def test_rebates_and_charges_are_the_truth(still: World, kind: TransferKind, member: str) -> None:
    found: set[tuple[Any, ...]] = set()
    told: set[tuple[Any, ...]] = set()
    for label in TRADERS:
        rows, _, _ = walk(partial(still.account(label).transfers, kind, until=still.now()))
        found |= {(label, int(row.transfer_id), row.asset, row.amount) for row in rows}
        told |= {
            (label, row["id"], row["asset"], abs(Decimal(row["amount"])))
            for row in still.truth(label)["futures"][member]
        }
    assert found == told
    assert told


@pytest.mark.parametrize(
    ("kind", "facts"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", LABELS)
def test_all_deposits_and_withdrawals_are_the_truth(
    still: World, label: str, kind: TransferKind, facts: str
) -> None:
    rows, bad, _ = walk(partial(still.account(label).transfers, kind, until=still.now()))
    assert (transfer_facts(rows), bad) == (exact(still.truth(label)[facts], "amount", "fee"), [])


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("revoked_key", ErrorKind.AUTH),
        ("bad_signature", ErrorKind.AUTH),
        ("rate_limit", ErrorKind.RATE),
        ("bad_gateway", ErrorKind.DOWN),
        ("truncate", ErrorKind.NETWORK),
        ("reset", ErrorKind.NETWORK),
    ],
)
@pytest.mark.parametrize("path", ["/api/v3/account/settings", "/api/v3/account/assets"])
def test_every_fault_is_of_its_kind_and_the_mode_is_not_guessed(
    world: World, action: str, kind: ErrorKind, path: str
) -> None:
    account = world.account("quiet")
    world.simulator.faults.add(action, path=path, times=1)
    with pytest.raises(ExchangeError) as raised:
        account.balances()
    assert raised.value.kind is kind
    assert account.balances().rows
    assert account.info().account_type == "unified"


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    truth = world.truth("leveraged")["fills"]
    facts = exact_fills([row for rows in truth.values() for row in rows])
    assert walked_spot(world.account("leveraged"), sorted(truth)) == facts


def test_many_pages_of_spot_fills_are_the_truth(world: World) -> None:
    simulator = world.simulator
    simulator.add_bulk_account(fills=3_500, label="quiet")
    rows, _, _ = walk(partial(world.account("quiet").fills, "BTCUSDT"))
    floor = clock.to_ms(world.now() - timedelta(days=90) + timedelta(hours=1))
    told = [row for row in world.truth("quiet")["fills"]["BTCUSDT"] if row["time"] >= floor]
    assert (fill_facts(rows), len(told) > 500) == (exact_fills(told), True)


def test_scopes_are_as_short_as_cursors_store_them(still: World) -> None:
    found = contracts(still, "leveraged")
    assert found.ledger_scopes() == [
        *("USDT-FUTURES:in", "USDT-FUTURES:out"),
        *("USDC-FUTURES:in", "USDC-FUTURES:out"),
    ]
