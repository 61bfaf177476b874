"""Recorded rows of Bitget's contracts as ours."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.bitget import contracts
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    Contract,
    ContractSide,
    FundingRow,
    MarketType,
    OrderStatus,
    PositionSide,
    Side,
    TransferKind,
)

Samples = dict[str, Any]


def terms(symbol: str) -> Contract:
    return contracts.linear(symbol[:3], symbol[3:])


def test_a_fill_of_a_contract(samples: Samples) -> None:
    [raw] = samples["mix fills"]["fillList"]
    row = contracts.fill(raw, terms)
    assert (row.market_type, row.side, row.price, row.quantity, row.quote_quantity) == (
        MarketType.FUTURES,
        Side.SELL,
        Decimal("1801.33"),
        Decimal("0.02"),
        Decimal("36.0266"),
    )
    assert (row.fee_amount, row.fee_currency, row.contract) == (
        Decimal("0.02161596"),
        "USDT",
        ContractSide("USDT", False, PositionSide.BOTH, Decimal("0.0252")),
    )


def test_in_hedge_mode_the_side_is_the_positions(samples: Samples) -> None:
    """Recorded: the purchase that closes a long position is a sale."""
    [raw] = samples["mix fills deducted"]["fillList"]
    row = contracts.fill(raw, terms)
    assert (row.side, row.contract and row.contract.position_side, row.fee_currency, row.symbol) == (
        Side.SELL,
        PositionSide.LONG,
        "BGB",
        "ETHUSDT",
    )


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (("buy", "open", ""), (Side.BUY, PositionSide.LONG, False)),
        (("buy", "close", ""), (Side.SELL, PositionSide.LONG, True)),
        (("sell", "open", ""), (Side.SELL, PositionSide.SHORT, False)),
        (("sell", "close", ""), (Side.BUY, PositionSide.SHORT, True)),
        (("buy", "close", "short"), (Side.BUY, PositionSide.SHORT, True)),
        (("sell", "burst_close_long", ""), (Side.SELL, PositionSide.LONG, True)),
        (("buy", "reduce_close_short", ""), (Side.BUY, PositionSide.SHORT, True)),
    ],
)
def test_sides_of_hedge_mode(told: tuple[str, str, str], meant: tuple[Side, PositionSide, bool]) -> None:
    side, trade, held = told
    raw = {"side": side, "tradeSide": trade, "posSide": held, "posMode": "hedge_mode"}
    assert contracts.sides(raw) == meant


def test_a_liquidation_is_told_by_the_trade_side(samples: Samples) -> None:
    raw = samples["mix fills"]["fillList"][0] | {"tradeSide": "burst_sell"}
    told = contracts.fill(raw, terms).contract
    assert told is not None
    assert told.is_liquidation


def test_orders_of_contracts(samples: Samples) -> None:
    waiting = contracts.order(samples["mix open orders"]["entrustedList"][0])
    done = contracts.order(samples["mix order"])
    assert (waiting.side, waiting.position_side, waiting.status, waiting.price, waiting.reduce_only) == (
        Side.BUY,
        PositionSide.BOTH,
        OrderStatus.NEW,
        Decimal("0.15"),
        False,
    )
    assert (done.status, done.quantity, done.executed_quote_quantity, done.reduce_only) == (
        OrderStatus.FILLED,
        Decimal(2),
        Decimal(1900),
        True,
    )


@pytest.mark.parametrize(
    ("source", "kind", "ours"),
    [
        ("normal", "limit", "LIMIT"),
        ("market", "market", "MARKET"),
        ("loss_market", "market", "STOP_LOSS"),
        ("pos_loss_market", "market", "STOP_LOSS"),
        ("pos_profit_limit", "limit", "TAKE_PROFIT_LIMIT"),
        ("profit_market", "market", "TAKE_PROFIT"),
        ("liquidation", "market", "MARKET"),
        ("trader_loss", "market", "MARKET"),
    ],
)
def test_an_order_says_what_placed_it(samples: Samples, source: str, kind: str, ours: str) -> None:
    raw = samples["mix order"] | {"orderSource": source, "orderType": kind, "force": "gtc"}

    assert contracts.order(raw).type == ours


def test_conditional_orders_of_contracts(samples: Samples) -> None:
    found = [
        contracts.plan(samples[name]["entrustedList"][0])
        for name in ("mix plans", "mix profit plans", "mix plan history")
    ]
    assert [(row.order_id, row.type, row.side, row.status, row.stop_price) for row in found] == [
        ("plan-123", "TRIGGER_LIMIT", Side.BUY, OrderStatus.NEW, Decimal(1901)),
        ("tpsl-1272849518383902721", "TAKE_PROFIT_LIMIT", Side.SELL, OrderStatus.NEW, Decimal("634.59")),
        ("plan-123", "TRIGGER_LIMIT", Side.BUY, OrderStatus.EXPIRED, Decimal(1989)),
    ]
    assert [row.placed_order_id for row in found] == ["", "", "123456"]


def test_a_position(samples: Samples) -> None:
    row = contracts.position(samples["positions"][0], terms)
    assert row is not None
    assert (row.side, row.is_hedged, row.quantity, row.entry_price, row.mark_price, row.leverage) == (
        PositionSide.LONG,
        True,
        Decimal("0.01"),
        Decimal(25000),
        Decimal(25100),
        Decimal(20),
    )
    assert contracts.position(samples["positions"][0] | {"total": "0"}, terms) is None


def test_equity_contains_what_is_not_realised(samples: Samples) -> None:
    raw = samples["mix accounts"][0] | {"unrealizedPL": "2.5"}
    total = Decimal("10580.40265771")
    assert contracts.balance(raw) == BalanceRow(
        asset="USDT",
        available=Decimal("10575.26735771"),
        locked=total - Decimal("10575.26735771"),
        raw=raw,
        wallet="futures",
        unrealized_pnl=Decimal("2.5"),
    )


def test_funding_and_the_other_bills(samples: Samples) -> None:
    paid, opened = samples["mix bills"]["bills"]
    assert contracts.funding(paid) == FundingRow(
        symbol="BTCUSDT",
        payment_id="1",
        asset="USDT",
        amount=Decimal("-0.004992"),
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=datetime(2023, 9, 26, 8, 0, 0, 654000, tzinfo=UTC),
        raw=paid,
    )
    assert [contracts.income(raw) for raw in (paid, opened)] == [None, None]


@pytest.mark.parametrize(
    ("amount", "kind"), [("5", TransferKind.REBATE), ("-5", TransferKind.CHARGE), ("0", None)]
)
def test_a_bill_nothing_else_tells_is_given_or_taken(
    samples: Samples, amount: str, kind: TransferKind | None
) -> None:
    raw = samples["mix bills"]["bills"][1] | {"businessType": "bonus_issue", "amount": amount}
    row = contracts.income(raw)
    assert (row and (row.kind, row.amount)) == (kind and (kind, Decimal(5)))


def test_a_listed_contract(samples: Samples) -> None:
    row = contracts.listing(samples["contracts"][0])
    assert (row.contract, row.price_step, row.quantity_step, row.min_quantity) == (
        Contract("BTC", "USDT", "USDT", Decimal(1)),
        Decimal("0.1"),
        Decimal("0.01"),
        Decimal("0.01"),
    )
    with pytest.raises(UnreadableRow, match="not in its quote"):
        contracts.listing(samples["contracts"][0] | {"supportMarginCoins": ["BTC"]})


@pytest.mark.parametrize(
    ("symbol", "settle", "base"),
    [("LUNAUSDT", "USDT", "LUNA"), ("LUNAPERP", "USDC", "LUNA"), ("1000SATSUSDT", "USDT", "1000SATS")],
)
def test_contracts_listed_no_more_go_by_their_names(symbol: str, settle: str, base: str) -> None:
    assert contracts.delisted(symbol, settle) == contracts.linear(base, settle)
