"""What is special of MEXC's walks; what every exchange passes stands in `tests.exchanges.conformance`."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from exchanges.mexc import open_market
from tests.exchanges.mexc.worlds import (
    LABELS,
    START,
    World,
    busiest,
    fill_facts,
    true_fills,
    walk,
)


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


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.ip_restricted) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        False,
    )


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
