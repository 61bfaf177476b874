"""What a worker reads while somebody waits: fresh rows by the door of a sync, and a word when that fails."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.audit import Action
from credentials.models import ExchangeAccount
from pipeline import live_reads
from pipeline.live import Reading, What
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from portfolio.models import PortfolioSnapshot
from tests.accounts.trails import trail_of
from tests.exchanges import contract_truth
from tests.factories import UserFactory
from tests.pipeline import contract_facts, test_futures
from tests.pipeline.facts import (
    stored_balances,
    stored_fills,
    stored_orders,
    stored_transfers,
    true_balances,
    true_fills,
    true_orders,
    true_transfers,
)
from tests.pipeline.venues import FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import PROFILES, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_worker")]


def perform(world: World, what: What, **more: Any) -> str:
    """A live read by the simulated clock."""
    reading = Reading(what, world.account.exchange, world.user.id, world.account.id, **more)
    return live_reads.perform(reading, clock=world.now)


@pytest.fixture(scope="module")
def first(first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("binance", "demo", PROFILES)


@pytest.fixture
def traded(first: Read, reopen: Reopen) -> World:
    """Everything was synced; then a day of trading went by."""
    world = reopen(first)
    world.wait(days=1)
    return world


def test_balances_are_those_of_this_moment(traded: World) -> None:
    before = stored_balances(traded)

    assert perform(traded, What.BALANCES) == ""

    assert stored_balances(traded) == true_balances(traded)
    assert stored_balances(traded) != before
    assert traded.cursor(Stream.BALANCES).last_ok_at == traded.now()


def test_executions_come_for_what_is_traded(traded: World) -> None:
    before = stored_fills(traded)

    assert perform(traded, What.FILLS) == ""

    new = stored_fills(traded).keys() - before.keys()
    assert {symbol for symbol, _ in new} == {"ETHUSDT"}  # the simulated trader took up the other pairs today
    assert stored_fills(traded).items() <= true_fills(traded).items()


def test_the_symbol_asked_for_is_read_to_its_end(traded: World) -> None:
    assert perform(traded, What.FILLS, symbol="ETHUSDT") == ""

    stored, true = (
        {key: row for key, row in told.items() if key[0] == "ETHUSDT"}
        for told in (stored_fills(traded), true_fills(traded))
    )
    assert stored == true


def test_orders_of_a_symbol_are_read_to_their_end(traded: World) -> None:
    assert perform(traded, What.ORDERS, symbol="BTCUSDT") == ""

    stored, true = (
        {key: row for key, row in told.items() if key[0] == "BTCUSDT"}
        for told in (stored_orders(traded), true_orders(traded))
    )
    assert stored == true


@pytest.mark.parametrize("what", [What.DEPOSITS, What.WITHDRAWALS])
def test_transfers_are_read(what: What, traded: World) -> None:
    traded.wait(days=6)

    assert perform(traded, what) == ""

    kind = what.value.upper().removesuffix("S")
    stored, true = (
        {key: row for key, row in told.items() if key[0] == kind}
        for told in (stored_transfers(traded), true_transfers(traded))
    )
    assert stored == true


def test_a_snapshot_is_drawn_anew(traded: World) -> None:
    def last() -> Decimal:
        with traded.door():
            return (
                PortfolioSnapshot.objects.filter(account=traded.account).latest("snapshot_date").total_balance
            )

    before = last()

    assert perform(traded, What.SNAPSHOT) == ""

    assert last() != before


def test_another_exchange_answers_alike(open_world: Open) -> None:
    world = open_world("gateio", "demo", PROFILES)
    world.sync(Trigger.CONNECT)
    world.wait(days=1)

    assert [perform(world, what) for what in (What.BALANCES, What.FILLS, What.OPEN_ORDERS)] == [""] * 3
    assert stored_balances(world) == true_balances(world)
    assert stored_fills(world).items() <= true_fills(world).items()


@pytest.fixture(scope="module")
def first_of_contracts(first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("gateio", "leveraged", test_futures.PEOPLE)


@pytest.fixture
def leveraged(first_of_contracts: Read, reopen: Reopen) -> World:
    world = reopen(first_of_contracts)
    world.wait(days=1)
    return world


@pytest.mark.parametrize(
    ("what", "stored", "true"),
    [
        (What.FILLS, contract_facts.fills, contract_truth.true_fills),
        (What.ORDERS, contract_facts.orders, contract_truth.true_orders),
    ],
)
def test_contracts_are_read_where_they_are_asked_for(
    what: What, stored: Callable[..., Any], true: Callable[..., Any], leveraged: World
) -> None:
    before = stored(leveraged)

    assert perform(leveraged, what) == ""
    assert stored(leveraged) == before
    leveraged.wait(seconds=3)
    assert perform(leveraged, what, contracts=True) == ""
    assert stored(leveraged) == true(leveraged.truth()["futures"]) != before


def test_open_orders_of_contracts_are_those_of_this_moment(leveraged: World) -> None:
    assert perform(leveraged, What.OPEN_ORDERS, contracts=True) == ""

    assert leveraged.cursor(Stream.CONTRACT_OPEN).last_ok_at == leveraged.now()


def test_keys_are_opened_for_a_live_read(traded: World) -> None:
    perform(traded, What.BALANCES)

    told = [entry.new_values for entry in trail_of(traded.user) if entry.action == Action.DECRYPT]
    account = str(traded.account.id)
    assert told == [{"account": account, "purpose": "sync"}, {"account": account, "purpose": "live read"}]


def test_what_was_read_just_now_is_not_asked_again(traded: World) -> None:
    perform(traded, What.BALANCES)
    rule = traded.simulator.faults.add("latency", path="/api/v3/account")

    assert perform(traded, What.BALANCES) == ""
    traded.wait(seconds=3)
    assert rule.hits == 0
    assert perform(traded, What.BALANCES) == ""
    assert rule.hits == 1


def test_a_run_beside_it_goes_on(traded: World) -> None:
    with traded.door():
        run = SyncRun.objects.create(
            user_id=traded.user.id,
            account=traded.account,
            trigger=Trigger.SCHEDULE,
            status=RunStatus.RUNNING,
            requested_at=traded.now(),
            heartbeat_at=traded.now(),
        )

    assert perform(traded, What.BALANCES) == ""

    with traded.door():
        assert SyncRun.objects.get(id=run.id).status == RunStatus.RUNNING


def test_a_stream_that_a_sync_holds_is_waited_for_and_then_given_up(
    traded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with traded.door():
        SyncCursor.objects.filter(account=traded.account).update(
            leased_until=traded.now() + timedelta(minutes=1)
        )
    monkeypatch.setattr("pipeline.live_reads.time.sleep", lambda seconds: traded.wait(seconds=seconds))

    assert perform(traded, What.BALANCES) == "busy"


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("bad_gateway", "down"),
        ("reset", "network"),
        ("revoked_key", "auth"),
        ("rate_limit", "rate"),
        ("ban", "banned"),
    ],
)
def test_a_failure_is_told_in_a_word(action: str, reason: str, traded: World) -> None:
    before = stored_balances(traded)
    traded.fault(action, path="/api/v3/account", retry_after=60)

    assert perform(traded, What.BALANCES) == reason

    assert stored_balances(traded) == before
    assert traded.cursor(Stream.BALANCES).leased_until is None


def test_an_unreadable_row_is_left_to_the_next_sync(traded: World) -> None:
    before = traded.cursor(Stream.DEPOSITS).position
    rule = traded.simulator.faults.add("unreadable_row", path="/sapi/v1/capital/deposit/hisrec")

    assert perform(traded, What.DEPOSITS) == "down"

    assert (rule.hits > 0, traded.cursor(Stream.DEPOSITS).position) == (True, before)


def test_a_dead_exchange_is_told_and_nothing_changes(traded: World) -> None:
    before = stored_balances(traded)
    traded.simulator.stop()

    assert perform(traded, What.BALANCES) == "network"

    assert stored_balances(traded) == before


def test_a_key_nobody_looked_at_is_not_used(make_world: Callable[..., World]) -> None:
    world = make_world("demo")

    assert perform(world, What.BALANCES) == "key_unchecked"


def test_a_closed_account_is_not_asked(traded: World) -> None:
    with traded.door():
        ExchangeAccount.objects.filter(id=traded.account.id).update(is_active=False)

    assert perform(traded, What.BALANCES) == "closed"


def test_another_users_account_is_not_asked(traded: World) -> None:
    bob = UserFactory.create()
    reading = Reading(What.BALANCES, "binance", bob.id, traded.account.id)

    assert live_reads.perform(reading, clock=traded.now) == "closed"


def test_prices_are_read_for_everybody(traded: World) -> None:
    assert live_reads.perform(Reading(What.TICKERS, "binance"), clock=traded.now) == ""
    assert live_reads.perform(Reading(What.TICKERS, "fred"), clock=traded.now) == "not_supported"
