"""Recorded rows of contracts as ours, and rows that cannot be read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.money import ZERO
from exchanges import reading
from exchanges.gateio import book, contracts, triggers
from exchanges.gateio.walks import Round
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
)

Json = dict[str, Any]
BTC = Contract("BTC", "USDT", "USDT", Decimal("0.0001"))
INVERSE = Contract("BTC", "USD", "BTC", Decimal(1), is_inverse=True)


def terms(name: str) -> Contract:
    if name not in ("BTC_USDT", "BTC_USD"):
        raise UnreadableRow(f"contract {name} is not listed")
    return BTC if name == "BTC_USDT" else INVERSE


@pytest.fixture(scope="module")
def samples() -> Json:
    text = Path(__file__).with_name("contract_samples.json").read_text()
    decoded: Json = json.loads(text, parse_float=str)
    return decoded


def at(seconds: int, ms: int = 0) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)


def reason(raw: object, read: Any) -> str:
    _, bad = reading.rows([raw], read)
    return bad[0].reason


def test_a_fill(samples: Json) -> None:
    raw = samples["my_trades"][0]
    assert contracts.fill(raw, terms, {"121234231": Decimal("1.5")}, is_dual=False) == FillRow(
        market_type=MarketType.FUTURES,
        symbol="BTC_USDT",
        base_asset="BTC",
        quote_asset="USDT",
        fill_id="121234231",
        order_id="21893289839",
        side=Side.BUY,
        price=Decimal("100.123"),
        quantity=Decimal("0.01"),
        quote_quantity=Decimal("1.00123"),
        fee_amount=Decimal("0.01"),
        fee_currency="USDT",
        is_maker=False,
        executed_at=at(1514764800, 123),
        raw=raw,
        contract=ContractSide("USDT", False, PositionSide.BOTH, Decimal("1.5")),
    )


@pytest.mark.parametrize(
    ("size", "closed", "side"),
    [
        ("100", "0", PositionSide.LONG),
        ("-100", "0", PositionSide.SHORT),
        ("100", "100", PositionSide.SHORT),
        ("-100", "-100", PositionSide.LONG),
        ("-100", "-40", PositionSide.BOTH),
    ],
)
def test_in_dual_mode_what_a_fill_closed_tells_its_position(
    samples: Json, size: str, closed: str, side: PositionSide
) -> None:
    raw = samples["my_trades"][0] | {"size": size, "close_size": closed}
    found = contracts.fill(raw, terms, {}, is_dual=True).contract
    assert found is not None
    assert (found.position_side, found.realized_pnl) == (side, ZERO if closed == "0" else None)


def test_in_dual_mode_a_fill_that_does_not_tell_what_it_closed_is_set_aside(samples: Json) -> None:
    def read(raw: Any) -> FillRow:
        return contracts.fill(raw, terms, {}, is_dual=True)

    assert reason(samples["my_trades"][0], read) == "close_size is missing, so the position is unknown"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": None}, "size is missing"),
        ({"price": "-1"}, "price is not above zero: -1"),
        ({"contract": "GONE_USDT"}, "contract GONE_USDT is not listed"),
        ({"role": "both"}, "role 'both' is unknown"),
        ({"create_time": 1514764800123}, "create_time 1514764800123 is not in seconds between 2010 and 2100"),
        ({"point_fee": "1"}, "a fee in several currencies: 0.01 USDT, 1 POINT"),
        ({"size": "0.00000000000000001"}, "'1E-21' has more than 18 decimals."),
    ],
)
def test_fills_that_cannot_be_read(samples: Json, changes: Json, told: str) -> None:
    def read(raw: Any) -> FillRow:
        return contracts.fill(raw, terms, {}, is_dual=False)

    assert told.partition("'1E")[0] in reason(samples["my_trades"][0] | changes, read)


@pytest.mark.parametrize(
    ("text", "is_liquidation"),
    [("liq-123", True), ("hedge-liq-1", True), ("pm_liquidate", True), ("web", False), ("t-liq-1", False)],
)
def test_a_liquidation_is_known_by_its_text(samples: Json, text: str, is_liquidation: bool) -> None:
    assert contracts.is_liquidation(samples["my_trades"][0] | {"text": text}) is is_liquidation


def test_a_fill_of_an_inverse_contract(samples: Json) -> None:
    raw = samples["my_trades"][0] | {
        "contract": "BTC_USD",
        "size": -300,
        "price": "40000",
        "fee": "-0.0000002",
    }
    row = contracts.fill(raw, terms, {}, is_dual=False)
    assert (row.side, row.quantity, row.quote_quantity, row.fee_amount, row.fee_currency) == (
        Side.SELL,
        Decimal(300),
        Decimal("0.0075"),
        Decimal("-0.0000002"),
        "BTC",
    )


def test_an_order(samples: Json) -> None:
    raw = samples["order"]
    assert contracts.order(raw, terms, is_dual=False) == OrderRow(
        market_type=MarketType.FUTURES,
        symbol="BTC_USDT",
        order_id="15675394",
        client_order_id="my-custom-id",
        order_list_id="",
        side=Side.BUY,
        type="LIMIT",
        status=OrderStatus.CANCELED,
        price=Decimal(3765),
        stop_price=None,
        quantity=Decimal("0.6024"),
        executed_quantity=Decimal(0),
        executed_quote_quantity=ZERO,
        time_in_force="GTC",
        ordered_at=at(1546569968),
        updated_at=at(1514764900),
        raw=raw,
        position_side=PositionSide.BOTH,
    )


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"status": "open", "left": 1}, OrderStatus.PARTIALLY_FILLED, "LIMIT"),
        ({"status": "open"}, OrderStatus.NEW, "LIMIT"),
        ({"finish_as": "filled", "left": 0, "price": "0", "tif": "ioc"}, OrderStatus.FILLED, "MARKET"),
        ({"finish_as": "ioc"}, OrderStatus.EXPIRED, "LIMIT"),
        ({"finish_as": "liquidated"}, OrderStatus.CANCELED, "LIMIT"),
        ({"finish_as": "cancelled", "tif": "poc"}, OrderStatus.CANCELED, "LIMIT_MAKER"),
    ],
)
def test_what_became_of_an_order(samples: Json, changes: Json, status: OrderStatus, kind: str) -> None:
    row = contracts.order(samples["order"] | changes, terms, is_dual=False)
    assert (row.status, row.type) == (status, kind)


def test_a_price_triggered_order(samples: Json) -> None:
    raw = samples["price_orders"][0]
    row = triggers.contract_order(raw, terms, is_dual=True)
    assert (row.order_id, row.type, row.side, row.status, row.stop_price, row.price, row.quantity) == (
        "trigger-1283293",
        "STOP_LOSS_LIMIT",
        Side.BUY,
        OrderStatus.CANCELED,
        Decimal(3000),
        Decimal("5.03"),
        Decimal("0.01"),
    )


def test_a_price_triggered_order_that_closes_all_tells_its_side_by_its_kind(samples: Json) -> None:
    raw = samples["price_orders"][0]
    whole = raw | {"initial": raw["initial"] | {"size": 0, "price": "0"}, "status": "open"}
    row = triggers.contract_order(whole, terms, is_dual=True)
    assert (row.side, row.type, row.position_side, row.quantity, row.reduce_only) == (
        Side.SELL,
        "TAKE_PROFIT",
        PositionSide.LONG,
        ZERO,
        True,
    )


def test_a_position(samples: Json) -> None:
    raw = samples["positions"][0]
    assert contracts.position(raw, terms) == PositionRow(
        symbol="BTC_USDT",
        side=PositionSide.SHORT,
        is_hedged=False,
        quantity=Decimal("0.944"),
        settle_asset="USDT",
        is_inverse=False,
        entry_price=Decimal("3779.55"),
        mark_price=Decimal("3780.32"),
        liquidation_price=Decimal("99999999"),
        leverage=None,
        margin_mode=MarginMode.CROSS,
        margin=Decimal("4.431548146258"),
        unrealized_pnl=Decimal("-0.000507486844"),
        raw=raw,
    )


def test_a_position_that_is_closed_is_none(samples: Json) -> None:
    assert contracts.position(samples["positions"][0] | {"size": 0}, terms) is None


def test_the_wallet_is_its_total_without_unrealised_profit(samples: Json) -> None:
    raw = samples["accounts"]
    assert contracts.balance(raw) == BalanceRow(
        asset="USDT",
        available=Decimal("9669.091377934145"),
        locked=Decimal("38.712189181"),
        raw=raw,
        wallet="futures",
        unrealized_pnl=Decimal("3371.248828"),
    )


def test_more_available_than_there_is_is_all_there_is(samples: Json) -> None:
    row = contracts.balance(samples["accounts"] | {"available": "12000"})
    assert row is not None
    assert (row.available, row.locked) == (Decimal("9707.803567115145"), ZERO)


def test_a_contract_is_worth_its_multiplier(samples: Json) -> None:
    row = contracts.listing(samples["contract"], "usdt")
    assert (row.contract, row.quantity_step, row.min_quantity, row.price_step, row.is_trading) == (
        BTC,
        Decimal("0.0001"),
        Decimal("0.0001"),
        Decimal("0.1"),
        True,
    )


def test_a_contract_may_be_traded_in_parts(samples: Json) -> None:
    row = contracts.listing(samples["contracts"][0], "usdt")
    assert (row.symbol, row.quantity_step, row.min_quantity) == ("LAB_USDT", Decimal(10), Decimal(10))


def test_an_inverse_contract_is_worth_one_of_the_quote(samples: Json) -> None:
    raw = samples["contract"] | {"name": "BTC_USD", "type": "inverse", "quanto_multiplier": "0"}
    assert contracts.listing(raw, "btc").contract == INVERSE


def test_a_quanto_contract_is_set_aside(samples: Json) -> None:
    raw = samples["contract"] | {"name": "ETH_USD"}
    words = "ETH_USD is settled in BTC, neither its base nor its quote"
    assert reason(raw, lambda each: contracts.listing(each, "btc")) == words


def test_a_mark_price(samples: Json) -> None:
    assert contracts.mark_price(samples["tickers"][0]) == PriceRow("BTC_USDT", Decimal(6534))
    assert contracts.mark_price(samples["tickers"][0] | {"mark_price": "0"}) is None


def test_funding_without_an_id_is_named_by_its_fields(samples: Json) -> None:
    raw = samples["account_book"][0] | {"type": "fund", "contract": "", "text": "BTC_USD"}
    assert book.funding(raw, "btc") == FundingRow(
        symbol="BTC_USD",
        payment_id="BTC_USD:1682294400.123456:0.000010152188",
        asset="BTC",
        amount=Decimal("0.000010152188"),
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=at(1682294400, 123),
        raw=raw,
    )


def test_profits_of_a_fill_are_added_up_and_rows_that_come_twice_count_once(samples: Json) -> None:
    first = samples["account_book"][0] | {"type": "pnl", "change": "2", "id": "a"}
    second = first | {"change": "3", "id": "b"}
    stranger = first | {"trade_id": "", "id": "c"}
    assert book.profits([first, second, first, stranger]) == {"1": Decimal(5)}


def test_a_round_goes_through_all_ledgers_and_begins_again() -> None:
    names = ["usdt", "btc"]
    first, more = Round.starting("", names).onward("10", has_more=True)
    second, more_of_all = Round.starting(first, names).onward("20", has_more=False)
    last, still_more = Round.starting(second, names).onward("30", has_more=False)
    assert (more, more_of_all, still_more) == (True, True, False)
    assert [Round.starting(each, names).at for each in (first, second, last)] == ["usdt", "btc", "usdt"]
    assert Round.starting(last, names).place == "20"


def test_a_round_takes_up_a_ledger_that_is_new() -> None:
    after, _ = Round.starting("", ["usdt"]).onward("10", has_more=False)
    turn = Round.starting(after, ["usdt", "btc"])
    onward, more = turn.onward("11", has_more=False)
    assert (more, Round.starting(onward, ["usdt", "btc"]).place) == (True, "")
