"""Contracts at exchanges other than Binance: what is stored after a sync over HTTP is what happened there."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pytest

from credentials.models import ExchangeAccount
from exchanges.rows import MarketType, TransferKind
from exchanges.simulators.profiles import CONTRACTS
from orders.models import Order
from pipeline.models import RunStatus, Stream, Trigger
from portfolio.comparison import side_by_side
from portfolio.models import Trade
from tests.exchanges import contract_truth as true
from tests.pipeline import contract_facts as stored
from tests.pipeline.venues import FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db

PEOPLE = [each.shortened(12) for each in CONTRACTS]


@dataclass(frozen=True)
class Futures:
    """What differs from exchange to exchange."""

    exchange: str
    mode: str = ""
    """Bitget's: classic or unified."""
    transfer_id: Callable[[dict[str, Any]], str] = lambda row: str(row["id"])
    rebate_id: Callable[[dict[str, Any]], str] | None = None
    """None where rebates are not told."""
    own_words: tuple[int, ...] = ()
    """Columns of an order that the exchange says in other words."""
    funding_untold: tuple[int, ...] = ()
    """Columns of a funding payment that it does not tell."""
    tells_wallets: bool = True
    waiting: str = ""
    """The prefix of waiting orders' ids."""
    every_path: str = ""
    fills_path: str = ""

    def __str__(self) -> str:
        return self.exchange + self.mode


# A stop at market, "post only" and "reduce only" have other words at Bitget.
_BITGET: Final[dict[str, Any]] = {"own_words": (2, 4, 9), "funding_untold": (1,)}
CLASSIC: Final = Futures("bitget", "classic", rebate_id=lambda row: str(row["id"]), **_BITGET)
UNIFIED: Final = Futures("bitget", "unified", tells_wallets=False, **_BITGET)
GATEIO: Final = Futures(
    "gateio",
    rebate_id=lambda row: f"usdt-{row['income_id']}",
    waiting="trigger-",
    every_path="/api/v4/futures/*",
    fills_path="/api/v4/futures/usdt/my_trades_timerange",
)
MEXC: Final = Futures(
    "mexc", every_path="/api/v1/private/*", fills_path="/api/v1/private/order/list/order_deals"
)
ALL: Final = [CLASSIC, UNIFIED, GATEIO, MEXC]


def at(*venues: Futures) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("venue", venues, ids=str, scope="module")


