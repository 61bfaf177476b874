"""The contracts of the adapter against the simulated Gate.io: all that is walked is true, every fault ends clearly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core import clock as time
from exchanges import gateio
from exchanges.base import Account, ApiKeys, Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import FillRow, PositionSide, TransferKind
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits
from exchanges.simulators.profiles import SMALL_CONTRACTS
from tests.exchanges import contract_truth as facts
from tests.exchanges.contract_truth import Json, walk

NOON = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
NO_LIMITS = Limits(public=10**9, private=10**9)
LABELS = ("leveraged", "hedged")
TRADES = "/api/v4/futures/usdt/my_trades_timerange"
BOOK = "/api/v4/futures/usdt/account_book"


@dataclass(frozen=True, slots=True)
class House:
    simulator: GateioSimulator
    clock: FixedClock
    label: str
    account: Account

    def now(self) -> datetime:
        return time.from_ms(self.clock.now_ms())

    @property
    def contracts(self) -> Derivatives:
        assert self.account.derivatives is not None
        return self.account.derivatives

    def opened(self) -> Account:
        """By another client, which remembers nothing."""
        theirs = self.simulator.accounts[self.label]
        keys = ApiKeys(theirs.api_key, theirs.api_secret)
        return gateio.open_account(keys, self.simulator.url, None, self.now)

    def reopened(self) -> Derivatives:
        found = self.opened().derivatives
        assert found is not None
        return found

    def truth(self) -> Json:
        told: Json = self.simulator.truth()["accounts"][self.label]["futures"]
        return told

    def fills(self, position: str = "") -> list[FillRow]:
        scopes = self.contracts.trade_scopes([])
        return [row for scope in scopes for row in walk(partial(self.contracts.fills, scope), position)[0]]


@contextmanager
def opened(label: str, **properties: Any) -> Iterator[House]:
    clock = FixedClock(NOON)
    options = {"limits": NO_LIMITS} | properties
    with GateioSimulator(seed=5, clock=clock, profiles=SMALL_CONTRACTS, **options) as simulator:
        theirs = simulator.accounts[label]
        keys = ApiKeys(theirs.api_key, theirs.api_secret)
        account = gateio.open_account(keys, simulator.url, None, lambda: time.from_ms(clock.now_ms()))
        yield House(simulator, clock, label, account)
        account.close()


@pytest.fixture(autouse=True)
def _opened_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happened before: a hundred empty windows less to walk in every test."""
    for name in ("OPENED", "CONTRACTS_OPENED"):
        monkeypatch.setattr(f"exchanges.gateio.walks.{name}", NOON - timedelta(days=200))


@pytest.fixture(scope="module", params=LABELS)
def still(request: pytest.FixtureRequest) -> Iterator[House]:
    """One for all who only read."""
    with opened(request.param) as running:
        yield running


@pytest.fixture
def house() -> Iterator[House]:
    """One of its own: to spoil, or to let time pass."""
    with opened("leveraged") as running:
        yield running


def test_every_fill_is_walked_with_its_profit(still: House) -> None:
    rows = still.fills()
    assert facts.fills(rows) == facts.true_fills(still.truth())
    assert {row.contract.is_inverse for row in rows if row.contract} == {True, False}
    assert any(row.contract and row.contract.is_liquidation for row in rows)


def test_fills_of_both_sides_are_told_apart_in_dual_mode(still: House) -> None:
    sides = {row.contract.position_side for row in still.fills() if row.contract}
    dual = {PositionSide.LONG, PositionSide.SHORT}
    assert sides == (dual if still.label == "hedged" else {PositionSide.BOTH})


def test_orders_that_ended_are_walked(still: House) -> None:
    scopes = still.contracts.trade_scopes([])
    rows = [row for scope in scopes for row in walk(partial(still.contracts.orders, scope))[0]]
    waited = [row for row in rows if row.order_id.startswith("trigger-")]
    assert facts.orders([row for row in rows if row not in waited]) == facts.ended(
        facts.true_orders(still.truth())
    )
    true = facts.ended(facts.true_conditionals(still.truth(), "trigger-"))
    assert facts.conditionals(waited) == true != {}


def test_a_conditional_order_that_came_and_went_between_two_walks_is_told(house: House) -> None:
    scopes = house.contracts.trade_scopes([])
    ends = {scope: walk(partial(house.contracts.orders, scope)) for scope in scopes}
    before = facts.true_conditionals(house.truth(), "trigger-")
    house.clock.advance(hours=72)
    later = house.reopened()
    rows = [row for scope, (_, end) in ends.items() for row in walk(partial(later.orders, scope), end)[0]]
    new = {
        key: fact
        for key, fact in facts.ended(facts.true_conditionals(house.truth(), "trigger-")).items()
        if key not in before
    }
    assert new != {}
    assert (
        new.items()
        <= facts.conditionals([row for row in rows if row.order_id.startswith("trigger-")]).items()
    )


