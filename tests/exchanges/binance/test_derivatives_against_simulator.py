"""What the adapter walks is what the simulated exchange says happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from core import clock as time
from exchanges.base import ApiKeys, Derivatives
from exchanges.binance.account import BinanceAccount
from exchanges.binance.client import connect
from exchanges.binance.contracts import PREFIX
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import FillRow, OrderRow, Page, PositionSide, TransferKind
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.binance.limits import Limits
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.profiles import SMALL_CONTRACTS

NOON = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
NO_LIMITS = Limits(api=10**9, sapi_ip=10**9, sapi_uid=10**9, sapi_uid_second=10**9, fapi=10**9)
KEPT = timedelta(days=3)  # what ended without a fill is told no longer
LABELS = ("leveraged", "hedged")


class House:
    """A simulated exchange, its clock, and one account of it."""

    def __init__(self, simulator: BinanceSimulator, clock: FixedClock, label: str) -> None:
        self.simulator, self.clock = simulator, clock
        theirs = simulator.accounts[label]
        keys = ApiKeys(theirs.api_key, theirs.api_secret)
        self.client = connect(keys, url=simulator.url, now=self.now)
        self.account = BinanceAccount(self.client)
        self._label = label

    def now(self) -> datetime:
        return time.from_ms(self.clock.now_ms())

    @property
    def contracts(self) -> Derivatives:
        assert self.account.derivatives is not None
        return self.account.derivatives

    def truth(self) -> dict[str, Any]:
        told: dict[str, Any] = self.simulator.truth()["accounts"][self._label]["futures"]
        return told


@contextmanager
def opened(label: str, **properties: Any) -> Iterator[House]:
    clock = FixedClock(NOON)
    with BinanceSimulator(
        seed=5, clock=clock, profiles=SMALL_CONTRACTS, **{"limits": NO_LIMITS} | properties
    ) as simulator:
        house = House(simulator, clock, label)
        try:
            yield house
        finally:
            house.client.close()


@pytest.fixture(params=LABELS)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with opened(request.param) as running:
        yield running


@pytest.fixture
def leveraged() -> Iterator[House]:
    with opened("leveraged") as running:
        yield running


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], str]:
    rows: list[Any] = []
    while True:
        page = ask(position)
        assert not page.bad
        rows += page.rows
        position = page.next_position
        if not page.has_more:
            return rows, position


def walked_fills(house: House) -> dict[tuple[str, str], FillRow]:
    scopes = house.contracts.trade_scopes([])
    rows = [row for scope in scopes for row in walk(partial(house.contracts.fills, scope))[0]]
    return {(row.symbol, row.fill_id): row for row in rows}


def fact_of(row: FillRow) -> tuple[Any, ...]:
    assert row.contract is not None
    return (
        *(row.order_id, row.side.value, row.contract.position_side.value, row.price, row.quantity),
        *(row.quote_quantity, row.fee_amount, row.fee_currency, row.contract.realized_pnl, row.is_maker),
        *(row.contract.is_liquidation, time.to_ms(row.executed_at)),
    )


def true_fills(house: House) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (name, str(row["id"])): (
            *(str(row["order_id"]), row["side"], row["position_side"]),
            *(Decimal(row[key]) for key in ("price", "quantity", "value", "fee")),
            *(row["fee_asset"], Decimal(row["realized_pnl"]), row["is_maker"], row["is_liquidation"]),
            row["time"],
        )
        for name, rows in house.truth()["fills"].items()
        for row in rows
    }


def true_orders(house: House) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Orders and conditional orders that are still told."""
    told, least = house.truth(), time.to_ms(house.now() - KEPT)
    placed = {
        (name, str(row["id"])): (
            row["side"],
            row["status"],
            Decimal(row["quantity"]),
            Decimal(row["executed"]),
        )
        for name, rows in told["orders"].items()
        for row in rows
        if Decimal(row["executed"]) or row["status"] == "NEW" or row["time"] >= least
    }
    fired = {"TRIGGERED": "EXPIRED"}
    waited = {
        (name, f"{PREFIX}{row['id']}"): (
            *(row["side"], fired.get(row["status"], row["status"])),
            *(Decimal(row["quantity"]), Decimal(0)),
        )
        for name, rows in told["conditional_orders"].items()
        for row in rows
        if row["status"] in ("NEW", "TRIGGERED") or row["time"] >= least
    }
    return placed | waited


def order_facts(rows: list[OrderRow]) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (row.symbol, row.order_id): (row.side.value, row.status.value, row.quantity, row.executed_quantity)
        for row in rows
    }


