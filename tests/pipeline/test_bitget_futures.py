"""Contracts at Bitget, of classic and of unified accounts: what is stored after a sync over HTTP is what happened."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from credentials import accounts
from credentials.models import ExchangeAccount
from exchanges.rows import TransferKind
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import Limits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.profiles import CONTRACTS
from pipeline.models import RunStatus, Trigger
from portfolio.balances import side_by_side
from tests.exchanges import contract_truth as true
from tests.factories import UserFactory
from tests.pipeline import contract_facts as stored
from tests.pipeline import worlds
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db

PEOPLE = [each.shortened(12) for each in CONTRACTS]
Make = Callable[..., World]
# The side of a funding payment is not told; a stop at market, "post only" and "reduce only" have other words here.
_FUNDING_SIDE = 1
_OWN_WORDS = (2, 4, 9)


@pytest.fixture
def make_world(settings: Settings) -> Iterator[Make]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    simulators: list[SimulatedExchange] = []

    def make(label: str, mode: str = "classic") -> World:
        clock = FixedClock(START)
        unified = [label] if mode == "unified" else []
        simulator = BitgetSimulator(
            seed=7, clock=clock, profiles=PEOPLE, limits=Limits.none(), unified=unified
        )
        prices = BinanceSimulator(seed=7, clock=clock, profiles=(), limits=worlds.NO_LIMITS)
        for one in (simulator, prices):
            one.start()
            simulators.append(one)
        settings.EXCHANGE_URLS = f"bitget={simulator.url} binance={prices.url}"
        theirs = simulator.accounts[label]
        user = UserFactory.create()
        account = accounts.connect(
            user_id=user.id,
            exchange="bitget",
            api_key=theirs.api_key,
            secret_key=theirs.api_secret,
            passphrase=simulator.passphrase(label),
            label="Main",
        )
        return World(simulator, clock, label, user, account)

    yield make
    for simulator in simulators:
        simulator.stop()


def without(facts: true.Facts, *columns: int) -> true.Facts:
    return {
        key: tuple(value for number, value in enumerate(fact) if number not in columns)
        for key, fact in facts.items()
    }


def all_stored(world: World) -> tuple[Any, ...]:
    """Fills, orders, funding and positions."""
    return (
        stored.fills(world),
        without(stored.orders(world), *_OWN_WORDS),
        without(stored.funding(world), _FUNDING_SIDE),
        stored.positions(world),
        stored.spot_fills(world),
    )


def all_true(world: World) -> tuple[Any, ...]:
    told = world.truth()["futures"]
    return (
        true.true_fills(told),
        without(true.true_orders(told), *_OWN_WORDS),
        without(true.true_funding(told), _FUNDING_SIDE),
        true.true_positions(told),
        stored.true_spot_fills(world),
    )


def differences(world: World) -> dict[str, Decimal]:
    """Between what facts add up to and what is reported, of all wallets together."""
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    assert "USDT" in {row.asset for row in rows}
    return {row.asset: row.difference for row in rows if row.difference}


@pytest.mark.parametrize("mode", ["classic", "unified"])
@pytest.mark.parametrize("label", ["leveraged", "hedged"])
def test_the_first_sync_stores_the_truth_and_adds_up(make_world: Make, label: str, mode: str) -> None:
    world = make_world(label, mode)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert all_stored(world) == all_true(world)
    assert all(all_stored(world))
    assert differences(world) == {}
    with world.door():
        assert ExchangeAccount.objects.get(id=world.account.id).account_type == mode


def test_transfers_rebates_and_the_wallet_are_stored(make_world: Make) -> None:
    world = make_world("leveraged")
    world.sync(Trigger.CONNECT)
    told = world.truth()["futures"]
    assert stored.transfers(world) == true.true_transfers(told, lambda row: str(row["id"])) != {}
    rebates = {str(row["id"]): Decimal(row["amount"]) for row in told["rebates"]}
    found = {key: fact[1] for key, fact in stored.transfers(world, TransferKind.REBATE).items()}
    assert found == rebates != {}
    assert stored.wallet(world) == true.true_wallet(told)


@pytest.mark.parametrize("mode", ["classic", "unified"])
def test_a_second_sync_stores_nothing_twice_and_a_later_one_what_is_new(make_world: Make, mode: str) -> None:
    world = make_world("leveraged", mode)
    world.sync(Trigger.CONNECT)
    before = all_stored(world)
    run = world.sync()
    assert (run.status, run.counts, all_stored(world) == before) == (RunStatus.OK, {}, True)
    world.wait(hours=9)
    world.sync()
    assert all_stored(world) == all_true(world) != before
