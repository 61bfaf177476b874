"""A MEXC account: stored is what MEXC still tells, and what it does not tell is never made up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from accounts.models import User
from core import clock as time
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from core.money import ZERO
from credentials import accounts
from credentials.models import ExchangeAccount
from exchanges.errors import ErrorKind
from exchanges.simulators import profiles
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.exchange import SimulatedExchange
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from orders.models import Fill, Order, Transfer
from pipeline import runs
from pipeline.models import RunStatus, SyncRun, Trigger
from pipeline.sync import sync_account
from portfolio.balances import latest_rows, side_by_side
from portfolio.models import Position
from tests.exchanges.simulators.folding import fold
from tests.factories import UserFactory
from tests.pipeline import worlds
from tests.pipeline.worlds import START

pytestmark = pytest.mark.django_db

# The simulated clock stands still, so the weight of ten seconds never runs out by itself.
NO_LIMITS = Limits(ip=10**9, uid=10**9, contracts=10**9, contract_details=10**9)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "ETHBTC", "BTCUSDC")
NEW = replace(profiles.DEMO.shortened(10), symbols=SYMBOLS)
OLD = replace(profiles.DEMO, label="old", days=60, symbols=SYMBOLS, is_live=False)
Facts = dict[Any, dict[str, Any]]


@dataclass
class MexcWorld:
    """One simulated trader and our account of them."""

    simulator: MexcSimulator
    clock: FixedClock
    label: str
    user: User
    account: ExchangeAccount

    def now(self) -> datetime:
        return time.from_ms(self.clock.now_ms())

    def sync(self, trigger: Trigger = Trigger.COMMAND) -> SyncRun:
        """Everything followed, now."""
        runs.request(user_id=self.user.id, account_ids=[self.account.id], trigger=trigger, at=self.now())
        run = self.work(trigger)
        assert run is not None
        return run

    def work(self, trigger: Trigger = Trigger.SCHEDULE) -> SyncRun | None:
        """What is due."""
        with actors.acting(Actor(kind=ActorKind.WORKER)):
            return sync_account(
                user_id=self.user.id,
                account_id=self.account.id,
                trigger=trigger,
                at=self.now(),
                clock=self.now,
            )

    def wait(self, **parts: float) -> None:
        """Time passes, also for what the cache remembers."""
        self.clock.advance(**parts)  # type: ignore[arg-type]
        cache.clear()

    def told(self, kind: str, days: int) -> list[tuple[str, dict[str, Any]]]:
        """(symbol, fact) of the truth of the last days."""
        groups = self.simulator.truth()["accounts"][self.label][kind]
        groups = groups if isinstance(groups, dict) else {"": groups}
        since = self.clock.now_ms() - days * DAY_MS
        return [(name, fact) for name, facts in groups.items() for fact in facts if fact["time"] >= since]


@pytest.fixture
def make_world(settings: Settings) -> Iterator[Callable[..., MexcWorld]]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    simulators: list[SimulatedExchange] = []

    def make(label: str, limits: Limits = NO_LIMITS) -> MexcWorld:
        clock = FixedClock(START)
        simulator = MexcSimulator(seed=7, clock=clock, profiles=(NEW, OLD), limits=limits)
        prices = BinanceSimulator(seed=7, clock=clock, profiles=(), limits=worlds.NO_LIMITS)
        for one in (simulator, prices):
            one.start()
            simulators.append(one)
        settings.EXCHANGE_URLS = f"mexc={simulator.url} binance={prices.url}"
        theirs, user = simulator.accounts[label], UserFactory.create()
        account = accounts.connect(
            user_id=user.id,
            exchange="mexc",
            api_key=theirs.api_key,
            secret_key=theirs.api_secret,
            label="Main",
        )
        return MexcWorld(simulator, clock, label, user, account)

    yield make
    for simulator in simulators:
        simulator.stop()


def stored_fills(world: MexcWorld) -> Facts:
    with tenancy.acting_as(world.user.id):
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


def true_fills(world: MexcWorld, days: int = 30) -> Facts:
    return _exact(world.told("fills", days), "price", "quantity", "quote_quantity", "fee")


def stored_orders(world: MexcWorld) -> dict[Any, tuple[Any, ...]]:
    with tenancy.acting_as(world.user.id):
        return {
            (row.symbol, row.exchange_order_id): (row.side, row.type, row.status, row.executed_quantity)
            for row in Order.objects.filter(account=world.account)
        }


def true_orders(world: MexcWorld) -> dict[Any, tuple[Any, ...]]:
    """Those of seven days, and every open one."""
    still_open = [
        (name, fact)
        for name, fact in world.told("orders", 999)
        if fact["status"] in ("NEW", "PARTIALLY_FILLED")
    ]
    return {
        (name, fact["id"]): (
            fact["side"],
            fact["type"],
            fact["status"].replace("PARTIALLY_CANCELED", "CANCELED"),
            Decimal(fact["executed"]),
        )
        for name, fact in [*world.told("orders", 7), *still_open]
    }


def stored_transfers(world: MexcWorld) -> dict[str, tuple[Any, ...]]:
    with tenancy.acting_as(world.user.id):
        return {
            row.tx_id: (row.kind, row.asset, row.amount, row.fee_amount, row.status == "success")
            for row in Transfer.objects.filter(account=world.account)
        }


def true_transfers(world: MexcWorld) -> dict[str, tuple[Any, ...]]:
    return {
        fact["tx_id"]: (
            kind,
            fact["asset"],
            Decimal(fact["amount"]),
            Decimal(fact["fee"]),
            fact["moves_balance"],
        )
        for kind, name in (("DEPOSIT", "deposits"), ("WITHDRAWAL", "withdrawals"))
        for _, fact in world.told(name, 90)
    }


def stored_balances(world: MexcWorld) -> dict[str, tuple[Decimal, Decimal]]:
    with tenancy.acting_as(world.user.id):
        rows = latest_rows(account_ids=[world.account.id])
    return {row.asset: (row.available, row.locked) for row in rows if row.available or row.locked}


def true_balances(world: MexcWorld) -> dict[str, tuple[Decimal, Decimal]]:
    told = world.simulator.truth()["accounts"][world.label]["balances"]
    return {asset: (Decimal(row["free"]), Decimal(row["locked"])) for asset, row in told.items()}


def _exact(facts: list[tuple[str, dict[str, Any]]], *amounts: str) -> Facts:
    return {
        (name, fact["id"]): {
            key: Decimal(value) if key in amounts else value for key, value in fact.items() if key != "id"
        }
        for name, fact in facts
    }


@pytest.mark.parametrize("label", ["demo", "old"])
def test_the_first_sync_stores_what_mexc_still_tells(
    make_world: Callable[..., MexcWorld], label: str
) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    assert stored_fills(world) == true_fills(world)
    assert stored_orders(world) == true_orders(world)
    assert stored_transfers(world) == true_transfers(world)
    assert stored_balances(world) == true_balances(world)


def test_a_young_accounts_computed_balances_equal_the_reported_ones(
    make_world: Callable[..., MexcWorld],
) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    with tenancy.acting_as(world.user.id):
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == {}


def test_what_happened_since_comes_with_the_next_sync(make_world: Callable[..., MexcWorld]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    before = len(stored_fills(world))
    world.wait(hours=2)
    run = world.sync(Trigger.USER)
    assert run.status == RunStatus.OK
    assert stored_fills(world) == true_fills(world)
    assert len(stored_fills(world)) > before


def test_a_second_sync_stores_nothing_twice(make_world: Callable[..., MexcWorld]) -> None:
    world = make_world("old")
    world.sync(Trigger.CONNECT)
    run = world.sync()
    assert (run.status, run.counts) == (RunStatus.OK, {})


def untold(world: MexcWorld) -> dict[str, Decimal]:
    """What the facts MEXC has forgotten did to the balances."""
    told = world.simulator.truth()["accounts"][world.label]
    now = world.clock.now_ms()
    older = {
        name: [fact for fact in told[name] if fact["time"] < now - 90 * DAY_MS]
        for name in ("deposits", "withdrawals")
    }
    fills = {
        name: [fact for fact in facts if fact["time"] < now - 30 * DAY_MS]
        for name, facts in told["fills"].items()
    }
    return fold({**older, "fills": fills}, holes=False)


def test_what_mexc_has_forgotten_shows_as_a_difference(make_world: Callable[..., MexcWorld]) -> None:
    world = make_world("old")
    world.sync(Trigger.CONNECT)
    with tenancy.acting_as(world.user.id):
        rows = side_by_side(account_ids=[world.account.id])
    assert {row.asset: row.difference for row in rows if row.difference} == untold(world) != {}


def test_coins_bought_before_what_mexc_tells_have_an_unknown_cost_and_no_profit(
    make_world: Callable[..., MexcWorld],
) -> None:
    """All MX was bought earlier; since then it only went out in fees."""
    world = make_world("old")
    world.sync(Trigger.CONNECT)
    fills = true_fills(world)
    assert "MXUSDT" not in {symbol for symbol, _ in fills}
    with tenancy.acting_as(world.user.id):
        positions = list(Position.objects.filter(account=world.account, book__asset="MX"))
    assert sum(each.unknown_quantity for each in positions) == sum(
        fact["fee"] for fact in fills.values() if fact["fee_asset"] == "MX"
    )
    assert {(each.entered_quantity, each.exited_quantity, each.gross_pnl) for each in positions} == {
        (ZERO, ZERO, ZERO)
    }


def test_a_first_sync_of_few_markets_fits_ten_seconds(make_world: Callable[..., MexcWorld]) -> None:
    world = make_world("demo", Limits())
    assert world.sync(Trigger.CONNECT).status == RunStatus.OK


def test_a_run_that_was_too_fast_goes_on_later(make_world: Callable[..., MexcWorld]) -> None:
    world = make_world("old", Limits(uid=150))
    first = world.sync(Trigger.CONNECT)
    assert (first.status, first.error_kind) == (RunStatus.FAILED, ErrorKind.RATE)
    for _ in range(6):
        world.wait(minutes=2)
        world.work()
    assert set(stored_fills(world)) >= set(true_fills(world)) != set()