def test_open_orders_are_those_of_the_book_and_those_that_wait(still: House) -> None:
    rows = still.contracts.open_orders().rows
    book = [row for row in rows if not row.order_id.startswith("trigger-")]
    waiting = [row for row in rows if row.order_id.startswith("trigger-")]
    assert facts.orders(book) == facts.still_open(facts.true_orders(still.truth())) != {}
    true = facts.still_open(facts.true_conditionals(still.truth(), "trigger-"))
    assert facts.conditionals(waiting) == true != {}


def test_one_order_of_each_kind_is_asked_for(still: House) -> None:
    true = facts.true_orders(still.truth())
    conditional = facts.true_conditionals(still.truth(), "trigger-")
    for symbol, order_id in [*list(true)[:2], *list(true)[-2:]]:
        found = facts.orders([still.contracts.order(symbol, order_id)])
        assert found == {(symbol, order_id): true[symbol, order_id]}
    for symbol, order_id in [*list(conditional)[:2], *list(conditional)[-2:]]:
        found = facts.conditionals([still.contracts.order(symbol, order_id)])
        assert found == {(symbol, order_id): conditional[symbol, order_id]}


def test_an_order_nobody_knows(still: House) -> None:
    with pytest.raises(ExchangeError) as raised:
        still.contracts.order("BTC_USDT", "1")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.USER, "ORDER_NOT_FOUND")


def test_positions_are_told_with_mode_and_leverage(still: House) -> None:
    assert facts.positions(still.contracts.positions().rows) == facts.true_positions(still.truth()) != {}


def test_funding_is_walked(still: House) -> None:
    rows = [
        row
        for scope in still.contracts.ledger_scopes()
        for row in walk(lambda at, scope=scope: still.contracts.funding(scope, at, still.now()))[0]  # type: ignore[misc]
    ]
    assert facts.funding(rows) == facts.true_funding(still.truth()) != {}


def test_what_moved_between_wallets_is_told_once(still: House) -> None:
    ask = partial(still.account.transfers, TransferKind.INTERNAL, until=still.now())
    rows, _ = walk(lambda at: ask(position=at))
    true = facts.true_transfers(still.truth(), lambda row: str(row["id"]))
    assert (facts.transfers(rows), len(rows)) == (true, len(true))


def test_rebates_are_walked(still: House) -> None:
    rows, _ = walk(lambda at: still.account.transfers(TransferKind.REBATE, at, still.now()))
    told = {f"usdt-{row['income_id']}": row["amount"] for row in still.truth()["rebates"]}
    assert {row.transfer_id: f"{row.amount:.8f}" for row in rows} == told != {}


def test_the_wallet_is_told_beside_spot(still: House) -> None:
    rows = still.account.balances().rows
    assert facts.wallet(rows) == facts.true_wallet(still.truth())
    assert {row.wallet for row in rows} == {"spot", "futures"}


def test_the_next_walk_finds_what_happened_since(house: House) -> None:
    contracts = house.contracts
    seen = {scope: walk(partial(contracts.fills, scope)) for scope in contracts.trade_scopes([])}
    house.clock.advance(hours=6)
    rows = [row for first, _ in seen.values() for row in first]
    for scope, (_, position) in seen.items():
        rows += walk(partial(contracts.fills, scope), position)[0]
    assert facts.fills(rows) == facts.true_fills(house.truth())


def test_fills_between_are_those_of_the_time(house: House) -> None:
    since, until = house.now() - timedelta(days=9, milliseconds=1), house.now() - timedelta(days=2)
    pages = [page for scope in ("usdt", "btc") for page in house.contracts.fills_between(scope, since, until)]
    true = {
        key: fact
        for key, fact in facts.true_fills(house.truth()).items()
        if time.to_ms(since) <= fact[-1] < time.to_ms(until)
    }
    assert facts.fills(row for page in pages for row in page.rows) == true != {}


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_spoiled_pages_lose_nothing(house: House, action: str) -> None:
    house.simulator.faults.add(action, path="/api/v4/futures/*")
    assert facts.fills(house.fills()) == facts.true_fills(house.truth())


def test_a_fill_without_profit_in_the_ledger_is_told_without(house: House) -> None:
    house.simulator.faults.add("empty_page", path=BOOK, params={"type": "pnl"})
    untold = [row for row in house.fills() if row.contract and row.contract.realized_pnl is None]
    assert len(untold) == sum(
        fact[8] != 0 for key, fact in facts.true_fills(house.truth()).items() if key[0].endswith("_USDT")
    )


