"""Contracts hold no assets: what their fills move is the settle asset and the coin of the fee."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType, PositionSide, Side, TransferKind, TransferStatus
from orders import facts, ingest
from orders.facts import AssetChange, ContractFill
from orders.models import Fill, Order
from orders.touched import Touched
from tests.factories import AccountFactory
from tests.orders import rows
from tests.orders.rows import AT, at

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 1)
UNIT = 10**18
PROVENANCE: dict[str, Any] = {"source": "sync", "run_id": 7}


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def store(account: ExchangeAccount, *given: Any) -> Touched:
    return ingest.store_fills(account=account, rows=given, **PROVENANCE)


def moved(account: ExchangeAccount, **given: Any) -> Touched:
    row = rows.transfer(**given)
    return ingest.store_transfers(account=account, rows=[row], **PROVENANCE)


def change(account: ExchangeAccount, asset: str = "USDT") -> AssetChange:
    [found] = facts.asset_changes(account_id=account.id, pairs=[(asset, DAY)])
    return found


def test_a_contract_fill_is_stored_with_its_side_and_profit(account: ExchangeAccount) -> None:
    store(
        account,
        rows.contract_fill(side_of=PositionSide.SHORT, realized_pnl=Decimal("-1.5"), is_liquidation=True),
    )

    columns = ("market_type", "position_side", "settle_asset", "is_inverse", "realized_pnl", "is_liquidation")
    assert Fill.objects.values_list(*columns).get() == (
        *("futures", "SHORT", "USDT", False, Decimal("-1.5"), True),
    )


def test_a_contract_fill_touches_its_contract_and_the_coin_of_its_fee(account: ExchangeAccount) -> None:
    touched = store(
        account,
        rows.contract_fill(fee_currency="BNB", executed_at=at(5), fill_id="2"),
        rows.contract_fill(fee_currency="BNB"),
    )

    assert touched == Touched(
        stored=2,
        assets={"BNB": AT},
        contracts={("BTCUSDT", "BOTH"): AT},
        days={("USDT", DAY), ("BNB", DAY)},
    )


def test_the_sides_of_a_contract_are_touched_apart(account: ExchangeAccount) -> None:
    touched = store(
        account,
        rows.contract_fill(side_of=PositionSide.LONG),
        rows.contract_fill(side_of=PositionSide.SHORT, fill_id="2", executed_at=at(1)),
    )

    assert touched.contracts == {("BTCUSDT", "LONG"): AT, ("BTCUSDT", "SHORT"): at(1)}


def test_spot_and_contract_of_one_name_and_id_are_two_fills(account: ExchangeAccount) -> None:
    touched = store(account, rows.fill(), rows.contract_fill())

    assert (touched.stored, Fill.objects.count()) == (2, 2)


def test_a_contract_fill_that_comes_with_another_side_is_a_conflict(account: ExchangeAccount) -> None:
    store(account, rows.contract_fill())
    touched = store(account, rows.contract_fill(side_of=PositionSide.LONG))

    assert touched.stored == 0
    assert touched.conflicts == [
        "Fill 1 of BTCUSDT came again with other content, the first is kept: position_side BOTH → LONG."
    ]


def test_a_coins_book_sees_no_contract_but_its_fee(account: ExchangeAccount) -> None:
    store(
        account,
        rows.contract_fill(fee_currency="BNB", symbol="BNBUSDT", base_asset="BNB"),
        rows.contract_fill(),
    )

    [fee] = facts.book_fills(account_id=account.id, asset="BNB", after=None)
    assert (fee.base, fee.quote, fee.quote_quantity, fee.fee_amount) == ("", "BNB", 0, 5 * UNIT // 100)
    assert list(facts.book_fills(account_id=account.id, asset="BTC", after=None)) == []


def test_contract_fills_are_read_in_fold_order(account: ExchangeAccount) -> None:
    store(
        account,
        *(rows.contract_fill(fill_id=name) for name in ("10", "9")),
        rows.contract_fill(fill_id="1", executed_at=at(1)),
        rows.contract_fill(fill_id="2", side_of=PositionSide.LONG),
        rows.fill(fill_id="3"),
    )

    read = facts.contract_fills(account_id=account.id, symbol="BTCUSDT", side="BOTH", after=None)
    assert [row.fill_id for row in read] == ["9", "10", "1"]


def test_a_contract_fill_is_read_in_whole_units(account: ExchangeAccount) -> None:
    store(account, rows.contract_fill(realized_pnl=None, side=Side.SELL, executed_at=at(1)))
    [row] = facts.contract_fills(account_id=account.id, symbol="BTCUSDT", side="BOTH", after=AT)

    assert row == ContractFill(
        fill_id="1",
        symbol="BTCUSDT",
        position_side="BOTH",
        side="SELL",
        price=100 * UNIT,
        quantity=UNIT,
        quote_quantity=100 * UNIT,
        fee_amount=5 * UNIT // 100,
        fee_currency="USDT",
        settle_asset="USDT",
        is_inverse=False,
        realized_pnl=None,
        is_liquidation=False,
        executed_ms=1769940060000,
        order_id="10",
        fact=Fill.objects.get().id,
    )


def test_a_contract_changes_a_balance_by_its_profit_and_fee(account: ExchangeAccount) -> None:
    store(
        account,
        rows.contract_fill(realized_pnl=Decimal("7")),
        rows.contract_fill(fill_id="2", realized_pnl=None),
        rows.contract_fill(fill_id="3", settle_asset="BTC", realized_pnl=Decimal("-0.5"), is_inverse=True),
    )

    zero = Decimal(0)
    assert change(account) == AssetChange("USDT", DAY, Decimal("-0.15"), zero, zero, zero, settled=Decimal(7))
    assert change(account, "BTC").settled == Decimal("-0.5")


@pytest.mark.parametrize(
    ("wallets", "expected"),
    [
        (("spot", "futures"), 0),
        (("funding", "spot"), 0),
        (("spot", "earn"), -100),
        (("earn", "futures"), 100),
        (("earn", "margin"), 0),
    ],
)
def test_only_what_leaves_the_wallets_read_moves_a_balance(
    account: ExchangeAccount, wallets: tuple[str, str], expected: int
) -> None:
    source, target = wallets
    touched = moved(
        account,
        kind=TransferKind.INTERNAL,
        amount=Decimal(100),
        from_wallet=source,
        to_wallet=target,
    )

    assert touched.days == ({("USDT", DAY)} if expected else set())
    assert change(account).moved == expected


@pytest.mark.parametrize(("kind", "expected"), [(TransferKind.REBATE, 3), (TransferKind.CHARGE, -3)])
def test_rebates_and_charges_are_income(account: ExchangeAccount, kind: TransferKind, expected: int) -> None:
    touched = moved(account, kind=kind, amount=Decimal(3))

    assert (touched.days, change(account).income) == ({("USDT", DAY)}, Decimal(expected))


@pytest.mark.parametrize("kind", [TransferKind.INTERNAL, TransferKind.REBATE, TransferKind.CHARGE])
def test_what_did_not_succeed_changes_nothing(account: ExchangeAccount, kind: TransferKind) -> None:
    touched = moved(account, kind=kind, from_wallet="earn", to_wallet="spot", status=TransferStatus.FAILED)

    assert touched == Touched(stored=1)
    assert change(account) == AssetChange("USDT", DAY, *[Decimal(0)] * 4)


def test_what_came_after_a_moment_counts_contracts_funding_and_movements(account: ExchangeAccount) -> None:
    store(account, rows.contract_fill(realized_pnl=Decimal(7), executed_at=at(2)))
    ingest.store_funding(account=account, rows=[rows.funding(paid_at=at(3))], **PROVENANCE)
    moved(account, kind=TransferKind.REBATE, amount=Decimal(3), occurred_at=at(4))

    after = facts.changes_after(
        account_id=account.id, moments={("USDT", DAY): at(1)}, margin=timedelta(minutes=2)
    )
    assert after == {("USDT", DAY): (Decimal("9.94"), Decimal("3"))}


def test_an_order_of_a_contract_keeps_its_side(account: ExchangeAccount) -> None:
    order = rows.order(
        market_type=MarketType.FUTURES,
        order_id="algo-1",
        position_side=PositionSide.LONG,
        reduce_only=True,
    )
    ingest.store_orders(account=account, rows=[order, rows.order(order_id="algo-1")], **PROVENANCE)

    assert set(Order.objects.values_list("market_type", "position_side", "reduce_only")) == {
        ("futures", "LONG", True),
        ("spot", "", False),
    }
