"""The adapter against the simulated exchange: all that is walked is true, every fault ends clearly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges import registry
from exchanges.base import Account, ApiKeys
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import BadRow, FillRow, OrderRow, Page, TransferKind, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.binance.simulator import BinanceSimulator
from exchanges.simulators.clock import FixedClock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# What is allowed a minute would have to last for ever: this clock stands still.
NO_LIMITS = Limits(api=10**9, sapi_ip=10**9, sapi_uid_second=10**9)


@dataclass(frozen=True, slots=True)
class World:
    simulator: BinanceSimulator
    clock: FixedClock
    opened: list[Account]

    def now(self) -> datetime:
        return clock.from_ms(self.clock.now_ms())

    def account(self, label: str = "demo", *, key: str = "", secret: str = "", now: Any = None) -> Account:
        theirs = self.simulator.accounts[label]
        keys = ApiKeys(key or theirs.api_key, secret or theirs.api_secret)
        urls = {"binance": self.simulator.url}
        self.opened.append(registry.open_account("binance", keys, urls=urls, now=now or self.now))
        return self.opened[-1]

    def truth(self, label: str = "demo") -> dict[str, Any]:
        facts: dict[str, Any] = self.simulator.truth()["accounts"][label]
        return facts


@contextmanager
def made() -> Iterator[World]:
    clock_ = FixedClock(START)
    simulator = BinanceSimulator(seed=7, clock=clock_, profiles=profiles.SMALL, limits=NO_LIMITS)
    with simulator:
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


def true_fills(world: World, symbol: str, label: str = "demo") -> dict[str, dict[str, Any]]:
    return exact_fills(world.truth(label)["fills"][symbol])


def exact_fills(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return exact(facts, "price", "quantity", "quote_quantity", "fee")


def busiest(world: World, label: str = "demo") -> str:
    fills = world.truth(label)["fills"]
    name: str = max(fills, key=lambda symbol: len(fills[symbol]))
    return name


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_fills_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    for symbol, facts in still.truth(label)["fills"].items():
        rows, bad, _ = walk(partial(account.fills, symbol))
        assert (fill_facts(rows), bad) == (exact_fills(facts), [])


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_fills_by_time_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    since = still.now() - timedelta(days=25)
    for symbol, facts in still.truth(label)["fills"].items():
        pages = account.fills_between(symbol, since, still.now() + timedelta(milliseconds=1))
        assert fill_facts([row for page in pages for row in page.rows]) == exact_fills(facts)


def order_facts(rows: list[OrderRow]) -> dict[str, dict[str, Any]]:
    return {
        row.order_id: {
            "id": int(row.order_id),
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


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_orders_walked_are_the_truth(still: World, label: str) -> None:
    account = still.account(label)
    amounts = ("price", "stop_price", "quantity", "executed", "executed_quote")
    for symbol, facts in still.truth(label)["orders"].items():
        rows, bad, _ = walk(partial(account.orders, symbol))
        truth = exact(facts, *amounts)
        pending = {each["id"] for each in facts if each["status"] == "PENDING_NEW"}
        truth = {
            key: each | ({"status": "NEW"} if each["id"] in pending else {}) for key, each in truth.items()
        }
        assert (order_facts(rows), bad) == (truth, [])


def test_open_orders_are_those_not_final(still: World) -> None:
    open_ids = {
        str(order["id"])
        for orders in still.truth()["orders"].values()
        for order in orders
        if order["status"] in ("NEW", "PARTIALLY_FILLED", "PENDING_NEW")
    }
    assert {row.order_id for row in still.account().open_orders().rows} == open_ids
    assert open_ids


def test_one_order_is_the_one_of_the_walk(still: World) -> None:
    account, symbol = still.account(), busiest(still)
    rows, _, _ = walk(partial(account.orders, symbol))
    last = max(rows, key=lambda row: int(row.order_id))
    assert account.order(symbol, last.order_id) == last


@pytest.mark.parametrize(
    ("kind", "facts"), [(TransferKind.DEPOSIT, "deposits"), (TransferKind.WITHDRAWAL, "withdrawals")]
)
@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_all_transfers_walked_are_the_truth(still: World, label: str, kind: TransferKind, facts: str) -> None:
    account, until = still.account(label), still.now()
    rows, bad, _ = walk(partial(account.transfers, kind, until=until))
    truth = exact(still.truth(label)[facts], "amount", "fee")
    for each in truth.values():
        each["time"] //= 1000
        del each["moves_balance"]
    assert (transfer_facts(rows), bad) == (truth, [])


def transfer_facts(rows: list[TransferRow]) -> dict[str, dict[str, Any]]:
    """Withdrawals tell their time in seconds. The state's code and the ledger's flag are not in our rows."""
    return {
        row.transfer_id: {
            "id": row.transfer_id,
            "asset": row.asset,
            "amount": row.amount,
            "fee": row.fee_amount,
            "network": row.network,
            "tx_id": row.tx_id,
            "status": row.raw["status"],
            "time": clock.to_ms(row.occurred_at) // 1000,
        }
        for row in rows
    }


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_balances_are_the_truth(still: World, label: str) -> None:
    page = still.account(label).balances()
    truth = still.truth(label)["balances"]
    assert {row.asset: (row.available, row.locked) for row in page.rows} == {
        asset: (Decimal(each["free"]), Decimal(each["locked"])) for asset, each in truth.items()
    }


def test_info_tells_whose_key_it_is_and_what_it_may(still: World) -> None:
    info = still.account().info()
    assert (info.uid, info.can_read, info.can_withdraw) == (str(still.truth()["uid"]), True, False)


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_every_symbol_ever_traded_is_discovered(still: World, label: str) -> None:
    account, until = still.account(label), still.now()
    touched = {row.asset for row in account.balances().rows}
    for kind in account.transfer_kinds:
        touched |= {row.asset for row in walk(partial(account.transfers, kind, until=until))[0]}
    asked, traded = set[str](), set[str]()
    while found := account.traded_symbols(sorted(touched), sorted(asked)):
        for symbol in found:
            asked.add(symbol)
            for row in walk(partial(account.fills, symbol))[0]:
                traded.add(symbol)
                touched |= {row.base_asset, row.quote_asset, row.fee_currency}
    # What was bought and sold entirely leaves no trace but its fills: the sweep finds it.
    missed = set(still.truth(label)["fills"]) - traded
    assert missed <= set(account.sweep_symbols(sorted(asked)))
    assert len(traded) >= len(missed)


def test_new_fills_are_found_by_the_next_walk(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, symbol))
    world.clock.advance(hours=6)
    later, _, _ = walk(partial(account.fills, symbol), position)
    assert fill_facts([*first, *later]) == true_fills(world, symbol)


def test_many_pages_of_fills_are_the_truth(world: World) -> None:
    world.simulator.add_bulk_account(fills=3_500, label="bulk")
    account = world.account("bulk")
    rows, _, _ = walk(partial(account.fills, "BTCUSDT"))
    assert fill_facts(rows) == true_fills(world, "BTCUSDT", "bulk")


@pytest.mark.parametrize("newest_id", [False, True])
def test_a_fill_two_days_late_is_found_by_the_next_walk(world: World, newest_id: bool) -> None:
    account, symbol = world.account(), busiest(world)
    first, _, position = walk(partial(account.fills, symbol))
    late = world.simulator.report_late_fill(account="demo", symbol=symbol, days=2, newest_id=newest_id)
    again, _, _ = walk(partial(account.fills, symbol), position)
    assert str(late.fill_id) not in fill_facts(first)
    assert fill_facts([*first, *again]) == true_fills(world, symbol)


def test_a_late_fill_is_found_by_the_nightly_recheck(world: World) -> None:
    account, symbol = world.account(), busiest(world)
    late = world.simulator.report_late_fill(account="demo", symbol=symbol, days=2)
    pages = account.fills_between(symbol, world.now() - timedelta(days=3), world.now())
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


def test_a_key_of_nobody_is_refused(still: World) -> None:
    assert refused(still.account(key="A" * 64).balances).kind is ErrorKind.AUTH


def test_a_malformed_key_is_refused(still: World) -> None:
    error = refused(still.account(key="short").balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "-2014")


def test_a_wrong_secret_is_refused(still: World) -> None:
    error = refused(still.account(secret="A" * 64).balances)
    assert (error.kind, error.code) == (ErrorKind.AUTH, "-1022")


@pytest.mark.parametrize("off", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_our_clock_two_minutes_off_is_made_up_for(still: World, off: timedelta) -> None:
    account = still.account(now=lambda: still.now() + off)
    assert (len(account.balances().rows) > 0, account.clock_offset) == (True, -off)


def test_their_clock_two_minutes_off_is_made_up_for(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=-120_000)
    account = world.account()
    assert (len(account.balances().rows) > 0, account.clock_offset) == (True, timedelta(minutes=-2))


def test_a_clock_still_refused_after_measuring_says_so(world: World) -> None:
    world.simulator.faults.add("clock_offset", ms=120_000, path="/api/v3/account")
    error = refused(world.account().balances)
    assert (error.kind, error.code) == (ErrorKind.CLOCK, "-1021")


def test_an_unknown_symbol_is_the_callers_mistake(still: World) -> None:
    error = refused(lambda: still.account().fills("NOPEUSDT", ""))
    assert (error.kind, error.code) == (ErrorKind.USER, "-1121")


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(world: World, action: str) -> None:
    world.simulator.faults.add(action)
    world.simulator.add_bulk_account(fills=2_200, label="bulk")
    account, until = world.account("bulk"), world.now()
    rows, bad, _ = walk(partial(account.fills, "BTCUSDT"))
    assert (fill_facts(rows), bad) == (true_fills(world, "BTCUSDT", "bulk"), [])
    deposits, _, _ = walk(partial(world.account().transfers, TransferKind.DEPOSIT, until=until))
    assert {row.transfer_id for row in deposits} == {each["id"] for each in world.truth()["deposits"]}


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
    rows, bad, _ = walk(partial(account.fills, symbol))
    truth = true_fills(world, symbol)
    first = min(truth, key=int)
    assert ([str(each.raw["id"]) for each in bad], bad[0].reason.endswith(reason)) == ([first], True)
    assert fill_facts(rows) == {key: each for key, each in truth.items() if key != first}


def test_the_ban_after_pressing_on_ends_when_told(world: World) -> None:
    limits = Limits(api=100, ban_after=2)
    simulator = BinanceSimulator(seed=7, clock=world.clock, profiles=profiles.SMALL, limits=limits)
    with simulator:
        account = replace(world, simulator=simulator).account()
        kinds = []
        for _ in range(9):
            try:
                account.balances()
            except ExchangeError as error:
                kinds.append((error.kind, error.retry_at))
    assert [kind for kind, _ in kinds] == [ErrorKind.RATE, ErrorKind.RATE, ErrorKind.BANNED, ErrorKind.BANNED]
    assert [at for _, at in kinds] == [world.now() + timedelta(minutes=wait) for wait in (1, 1, 2, 2)]


def test_market_data_is_read(still: World) -> None:
    market = registry.open_market("binance", urls={"binance": still.simulator.url}, now=still.now)
    listings, prices = market.listings(), market.prices()
    since = still.now() - timedelta(days=30)
    candles = market.candles("BTCUSDT", "1d", since, still.now())
    market.close()
    assert {row.symbol for row in prices.rows} <= {row.symbol for row in listings.rows}
    assert (listings.bad, prices.bad, candles.bad) == ((), (), ())
    assert [row.opened_at for row in candles.rows] == [
        datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=number) for number in range(30)
    ]
