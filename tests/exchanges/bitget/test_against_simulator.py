"""The adapter against the simulated Bitget: all that is walked is true, every fault ends clearly."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
    OPEN,
    ORDER_AMOUNTS,
    START,
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
from tests.exchanges.simulators.folding import reported

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


@pytest.mark.parametrize("label", LABELS)
def test_all_fills_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["fills"].items():
        rows, bad, _ = walk(partial(account.fills, symbol))
        assert (fill_facts(rows), bad) == (exact_fills(facts), [])


def test_fees_are_paid_in_what_was_received_and_in_bgb(still: World) -> None:
    account = still.account()
    rows = [row for symbol in still.truth()["fills"] for row in walk(partial(account.fills, symbol))[0]]
    assert {row.fee_currency == "BGB" for row in rows} == {True, False}
    assert all(row.fee_amount > 0 for row in rows)


@pytest.mark.parametrize("label", LABELS)
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    since = still.now() - timedelta(days=40)
    for symbol, facts in still.truth(label)["fills"].items():
        pages = account.fills_between(symbol, since, still.now() + timedelta(milliseconds=1))
        assert fill_facts([row for page in pages for row in page.rows]) == exact_fills(facts)


def test_fills_between_two_fills_are_exact(still: World) -> None:
    symbol = still.busiest()
    facts = sorted(still.truth()["fills"][symbol], key=lambda each: (each["time"], each["id"]))
    since, until = facts[3]["time"], facts[-3]["time"]
    pages = still.account().fills_between(symbol, clock.from_ms(since), clock.from_ms(until))
    expected = exact_fills([each for each in facts if since <= each["time"] < until])
    assert fill_facts([row for page in pages for row in page.rows]) == expected
    assert expected


@pytest.mark.parametrize("label", LABELS)
def test_all_orders_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, symbol))
        finished = [each for each in facts if each["status"] not in OPEN]
        assert (order_facts(rows), bad) == (exact(finished, *ORDER_AMOUNTS), [])


def test_open_orders_are_those_of_the_book_and_the_triggers_that_wait(still: World) -> None:
    truth = still.truth()
    waiting = [
        each
        for kind in ("orders", "plans")
        for rows in truth[kind].values()
        for each in rows
        if each["status"] in OPEN
    ]
    page = still.account().open_orders()
    assert (order_facts(list(page.rows)), page.bad) == (exact(waiting, *ORDER_AMOUNTS), ())
    assert {row.order_id.startswith("plan-") for row in page.rows} == {True, False}


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


@pytest.mark.parametrize(
    ("kind", "facts"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", LABELS)
def test_all_transfers_walked_are_the_truth(still: World, label: str, kind: TransferKind, facts: str) -> None:
    account, until = still.account(label), still.now()
    rows, bad, _ = walk(partial(account.transfers, kind, until=until))
    truth = exact(still.truth(label)[facts], "amount", "fee")
    assert (transfer_facts(rows), bad) == (truth, [])


@pytest.mark.parametrize("label", LABELS)
def test_balances_are_the_truth(still: World, label: str) -> None:
    page = still.account(label).balances()
    assert {row.asset: row.available + row.locked for row in page.rows} == reported(still.truth(label))


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


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), world.busiest()
    first, _, position = walk(partial(account.fills, symbol))
    world.clock.advance(hours=6)
    later, _, _ = walk(partial(account.fills, symbol), position)
    assert fill_facts([*first, *later]) == true_fills(world, symbol)


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


def test_a_late_fill_is_found_by_the_nightly_recheck(world: World) -> None:
    account, symbol = world.account(), world.busiest()
    before = set(true_fills(world, symbol))
    world.simulator.report_late_fill(account="demo", symbol=symbol, days=2)
    pages = account.fills_between(symbol, world.now() - timedelta(days=3), world.now())
    found = fill_facts([row for page in pages for row in page.rows])
    assert set(true_fills(world, symbol)) - before <= set(found)


def refused(ask: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        ask()
    return raised.value


@pytest.mark.parametrize(
    ("fault", "kind", "retry_in"),
    [
        ({"action": "revoked_key"}, ErrorKind.AUTH, None),
        ({"action": "bad_signature"}, ErrorKind.AUTH, None),
        ({"action": "rate_limit"}, ErrorKind.RATE, None),
        ({"action": "rate_limit", "retry_after": 30}, ErrorKind.RATE, 30),
        ({"action": "ban", "retry_after": 120}, ErrorKind.DOWN, None),
        ({"action": "bad_gateway"}, ErrorKind.DOWN, None),
        ({"action": "truncate"}, ErrorKind.NETWORK, None),
        ({"action": "reset"}, ErrorKind.NETWORK, None),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
def test_every_fault_is_of_its_kind_and_the_next_walk_recovers(
    world: World, fault: dict[str, Any], kind: ErrorKind, retry_in: int | None
) -> None:
    world.simulator.add_bulk_account(fills=3_500, label="bulk")
    account = world.account("bulk")
    rule = world.simulator.faults.add(**fault, path=FILLS, times=1, skip=2)
    error = refused(lambda: walk(partial(account.fills, "BTCUSDT")))
    retry_at = None if retry_in is None else world.now() + timedelta(seconds=retry_in)
    assert (error.kind, error.retry_at, rule.hits) == (kind, retry_at, 1)
    rows, _, _ = walk(partial(account.fills, "BTCUSDT"))
    told = recent(world.truth("bulk")["fills"]["BTCUSDT"], world.now())
    assert fill_facts(rows) == exact_fills(told)


def test_a_late_answer_is_an_answer(world: World) -> None:
    world.simulator.faults.add("latency", ms=50, times=1)
    assert world.account().balances().rows


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "bg_" + "a" * 32}, "40006"),
        ({"secret": "a" * 64}, "40009"),
        ({"passphrase": "wrong"}, "40012"),
    ],
)
def test_wrong_keys_are_refused(still: World, given: dict[str, str], code: str) -> None:
    error = refused(still.account(**given).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, code)


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account = still.account(now=lambda: still.now() + off)
    assert account.balances().rows
    assert account.clock_offset == -off


def test_walks_go_by_the_exchanges_clock(still: World) -> None:
    account = still.account(now=lambda: still.now() - timedelta(hours=5))
    symbol = still.busiest()
    account.balances()
    rows, _, _ = walk(partial(account.fills, symbol))
    assert fill_facts(rows) == true_fills(still, symbol)


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path="/api/v2/spot/account/assets")
    error = refused(world.account().balances)
    assert (error.kind, error.code) == (ErrorKind.CLOCK, "40008")


def test_an_unknown_symbol_is_the_callers_mistake(still: World) -> None:
    error = refused(lambda: still.account().fills("NOPEUSDT", ""))
    assert (error.kind, error.code) == (ErrorKind.USER, "40034")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=2_200, label="bulk")
    account, until = world.account("bulk"), world.now()
    rows, bad, _ = walk(partial(account.fills, "BTCUSDT"))
    told = recent(world.truth("bulk")["fills"]["BTCUSDT"], until)
    assert (fill_facts(rows), bad) == (exact_fills(told), [])
    deposits, _, _ = walk(partial(world.account().transfers, TransferKind.DEPOSIT, until=until))
    assert {int(row.transfer_id) for row in deposits} == {each["id"] for each in world.truth()["deposits"]}


def test_an_empty_page_by_mistake_is_not_believed(world: World) -> None:
    account, symbol = world.account(), world.busiest()
    rule = world.simulator.faults.add("empty_page", path=FILLS, times=1)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (fill_facts(rows), rule.hits) == (true_fills(world, symbol), 1)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"action": "many_decimals", "field": "size"}, "has more than 18 decimals"),
        ({"action": "unreadable_row", "field": "priceAvg"}, "priceAvg is missing"),
        ({"action": "unreadable_row", "field": "feeDetail"}, "feeDetail is unreadable"),
    ],
    ids=["many decimals", "no price", "no fee"],
)
def test_a_spoilt_row_is_set_aside(world: World, action: dict[str, Any], reason: str) -> None:
    account, symbol = world.account(), world.busiest()
    world.simulator.faults.add(**action, path=FILLS, times=1)
    rows, bad, _ = walk(partial(account.fills, symbol))
    truth = true_fills(world, symbol)
    assert (len(rows), len(bad), reason in bad[0].reason) == (len(truth) - 1, 1, True)


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


def test_public_data_is_read(still: World) -> None:
    market = bitget.open_market(still.simulator.url, still.now)
    listings, prices = market.listings(), market.prices()
    candles = market.candles("BTCUSDT", "1d", START - timedelta(days=30), still.now())
    market.close()
    assert {row.symbol for row in prices.rows} == {row.symbol for row in listings.rows}
    assert (listings.bad, prices.bad, candles.bad) == ((), (), ())
    assert [row.opened_at for row in candles.rows] == [
        datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=number) for number in range(30)
    ]


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