@pytest.fixture(scope="module", params=["leveraged"])
def label(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def first(venue: Futures, label: str, first_syncs: FirstSyncs) -> Read:
    unified = {"unified": [label]} if venue.mode == "unified" else {}
    return first_syncs.read(venue.exchange, label, PEOPLE, **unified)


@pytest.fixture
def world(first: Read, reopen: Reopen) -> World:
    """A trader's account, read once."""
    assert (first.run.status, first.run.error_detail) == (RunStatus.OK, "")
    return reopen(first)


def without(facts: true.Facts, columns: tuple[int, ...]) -> true.Facts:
    return {
        key: tuple(value for number, value in enumerate(fact) if number not in columns)
        for key, fact in facts.items()
    }


def all_stored(world: World, venue: Futures) -> dict[str, Any]:
    facts = {
        "fills": stored.fills(world),
        "orders": without(stored.orders(world), venue.own_words),
        "funding": without(stored.funding(world), venue.funding_untold),
        "positions": stored.positions(world),
        "spot": stored.spot_fills(world),
    }
    if venue.tells_wallets:
        facts |= {"transfers": stored.transfers(world), "wallet": stored.wallet(world)}
    return facts


def all_true(world: World, venue: Futures) -> dict[str, Any]:
    told = world.truth()["futures"]
    facts = {
        "fills": true.true_fills(told),
        "orders": without(true.true_orders(told), venue.own_words),
        "funding": without(true.true_funding(told), venue.funding_untold),
        "positions": true.true_positions(told),
        "spot": stored.true_spot_fills(world),
    }
    if venue.tells_wallets:
        transfers = true.true_transfers(told, venue.transfer_id)
        facts |= {"transfers": transfers, "wallet": true.true_wallet(told)}
    return facts


def differences(world: World) -> dict[str, Decimal]:
    """Between what facts add up to and what is reported, of all wallets together."""
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert "USDT" in {row.asset for row in rows}
    return {row.asset: row.difference for row in rows if row.difference}


def untold(world: World) -> dict[str, Decimal]:
    """What no ledger of the exchange tells, though balances show it."""
    rows = world.truth()["futures"].get("untold", [])
    total = sum((Decimal(row["amount"]) for row in rows), Decimal())
    return {"USDT": total} if total else {}


@at(*ALL)
@pytest.mark.parametrize("label", ["leveraged", "hedged"], scope="module")
def test_the_first_sync_stores_the_truth_and_adds_up(world: World, venue: Futures) -> None:
    found = all_stored(world, venue)
    assert found == all_true(world, venue)
    assert all(found.values())
    assert differences(world) == (untold(world) if venue is MEXC else {})
    with world.door():
        assert ExchangeAccount.objects.get(id=world.account.id).account_type == venue.mode or not venue.mode


@at(CLASSIC, GATEIO)
def test_rebates_are_stored(world: World, venue: Futures) -> None:
    assert venue.rebate_id is not None
    rebates = world.truth()["futures"]["rebates"]
    told = {venue.rebate_id(row): Decimal(row["amount"]) for row in rebates}
    found = {key: fact[1] for key, fact in stored.transfers(world, TransferKind.REBATE).items()}
    assert found == told != {}


@at(GATEIO, MEXC)
def test_money_in_contracts_a_key_may_not_see_is_known_to_have_left(venue: Futures, open_world: Open) -> None:
    world = open_world(venue.exchange, "leveraged", PEOPLE)
    simulator: Any = world.simulator
    closed = simulator.desk.closed_to if venue is MEXC else simulator.app.without_contracts
    closed.add("leveraged")
    assert world.sync(Trigger.CONNECT).status == RunStatus.OK
    left = [(fact[2], fact[3]) for fact in stored.transfers(world).values()]
    told = world.truth()["futures"]["transfers"]
    assert left == [("spot", "contracts")] * sum(row["from"] == "spot" for row in told) != []
    assert differences(world) == {}


@at(*ALL)
def test_a_second_sync_stores_nothing_twice_and_the_schedule_what_is_new(
    world: World, venue: Futures
) -> None:
    before = all_stored(world, venue)
    run = world.sync()
    assert (run.status, run.counts, all_stored(world, venue) == before) == (RunStatus.OK, {}, True)
    for _ in range(2):
        world.wait(hours=9)
        world.work()
    world.sync()
    assert all_stored(world, venue) == all_true(world, venue) != before


@at(GATEIO, MEXC)
def test_orders_that_wait_for_a_price_are_followed_to_their_end_and_those_before_are_told(
    world: World, venue: Futures
) -> None:
    known = stored.conditionals(world)
    told = true.true_conditionals(world.truth()["futures"], venue.waiting)
    assert known == told
    assert true.still_open(told) != {} != true.ended(told)
    world.wait(days=3)
    world.sync()
    told = true.true_conditionals(world.truth()["futures"], venue.waiting)
    now = stored.conditionals(world)
    assert {key: now[key] for key in known} == {key: told[key] for key in known}


@at(GATEIO, MEXC)
def test_what_a_stop_or_target_placed_ends_its_trade_as_such(world: World) -> None:
    with world.door():
        fired = Order.objects.exclude(placed_order_id="").values_list("type", "symbol", "placed_order_id")
        trades = Trade.objects.filter(market_type=MarketType.FUTURES)
        ended = {
            (symbol, order): kind
            for symbol, order, kind in trades.values_list("symbol", "exit_order_id", "exit_type")
        }
        found = {(kind[:4], ended[symbol, name]) for kind, symbol, name in fired if (symbol, name) in ended}

    assert found == {("STOP", "SL"), ("TAKE", "TP")}


@at(GATEIO, MEXC)
def test_faults_on_the_way_end_in_the_truth(open_world: Open, venue: Futures) -> None:
    world = open_world(venue.exchange, "leveraged", PEOPLE)
    for action in ("duplicate_rows", "out_of_order_rows"):
        world.fault(action, path=venue.every_path)
    world.fault("bad_gateway", path=venue.fills_path, skip=3, times=1)
    world.sync(Trigger.CONNECT)
    world.simulator.faults.clear()
    world.wait(minutes=30)
    assert world.sync().status == RunStatus.OK
    found, told = all_stored(world, venue), all_true(world, venue)
    # Symbols that no holding points at are looked for a few at a time.
    assert found.pop("spot") <= told.pop("spot")
    assert found == told


@at(GATEIO, MEXC)
def test_contracts_are_walked_by_what_the_exchange_lists_them_by(world: World, venue: Futures) -> None:
    scopes = {"usdt", "btc"} if venue is GATEIO else set(world.truth()["futures"]["fills"])
    assert {world.cursor(Stream.CONTRACT_FILLS, name).scope for name in scopes} == scopes
