"""Recorded rows of Bitget's unified accounts as ours."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.bitget import contracts, unified_mapping
from exchanges.rows import (
    Contract,
    ContractSide,
    MarketType,
    OrderStatus,
    PositionSide,
    Side,
)

Samples = dict[str, Any]


def assets(symbol: str) -> tuple[str, str]:
    return symbol[:3], symbol[3:]


def terms(symbol: str) -> Contract:
    return contracts.linear(symbol[:3], symbol[3:])


def test_a_unified_fill(samples: Samples) -> None:
    [raw] = samples["unified fills"]["list"]
    row = unified_mapping.contract_fill(raw, terms, is_hedged=True)
    assert (row.side, row.price, row.quantity, row.fee_amount, row.fee_currency) == (
        Side.SELL,
        Decimal("106950.1"),
        Decimal("0.01"),
        Decimal("0.6417006"),
        "USDT",
    )
    assert row.contract == ContractSide("USDT", False, PositionSide.SHORT, Decimal("-0.002"))
    one_way = unified_mapping.contract_fill(raw, terms, is_hedged=False).contract
    assert one_way is not None
    assert one_way.position_side is PositionSide.BOTH


def test_unified_fees_above_zero_are_costs(samples: Samples) -> None:
    raw = samples["unified fills"]["list"][0] | {"feeDetail": [{"feeCoin": "USDT", "fee": "-0.1"}]}
    assert unified_mapping.fill(raw, assets).fee_amount == Decimal("-0.1")


def test_unified_orders(samples: Samples) -> None:
    found = [
        unified_mapping.order(raw)
        for raw in (
            samples["unified history orders"]["list"][0],
            samples["unified open orders"]["list"][0],
            samples["unified order"],
        )
    ]
    assert [(row.market_type, row.side, row.position_side, row.status, row.quantity) for row in found] == [
        (MarketType.FUTURES, Side.SELL, PositionSide.LONG, OrderStatus.FILLED, Decimal("0.429")),
        (MarketType.FUTURES, Side.BUY, PositionSide.LONG, OrderStatus.NEW, Decimal("0.01")),
        (MarketType.SPOT, Side.BUY, None, OrderStatus.FILLED, Decimal("0.0372")),
    ]


def test_a_strategy_order_is_told_by_its_parts(samples: Samples) -> None:
    """Recorded with a target, a stop and a trigger in one row."""
    rows = [unified_mapping.strategy(each) for each in unified_mapping.parts(samples["unified plans"])]
    assert [(row.order_id, row.type, row.side, row.stop_price, row.price) for row in rows] == [
        ("strategy-111111111111111111-tp", "TAKE_PROFIT", Side.SELL, Decimal(110000), None),
        ("strategy-111111111111111111-sl", "STOP_LOSS", Side.SELL, Decimal(90000), None),
    ]
    [bare] = unified_mapping.parts(
        [samples["unified plans"][0] | {"takeProfit": "", "stopLoss": "", "side": "buy"}]
    )
    row = unified_mapping.strategy(bare)
    assert (row.type, row.side, row.stop_price, row.price) == (
        "TRIGGER_LIMIT",
        Side.BUY,
        Decimal(100000),
        Decimal(100500),
    )


def test_a_unified_position(samples: Samples) -> None:
    row = unified_mapping.position(samples["unified positions"]["list"][0], terms)
    assert row is not None
    assert (row.side, row.is_hedged, row.quantity, row.leverage, row.margin) == (
        PositionSide.LONG,
        True,
        Decimal("119.2068"),
        Decimal(3),
        Decimal("4701531.84941582"),
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (Decimal("6.19300826"), Decimal(0), None)),
        ({"equity": "7.19300826"}, (Decimal("6.19300826"), Decimal(0), Decimal(1))),
        ({"debt": "2", "equity": "4.19300826"}, (Decimal("4.19300826"), Decimal(0), None)),
        ({"available": "1"}, (Decimal(1), Decimal("5.19300826"), None)),
    ],
    ids=["plain", "unrealised", "borrowed", "locked"],
)
def test_unified_balances(samples: Samples, change: Samples, expected: tuple[Any, ...]) -> None:
    row = unified_mapping.balance(samples["unified assets"]["assets"][0] | change)
    assert row is not None
    assert (row.available, row.locked, row.unrealized_pnl) == expected


def test_unified_deposits_and_withdrawals(samples: Samples) -> None:
    came = unified_mapping.deposit(samples["unified deposits"][0])
    went = unified_mapping.withdrawal(samples["unified withdrawals"][0])
    assert [(row.asset, row.amount, row.fee_amount, row.tx_id) for row in (came, went)] == [
        ("USDT", Decimal(1), Decimal(0), ""),
        ("USDT", Decimal(100), Decimal(10), ""),
    ]


@pytest.mark.parametrize(
    ("kind", "amount"),
    [("CONTRACT_MAIN_SETTLE_FEE_USER_IN", "0.5"), ("CONTRACT_MAIN_SETTLE_FEE_USER_OUT", "-0.5")],
)
@pytest.mark.parametrize("told", ["0.5", "-0.5"])
def test_unified_funding_goes_by_its_type(samples: Samples, kind: str, amount: str, told: str) -> None:
    raw = samples["unified records"]["list"][0] | {"type": kind, "amount": told}
    assert unified_mapping.funding(raw).amount == Decimal(amount)
