"""All that an adapter walks is what the simulated exchange says happened."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from exchanges.rows import TransferKind
from tests.exchanges.conformance.house import (
    LABELS,
    MILLISECOND,
    OPEN,
    START,
    TRANSFERS,
    World,
    between,
    fill_facts,
    order_facts,
    walk,
)

every_person = pytest.mark.parametrize("label", LABELS)


@every_person
def test_all_fills_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["fills"]:
        rows, bad, _ = walk(partial(account.fills, symbol))
        assert (fill_facts(rows), bad) == (still.fills(symbol, label), [])


@every_person
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account, since, until = still.account(label), still.now() - timedelta(days=60), still.now() + MILLISECOND
    for symbol in still.truth(label)["fills"]:
        assert between(account, symbol, since, until) == still.fills(symbol, label)


@every_person
def test_all_orders_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["orders"]:
        rows, bad, _ = walk(partial(account.orders, symbol))
        told = still.orders(symbol, label, walked=True)
        if still.house.walks_ended_conditionals:
            waiting = still.conditional_orders(symbol, label).items()
            told |= {key: order for key, order in waiting if order["status"] not in OPEN}
        assert (order_facts(rows), bad) == (told, [])


@every_person
def test_open_orders_are_those_not_final_however_old(still: World, label: str) -> None:
    page = still.account(label).open_orders()
    waiting = {
        key: order
        for symbol in still.symbols(label)
        for facts in (still.orders(symbol, label), still.conditional_orders(symbol, label))
        for key, order in facts.items()
        if order["status"] in OPEN
    }
    assert (order_facts(page.rows), page.bad) == (waiting, ())
    assert waiting or label != "demo"


def test_every_order_asked_for_alone_is_the_truth(still: World) -> None:
    account = still.account("holes")
    for symbol in still.symbols("holes"):
        truth = still.orders(symbol, "holes") | still.conditional_orders(symbol, "holes")
        some = list(truth)[:20] + list(truth)[-20:]
        assert order_facts([account.order(symbol, key) for key in some]) == {key: truth[key] for key in some}


def test_one_order_is_the_one_of_the_walk(still: World) -> None:
    account, symbol = still.account(), still.busiest()
    rows, _, _ = walk(partial(account.orders, symbol))
    assert account.order(symbol, rows[-1].order_id) == rows[-1]


@pytest.mark.parametrize(("kind", "name"), TRANSFERS)
@every_person
def test_all_transfers_walked_are_the_truth(still: World, label: str, kind: TransferKind, name: str) -> None:
    rows, bad, _ = walk(partial(still.account(label).transfers, kind, until=still.now()))
    facts = {still.house.transfer_id(row): still.house.transfer_fact(row) for row in rows}
    assert (facts, bad) == (still.transfers(name, label), [])


@every_person
def test_balances_are_the_truth(still: World, label: str) -> None:
    rows = still.account(label).balances().rows
    truth = {
        asset: (Decimal(each["free"]), Decimal(each["locked"]))
        for asset, each in still.truth(label)["balances"].items()
    }
    if still.house.tells_free:
        assert {row.asset: (row.available, row.locked) for row in rows} == truth
    assert {row.asset: row.available + row.locked for row in rows} == {
        asset: free + locked for asset, (free, locked) in truth.items()
    }


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_withdraw) == (str(still.truth()["uid"]), True, False)


@every_person
def test_every_symbol_ever_traded_is_discovered(still: World, label: str) -> None:
    account, until = still.account(label), still.now()
    touched = {row.asset for row in account.balances().rows}
    for kind, _ in TRANSFERS:
        touched |= {row.asset for row in walk(partial(account.transfers, kind, until=until))[0]}
    asked, traded = set[str](), set[str]()
    while found := account.traded_symbols(sorted(touched), sorted(asked)):
        for symbol in found:
            asked.add(symbol)
            for row in walk(partial(account.fills, symbol))[0]:
                traded.add(symbol)
                touched |= {row.base_asset, row.quote_asset, row.fee_currency}
    told = {symbol for symbol in still.truth(label)["fills"] if still.fills(symbol, label)}
    # What was bought and sold entirely leaves no trace but its fills: the sweep finds it.
    missed = told - traded
    assert missed <= set(account.sweep_symbols(sorted(asked)))
    assert len(traded) >= len(missed)


def test_what_is_forgotten_is_said_to_be(still: World) -> None:
    account, symbol, house = still.account(), still.busiest(), still.house
    for page, keeps in (
        (account.fills(symbol, ""), house.keeps_fills),
        (account.orders(symbol, ""), house.keeps_orders),
        (account.transfers(TransferKind.DEPOSIT, "", still.now()), house.keeps_transfers),
    ):
        if keeps is None:
            assert page.floor is None
        else:  # what is about to be forgotten is not counted on
            assert page.floor is not None
            assert timedelta() <= page.floor - (still.now() - keeps) <= timedelta(hours=1)


def test_market_data_is_read(still: World) -> None:
    market, symbol = still.market(), still.house.wire("BTCUSDT")
    listings, prices = market.listings(), market.prices()
    candles = market.candles(symbol, "1d", START - timedelta(days=30), START)
    market.close()
    priced, listed = {row.symbol for row in prices.rows}, {row.symbol for row in listings.rows}
    assert symbol in priced <= listed
    assert priced == listed or not still.house.lists_only_what_is_traded
    assert (listings.bad, prices.bad, candles.bad) == ((), (), ())
    assert [row.opened_at for row in candles.rows] == [
        datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=number) for number in range(30)
    ]
