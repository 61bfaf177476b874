"""The adapter against the simulated Gate.io: all that is walked is true, every fault ends clearly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges import gateio
from exchanges.base import Account, ApiKeys
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, FillRow, OrderRow, Page, TransferKind, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits
from tests.exchanges.simulators.folding import reported

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# What is allowed in ten seconds would have to last for ever: this clock stands still.
NO_LIMITS = Limits(public=10**9, private=10**9)
TRADES = "/api/v4/spot/my_trades"


@dataclass(frozen=True, slots=True)
class World:
    simulator: GateioSimulator
    clock: FixedClock
    opened: list[Account]

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(self, label: str = "demo", *, key: str = "", secret: str = "", now: Any = None) -> Account:
        theirs = self.simulator.accounts[label]
        keys = ApiKeys(key or theirs.api_key, secret or theirs.api_secret)
        self.opened.append(gateio.open_account(keys, self.simulator.url, None, now or self.now))
        return self.opened[-1]

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts


@contextmanager
def made(**options: Any) -> Iterator[World]:
    clock_ = FixedClock(START)
    given: dict[str, Any] = {"seed": 7, "profiles": profiles.SMALL, "limits": NO_LIMITS} | options
    with GateioSimulator(clock=clock_, **given) as simulator:
        world = World(simulator, clock_, [])
        yield world
        for account in world.opened:
            account.close()


@pytest.fixture(autouse=True)
def _opened_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happened before: a hundred empty windows less to walk in every test."""
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", START - timedelta(days=200))


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


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], list[BadRow], str]:
    rows: list[Any] = []
    bad: list[BadRow] = []
    while True:
        page = ask(position)
        rows += page.rows
        bad += page.bad
        position = page.next_position
        if not page.has_more:
            return rows, bad, position


def fill_facts(rows: list[FillRow]) -> dict[str, dict[str, Any]]:
    return {
        row.fill_id: {
            "id": int(row.fill_id),
            "order_id": int(row.order_id),
            "side": row.side.value,
            "price": row.price,
            "quantity": row.quantity,
            "quote_quantity": row.quote_quantity,
            "fee": row.fee_amount,
            "fee_asset": row.fee_currency,
            "is_maker": row.is_maker,
            "time": clock.to_ms(row.executed_at),
        }
        for row in rows
    }


def exact(facts: list[dict[str, Any]], *amounts: str) -> dict[str, dict[str, Any]]:
    """Facts of the truth by id, their amounts as Decimal."""
    return {str(each["id"]): each | {name: Decimal(each[name]) for name in amounts} for each in facts}


