"""Recorded rows of contracts as ours, and rows that cannot be read."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import clock
from core.money import ZERO
from exchanges import reading
from exchanges.errors import ErrorKind
from exchanges.mexc import conditionals, contracts, errors
from exchanges.mexc.walks import Leaf
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    BalanceRow,
    Contract,
    ContractSide,
    FillRow,
    FundingRow,
    MarginMode,
    MarketType,
    OrderRow,
    OrderStatus,
    PositionRow,
    PositionSide,
    PriceRow,
    Side,
    TransferKind,
    TransferStatus,
)

Json = dict[str, Any]
TERMS = {
    "ETH_USDT": Contract("ETH", "USDT", "USDT", Decimal("0.01")),
    "BTC_USDT": Contract("BTC", "USDT", "USDT", Decimal("0.0001")),
    "STEPN_USDT": Contract("STEPN", "USDT", "USDT", Decimal(10)),
    "SUSHI_USDT": Contract("SUSHI", "USDT", "USDT", Decimal(1)),
}


def terms(symbol: str) -> Contract:
    if symbol not in TERMS:
        raise UnreadableRow(f"contract {symbol} is not listed")
    return TERMS[symbol]


@pytest.fixture(scope="module")
def samples() -> Json:
    """What is inside the envelope, by endpoint."""
    text = Path(__file__).with_name("contract_samples.json").read_text()
    decoded: Json = json.loads(text, parse_float=str)
    return {name: raw.get("data", raw) for name, raw in decoded.items()}


def at(ms: int) -> datetime:
    return clock.from_ms(ms)


def reason(raw: object, read: Any) -> str:
    _, bad = reading.rows([raw], read)
    return bad[0].reason


def read_fill(raw: Any) -> FillRow:
    return contracts.fill(raw, terms, is_hedged=True)


def test_a_fill(samples: Json) -> None:
    raw = samples["deal_details"][0]
    assert read_fill(raw) == FillRow(
        market_type=MarketType.FUTURES,
        symbol="ETH_USDT",
        base_asset="ETH",
        quote_asset="USDT",
        fill_id="159274416",
        order_id="102015012431820288",
        side=Side.BUY,
        price=Decimal("1208.35"),
        quantity=Decimal("0.01"),
        quote_quantity=Decimal("12.0835"),
        fee_amount=Decimal("0.0072501"),
        fee_currency="USDT",
        is_maker=False,
        executed_at=at(1609992674000),
        raw=raw,
        contract=ContractSide("USDT", False, PositionSide.SHORT, ZERO),
    )


def test_a_fill_whose_numbers_are_texts(samples: Json) -> None:
    row = read_fill(samples["deal of texts"])
    assert (row.quantity, row.fee_amount, row.side) == (Decimal(10), Decimal("0.00147273"), Side.BUY)


@pytest.mark.parametrize(
    ("number", "side", "position"),
    [
        (1, Side.BUY, PositionSide.LONG),
        (2, Side.BUY, PositionSide.SHORT),
        (3, Side.SELL, PositionSide.SHORT),
        (4, Side.SELL, PositionSide.LONG),
    ],
)
def test_a_side_tells_what_is_opened_or_closed(
    samples: Json, number: int, side: Side, position: PositionSide
) -> None:
    raw = samples["deal_details"][0] | {"side": number}
    hedged, one_way = read_fill(raw), read_fill(raw | {"positionMode": 2})
    assert (hedged.side, one_way.side) == (side, side)
    assert hedged.contract is not None
    assert one_way.contract is not None
    assert (hedged.contract.position_side, one_way.contract.position_side) == (position, PositionSide.BOTH)


def test_a_fill_that_tells_no_mode_is_of_the_accounts(samples: Json) -> None:
    found = contracts.fill(samples["deal_details"][0], terms, is_hedged=False).contract
    assert found is not None
    assert found.position_side is PositionSide.BOTH


def test_what_the_exchange_took_over_is_a_liquidation(samples: Json) -> None:
    found = read_fill(samples["deal_details"][0] | {"category": 2, "profit": "-3.5E-7"}).contract
    assert found is not None
    assert (found.is_liquidation, found.realized_pnl) == (True, Decimal("-0.00000035"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"side": 5}, "side '5' is unknown"),
        ({"vol": 0}, "vol is not above zero: 0"),
        ({"price": None}, "price is missing"),
        ({"symbol": "GONE_USDT"}, "contract GONE_USDT is not listed"),
        ({"taker": "yes"}, "taker is unreadable: 'yes'"),
        ({"timestamp": 1609992674}, "timestamp 1609992674 is not in milliseconds between 2010 and 2100"),
    ],
)
def test_fills_that_cannot_be_read(samples: Json, changes: Json, told: str) -> None:
    assert reason(samples["deal_details"][0] | changes, read_fill) == told


def test_an_order(samples: Json) -> None:
    raw = samples["order"]
    assert contracts.order(raw, terms, is_hedged=True) == OrderRow(
        market_type=MarketType.FUTURES,
        symbol="ETH_USDT",
        order_id="102015012431820288",
        client_order_id="",
        order_list_id="",
        side=Side.BUY,
        type="MARKET",
        status=OrderStatus.FILLED,
        price=None,
        stop_price=None,
        quantity=Decimal("0.01"),
        executed_quantity=Decimal("0.01"),
        executed_quote_quantity=Decimal("12.0835"),
        time_in_force="IOC",
        ordered_at=at(1609992674000),
        updated_at=at(1609992674000),
        raw=raw,
        position_side=PositionSide.SHORT,
        reduce_only=True,
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"state": 2, "dealVol": 0}, OrderStatus.NEW),
        ({"state": 2}, OrderStatus.PARTIALLY_FILLED),
        ({"state": 4}, OrderStatus.CANCELED),
        ({"state": 5, "dealVol": 0}, OrderStatus.REJECTED),
    ],
)
def test_what_became_of_an_order(samples: Json, changes: Json, status: OrderStatus) -> None:
    assert contracts.order(samples["order"] | changes, terms, is_hedged=True).status is status


def test_a_plan_order(samples: Json) -> None:
    row = conditionals.plan(samples["plan of texts"], terms, is_hedged=True)
    assert (row.order_id, row.type, row.stop_price, row.price, row.quantity, row.status) == (
        "plan-265557643326564352",
        "STOP_LOSS_LIMIT",
        Decimal(3),
        Decimal("2.9"),
        Decimal(130),
        OrderStatus.NEW,
    )


def test_a_stop_and_a_profit_to_take_in_one_row_are_two_orders(samples: Json) -> None:
    raw = samples["stoporder"][0]
    rows = [read(raw, terms, is_hedged=True) for read in (conditionals.stop, conditionals.take)]
    assert [(row.order_id, row.type, row.stop_price, row.side, row.status) for row in rows if row] == [
        ("stop-357859177", "STOP_LOSS", Decimal(111325), Side.SELL, OrderStatus.EXPIRED),
        ("take-357859177", "TAKE_PROFIT", Decimal("113573.9"), Side.SELL, OrderStatus.EXPIRED),
    ]
    assert conditionals.take(raw | {"takeProfitPrice": 0}, terms, is_hedged=True) is None


def test_a_position(samples: Json) -> None:
    raw = samples["open_positions"][0]
    assert contracts.position(raw, terms, is_hedged=True) == PositionRow(
        symbol="ETH_USDT",
        side=PositionSide.LONG,
        is_hedged=True,
        quantity=Decimal("0.01"),
        settle_asset="USDT",
        is_inverse=False,
        entry_price=Decimal("1217.3"),
        mark_price=None,
        liquidation_price=Decimal("1211.2"),
        leverage=Decimal(100),
        margin_mode=MarginMode.ISOLATED,
        margin=Decimal("0.1290338"),
        unrealized_pnl=None,
        raw=raw,
    )


def test_the_wallet_is_its_equity_without_what_stands(samples: Json) -> None:
    raw = samples["assets"][0] | {"equity": "10.5", "unrealized": "0.5", "availableBalance": "4"}
    assert contracts.balance(raw) == BalanceRow(
        asset="USDT",
        available=Decimal(4),
        locked=Decimal(6),
        raw=raw,
        wallet="futures",
        unrealized_pnl=Decimal("0.5"),
    )


def test_funding(samples: Json) -> None:
    raw = samples["funding_records"]["resultList"][0]
    assert contracts.funding(raw, terms, is_hedged=True) == FundingRow(
        symbol="SUSHI_USDT",
        payment_id="328033",
        asset="USDT",
        amount=Decimal("0.0837798"),
        rate=Decimal("-0.002"),
        quantity=None,
        position_side=PositionSide.LONG,
        paid_at=at(1606435200000),
        raw=raw,
    )


def test_what_moved_between_wallets(samples: Json) -> None:
    came, went = (contracts.internal(raw) for raw in samples["transfer_record"]["resultList"])
    assert (came.kind, came.status, came.amount) == (
        TransferKind.INTERNAL,
        TransferStatus.SUCCESS,
        Decimal("0.03176562"),
    )
    assert (came.from_wallet, came.to_wallet) == ("spot", "futures")
    assert (went.from_wallet, went.to_wallet) == ("futures", "spot")
    assert came.transfer_id == "db13d56ca887429a8f5fe1d1cbc4559c"


def test_a_contract(samples: Json) -> None:
    row = contracts.listing(samples["detail"][0])
    assert (row.contract, row.quantity_step, row.min_quantity, row.price_step, row.is_trading) == (
        TERMS["BTC_USDT"],
        Decimal("0.0001"),
        Decimal("0.0001"),
        Decimal("0.5"),
        True,
    )
    assert not contracts.listing(samples["detail"][0] | {"state": 4}).is_trading


def test_a_contract_settled_in_its_base_is_inverse(samples: Json) -> None:
    raw = samples["detail"][0] | {"quoteCoin": "USD", "settleCoin": "BTC", "contractSize": 100}
    assert contracts.listing(raw).contract == Contract("BTC", "USD", "BTC", Decimal(100), is_inverse=True)
    assert reason(raw | {"settleCoin": "ETH"}, contracts.listing) == "settled in ETH, neither base nor quote"


def test_a_fair_price(samples: Json) -> None:
    assert contracts.fair_price(samples["ticker"][0]) == PriceRow("BTC_USDT", Decimal("31199.5"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (402, ErrorKind.AUTH),
        (406, ErrorKind.AUTH),
        (602, ErrorKind.AUTH),
        (701, ErrorKind.PERMISSION),
        (703, ErrorKind.PERMISSION),
        (510, ErrorKind.RATE),
        (513, ErrorKind.CLOCK),
        (501, ErrorKind.DOWN),
        (600, ErrorKind.BUG),
        (1001, ErrorKind.USER),
        (2040, ErrorKind.USER),
    ],
)
def test_refusals_about_contracts(code: int, kind: ErrorKind) -> None:
    told, words = errors.read({"success": False, "code": code, "message": "because"})
    assert (errors.KINDS[told], words) == (kind, "because")


def test_pages_are_read_until_what_is_known_already() -> None:
    rows = [{"t": 500}, {"t": 400}]
    onward, more = Leaf.at("100").after(rows, "t", pages=9)
    assert (onward, more) == ("100:2:500", True)
    older = [{"t": 300}, {"t": 90}]
    assert Leaf.at(onward).after(older, "t", pages=9) == ("100", False)


def test_the_next_walk_reads_the_last_days_again() -> None:
    at_ms = 1_700_000_000_000
    position, more = Leaf.at("").after([{"t": at_ms}], "t", pages=1)
    assert (position, more) == (str(at_ms - 3 * 86_400_000), False)