def test_an_unreadable_fill_is_set_aside(house: House) -> None:
    house.simulator.faults.add("unreadable_row", path=TRADES, field="price", row=0, skip=6)
    position, reasons, count = "", list[str](), 0
    while True:
        page = house.contracts.fills("usdt", position)
        reasons += [each.reason for each in page.bad]
        count += len(page.rows)
        position = page.next_position
        if not page.has_more:
            break
    assert "price is missing" in reasons
    assert count + len(reasons) >= sum(key[0].endswith("_USDT") for key in facts.true_fills(house.truth()))


@pytest.mark.parametrize(
    ("action", "properties", "kind"),
    [
        ("rate_limit", {"retry_after": 3}, ErrorKind.RATE),
        ("bad_gateway", {}, ErrorKind.DOWN),
        ("truncate", {}, ErrorKind.NETWORK),
        ("reset", {}, ErrorKind.NETWORK),
        ("revoked_key", {}, ErrorKind.AUTH),
        ("bad_signature", {}, ErrorKind.AUTH),
        ("ban", {}, ErrorKind.DOWN),
    ],
)
def test_faults_end_clearly(house: House, action: str, properties: Json, kind: ErrorKind) -> None:
    contracts = house.contracts
    house.simulator.faults.add(action, path="/api/v4/futures/*", **properties)
    with pytest.raises(ExchangeError) as raised:
        contracts.positions()
    assert raised.value.kind is kind


def test_a_ledger_that_reaches_back_no_further_says_so(house: House) -> None:
    house.simulator.app.ledger_days = 180
    page = house.contracts.funding("usdt", "", house.now())
    floor = house.now() - timedelta(days=179)
    assert (page.rows, page.has_more, page.floor) == ((), True, floor)
    rows, _ = walk(lambda at: house.contracts.funding("usdt", at, house.now()), page.next_position)
    assert facts.funding(rows).items() <= facts.true_funding(house.truth()).items()
    assert rows


def test_a_key_without_the_right_to_futures_sees_spot_alone(house: House) -> None:
    house.simulator.app.without_contracts.add("leveraged")
    assert house.account.derivatives is None
    assert TransferKind.REBATE not in house.account.transfer_kinds
    assert "derivatives" in house.account.info().untold
    assert {row.wallet for row in house.account.balances().rows} == {"spot"}


def test_what_went_to_contracts_a_key_may_not_see_left_what_it_sees(house: House) -> None:
    true = facts.true_transfers(house.truth(), lambda row: str(row["id"]))
    unseen = {
        key: (*fact[:2], *(name.replace("futures", "contracts") for name in fact[2:4]), *fact[4:])
        for key, fact in true.items()
    }

    def moved(account: Account, position: str) -> tuple[facts.Facts, str]:
        rows, end = walk(lambda at: account.transfers(TransferKind.INTERNAL, at, house.now()), position)
        return facts.transfers(rows), end

    found, end = moved(house.account, "")
    assert found == true != {}
    house.simulator.app.without_contracts.add("leveraged")
    # A key that sees less, or more, than the one before reads everything again.
    found, end = moved(house.opened(), end)
    assert found == unseen
    house.simulator.app.without_contracts.clear()
    found, end = moved(house.opened(), end)
    assert found == true
    assert moved(house.opened(), end)[0].items() <= true.items()


def test_an_account_that_never_moved_anything_there_has_no_contracts() -> None:
    with opened("quiet") as house:
        assert (house.account.derivatives, house.account.info().untold) == (None, ())


def test_what_is_allowed_to_each_endpoint_is_kept() -> None:
    with opened("leveraged", limits=Limits(private=3)) as house:
        contracts = house.contracts
        for _ in range(3):
            contracts.order("BTC_USDT", house.truth()["orders"]["BTC_USDT"][0]["id"].__str__())
        with pytest.raises(ExchangeError) as raised:
            contracts.order("BTC_USDT", "5")
    assert (raised.value.kind, raised.value.retry_at is not None) == (ErrorKind.RATE, True)


def test_contracts_are_listed_with_what_one_is_worth(still: House) -> None:
    market = gateio.open_market(still.simulator.url, still.now)
    rows = {row.symbol: row for row in market.contracts().rows}
    prices = {row.symbol: row.price for row in market.contract_prices().rows}
    market.close()
    assert market.has_contracts
    assert rows.keys() == prices.keys()
    told = {row["contract"]: row["mark_price"] for row in still.truth()["positions"]}
    assert {name: f"{prices[name]:.8f}" for name in told} == told
    assert {name: str(row.contract.size) for name, row in rows.items() if row.contract}[
        "BTC_USDT"
    ] == "0.0001"