def exact_fills(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return exact(facts, "price", "quantity", "quote_quantity", "fee")


def true_fills(world: World, pair: str, label: str = "demo") -> dict[str, dict[str, Any]]:
    return exact_fills(world.truth(label)["fills"][pair])


def busiest(world: World, label: str = "demo") -> str:
    fills = world.truth(label)["fills"]
    name: str = max(fills, key=lambda pair: len(fills[pair]))
    return name


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_fills_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for pair, facts in still.truth(label)["fills"].items():
        rows, bad, _ = walk(partial(account.fills, pair))
        assert (fill_facts(rows), bad) == (exact_fills(facts), [])


def test_fees_are_paid_in_what_was_received_and_in_gt(still: World) -> None:
    account = still.account()
    rows = [row for pair in still.truth()["fills"] for row in walk(partial(account.fills, pair))[0]]
    in_gt = {row.fee_currency == "GT" for row in rows}
    received = {row.fee_currency in (row.base_asset, row.quote_asset) for row in rows}
    assert (in_gt, received) == ({True, False}, {True, False})


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    since = still.now() - timedelta(days=40)
    for pair, facts in still.truth(label)["fills"].items():
        pages = account.fills_between(pair, since, still.now() + timedelta(milliseconds=1))
        assert fill_facts([row for page in pages for row in page.rows]) == exact_fills(facts)


def test_fills_between_two_fills_are_exact(still: World) -> None:
    facts = sorted(still.truth()["fills"][busiest(still)], key=lambda each: (each["time"], each["id"]))
    since, until = facts[3]["time"], facts[-3]["time"]
    pages = still.account().fills_between(busiest(still), clock.from_ms(since), clock.from_ms(until))
    expected = exact_fills([each for each in facts if since <= each["time"] < until])
    assert fill_facts([row for page in pages for row in page.rows]) == expected
    assert expected


def order_facts(rows: list[OrderRow]) -> dict[str, dict[str, Any]]:
    return {
        row.order_id.removeprefix("trigger-"): {
            "id": int(row.order_id.removeprefix("trigger-")),
            "client_order_id": row.client_order_id,
            "list_id": int(row.order_list_id or -1),
            "side": row.side.value,
            "type": row.type,
            "status": row.status.value,
            "price": row.price or Decimal(0),
            "stop_price": row.stop_price or Decimal(0),
            "quantity": row.quantity,
            "executed": row.executed_quantity,
            "executed_quote": row.executed_quote_quantity,
            "time": clock.to_ms(row.ordered_at),
            "updated": clock.to_ms(row.updated_at),
        }
        for row in rows
    }


ORDER_AMOUNTS = ("price", "stop_price", "quantity", "executed", "executed_quote")
OPEN = ("NEW", "PARTIALLY_FILLED")


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_orders_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for pair, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, pair))
        finished = [each for each in facts if each["status"] not in OPEN]
        assert (order_facts(rows), bad) == (exact(finished, *ORDER_AMOUNTS), [])


def test_open_orders_are_those_of_the_book_and_the_triggers_that_wait(still: World) -> None:
    truth = still.truth()
    waiting = [
        each
        for kind in ("orders", "triggers")
        for rows in truth[kind].values()
        for each in rows
        if each["status"] in OPEN
    ]
    page = still.account().open_orders()
    assert (order_facts(list(page.rows)), page.bad) == (exact(waiting, *ORDER_AMOUNTS), ())
    assert waiting


def test_every_order_and_trigger_asked_for_alone_is_the_truth(still: World) -> None:
    account, truth = still.account(), still.truth()
    for kind, prefix in (("orders", ""), ("triggers", "trigger-")):
        for pair, facts in truth[kind].items():
            rows = [account.order(pair, f"{prefix}{each['id']}") for each in facts]
            assert order_facts(rows) == exact(facts, *ORDER_AMOUNTS)
    assert {each["status"] for rows in truth["triggers"].values() for each in rows} >= {"CANCELED"}


@pytest.mark.parametrize(
    ("kind", "facts"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_transfers_walked_are_the_truth(still: World, label: str, kind: TransferKind, facts: str) -> None:
    account, until = still.account(label), still.now()
    rows, bad, _ = walk(partial(account.transfers, kind, until=until))
    truth = exact(still.truth(label)[facts], "amount", "fee")
    assert (transfer_facts(rows), bad) == (truth, [])


def transfer_facts(rows: list[TransferRow]) -> dict[str, dict[str, Any]]:
    return {
        row.transfer_id: {
            "id": row.transfer_id,
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "tx_id": row.tx_id,
            "status": row.raw["status"],
            "moves_balance": row.status.value == "success",
            "time": clock.to_ms(row.occurred_at),
        }
        for row in rows
    }


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_balances_are_the_truth(still: World, label: str) -> None:
    page = still.account(label).balances()
    assert {row.asset: row.available + row.locked for row in page.rows} == reported(still.truth(label))


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.untold) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        (),
    )


