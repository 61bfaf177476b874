"""Walks end, resume and overlap without losing or doubling anything."""

from datetime import timedelta
from functools import partial

import pytest

from core import clock
from exchanges.rows import TransferKind
from tests.exchanges.conformance.house import MILLISECOND, Facts, World, between, fill_facts, walk


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("last", [0, 1])
def test_a_window_is_half_open_to_the_millisecond(still: World, first: int, last: int) -> None:
    symbol = still.busiest()
    truth = still.fills(symbol)
    times = sorted(fill["time"] for fill in truth.values())
    since, until = times[3] + first, times[-3] + last
    found = between(still.account(), symbol, clock.from_ms(since), clock.from_ms(until))
    assert found == {key: fill for key, fill in truth.items() if since <= fill["time"] < until}
    assert found


def test_a_window_of_one_millisecond_holds_what_happened_in_it(still: World) -> None:
    symbol = still.busiest()
    truth = still.fills(symbol)
    at = sorted(fill["time"] for fill in truth.values())[len(truth) // 2]
    found = between(still.account(), symbol, clock.from_ms(at), clock.from_ms(at) + MILLISECOND)
    assert found == {key: fill for key, fill in truth.items() if fill["time"] == at}


def test_an_empty_window_is_empty(still: World) -> None:
    at = still.now() - timedelta(days=1)
    assert between(still.account(), still.busiest(), at, at) == {}


def test_transfers_are_told_before_a_moment_not_at_it(still: World) -> None:
    account, house = still.account(), still.house
    truth = still.transfers("deposits")
    times = {str(each[house.transfer_key]): each["time"] for each in still.truth()["deposits"]}
    last = max(truth, key=lambda key: times[key])
    rows, _, _ = walk(partial(account.transfers, TransferKind.DEPOSIT, until=clock.from_ms(times[last])))
    assert {house.transfer_id(row) for row in rows} == {key for key in truth if times[key] < times[last]}


def test_a_walk_goes_on_in_another_session_after_every_page(world: World) -> None:
    world.simulator.add_bulk_account(fills=world.house.bulk, label="bulk")
    symbol, position, found, pages = world.house.wire("BTCUSDT"), world.house.bulk_from, Facts(), 0
    while True:
        page = world.account("bulk").fills(symbol, position)
        known = fill_facts(page.rows)
        assert {key: found[key] for key in known.keys() & found.keys()} == {
            key: known[key] for key in known.keys() & found.keys()
        }
        found |= known
        pages, position = pages + 1, page.next_position
        if not page.has_more:
            break
    assert found == world.fills(symbol, "bulk")
    assert pages > 1


def test_a_page_asked_for_again_is_the_same_page(still: World) -> None:
    account, symbol, position = still.account(), still.busiest(), ""
    for _ in range(4):
        page, again = account.fills(symbol, position), account.fills(symbol, position)
        assert (again.rows, again.next_position, again.has_more) == (
            page.rows,
            page.next_position,
            page.has_more,
        )
        position = page.next_position


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account = world.account()
    before = {symbol: world.fills(symbol) for symbol in world.truth()["fills"]}
    ends = {symbol: walk(partial(account.fills, symbol))[2] for symbol in before}
    world.clock.advance(hours=6)
    after = {symbol: world.fills(symbol) for symbol in before}
    for symbol, position in ends.items():
        later, _, _ = walk(partial(account.fills, symbol), position)
        assert (
            fill_facts(later).items()
            >= {key: fill for key, fill in after[symbol].items() if key not in before[symbol]}.items()
        )
    assert before != after


@pytest.mark.parametrize("days", [0, 2])
@pytest.mark.parametrize("newest_id", [False, True])
def test_a_late_fill_is_found(world: World, days: int, newest_id: bool) -> None:
    account, symbol, house = world.account(), world.busiest(), world.house
    before = world.fills(symbol)
    first, _, position = walk(partial(account.fills, symbol))
    world.simulator.report_late_fill(
        account="demo", symbol=house.plain(symbol), days=days, newest_id=newest_id
    )
    truth = world.fills(symbol)
    if not house.late_fills_by_recheck_only:
        again, _, _ = walk(partial(account.fills, symbol), position)
        assert fill_facts([*first, *again]) == truth
    since = world.now() - timedelta(days=3)
    rechecked = between(account, symbol, since, world.now() + MILLISECOND)
    assert fill_facts(first) | rechecked == truth
    assert len(truth) == len(before) + 1


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=world.house.bulk, label="bulk")
    symbol = world.house.wire("BTCUSDT")
    rows, bad, _ = walk(partial(world.account("bulk").fills, symbol), world.house.bulk_from)
    assert (fill_facts(rows), bad) == (world.fills(symbol, "bulk"), [])
    deposits, _, _ = walk(partial(world.account().transfers, TransferKind.DEPOSIT, until=world.now()))
    assert {world.house.transfer_id(row) for row in deposits} == world.transfers("deposits").keys()


def test_an_empty_page_by_mistake_is_made_good(world: World) -> None:
    account, symbol = world.account(), world.busiest()
    rule = world.simulator.faults.add("empty_page", path=world.house.fills_path, times=1)
    rows, _, position = walk(partial(account.fills, symbol))
    if world.house.empty_page_by_recheck_only:
        since = world.now() - timedelta(days=60)
        found = between(account, symbol, since, world.now() + MILLISECOND)
    else:
        found = fill_facts(walk(partial(account.fills, symbol), position)[0])
    assert (fill_facts(rows) | found, rule.hits) == (world.fills(symbol), 1)


@pytest.mark.parametrize(
    ("action", "name", "reason"),
    [("many_decimals", "quantity", "has more than 18 decimals"), ("unreadable_row", "price", "is missing")],
)
def test_a_bad_row_is_set_aside_and_the_others_are_read(
    world: World, action: str, name: str, reason: str
) -> None:
    account, symbol, house = world.account(), world.busiest(), world.house
    truth = world.fills(symbol)
    at = max(fill["time"] for fill in truth.values())
    since, until = clock.from_ms(at) - timedelta(days=2), clock.from_ms(at) + MILLISECOND
    rule = world.simulator.faults.add(action, path=house.fills_path, field=house.fields[name], times=1)
    pages = list(account.fills_between(symbol, since, until))
    [bad] = [each for page in pages for each in page.bad]
    found = fill_facts([row for page in pages for row in page.rows])
    inside = {key: fill for key, fill in truth.items() if clock.to_ms(since) <= fill["time"]}
    assert (rule.hits, reason in bad.reason) == (1, True)
    assert found.items() <= inside.items()
    # A page that overlaps may bring the row after all.
    assert inside.keys() - found.keys() <= {str(bad.raw[house.fields["id"]])}
    assert between(account, symbol, since, until) == inside


def test_a_slow_answer_is_waited_for(world: World) -> None:
    rule = world.simulator.faults.add("latency", ms=60, times=1)
    assert (len(world.account().balances().rows) > 0, rule.hits) == (True, 1)
