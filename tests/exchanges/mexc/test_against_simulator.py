"""The adapter against the simulated exchange: all that is walked is true, every fault ends clearly."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges.base import Account, ApiKeys
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import open_account, open_market
from exchanges.rows import BadRow, FillRow, OrderRow, Page, TransferKind, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import Profile

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# What is allowed in ten seconds would have to last for ever: this clock stands still.
NO_LIMITS = Limits(ip=10**9, uid=10**9)
# Histories longer than what MEXC tells: of fills, and of transfers.
LONG = tuple(replace(profile, days=40) for profile in profiles.DEFAULT)
LONGEST = tuple(replace(profile, days=120) for profile in profiles.DEFAULT)
LABELS = ["demo", "holes", "quiet"]


@dataclass(frozen=True, slots=True)
class World:
    simulator: MexcSimulator
    clock: FixedClock
    opened: list[Account]

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(self, label: str = "demo", *, key: str = "", secret: str = "", now: Any = None) -> Account:
        theirs = self.simulator.accounts[label]
        keys = ApiKeys(key or theirs.api_key, secret or theirs.api_secret)
        self.opened.append(open_account(keys, self.simulator.url, None, now or self.now))
        return self.opened[-1]

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts

    def since(self, days: int, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The facts of the last days."""
        return [each for each in facts if each["time"] >= self.clock.now_ms() - days * DAY_MS]


@contextmanager
def made(people: Sequence[Profile] = LONG, limits: Limits = NO_LIMITS) -> Iterator[World]:
    clock_ = FixedClock(START)
    with MexcSimulator(seed=7, clock=clock_, profiles=people, limits=limits) as simulator:
        world = World(simulator, clock_, [])
        yield world
        for account in world.opened:
            account.close()


@pytest.fixture
def world() -> Iterator[World]:
    """One of its own: to spoil, or to let time pass."""
    with made() as world:
        yield world


@pytest.fixture(scope="module")
def still() -> Iterator[World]:
    """One for all who only read."""
    with made(LONGEST) as world:
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
            "id": row.fill_id,
            "order_id": row.order_id,
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


def exact(facts: list[dict[str, Any]], *amounts: str, key: str = "id") -> dict[str, dict[str, Any]]:
    """Facts of the truth by id, their amounts as Decimal."""
    return {str(each[key]): each | {name: Decimal(each[name]) for name in amounts} for each in facts}


def true_fills(world: World, symbol: str, label: str = "demo") -> dict[str, dict[str, Any]]:
    facts = world.since(30, world.truth(label)["fills"][symbol])
    return exact(facts, "price", "quantity", "quote_quantity", "fee")


def busiest(world: World, label: str = "demo") -> str:
    fills = world.truth(label)["fills"]
    name: str = max(fills, key=lambda symbol: len(world.since(30, fills[symbol])))
    return name


@pytest.mark.parametrize("label", LABELS)
def test_all_fills_of_thirty_days_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["fills"]:
        rows, bad, _ = walk(partial(account.fills, symbol))
        assert (fill_facts(rows), bad) == (true_fills(still, symbol, label), [])


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


@pytest.mark.parametrize("label", LABELS)
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol in still.truth(label)["fills"]:
        pages = account.fills_between(symbol, START - timedelta(days=60), START + timedelta(milliseconds=1))
        assert fill_facts([row for page in pages for row in page.rows]) == true_fills(still, symbol, label)


def order_facts(rows: list[OrderRow]) -> dict[str, dict[str, Any]]:
    return {
        row.order_id: {
            "id": row.order_id,
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


def true_orders(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    told = exact(facts, "price", "stop_price", "quantity", "executed", "executed_quote")
    for each in told.values():
        each["status"] = {"PARTIALLY_CANCELED": "CANCELED"}.get(each["status"], each["status"])
    return told


@pytest.mark.parametrize("label", LABELS)
def test_all_orders_of_seven_days_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, symbol))
        assert (order_facts(rows), bad) == (true_orders(still.since(7, facts)), [])


@pytest.mark.parametrize("label", LABELS)
def test_open_orders_are_those_not_final_however_old(still: World, label: str) -> None:
    facts = [each for orders in still.truth(label)["orders"].values() for each in orders]
    truth = true_orders([each for each in facts if each["status"] in ("NEW", "PARTIALLY_FILLED")])
    assert order_facts(list(still.account(label).open_orders().rows)) == truth


def test_one_order_is_told_however_old(still: World) -> None:
    account, symbol = still.account(), busiest(still)
    first = still.truth()["orders"][symbol][0]
    assert order_facts([account.order(symbol, first["id"])]) == true_orders([first])


def transfer_facts(rows: list[TransferRow]) -> dict[str, dict[str, Any]]:
    return {
        row.tx_id: {
            "tx_id": row.tx_id,
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "moves_balance": row.status == "success",
            "time": clock.to_ms(row.occurred_at),
        }
        for row in rows
    }


@pytest.mark.parametrize(
    ("kind", "name"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", LABELS)
def test_all_transfers_of_ninety_days_walked_are_the_truth(
    still: World, label: str, kind: TransferKind, name: str
) -> None:
    rows, bad, _ = walk(partial(still.account(label).transfers, kind, until=START))
    truth = exact(still.since(90, still.truth(label)[name]), "amount", "fee", key="tx_id")
    for each in truth.values():
        del each["id"], each["status"]
    assert (transfer_facts(rows), bad) == (truth, [])


@pytest.mark.parametrize("label", LABELS)
def test_balances_are_the_truth(still: World, label: str) -> None:
    page = still.account(label).balances()
    truth = still.truth(label)["balances"]
    assert {row.asset: (row.available, row.locked) for row in page.rows} == {
        asset: (Decimal(each["free"]), Decimal(each["locked"])) for asset, each in truth.items()
    }


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.ip_restricted) == (
        str(still.truth()["uid"]),
        True,
        False,
        False,
        False,
    )


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, symbol))
    world.clock.advance(hours=6)
    later, _, _ = walk(partial(account.fills, symbol), position)
    assert set(fill_facts([*first, *later])) >= set(true_fills(world, symbol))
    assert set(true_fills(world, symbol)) - set(fill_facts(first))


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
        ({"action": "ban", "retry_after": 120}, ErrorKind.BANNED, 120),
        ({"action": "bad_gateway"}, ErrorKind.DOWN, None),
        ({"action": "truncate"}, ErrorKind.NETWORK, None),
        ({"action": "reset"}, ErrorKind.NETWORK, None),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
