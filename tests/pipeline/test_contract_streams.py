"""When contracts are asked for, and that what they tell is stored. The client is a fake: simulated exchanges prove the
adapters elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from core.django import tenancy
from credentials.models import ExchangeAccount
from credentials.vault import KeyVersion
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import (
    Contract,
    ListingRow,
    MarketType,
    OrderStatus,
    PositionSide,
    TransferKind,
)
from marketdata import listings
from orders.models import Fill, FundingPayment, Order, Transfer
from pipeline import runs, schedule
from pipeline.derive import Derived
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, SyncRun, Trigger
from pipeline.sync import sync_account
from portfolio.comparison import side_by_side
from portfolio.models import ReportedPosition
from tests.factories import AccountFactory
from tests.orders import rows
from tests.pipeline.contract_client import FakeClient, FakeContracts, page

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINEAR = Contract("BTC", "USDT", "USDT", Decimal(1))


@dataclass
class Trader:
    """An account whose exchange is a fake, and the clock."""

    account: ExchangeAccount
    client: FakeClient
    now: datetime = START
    asked: list[str] = field(default_factory=list)

    @property
    def contracts(self) -> FakeContracts:
        assert self.client.contracts is not None
        return self.client.contracts

    def work(self) -> SyncRun:
        """Read what is due; `asked` holds what was asked for by then."""
        self.asked.clear()
        run = sync_account(
            user_id=self.account.user_id,
            account_id=self.account.id,
            trigger=Trigger.SCHEDULE,
            at=self.now,
            clock=lambda: self.now,
        )
        assert run is not None
        return run

    def connect(self) -> SyncRun:
        runs.request(
            user_id=self.account.user_id, account_ids=[self.account.id], trigger=Trigger.CONNECT, at=self.now
        )
        return self.work()

    def wait(self, **parts: float) -> None:
        self.now += timedelta(**parts)

    def cursor(self, stream: Stream, scope: str = "") -> SyncCursor:
        with tenancy.acting_as(self.account.user_id):
            return SyncCursor.objects.get(account=self.account, stream=stream, scope=scope)

    def streams(self) -> set[str]:
        with tenancy.acting_as(self.account.user_id):
            return set(SyncCursor.objects.filter(account=self.account).values_list("stream", flat=True))


@pytest.fixture
def make_trader(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trader]:
    def make(*, has_contracts: bool = True, **given: Any) -> Trader:
        steps = (Decimal("0.1"), Decimal("0.001"), None, None)
        spot = ListingRow(MarketType.SPOT, "BTCUSDT", "BTC", "USDT", "TRADING", True, *steps)
        listed = [spot]
        for symbol, base in (("BTCUSDT", "BTC"), ("ETHUSDT", "ETH")):
            terms = replace(LINEAR, base_asset=base)
            listed.append(
                ListingRow(MarketType.FUTURES, symbol, base, "USDT", "TRADING", True, *steps, contract=terms)
            )
        listings.store(exchange="binance", rows=listed, at=START)
        monkeypatch.setattr("pipeline.derive.market.freshen_prices", lambda **given: None)
        monkeypatch.setattr("pipeline.derive.market.fetch_candles", lambda needs, **given: 0)
        asked: list[str] = []
        client = FakeClient(FakeContracts(asked) if has_contracts else None, asked, **given)
        trader = Trader(AccountFactory.create(), client, asked=asked)

        @contextmanager
        def open_client(*args: object, **kwargs: object) -> Iterator[tuple[FakeClient, KeyVersion]]:
            yield trader.client, KeyVersion(uuid4(), START)

        monkeypatch.setattr("pipeline.sync.open_client", open_client)
        monkeypatch.setattr("credentials.checks.vault.version", lambda account_id: None)
        monkeypatch.setattr("credentials.checks._is_replaced", lambda account, version: False)
        return trader

    return make


@pytest.fixture
def trader(make_trader: Callable[..., Trader]) -> Trader:
    """Holds one BTC of the perpetual, bought an hour ago; one funding payment since."""
    made = make_trader(balance={("futures", "USDT"): "1000"})
    bought = rows.contract_fill(executed_at=START - timedelta(hours=1))
    made.contracts.by_symbol["BTCUSDT"] = [bought]
    made.contracts.held = [rows.position()]
    made.contracts.payments = [rows.funding(paid_at=START - timedelta(minutes=30))]
    return made


def test_the_first_sync_stores_fills_funding_and_positions_of_contracts(trader: Trader) -> None:
    run = trader.connect()

    assert (run.status, run.error_detail) == (RunStatus.OK, "")
    with tenancy.acting_as(trader.account.user_id):
        assert Fill.objects.get().market_type == "futures"
        assert FundingPayment.objects.get().amount == Decimal("-0.01")
        assert ReportedPosition.objects.get().quantity == 1


def test_a_run_tells_what_contracts_brought(trader: Trader) -> None:
    assert trader.connect().counts == {"balances": 1, "positions": 1, "contract_fills": 1, "funding": 1}


def test_money_of_contracts_adds_up(trader: Trader) -> None:
    trader.client.moved[TransferKind.INTERNAL] = [
        rows.transfer(kind=TransferKind.INTERNAL, transfer_id="i1", from_wallet="spot", to_wallet="futures"),
        rows.transfer(kind=TransferKind.INTERNAL, transfer_id="i2", from_wallet="earn", to_wallet="futures"),
    ]
    trader.client.moved[TransferKind.REBATE] = [
        rows.transfer(kind=TransferKind.REBATE, transfer_id="r1", amount=Decimal(3))
    ]
    trader.client.balance[("futures", "USDT")] = "1002.94"  # 1000 moved, 3 rebate, 0.05 fee, 0.01 funding
    trader.connect()

    with tenancy.acting_as(trader.account.user_id):
        [balance] = side_by_side(account_ids=[trader.account.id])
        assert Transfer.objects.count() == 3
    assert (balance.total, balance.difference) == (Decimal("1002.94"), Decimal(0))


def test_an_account_without_contracts_has_no_streams_of_theirs(make_trader: Callable[..., Trader]) -> None:
    kinds = (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL)
    trader = make_trader(has_contracts=False, transfer_kinds=kinds)
    run = trader.connect()

    assert run.status == RunStatus.OK
    assert trader.streams() == {
        *("permissions", "balances", "open_orders", "deposits", "withdrawals", "discovery", "recheck")
    }


def test_contracts_that_may_no_longer_be_read_fail_alone(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=2)
    trader.client.contracts = None
    run = trader.work()

    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, ErrorKind.PERMISSION)
    assert trader.cursor(Stream.POSITIONS).due_at == trader.now + timedelta(days=1)
    assert trader.cursor(Stream.BALANCES).error_count == 0


def test_a_quiet_account_is_asked_for_what_is_alone(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=1)
    trader.work()  # what was new is looked at once more
    trader.wait(hours=1)
    trader.work()

    assert {"positions", "contract_open", "balances"} <= set(trader.asked)
    assert not [call for call in trader.asked if call.startswith(("fills", "orders", "between"))]


def test_a_position_that_changed_has_its_fills_read(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=1)
    trader.work()
    trader.wait(hours=1)
    trader.contracts.held = [rows.position(quantity=Decimal(2))]
    trader.work()

    assert "fills BTCUSDT" in trader.asked


def test_a_position_of_a_contract_never_met_is_followed(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=1)
    trader.contracts.held.append(rows.position(symbol="ETHUSDT"))
    trader.work()

    assert "fills ETHUSDT" in trader.asked
    assert trader.cursor(Stream.CONTRACT_ORDERS, "ETHUSDT").state == CursorState.INCREMENTAL


def test_a_changed_wallet_of_contracts_has_those_held_read(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=1)
    trader.work()
    trader.wait(hours=1)
    trader.client.balance[("futures", "USDT")] = "999"
    trader.work()

    assert "fills BTCUSDT" in trader.asked


def test_a_changed_spot_wallet_has_no_contract_read(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=1)
    trader.work()
    trader.wait(hours=1)
    trader.client.balance[("spot", "USDT")] = "5"
    trader.work()

    assert "fills BTCUSDT" not in trader.asked


def test_an_order_that_left_the_list_is_asked_for_and_its_fills_too(trader: Trader) -> None:
    waiting = rows.order(
        market_type=MarketType.FUTURES, order_id="algo-7", position_side=PositionSide.BOTH, reduce_only=True
    )
    trader.contracts.open = [waiting]
    trader.connect()
    trader.wait(hours=1)
    trader.work()
    trader.wait(hours=1)
    trader.contracts.open = []
    trader.contracts.closed["algo-7"] = structs.replace(
        waiting, status=OrderStatus.CANCELED, updated_at=waiting.updated_at + timedelta(minutes=1)
    )
    trader.work()

    assert {"order BTCUSDT algo-7", "fills BTCUSDT"} <= set(trader.asked)
    with tenancy.acting_as(trader.account.user_id):
        order = Order.objects.get()
    assert (order.status, order.position_side, order.reduce_only) == ("CANCELED", "BOTH", True)


def test_funding_is_read_hourly_while_contracts_are_held_and_daily_otherwise(trader: Trader) -> None:
    trader.connect()
    held = trader.cursor(Stream.FUNDING, "USDT").due_at - trader.now
    trader.contracts.held = []
    trader.wait(hours=2)
    trader.work()
    flat = trader.cursor(Stream.FUNDING, "USDT").due_at - trader.now

    assert (held <= timedelta(hours=1), flat >= timedelta(hours=22)) == (True, True)


def test_positions_are_read_every_three_minutes_while_somebody_looks(trader: Trader) -> None:
    with tenancy.acting_as(trader.account.user_id):
        trader.account.user.seen_at = START
        trader.account.user.save()
    trader.connect()

    for stream in (Stream.POSITIONS, Stream.CONTRACT_OPEN):
        assert trader.cursor(stream).due_at == START + schedule.PROMPT


def test_a_failed_look_at_positions_keeps_the_last_report(trader: Trader) -> None:
    trader.connect()
    trader.wait(hours=2)
    trader.contracts.positions = broken  # type: ignore[method-assign]
    run = trader.work()

    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, ErrorKind.DOWN)
    with tenancy.acting_as(trader.account.user_id):
        assert ReportedPosition.objects.get().quantity == 1


def broken() -> Any:
    raise ExchangeError(ErrorKind.DOWN, "Internal error.")


def test_windows_without_rows_are_not_walked_again_after_a_refusal(
    make_trader: Callable[..., Trader],
) -> None:
    trader = make_trader()
    empty = {
        str(number): page([], next_position=str(number + 1), has_more=True, raw_count=0)
        for number in range(1, 26)
    }
    refused = ExchangeError(ErrorKind.RATE, "Too many requests.", retry_at=START + timedelta(minutes=1))
    trader.client.windows = {"": replace(empty["1"], next_position="1"), **empty, "26": refused}
    trader.connect()

    assert trader.cursor(Stream.DEPOSITS).position == "26"


def test_the_cursor_moves_every_few_empty_windows(
    make_trader: Callable[..., Trader],
) -> None:
    trader = make_trader()
    empty = {
        str(number): page([], next_position=str(number + 1), has_more=True, raw_count=0)
        for number in range(1, 26)
    }
    trader.client.windows = {"": replace(empty["1"], next_position="1"), **empty}  # "26" kills the worker
    trader.connect()

    assert trader.cursor(Stream.DEPOSITS).position == "20"


def test_of_a_long_history_the_newest_days_are_read_first(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = page(
        [rows.contract_fill(fill_id="old", executed_at=START - timedelta(days=90))],
        next_position="more",
        has_more=True,
    )
    rest = page(trader.contracts.by_symbol["BTCUSDT"])
    seen: list[set[str]] = []

    def fills(scope: str, position: str) -> Any:
        trader.asked.append(f"fills {scope} {position}".strip())
        return rest if position else first

    def derive(**given: Any) -> Derived:
        with tenancy.acting_as(trader.account.user_id):
            seen.append(set(Fill.objects.values_list("exchange_fill_id", flat=True)))
        return Derived()

    monkeypatch.setattr(trader.contracts, "fills", fills)
    monkeypatch.setattr("pipeline.sync.derive.bring_up_to_date", derive)
    run = trader.connect()

    walked = [call for call in trader.asked if call.startswith(("fills", "between"))]
    assert walked == ["fills BTCUSDT", "between BTCUSDT 02-22", "fills BTCUSDT more"]
    assert (run.status, run.steps_done, seen) == (RunStatus.OK, run.steps_total, [{"old", "1"}] * 2)


def test_only_the_first_run_of_an_account_glances(trader: Trader) -> None:
    trader.connect()
    trader.wait(days=2)
    trader.work()

    between = [call for call in trader.asked if call.startswith("between")]
    assert (len(between), trader.asked.count("positions")) == (1, 1)  # the daily look for late fills


def test_contracts_that_fail_leave_the_rest_to_be_read(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ledgers() -> list[str]:
        raise ExchangeError(ErrorKind.DOWN, "Internal error.")

    monkeypatch.setattr(trader.contracts, "ledger_scopes", ledgers)
    run = trader.connect()

    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, ErrorKind.DOWN)
    assert trader.cursor(Stream.BALANCES).last_ok_at is not None


@pytest.mark.parametrize(
    ("order_id", "minutes", "status"),
    [("of no fill", 0, "CANCELED"), ("100", 0, "FILLED"), ("just placed", 10, "NEW")],
)
def test_an_open_order_that_nobody_knows_any_more_has_ended_as_its_fills_say(
    trader: Trader, order_id: str, minutes: int, status: str
) -> None:
    placed = START + timedelta(minutes=minutes)
    trader.contracts.by_symbol["BTCUSDT"] = [rows.contract_fill(order_id="100", executed_at=START)]
    waiting = rows.order(market_type=MarketType.FUTURES, order_id=order_id, ordered_at=placed)
    trader.contracts.open = [structs.replace(waiting, updated_at=placed, position_side=PositionSide.BOTH)]
    trader.connect()
    trader.contracts.open = []
    trader.wait(hours=1, minutes=2)
    trader.work()

    with tenancy.acting_as(trader.account.user_id):
        order = Order.objects.get()
    assert (order.status, order.exchange_updated_at) == (status, placed)
