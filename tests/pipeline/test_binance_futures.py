"""A Binance account with USD-M futures: what is stored after syncs over HTTP is what the simulated exchange says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from exchanges.binance.contracts import PREFIX
from exchanges.rows import MarketType, TransferKind
from exchanges.simulators import profiles
from exchanges.simulators.binance import BinanceSimulator
from orders.models import Order, Transfer
from pipeline.models import RunStatus, Trigger
from portfolio.comparison import side_by_side
from portfolio.models import Trade
from tests.exchanges import contract_truth as told
from tests.pipeline import contract_facts as stored
from tests.pipeline.venues import UNLIMITED, FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db

PEOPLE = tuple(
    replace(each.shortened(14), symbols=("BTCUSDT", "ETHUSDT", "BTCUSDC"), ideas_per_100_days=100)
    for each in (profiles.LEVERAGED, profiles.HEDGED)
)
KEPT = timedelta(days=3)  # what ended without a fill is told no longer
FIRED = {"TRIGGERED": "EXPIRED"}  # what it placed is an order of its own


@pytest.fixture(scope="module", params=["leveraged"])
def label(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def first(label: str, first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("binance", label, PEOPLE)


@pytest.fixture
def world(first: Read, reopen: Reopen) -> World:
    """Read once."""
    return reopen(first)


def everything_stored(world: World) -> dict[str, Any]:
    return {
        "fills": stored.fills(world),
        "funding": {key: (fact[0], *fact[2:]) for key, fact in stored.funding(world).items()},
        "transfers": stored.transfers(world),
        "rebates": movements(world, TransferKind.REBATE),
        "charges": movements(world, TransferKind.CHARGE),
        "positions": stored.positions(world),
        "wallet": stored.wallet(world),
    }


def everything_true(world: World) -> dict[str, Any]:
    truth = futures(world)
    truth["transfers"] = [
        row | {key: outside(row[key]) for key in ("from", "to")} for row in truth["transfers"]
    ]
    return {
        "fills": told.true_fills(truth),
        # The income history does not say which side of a hedged contract was paid for.
        "funding": {key: (fact[0], *fact[2:]) for key, fact in told.true_funding(truth).items()},
        "transfers": told.true_transfers(truth, lambda row: str(row["id"])),
        "rebates": sorted((row["asset"], Decimal(row["amount"])) for row in truth["rebates"]),
        "charges": sorted((row["asset"], -Decimal(row["amount"])) for row in truth["charges"]),
        "positions": told.true_positions(truth),
        "wallet": told.true_wallet(truth),
    }


def futures(world: World) -> dict[str, Any]:
    facts: dict[str, Any] = world.truth()["futures"]
    return facts


def outside(wallet: str) -> str:
    return {"funding": "other"}.get(wallet, wallet)


def movements(world: World, kind: TransferKind) -> list[tuple[str, Decimal]]:
    with world.door():
        rows = Transfer.objects.filter(account=world.account, kind=kind)
        return sorted((row.asset, row.amount) for row in rows)


def true_orders(world: World) -> dict[Any, Any]:
    """Every order that had a fill or is open: those are told for long."""
    truth = futures(world)
    return {key: fact for key, fact in told.true_orders(truth).items() if fact[7] or fact[3] == "NEW"}


def true_conditionals(world: World) -> dict[Any, Any]:
    """Side, kind, state and trigger of those that wait or fired."""
    return {
        (name, f"{PREFIX}{row['id']}"): (
            *(row["side"], row["type"], FIRED.get(row["status"], row["status"])),
            Decimal(row["trigger_price"]),
        )
        for name, rows in futures(world)["conditional_orders"].items()
        for row in rows
        if row["status"] in ("NEW", "TRIGGERED")
    }


def check(world: World) -> None:
    """The database holds what happened, exactly."""
    true, found = everything_true(world), everything_stored(world)
    for part, facts in true.items():
        assert found[part] == facts, part
    orders = stored.orders(world)
    assert {key: orders.get(key) for key in true_orders(world)} == true_orders(world)
    waited = {key: (fact[0], *fact[2:5]) for key, fact in stored.conditionals(world).items()}
    assert {key: waited.get(key) for key in true_conditionals(world)} == true_conditionals(world)


@pytest.mark.parametrize("label", ["leveraged", "hedged"], scope="module")
def test_the_first_sync_stores_the_truth(first: Read, world: World) -> None:
    assert (first.run.status, first.run.error_detail) == (RunStatus.OK, "")
    check(world)


def test_spot_and_futures_together_add_up_to_the_reported_balances(world: World) -> None:
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}
    assert {"USDT", "BNB"} <= {row.asset for row in rows}


def test_what_a_stop_or_target_placed_ends_its_trade_as_such(world: World) -> None:
    kinds = {"STOP_MARKET": "SL", "TAKE_PROFIT_MARKET": "TP"}
    with world.door():
        fired = Order.objects.exclude(placed_order_id="").values_list("type", "symbol", "placed_order_id")
        trades = Trade.objects.filter(market_type=MarketType.FUTURES)
        ended = {
            (symbol, name): kind
            for symbol, name, kind in trades.values_list("symbol", "exit_order_id", "exit_type")
        }
        found = {
            (kinds[kind], ended[symbol, name]) for kind, symbol, name in fired if (symbol, name) in ended
        }

    assert found == {("SL", "SL"), ("TP", "TP")}


def test_a_second_sync_stores_nothing_twice(world: World) -> None:
    before = everything_stored(world)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})
    assert everything_stored(world) == before


def test_it_keeps_up_through_faults_and_a_restart(open_world: Open, settings: Settings) -> None:
    world = open_world("binance", "leveraged", PEOPLE)
    world.fault("truncate", path="/fapi/v1/userTrades", times=1)
    world.fault("bad_gateway", path="/fapi/v1/income", times=1)
    world.fault("duplicate_rows", path="/fapi/v1/*", times=20)
    world.fault("out_of_order_rows", path="/fapi/v1/allOrders", times=20)
    world.sync(Trigger.CONNECT)
    world.simulator.faults.clear()
    world.wait(hours=9)
    world.sync()
    # The exchange goes away and comes back with the same world, longer.
    simulator = BinanceSimulator(
        seed=7, clock=world.clock, profiles=PEOPLE, limits=UNLIMITED["binance"], live_from=START
    )
    with simulator:
        settings.EXCHANGE_URLS = f"binance={simulator.url}"
        world.simulator = simulator
        world.wait(hours=13)
        world.sync()
        check(world)
