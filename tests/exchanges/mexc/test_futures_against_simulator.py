"""The contracts of the adapter against the simulated MEXC: all that is walked is true, every fault ends clearly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core import clock as time
from exchanges import mexc
from exchanges.base import Account, ApiKeys, Derivatives
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import movements, walks
from exchanges.rows import FillRow, PositionSide, TransferKind
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits
from exchanges.simulators.profiles import SMALL_CONTRACTS
from tests.exchanges import contract_truth as facts
from tests.exchanges.contract_truth import Json, walk

NOON = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
NO_LIMITS = Limits(ip=10**9, uid=10**9, contracts=10**9, contract_details=10**9)
LABELS = ("leveraged", "hedged")
PATHS = "/api/v1/private/*"
DEALS = "/api/v1/private/order/list/order_deals"
FUNDING = "/api/v1/private/position/funding_records"


@dataclass(frozen=True, slots=True)
class House:
    simulator: MexcSimulator
    clock: FixedClock
    label: str
    account: Account

    def now(self) -> datetime:
        return time.from_ms(self.clock.now_ms())

    @property
    def contracts(self) -> Derivatives:
        assert self.account.derivatives is not None
        return self.account.derivatives

    def keys(self) -> ApiKeys:
        theirs = self.simulator.accounts[self.label]
        return ApiKeys(theirs.api_key, theirs.api_secret)

    def reopened(self) -> Derivatives:
        """By another client, which remembers nothing."""
        found = mexc.open_account(self.keys(), self.simulator.url, None, self.now).derivatives
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
    options: dict[str, Any] = {"limits": NO_LIMITS, "profiles": SMALL_CONTRACTS} | properties
    with MexcSimulator(seed=5, clock=clock, **options) as simulator:
        theirs = simulator.accounts[label]
        keys = ApiKeys(theirs.api_key, theirs.api_secret)
        account = mexc.open_account(keys, simulator.url, None, lambda: time.from_ms(clock.now_ms()))
        yield House(simulator, clock, label, account)
        account.close()


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


def test_orders_that_ended_are_walked(still: House) -> None:
    scopes = still.contracts.trade_scopes([])
    rows = [row for scope in scopes for row in walk(partial(still.contracts.orders, scope))[0]]
    waited = [row for row in rows if not row.order_id.isdigit()]
    assert facts.orders([row for row in rows if row not in waited]) == facts.ended(
        facts.true_orders(still.truth())
    )
    true = facts.ended(facts.true_conditionals(still.truth()))
    assert facts.conditionals(waited) == true != {}


def test_a_conditional_order_that_came_and_went_between_two_walks_is_told(house: House) -> None:
    scopes = house.contracts.trade_scopes([])
    ends = {scope: walk(partial(house.contracts.orders, scope)) for scope in scopes}
    before = facts.true_conditionals(house.truth())
    house.clock.advance(hours=72)
    later = house.reopened()
    rows = [row for scope, (_, end) in ends.items() for row in walk(partial(later.orders, scope), end)[0]]
    new = {
        key: fact
        for key, fact in facts.ended(facts.true_conditionals(house.truth())).items()
        if key not in before
    }
    assert new != {}
    assert new.items() <= facts.conditionals([row for row in rows if not row.order_id.isdigit()]).items()


def test_open_orders_are_those_of_the_book_and_those_that_wait(still: House) -> None:
    rows = still.contracts.open_orders().rows
    book = [row for row in rows if row.order_id.isdigit()]
    waiting = [row for row in rows if not row.order_id.isdigit()]
    assert facts.orders(book) == facts.still_open(facts.true_orders(still.truth())) != {}
    true = facts.still_open(facts.true_conditionals(still.truth()))
    assert facts.conditionals(waiting) == true != {}


def test_one_order_of_each_kind_is_asked_for(still: House) -> None:
    true = facts.true_orders(still.truth())
    conditional = facts.true_conditionals(still.truth())
    for symbol, order_id in [*list(true)[:2], *list(true)[-2:]]:
        found = facts.orders([still.contracts.order(symbol, order_id)])
        assert found == {(symbol, order_id): true[symbol, order_id]}
    for symbol, order_id in [*list(conditional)[:2], *list(conditional)[-2:]]:
        found = facts.conditionals([still.contracts.order(symbol, order_id)])
        assert found == {(symbol, order_id): conditional[symbol, order_id]}


def test_an_order_nobody_knows(still: House) -> None:
    with pytest.raises(ExchangeError) as raised:
        still.contracts.order("BTC_USDT", "1")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.USER, "2040")


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
    assert facts.transfers(rows) == true != {}


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
    scopes = house.contracts.trade_scopes([])
    pages = [page for scope in scopes for page in house.contracts.fills_between(scope, since, until)]
    true = {
        key: fact
        for key, fact in facts.true_fills(house.truth()).items()
        if time.to_ms(since) <= fact[-1] < time.to_ms(until)
    }
    assert facts.fills(row for page in pages for row in page.rows) == true != {}


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_spoiled_pages_lose_nothing(house: House, action: str) -> None:
    house.simulator.faults.add(action, path=PATHS)
    assert facts.fills(house.fills()) == facts.true_fills(house.truth())


@pytest.mark.parametrize(
    ("action", "properties", "kind"),
    [
        ("rate_limit", {"retry_after": 3}, ErrorKind.RATE),
        ("bad_gateway", {}, ErrorKind.DOWN),
        ("truncate", {}, ErrorKind.NETWORK),
        ("reset", {}, ErrorKind.NETWORK),
        ("revoked_key", {}, ErrorKind.AUTH),
        ("bad_signature", {}, ErrorKind.AUTH),
        ("ban", {}, ErrorKind.BANNED),
    ],
)
def test_faults_end_clearly(house: House, action: str, properties: Json, kind: ErrorKind) -> None:
    contracts = house.contracts
    house.simulator.faults.add(action, path=PATHS, **properties)
    with pytest.raises(ExchangeError) as raised:
        contracts.positions()
    assert raised.value.kind is kind


def test_contracts_are_listed_with_what_one_is_worth(still: House) -> None:
    market = mexc.open_market(still.simulator.url, still.now)
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


def test_a_mode_of_positions_is_told_by_each_fill(still: House) -> None:
    sides = {row.contract.position_side for row in still.fills() if row.contract}
    dual = {PositionSide.LONG, PositionSide.SHORT}
    assert sides == (dual if still.label == "hedged" else {PositionSide.BOTH})


def test_what_is_older_than_ninety_days_is_not_told_and_the_page_says_so() -> None:
    with opened("leveraged", profiles=[replace(each, days=150) for each in SMALL_CONTRACTS]) as house:
        rows = house.fills()
        floor = time.to_ms(house.now() - walks.DEALS_REACH)
        true = facts.true_fills(house.truth())
        assert facts.fills(rows) == {key: fact for key, fact in true.items() if fact[-1] >= floor}
        assert len(rows) < len(true)
        assert house.contracts.fills("BTC_USDT", "").floor == time.from_ms(floor)


def test_contracts_traded_are_found_and_the_next_look_is_short(house: House) -> None:
    traded = sorted(house.truth()["fills"])
    assert house.contracts.trade_scopes([]) == traded
    assert house.contracts.trade_scopes(["GONE_USDT"]) == sorted({*traded, "GONE_USDT"})


def test_a_ledger_page_without_rows_is_not_believed(house: House) -> None:
    house.simulator.faults.add("empty_page", path=FUNDING, times=1)
    with pytest.raises(ExchangeError) as raised:
        house.contracts.funding("", "", house.now())
    assert raised.value.kind is ErrorKind.DOWN
    rows, _ = walk(lambda at: house.contracts.funding("", at, house.now()))
    assert facts.funding(rows) == facts.true_funding(house.truth())


def test_pages_that_fill_while_they_are_read_lose_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchanges.mexc.futures.LEDGER_PAGE", 20)
    first = house.contracts.funding("", "", house.now())
    assert first.has_more
    house.clock.advance(days=2)
    rows, position = walk(lambda at: house.contracts.funding("", at, house.now()), first.next_position)
    rows += first.rows
    rows += walk(lambda at: house.contracts.funding("", at, house.now()), position)[0]
    assert facts.funding(rows) == facts.true_funding(house.truth())


def test_a_key_that_may_not_see_contracts_sees_spot_alone(house: House) -> None:
    house.simulator.desk.closed_to.add("leveraged")
    assert house.account.derivatives is None
    assert "derivatives" in house.account.info().untold
    assert {row.wallet for row in house.account.balances().rows} == {"spot"}


def moved(house: House, position: str = "") -> tuple[facts.Facts, str]:
    rows, end = walk(lambda at: house.account.transfers(TransferKind.INTERNAL, at, house.now()), position)
    return facts.transfers(rows), end


def unseen(true: facts.Facts) -> facts.Facts:
    """From and to a wallet that no balance tells of."""
    return {
        key: (*fact[:2], *(name.replace("futures", "contracts") for name in fact[2:4]), *fact[4:])
        for key, fact in true.items()
    }


def test_spot_tells_what_went_to_contracts_a_key_may_not_see(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchanges.mexc.movements.PAGE", 2)
    house.simulator.desk.closed_to.add("leveraged")
    true = facts.true_transfers(house.truth(), lambda row: str(row["id"]))
    found, end = moved(house)
    assert TransferKind.INTERNAL in house.account.transfer_kinds
    assert found == unseen(true) != {}
    page = house.account.transfers(TransferKind.INTERNAL, "", house.now())
    assert page.floor == house.now() - movements.REACH
    house.clock.advance(days=20)
    later = unseen(facts.true_transfers(house.truth(), lambda row: str(row["id"])))
    again, _ = moved(house, end)
    assert later.items() - found.items() <= again.items() != set()


def test_a_key_that_sees_more_than_the_one_before_reads_all_transfers_again(house: House) -> None:
    true = facts.true_transfers(house.truth(), lambda row: str(row["id"]))
    _, seen = moved(house)
    house.simulator.desk.closed_to.add("leveraged")
    blind = mexc.open_account(house.keys(), house.simulator.url, None, house.now)
    rows, unmarked = walk(lambda at: blind.transfers(TransferKind.INTERNAL, at, house.now()), seen)
    assert facts.transfers(rows) == unseen(true)
    house.simulator.desk.closed_to.clear()
    assert moved(house, unmarked)[0] == true


def test_a_key_without_the_right_to_transfers_is_not_asked_for_them(house: House) -> None:
    house.simulator.desk.closed_to.add("leveraged")
    house.simulator.app.without_transfers.add("leveraged")
    assert house.account.transfer_kinds == (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL)


def test_an_account_that_never_opened_contracts_has_none() -> None:
    with opened("quiet") as house:
        assert house.account.derivatives is None


def test_an_unreadable_fill_is_set_aside(house: House) -> None:
    scope = "ETH_USDT"
    house.simulator.faults.add("unreadable_row", path=DEALS, field="price", row=0, times=1)
    page = house.contracts.fills(scope, "")
    assert [each.reason for each in page.bad] == ["price is missing"] * len(page.bad)


def test_what_is_allowed_to_each_endpoint_is_kept() -> None:
    with opened("leveraged", limits=Limits(contracts=3)) as house:
        contracts = house.contracts
        for _ in range(3):
            contracts.trade_scopes(["BTC_USDT"])
        with pytest.raises(ExchangeError) as raised:
            contracts.trade_scopes(["BTC_USDT"])
    assert (raised.value.kind, raised.value.code) == (ErrorKind.RATE, "510")


def test_a_clock_that_is_off_is_made_up_for(house: House) -> None:
    house.simulator.faults.add("clock_offset", ms=30_000)
    assert house.contracts.positions().rows
    assert house.account.clock_offset == timedelta(seconds=30)