def test_a_key_that_may_withdraw_says_so() -> None:
    with made(profiles=[replace(profiles.SMALL[2], can_withdraw=True)]) as world:
        assert world.account("quiet").info().can_withdraw


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_every_pair_ever_traded_is_found(still: World, label: str) -> None:
    account = still.account(label)
    assert set(account.sweep_symbols([])) == set(still.truth(label)["fills"])


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_what_assets_point_at_leads_to_every_pair(still: World, label: str) -> None:
    account = still.account(label)
    touched, asked = {row.asset for row in account.balances().rows}, set[str]()
    while found := account.traded_symbols(sorted(touched), sorted(asked)):
        asked |= set(found)
        for pair in found:
            walk(partial(account.fills, pair))
    assert asked >= set(still.truth(label)["fills"])


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account, pair = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, pair))
    world.clock.advance(hours=6)
    later, _, _ = walk(partial(account.fills, pair), position)
    assert fill_facts([*first, *later]) == true_fills(world, pair)


def test_an_order_that_ends_weeks_later_is_found_by_the_next_walk() -> None:
    with made(profiles=[replace(profiles.SMALL[0], days=60, is_live=False)], seed=3) as world:
        account = world.account()
        resting = next(row for row in account.open_orders().rows if not row.order_id.startswith("trigger-"))
        _, _, position = walk(partial(account.orders, resting.symbol))
        world.clock.advance(days=70)
        later, _, _ = walk(partial(account.orders, resting.symbol), position)
        told = world.truth()["orders"][resting.symbol]
    ended = exact([each for each in told if str(each["id"]) == resting.order_id], *ORDER_AMOUNTS)
    assert order_facts([row for row in later if row.order_id == resting.order_id]) == ended


def test_many_pages_of_fills_are_the_truth(world: World) -> None:
    world.simulator.add_bulk_account(fills=3_500, label="bulk")
    account = world.account("bulk")
    since = str(clock.to_ms(world.now() - timedelta(days=500)))
    rows, _, _ = walk(partial(account.fills, "BTC_USDT"), since)
    assert fill_facts(rows) == true_fills(world, "BTC_USDT", "bulk")


def test_a_late_fill_is_found_by_the_nightly_recheck(world: World) -> None:
    account, pair = world.account(), busiest(world)
    late = world.simulator.report_late_fill(account="demo", symbol=pair.replace("_", ""), days=2)
    pages = account.fills_between(pair, world.now() - timedelta(days=3), world.now())
    assert str(late.fill_id) in fill_facts([row for page in pages for row in page.rows])