def test_every_fill_is_walked_once_with_all_it_says(house: House) -> None:
    found = walked_fills(house)
    assert {key: fact_of(row) for key, row in found.items()} == true_fills(house)
    assert any(row.contract and row.contract.is_liquidation for row in found.values())


def test_orders_and_conditional_orders_are_walked(house: House) -> None:
    scopes = house.contracts.trade_scopes([])
    rows = [row for scope in scopes for row in walk(partial(house.contracts.orders, scope))[0]]
    assert order_facts(rows) == true_orders(house)


def test_open_orders_are_those_in_the_book_and_those_that_wait(house: House) -> None:
    page = house.contracts.open_orders()
    expected = {
        key: fact for key, fact in true_orders(house).items() if fact[1] in ("NEW", "PARTIALLY_FILLED")
    }
    assert order_facts(list(page.rows)) == expected
    assert any(key[1].startswith(PREFIX) for key in expected)


def test_one_order_of_each_kind_is_asked_for(leveraged: House) -> None:
    for symbol, order_id in list(true_orders(leveraged))[-1:] + list(true_orders(leveraged))[:1]:
        row = leveraged.contracts.order(symbol, order_id)
        assert order_facts([row])[symbol, order_id] == true_orders(leveraged)[symbol, order_id]


def test_positions_are_told_with_leverage_and_mode(house: House) -> None:
    page = house.contracts.positions()
    told = {
        (row["contract"], row["side"]): (
            *(Decimal(row["quantity"]), Decimal(row["entry_price"]), Decimal(row["mark_price"])),
            *(Decimal(row["liquidation_price"]) or None, Decimal(row["leverage"]), row["margin_mode"]),
            *(Decimal(row["unrealized"]), row["position_side"] != "BOTH"),
        )
        for row in house.truth()["positions"]
    }
    assert {
        (row.symbol, row.side.value): (
            *(row.quantity, row.entry_price, row.mark_price, row.liquidation_price, row.leverage),
            *(row.margin_mode and row.margin_mode.value, row.unrealized_pnl, row.is_hedged),
        )
        for row in page.rows
    } == told
    assert told


def test_funding_is_walked(house: House) -> None:
    rows, _ = walk(lambda at: house.contracts.funding("", at, house.now()))
    assert {
        (row.symbol, row.payment_id): (row.asset, row.amount, time.to_ms(row.paid_at)) for row in rows
    } == {
        (row["contract"], str(row["id"])): (row["asset"], Decimal(row["amount"]), row["time"])
        for row in house.truth()["funding"]
    }
    assert {row.position_side for row in rows} == {PositionSide.BOTH}


def test_transfers_between_wallets_are_told_once(house: House) -> None:
    names = {"spot": "spot", "futures": "futures", "funding": "other"}
    rows, _ = walk(lambda at: house.account.transfers(TransferKind.INTERNAL, at, house.now()))
    facts = [(row.transfer_id, row.asset, row.amount, row.from_wallet, row.to_wallet) for row in rows]
    told = [
        (str(row["id"]), row["asset"], Decimal(row["amount"]), names[row["from"]], names[row["to"]])
        for row in house.truth()["transfers"]
    ]
    assert sorted(facts) == sorted(told)


def test_rebates_and_charges_are_walked(house: House) -> None:
    for kind in (TransferKind.REBATE, TransferKind.CHARGE):
        rows, _ = walk(partial(house.account.transfers, kind, until=house.now()))
        told = house.truth()["rebates" if kind is TransferKind.REBATE else "charges"]
        assert sorted((row.kind, row.asset, row.amount) for row in rows) == sorted(
            (kind, row["asset"], abs(Decimal(row["amount"]))) for row in told
        )
        assert told


def test_balances_are_of_both_wallets(house: House) -> None:
    rows = {row.asset: row for row in house.account.balances().rows if row.wallet == "futures"}
    told = house.truth()["balances"]
    assert {asset: (row.available + row.locked, row.unrealized_pnl) for asset, row in rows.items()} == {
        asset: (Decimal(row["balance"]), Decimal(row["unrealized"])) for asset, row in told.items()
    }
    assert {row.wallet for row in house.account.balances().rows} == {"spot", "futures"}


def test_a_walk_goes_on_where_it_ended(leveraged: House) -> None:
    known: dict[str, FillRow] = {}
    position = ""
    for _ in range(4):
        rows, position = walk(lambda at: leveraged.contracts.fills("XRPUSDT", at), position)
        known |= {row.fill_id: row for row in rows}
        leveraged.clock.advance(hours=31)
    rows, _ = walk(lambda at: leveraged.contracts.fills("XRPUSDT", at), position)
    known |= {row.fill_id: row for row in rows}
    assert len(known) == len(leveraged.truth()["fills"]["XRPUSDT"]) > 1_000