def test_every_fault_is_of_its_kind_and_the_next_walk_recovers(
    world: World, fault: dict[str, Any], kind: ErrorKind, retry_in: int | None
) -> None:
    account, symbol = world.account(), busiest(world)
    rule = world.simulator.faults.add(**fault, path="/api/v3/myTrades", times=1)
    error = refused(lambda: account.fills(symbol, ""))
    retry_at = None if retry_in is None else world.now() + timedelta(seconds=retry_in)
    assert (error.kind, error.retry_at, rule.hits) == (kind, retry_at, 1)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert fill_facts(rows) == true_fills(world, symbol)


def test_a_slow_answer_is_waited_for(world: World) -> None:
    rule = world.simulator.faults.add("latency", ms=150, times=1)
    assert (len(world.account().balances().rows) > 0, rule.hits) == (True, 1)


def test_a_key_of_nobody_is_refused(still: World) -> None:
    error = refused(still.account(key="mx0v" + "A" * 14).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "10072")


def test_a_malformed_key_is_refused(still: World) -> None:
    error = refused(still.account(key="short").balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "700001")


def test_a_wrong_secret_is_refused(still: World) -> None:
    error = refused(still.account(secret="A" * 32).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "700002")


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account, symbol = still.account(now=lambda: still.now() + off), busiest(still)
    account.balances()
    rows, _, _ = walk(partial(account.fills, symbol))
    assert (account.clock_offset, fill_facts(rows)) == (-off, true_fills(still, symbol))


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path="/api/v3/account")
    error = refused(world.account().balances)
    assert (error.kind, error.code) == (ErrorKind.CLOCK, "700003")


def test_an_unknown_symbol_is_the_callers_mistake(still: World) -> None:
    error = refused(lambda: still.account().fills("NOPEUSDT", ""))
    assert (error.kind, error.code) == (ErrorKind.USER, "-1121")


@pytest.mark.parametrize("order_id", ["C02__1", "1"])
def test_an_unknown_order_is_the_callers_mistake(still: World, order_id: str) -> None:
    error = refused(lambda: still.account().order("BTCUSDT", order_id))
    assert (error.kind, error.code) == (ErrorKind.USER, "-2013")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=3_000, label="bulk")
    rows, bad, _ = walk(partial(world.account("bulk").fills, "BTCUSDT"))
    assert (fill_facts(rows), bad) == (true_fills(world, "BTCUSDT", "bulk"), [])


def test_an_empty_page_by_mistake_is_made_good_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    world.simulator.faults.add("empty_page", path="/api/v3/myTrades", times=1)
    nothing, _, position = walk(partial(account.fills, symbol))
    rows, _, _ = walk(partial(account.fills, symbol), position)
    assert (nothing, fill_facts(rows)) == ([], true_fills(world, symbol))


@pytest.mark.parametrize(
    ("action", "field", "reason"),
    [("many_decimals", "qty", "has more than 18 decimals."), ("unreadable_row", "price", "price is missing")],
)
def test_a_bad_row_is_set_aside_and_the_walk_goes_on(
    world: World, action: str, field: str, reason: str
) -> None:
    account, symbol = world.account(), busiest(world)
    world.simulator.faults.add(action, path="/api/v3/myTrades", field=field, row=0, times=1)
    page = account.fills(symbol, "")
    [bad] = page.bad
    assert (bad.reason.endswith(reason), bad.raw["id"] in fill_facts(list(page.rows))) == (True, False)
    rows, _, _ = walk(partial(account.fills, symbol))
    assert fill_facts(rows) == true_fills(world, symbol)


def test_the_ban_after_pressing_on_ends_when_told() -> None:
    with made(limits=Limits(uid=30, ban_after=2)) as world:
        account = world.account()
        kinds = []
        for _ in range(7):
            try:
                account.balances()
            except ExchangeError as error:
                kinds.append((error.kind, error.retry_at))
    assert [kind for kind, _ in kinds] == [ErrorKind.RATE, ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.BANNED]
    assert [at for _, at in kinds] == [START + timedelta(seconds=wait) for wait in (10, 10, 120, 120)]


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