def refused(ask: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        ask()
    return raised.value


@pytest.mark.parametrize(
    ("fault", "kind", "retry_in"),
    [
        ({"action": "revoked_key"}, ErrorKind.AUTH, None),
        ({"action": "bad_signature"}, ErrorKind.AUTH, None),
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
    account, pair = world.account(), busiest(world)
    rule = world.simulator.faults.add(**fault, path=TRADES, times=1, skip=2)
    error = refused(lambda: walk(partial(account.fills, pair)))
    retry_at = None if retry_in is None else world.now() + timedelta(seconds=retry_in)
    assert (error.kind, error.retry_at, rule.hits) == (kind, retry_at, 1)
    rows, _, _ = walk(partial(account.fills, pair))
    assert fill_facts(rows) == true_fills(world, pair)


def test_a_late_answer_is_an_answer(world: World) -> None:
    world.simulator.faults.add("latency", ms=50, times=1)
    assert world.account().balances().rows


def test_a_key_of_nobody_is_refused(still: World) -> None:
    error = refused(still.account(key="a" * 32).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "INVALID_KEY")


def test_a_wrong_secret_is_refused(still: World) -> None:
    error = refused(still.account(secret="a" * 64).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "INVALID_SIGNATURE")


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account = still.account(now=lambda: still.now() + off)
    assert (len(account.balances().rows) > 0, account.clock_offset) == (True, -off)


def test_walks_go_by_the_exchanges_clock(still: World) -> None:
    account = still.account(now=lambda: still.now() - timedelta(hours=5))
    pair = busiest(still)
    account.balances()
    rows, _, _ = walk(partial(account.fills, pair))
    assert fill_facts(rows) == true_fills(still, pair)


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path="/api/v4/spot/accounts")
    error = refused(world.account().balances)
    assert (error.kind, error.code) == (ErrorKind.CLOCK, "REQUEST_EXPIRED")


def test_an_unknown_pair_is_the_callers_mistake(still: World) -> None:
    since = str(clock.to_ms(still.now()) - 1000)
    error = refused(lambda: still.account().fills("NOPE_USDT", since))
    assert (error.kind, error.code) == (ErrorKind.USER, "INVALID_CURRENCY_PAIR")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=2_200, label="bulk")
    account, until = world.account("bulk"), world.now()
    since = str(clock.to_ms(until - timedelta(days=500)))
    rows, bad, _ = walk(partial(account.fills, "BTC_USDT"), since)
    assert (fill_facts(rows), bad) == (true_fills(world, "BTC_USDT", "bulk"), [])
    deposits, _, _ = walk(partial(world.account().transfers, TransferKind.DEPOSIT, until=until))
    assert {row.transfer_id for row in deposits} == {each["id"] for each in world.truth()["deposits"]}


def test_an_empty_page_by_mistake_loses_the_walk_nothing_it_rechecks(world: World) -> None:
    """What a walk missed for good the recheck by time finds, as far as it reaches."""
    account, pair = world.account(), busiest(world)
    world.simulator.faults.add("empty_page", path=TRADES)
    assert walk(partial(account.fills, pair))[0] == []
    world.simulator.faults.clear()
    pages = account.fills_between(pair, world.now() - timedelta(days=30), world.now() + timedelta(seconds=1))
    assert fill_facts([row for page in pages for row in page.rows]) == true_fills(world, pair)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"action": "many_decimals", "field": "amount"}, "has more than 18 decimals"),
        ({"action": "unreadable_row", "field": "price"}, "price is missing"),
    ],
    ids=["many decimals", "no price"],
)
def test_a_spoilt_row_is_set_aside(world: World, action: dict[str, Any], reason: str) -> None:
    account, pair = world.account(), busiest(world)
    world.simulator.faults.add(**action, params={"currency_pair": pair}, times=1)
    since = str(clock.to_ms(world.now() - timedelta(days=25)))
    rows, bad, _ = walk(partial(account.fills, pair), since)
    truth = true_fills(world, pair)
    assert (len(rows), len(bad), reason in bad[0].reason) == (len(truth) - 1, 1, True)


def test_rows_that_name_no_pair_are_read_by_asking_for_it(world: World) -> None:
    account, pair = world.account(), busiest(world)
    world.simulator.faults.add("unreadable_row", path=TRADES, field="currency_pair", row=0)
    rows, bad, _ = walk(partial(account.fills, pair))
    assert (fill_facts(rows), bad) == (true_fills(world, pair), [])


def test_limits_are_answered_with_the_moment_to_come_back() -> None:
    with made(limits=Limits(private=3)) as world:
        account = world.account()
        for _ in range(3):
            account.balances()
        error = refused(account.balances)
        assert (error.kind, error.retry_at) == (ErrorKind.RATE, START + timedelta(seconds=10))
        assert account.open_orders().rows
        world.clock.advance(seconds=10)
        assert account.balances().rows


def test_public_data_is_read(still: World) -> None:
    market = gateio.open_market(still.simulator.url, still.now)
    listings, prices = market.listings(), market.prices()
    candles = market.candles("BTC_USDT", "1d", START - timedelta(days=30), still.now())
    market.close()
    assert {row.symbol for row in prices.rows} == {row.symbol for row in listings.rows}
    assert (listings.bad, prices.bad, candles.bad) == ((), (), ())
    assert [row.opened_at for row in candles.rows] == [
        datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=number) for number in range(30)
    ]
