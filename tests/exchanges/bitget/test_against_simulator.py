"""What is peculiar about classic spot accounts, against the simulated Bitget; the rest is held by `conformance`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges import bitget
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import TransferKind
from exchanges.simulators import profiles
from exchanges.simulators.bitget.limits import Limits
from tests.exchanges.bitget.worlds import (
    ORDER_AMOUNTS,
    World,
    exact,
    exact_fills,
    fill_facts,
    made,
    order_facts,
    recent,
    transfer_facts,
    walk,
)

FILLS = "/api/v2/spot/trade/fills"
LABELS = ["demo", "holes", "quiet"]


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: to spoil, or to let time pass."""
    with made() as world:
        yield world


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    """One for all who only read."""
    with made() as world:
        yield world


def true_fills(world: World, symbol: str, label: str = "demo") -> dict[str, dict[str, Any]]:
    return exact_fills(world.truth(label)["fills"][symbol])


def test_fees_are_paid_in_what_was_received_and_in_bgb(still: World) -> None:
    account = still.account()
    rows = [row for symbol in still.truth()["fills"] for row in walk(partial(account.fills, symbol))[0]]
    assert {row.fee_currency == "BGB" for row in rows} == {True, False}
    assert all(row.fee_amount > 0 for row in rows)


def test_every_order_and_trigger_asked_for_alone_is_the_truth(still: World) -> None:
    account, truth = still.account(), still.truth()
    for kind, prefix in (("orders", ""), ("plans", "plan-")):
        for symbol, facts in truth[kind].items():
            rows = [account.order(symbol, f"{prefix}{each['id']}") for each in facts]
            assert order_facts(rows) == exact(facts, *ORDER_AMOUNTS)
    assert {each["status"] for rows in truth["plans"].values() for each in rows} >= {"NEW", "CANCELED"}


@pytest.mark.parametrize("order_id", ["1772127152858071015", "plan-1772138217060591020"])
def test_an_order_nobody_knows_is_the_callers_mistake(still: World, order_id: str) -> None:
    error = refused(lambda: still.account("quiet").order("BTCUSDT", order_id))
    assert (error.kind, error.code) == (ErrorKind.USER, "43001")


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.untold, info.account_type) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        (),
        "classic",
    )


def test_a_key_that_may_withdraw_says_so() -> None:
    with made(profiles=[replace(profiles.SMALL[2], can_withdraw=True)]) as world:
        assert world.account("quiet").info().can_withdraw


@pytest.mark.parametrize("label", LABELS)
def test_every_symbol_ever_traded_is_found(still: World, label: str) -> None:
    account, traded = still.account(label), set(still.truth(label)["fills"])
    assert set(account.sweep_symbols([])) >= traded
    assert set(account.traded_symbols([], [])) >= traded


def test_an_asset_without_a_known_symbol_points_at_its_pairs(still: World) -> None:
    found = still.account("quiet").traded_symbols(["ADA", "BTC"], ["BTCUSDT", "BGBUSDT", "XRPUSDT"])
    assert found == ["ADAUSDT"]


def test_what_is_older_than_90_days_is_gone_and_said_to_be() -> None:
    people = [replace(profiles.SMALL[0], days=150, is_live=False)]
    with made(profiles=people, seed=3) as world:
        account, symbol = world.account(), world.busiest()
        rows, _, _ = walk(partial(account.fills, symbol))
        facts = world.truth()["fills"][symbol]
        assert fill_facts(rows) == exact_fills(recent(facts, world.now()))
        assert len(rows) < len(facts)
        floor = world.now() - timedelta(days=90) + timedelta(hours=1)
        assert account.fills(symbol, "").floor == account.orders(symbol, "").floor == floor


def test_deposits_are_told_from_the_first_on() -> None:
    people = [replace(profiles.SMALL[0], days=150, is_live=False)]
    with made(profiles=people, seed=3) as world:
        rows, _, _ = walk(partial(world.account().transfers, TransferKind.DEPOSIT, until=world.now()))
        page = world.account().transfers(TransferKind.DEPOSIT, "", world.now())
        assert transfer_facts(rows) == exact(world.truth()["deposits"], "amount", "fee")
        assert page.floor is None


def test_many_pages_of_fills_are_the_truth(world: World) -> None:
    world.simulator.add_bulk_account(fills=3_500, label="bulk")
    rows, _, _ = walk(partial(world.account("bulk").fills, "BTCUSDT"))
    told = recent(world.truth("bulk")["fills"]["BTCUSDT"], world.now())
    assert (fill_facts(rows), len(rows) > 500) == (exact_fills(told), True)


def test_fills_that_come_while_a_walk_is_under_way_are_found_by_the_next(world: World) -> None:
    world.simulator.add_bulk_account(fills=3_500, label="bulk")
    account = world.account("bulk")
    first = account.fills("BTCUSDT", "")
    world.simulator.report_late_fill(account="bulk", symbol="BTCUSDT", days=0)
    world.clock.advance(minutes=1)
    rows, _, position = walk(partial(account.fills, "BTCUSDT"), first.next_position)
    later, _, _ = walk(partial(account.fills, "BTCUSDT"), position)
    told = exact_fills(recent(world.truth("bulk")["fills"]["BTCUSDT"], world.now()))
    assert fill_facts([*first.rows, *rows, *later]) == told


def refused(ask: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        ask()
    return raised.value


def test_an_empty_page_by_mistake_is_not_believed(world: World) -> None:
    account, symbol = world.account(), world.busiest()
    rule = world.simulator.faults.add("empty_page", path=FILLS, times=1)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (fill_facts(rows), rule.hits) == (true_fills(world, symbol), 1)


def test_limits_are_by_endpoint_and_second() -> None:
    with made(limits=Limits(private=3)) as world:
        account, lately = world.account(), str(clock.to_ms(world.now() - timedelta(days=1)))
        for _ in range(3):
            account.fills("BTCUSDT", lately)
        error = refused(lambda: account.fills("BTCUSDT", lately))
        assert (error.kind, error.code) == (ErrorKind.RATE, "429")
        assert account.open_orders().rows
        world.clock.advance(seconds=1)
        assert account.fills("BTCUSDT", lately).bad == ()


@pytest.mark.parametrize(("timeframe", "days"), [("1h", 60), ("1d", 400), ("15m", 5), ("1h", 200)])
def test_all_candles_of_a_span_are_read(still: World, timeframe: str, days: int) -> None:
    market = bitget.open_market(still.simulator.url, still.now)
    since, found = still.now() - timedelta(days=days), set[datetime]()
    start = since
    while True:
        page = market.candles("BTCUSDT", timeframe, start, still.now())
        found |= {row.opened_at for row in page.rows}
        if not page.has_more:
            break
        start = page.rows[-1].opened_at
    market.close()
    length = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "1d": timedelta(days=1)}[timeframe]
    first = min(found)
    assert since <= first < since + length
    assert found == {first + number * length for number in range(len(found))}
    assert max(found) >= still.now() - length
