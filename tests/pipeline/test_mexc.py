"""A MEXC account: stored is what MEXC still tells, and what it does not tell is never made up."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core import clock as time
from core.money import ZERO
from exchanges.errors import ErrorKind
from exchanges.simulators import profiles
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.mexc.limits import Limits
from orders.models import Fill, Order, Transfer
from pipeline import patience
from pipeline.models import RunStatus, Trigger
from portfolio.balances import latest_rows
from portfolio.comparison import side_by_side
from portfolio.models import Position
from tests.exchanges.simulators.folding import fold
from tests.pipeline.venues import FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db

SYMBOLS = ("BTCUSDT", "ETHUSDT", "ETHBTC", "BTCUSDC")
NEW = replace(profiles.DEMO.shortened(10), symbols=SYMBOLS)
OLD = replace(profiles.DEMO, label="old", days=60, symbols=SYMBOLS, is_live=False)
PEOPLE = (NEW, OLD)
Facts = dict[Any, dict[str, Any]]


def told(world: World, kind: str, days: int) -> list[tuple[str, dict[str, Any]]]:
    """(symbol, fact) of the truth of the last days."""
    groups = world.truth()[kind]
    groups = groups if isinstance(groups, dict) else {"": groups}
    since = world.clock.now_ms() - days * DAY_MS
    return [(name, fact) for name, facts in groups.items() for fact in facts if fact["time"] >= since]


@pytest.fixture(scope="module")
def demo_read(first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("mexc", "demo", PEOPLE)


@pytest.fixture(scope="module")
def old_read(first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("mexc", "old", PEOPLE)


@pytest.fixture
def demo(demo_read: Read, reopen: Reopen) -> World:
    return reopen(demo_read)


@pytest.fixture
def old(old_read: Read, reopen: Reopen) -> World:
    """An account with more history than MEXC tells, read once."""
    return reopen(old_read)


@pytest.fixture
def make_world(open_world: Open) -> Callable[..., World]:
    return lambda label, limits=None: open_world("mexc", label, PEOPLE, limits=limits)


def stored_fills(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_fill_id): {
                "order_id": row.exchange_order_id,
                "side": row.side,
                "price": row.price,
                "quantity": row.quantity,
                "quote_quantity": row.quote_quantity,
                "fee": row.fee_amount,
                "fee_asset": row.fee_currency,
                "is_maker": row.is_maker,
                "time": time.to_ms(row.executed_at),
            }
            for row in Fill.objects.filter(account=world.account)
        }


def true_fills(world: World, days: int = 30) -> Facts:
    return _exact(told(world, "fills", days), "price", "quantity", "quote_quantity", "fee")


def stored_orders(world: World) -> dict[Any, tuple[Any, ...]]:
    with world.door():
        return {
            (row.symbol, row.exchange_order_id): (row.side, row.type, row.status, row.executed_quantity)
            for row in Order.objects.filter(account=world.account)
        }


def true_orders(world: World) -> dict[Any, tuple[Any, ...]]:
    """Those of seven days, and every open one."""
    still_open = [
        (name, fact)
        for name, fact in told(world, "orders", 999)
        if fact["status"] in ("NEW", "PARTIALLY_FILLED")
    ]
    return {
        (name, fact["id"]): (
            fact["side"],
            fact["type"],
            fact["status"].replace("PARTIALLY_CANCELED", "CANCELED"),
            Decimal(fact["executed"]),
        )
        for name, fact in [*told(world, "orders", 7), *still_open]
    }


def stored_transfers(world: World) -> dict[str, tuple[Any, ...]]:
    with world.door():
        return {
            row.tx_id: (row.kind, row.asset, row.amount, row.fee_amount, row.status == "success")
            for row in Transfer.objects.filter(account=world.account)
        }


def true_transfers(world: World) -> dict[str, tuple[Any, ...]]:
    return {
        fact["tx_id"]: (
            kind,
            fact["asset"],
            Decimal(fact["amount"]),
            Decimal(fact["fee"]),
            fact["moves_balance"],
        )
        for kind, name in (("DEPOSIT", "deposits"), ("WITHDRAWAL", "withdrawals"))
        for _, fact in told(world, name, 90)
    }


def stored_balances(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    with world.door():
        rows = latest_rows(account_ids=[world.account.id])
    return {row.asset: (row.available, row.locked) for row in rows if row.available or row.locked}


def true_balances(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    rows = world.truth()["balances"]
    return {asset: (Decimal(row["free"]), Decimal(row["locked"])) for asset, row in rows.items()}


def _exact(facts: list[tuple[str, dict[str, Any]]], *amounts: str) -> Facts:
    return {
        (name, fact["id"]): {
            key: Decimal(value) if key in amounts else value for key, value in fact.items() if key != "id"
        }
        for name, fact in facts
    }


@pytest.mark.parametrize("label", ["demo", "old"])
def test_the_first_sync_stores_what_mexc_still_tells(make_world: Callable[..., World], label: str) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert stored_fills(world) == true_fills(world)
    assert stored_orders(world) == true_orders(world)
    assert stored_transfers(world) == true_transfers(world)
    assert stored_balances(world) == true_balances(world)


def test_a_young_accounts_computed_balances_equal_the_reported_ones(demo: World) -> None:
    with demo.door():
        rows = side_by_side(account_ids=[demo.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}


def test_what_happened_since_comes_with_the_next_sync(demo: World) -> None:
    before = len(stored_fills(demo))
    demo.wait(hours=2)
    run = demo.sync(Trigger.USER)
    assert run.status == RunStatus.OK
    assert stored_fills(demo) == true_fills(demo)
    assert len(stored_fills(demo)) > before


def test_a_second_sync_stores_nothing_twice(old: World) -> None:
    run = old.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})


def untold(world: World) -> dict[str, Decimal]:
    """What the facts MEXC has forgotten did to the balances."""
    truth = world.truth()
    now = world.clock.now_ms()
    older = {
        name: [fact for fact in truth[name] if fact["time"] < now - 90 * DAY_MS]
        for name in ("deposits", "withdrawals")
    }
    fills = {
        name: [fact for fact in facts if fact["time"] < now - 30 * DAY_MS]
        for name, facts in truth["fills"].items()
    }
    return fold({**older, "fills": fills}, holes=False)


def test_what_mexc_has_forgotten_shows_as_a_difference(old: World) -> None:
    with old.door():
        rows = side_by_side(account_ids=[old.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == untold(old) != {}


def test_coins_bought_before_what_mexc_tells_have_an_unknown_cost_and_no_profit(old: World) -> None:
    """All MX was bought earlier; since then it only went out in fees."""
    fills = true_fills(old)
    assert "MXUSDT" not in {symbol for symbol, _ in fills}
    with old.door():
        positions = list(Position.objects.filter(account=old.account, book__asset="MX"))
    assert sum(each.unknown_quantity for each in positions) == sum(
        fact["fee"] for fact in fills.values() if fact["fee_asset"] == "MX"
    )
    assert {(each.entered_quantity, each.exited_quantity, each.gross_pnl) for each in positions} == {
        (ZERO, ZERO, ZERO)
    }


def test_a_first_sync_of_few_markets_fits_ten_seconds(make_world: Callable[..., World]) -> None:
    world = make_world("demo", Limits())
    assert world.sync(Trigger.CONNECT).status == RunStatus.OK


def test_a_run_that_was_too_fast_goes_on_later(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0)  # the simulated clock stands still while anybody waits
    world = make_world("old", Limits(uid=150))
    first = world.sync(Trigger.CONNECT)
    assert (first.status, first.error_kind) == (RunStatus.FAILED, ErrorKind.RATE)
    for _ in range(6):
        world.wait(minutes=2)
        world.work()
    assert set(stored_fills(world)) >= set(true_fills(world)) != set()