def test_a_window_of_time_is_half_open_to_the_millisecond(leveraged: House) -> None:
    rows = leveraged.truth()["fills"]["ETHUSDT"]
    since, until = time.from_ms(rows[3]["time"]), time.from_ms(rows[-2]["time"])
    pages = leveraged.contracts.fills_between("ETHUSDT", since, until)
    found = {row.fill_id for page in pages for row in page.rows}
    inside = {str(row["id"]) for row in rows if rows[3]["time"] <= row["time"] < rows[-2]["time"]}
    assert found == inside


def test_a_page_says_how_far_back_it_reaches(leveraged: House) -> None:
    contracts = leveraged.contracts
    assert contracts.fills("ETHUSDT", "").floor == leveraged.now() - timedelta(days=180)
    assert contracts.orders("ETHUSDT", "").floor == leveraged.now() - timedelta(days=90)
    assert contracts.funding("", "", leveraged.now()).floor == leveraged.now() - timedelta(days=89)


def test_an_account_without_futures_has_no_derivatives_and_its_spot_works() -> None:
    with opened("quiet") as house:
        assert house.account.derivatives is None
        assert house.account.info().untold == ("derivatives",)
        assert {row.wallet for row in house.account.balances().rows} == {"spot"}
        spot_kinds = (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL, TransferKind.AIRDROP)
        assert house.account.transfer_kinds == spot_kinds
        with pytest.raises(ExchangeError) as refused:
            house.account.transfers(TransferKind.REBATE, "", house.now())
        assert refused.value.kind is ErrorKind.PERMISSION


def test_a_refusal_that_says_nothing_of_rights_is_raised(leveraged: House) -> None:
    leveraged.simulator.faults.add("rate_limit", path="/fapi/*", times=1, retry_after=9)
    with pytest.raises(ExchangeError) as limited:
        _ = leveraged.account.derivatives
    assert (limited.value.kind, limited.value.retry_at) == (ErrorKind.RATE, NOON + timedelta(seconds=9))


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("revoked_key", ErrorKind.AUTH),
        ("bad_signature", ErrorKind.AUTH),
        ("rate_limit", ErrorKind.RATE),
        ("ban", ErrorKind.BANNED),
        ("bad_gateway", ErrorKind.DOWN),
        ("truncate", ErrorKind.NETWORK),
        ("reset", ErrorKind.NETWORK),
    ],
)
def test_every_refusal_has_its_kind(leveraged: House, action: str, kind: ErrorKind) -> None:
    contracts = leveraged.contracts
    leveraged.simulator.faults.add(action, path="/fapi/v1/userTrades")
    with pytest.raises(ExchangeError) as refused:
        contracts.fills("ETHUSDT", "")
    assert refused.value.kind is kind


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_spoilt_pages_lose_nothing(leveraged: House, action: str) -> None:
    leveraged.simulator.faults.add(action, path="/fapi/*")
    found = walked_fills(leveraged)
    assert {key: fact_of(row) for key, row in found.items()} == true_fills(leveraged)


def test_an_unreadable_row_leaves_the_others(leveraged: House) -> None:
    at = time.from_ms(leveraged.truth()["fills"]["ETHUSDT"][-1]["time"])
    whole = next(leveraged.contracts.fills_between("ETHUSDT", at - timedelta(days=6), leveraged.now()))
    leveraged.simulator.faults.add("unreadable_row", path="/fapi/v1/userTrades", field="qty")
    page = next(leveraged.contracts.fills_between("ETHUSDT", at - timedelta(days=6), leveraged.now()))
    assert (page.rows, len(page.bad)) == (whole.rows[:-1], 1)


def test_a_clock_that_is_off_is_made_up_for(leveraged: House) -> None:
    leveraged.simulator.faults.add("clock_offset", ms=120_000)
    assert leveraged.contracts.positions().rows
    assert leveraged.account.clock_offset == timedelta(seconds=120)


def test_weights_of_futures_are_counted_apart() -> None:
    with opened("leveraged", limits=Limits(fapi=7)) as house:
        assert house.account.derivatives is not None
        with pytest.raises(ExchangeError) as limited:
            house.contracts.positions()
        assert (limited.value.kind, limited.value.code) == (ErrorKind.RATE, "-1003")
        assert house.account.info().uid
