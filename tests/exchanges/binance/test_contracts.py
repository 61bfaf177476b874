"""Recorded rows of USD-M futures as ours."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import clock
from exchanges.binance import contracts, movements
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    Contract,
    ContractSide,
    FillRow,
    MarginMode,
    MarketType,
    OrderStatus,
    PositionSide,
    Side,
    TransferKind,
)

BTC = Contract("BTC", "USDT", "USDT", Decimal(1))
TEXT = Path(__file__).with_name("futures_samples.json").read_text()
SAMPLES: dict[str, Any] = json.loads(TEXT, parse_float=str)


def terms(symbol: str) -> Contract:
    return contracts.terms_of(symbol, {"BTCUSDT": BTC})


def test_a_fill_carries_its_side_and_the_exchanges_own_profit() -> None:
    [raw] = SAMPLES["userTrades"]
    assert contracts.fill(raw, terms, ()) == FillRow(
        market_type=MarketType.FUTURES,
        symbol="BTCUSDT",
        base_asset="BTC",
        quote_asset="USDT",
        fill_id="698759",
        order_id="25851813",
        side=Side.SELL,
        price=Decimal("7819.01"),
        quantity=Decimal("0.002"),
        quote_quantity=Decimal("15.63802"),
        fee_amount=Decimal("-0.07819010"),
        fee_currency="USDT",
        is_maker=False,
        executed_at=clock.from_ms(1569514978020),
        raw=raw,
        contract=ContractSide("USDT", False, PositionSide.SHORT, Decimal("-0.91539999")),
    )


def test_a_fill_of_an_order_the_exchange_placed_is_a_liquidation() -> None:
    [raw] = SAMPLES["userTrades"]
    row = contracts.fill(raw, terms, {"25851813"})
    assert row.contract is not None
    assert row.contract.is_liquidation


def test_orders_the_exchange_placed_itself_are_known_by_name() -> None:
    assert [contracts.is_liquidation(raw) for raw in SAMPLES["forceOrders"]] == [True, True]
    assert not contracts.is_liquidation(SAMPLES["allOrders"][0])


def test_an_order() -> None:
    row = contracts.order(SAMPLES["allOrders"][0])
    assert (row.order_id, row.type, row.status, row.price, row.stop_price, row.quantity) == (
        *("1917641", "TRAILING_STOP_MARKET", OrderStatus.NEW, None, Decimal(9300)),
        Decimal("0.40"),
    )
    assert (row.market_type, row.position_side, row.reduce_only) == (
        MarketType.FUTURES,
        PositionSide.SHORT,
        False,
    )


def test_a_liquidation_order_has_been_filled() -> None:
    row = contracts.order(SAMPLES["forceOrders"][0])
    assert (row.status, row.executed_quantity, row.executed_quote_quantity) == (
        *(OrderStatus.FILLED, Decimal("0.001")),
        Decimal("10.91321"),
    )


def test_a_conditional_order_that_fired_executed_nothing_itself() -> None:
    row = contracts.conditional_order(SAMPLES["allAlgoOrders"][0])
    assert (row.order_id, row.status, row.executed_quantity, row.stop_price, row.reduce_only) == (
        *("algo-1000001270850379", OrderStatus.EXPIRED, Decimal(0)),
        *(Decimal("69080.20"), True),
    )
    assert row.updated_at == clock.from_ms(1775461936135)


def test_a_conditional_order_that_waits_is_open() -> None:
    row = contracts.conditional_order(SAMPLES["openAlgoOrders"][0])
    assert (row.symbol, row.status, row.type, row.price) == (
        *("BNBUSDT", OrderStatus.NEW, "TAKE_PROFIT"),
        Decimal("750.000"),
    )


@pytest.mark.parametrize("garbled", [{"status": "ODD"}, {"positionSide": "UP"}, {"orderId": "x"}])
def test_an_order_in_unknown_words_is_set_aside(garbled: dict[str, str]) -> None:
    with pytest.raises(UnreadableRow):
        contracts.order(SAMPLES["allOrders"][0] | garbled)


def test_positions_of_hedge_mode_and_nothing_of_what_is_not_held() -> None:
    held, empty = SAMPLES["positionRisk"]
    row = contracts.position(held, terms, {})
    assert row is not None
    assert (row.side, row.is_hedged, row.quantity, row.entry_price) == (
        *(PositionSide.LONG, True, Decimal("0.001")),
        Decimal("22185.2"),
    )
    assert (row.leverage, row.margin_mode, row.unrealized_pnl) == (
        *(Decimal(4), MarginMode.CROSS),
        Decimal("-1.06214947"),
    )
    assert contracts.position(empty, terms, {}) is None


def test_a_position_of_one_way_mode_has_the_side_of_its_sign() -> None:
    raw = {
        key: value
        for key, value in SAMPLES["positionRisk"][0].items()
        if key not in ("marginType", "leverage")
    }
    [config] = SAMPLES["symbolConfig"]
    row = contracts.position(
        raw | {"positionSide": "BOTH", "positionAmt": "-0.5"}, terms, {"BTCUSDT": config}
    )
    assert row is not None
    assert (row.side, row.is_hedged, row.quantity, row.leverage, row.margin_mode) == (
        *(PositionSide.SHORT, False, Decimal("0.5"), Decimal(21)),
        MarginMode.CROSS,
    )


def test_a_balance_splits_what_is_free_from_what_is_margin() -> None:
    first, second = SAMPLES["account"]["assets"]
    assert contracts.balance(first | {"availableBalance": "20.72469206"}) == BalanceRow(
        *("USDT", Decimal("20.72469206"), Decimal("3.00000000")),
        raw=first | {"availableBalance": "20.72469206"},
        wallet="futures",
        unrealized_pnl=Decimal(0),
    )
    told = contracts.balance(second)  # other assets stand in: more is available than there is
    assert told is not None
    assert (told.available, told.locked) == (Decimal("103.12345678"), Decimal(0))


def test_a_wallet_below_zero_locks_nothing() -> None:
    row = contracts.balance(SAMPLES["account"]["assets"][0] | {"walletBalance": "-4"})
    assert row is not None
    assert (row.available, row.locked) == (Decimal(-4), Decimal(0))


def test_a_listing_says_what_it_is_settled_in() -> None:
    row = contracts.listing(SAMPLES["exchangeInfo"]["symbols"][0])
    assert row.contract == Contract("BLZ", "USDT", "USDT", Decimal(1))
    assert (row.symbol, row.is_trading, row.price_step, row.quantity_step, row.min_notional) == (
        *("BLZUSDT", True, Decimal("0.0001"), Decimal(1)),
        Decimal("5.0"),
    )


@pytest.mark.parametrize(
    ("symbol", "contract"),
    [
        ("BTCUSDT", BTC),
        ("GONEUSDT", Contract("GONE", "USDT", "USDT", Decimal(1))),
        ("ETHUSDC", Contract("ETH", "USDC", "USDC", Decimal(1))),
        ("BTCUSDT_260327", BTC),
    ],
)
def test_a_contract_no_longer_listed_is_read_by_its_name(symbol: str, contract: Contract) -> None:
    assert terms(symbol) == contract


def test_a_name_that_says_nothing_is_unknown() -> None:
    with pytest.raises(UnreadableRow):
        terms("ODDXYZ")


def test_a_mark_price() -> None:
    row = contracts.mark_price(SAMPLES["premiumIndex"])
    assert row is not None
    assert (row.symbol, row.price) == ("BTCUSDT", Decimal("11793.63104562"))


def test_income_below_zero_is_a_charge_and_above_a_rebate() -> None:
    raw = SAMPLES["income"][1] | {"incomeType": "INSURANCE_CLEAR"}
    taken, given = movements.income(raw), movements.income(raw | {"income": "0.5"})
    assert taken is not None
    assert given is not None
    assert (taken.kind, taken.amount, taken.from_wallet) == (TransferKind.CHARGE, Decimal("0.01"), "futures")
    assert (given.kind, given.amount, given.to_wallet) == (TransferKind.REBATE, Decimal("0.5"), "futures")
    assert taken.transfer_id == "INSURANCE_CLEAR:9689322392"
    assert movements.income(raw | {"income": "0.00000000"}) is None


def test_funding_is_told_without_rate_and_side() -> None:
    row = movements.funding(SAMPLES["income"][1] | {"incomeType": "FUNDING_FEE"})
    assert (row.symbol, row.amount, row.rate, row.quantity, row.position_side) == (
        *("BTCUSDT", Decimal("-0.01000000"), None, None),
        PositionSide.BOTH,
    )
    assert row.paid_at == datetime(2019, 10, 9, 16, 0, tzinfo=UTC)


def test_a_transfer_names_both_wallets() -> None:
    row = movements.internal(SAMPLES["asset/transfer"]["rows"][0])
    assert (row.transfer_id, row.amount, row.from_wallet, row.to_wallet) == (
        *("11415955596", Decimal(1)),
        *("spot", "futures"),
    )
    away = movements.internal(SAMPLES["asset/transfer"]["rows"][0] | {"type": "MAIN_FUNDING"})
    assert (away.from_wallet, away.to_wallet) == ("spot", "other")
    with pytest.raises(UnreadableRow):
        movements.internal(SAMPLES["asset/transfer"]["rows"][0] | {"type": "MAIN_MOON"})
