"""Raw rows of Gate.io as ours, and rows that cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.money import ZERO
from exchanges import reading
from exchanges.gateio import listings, mapping, triggers
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    CandleRow,
    FillRow,
    MarketType,
    OrderRow,
    OrderStatus,
    PriceRow,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

Samples = dict[str, Any]


def assets(symbol: str) -> tuple[str, str]:
    return listings.assets(symbol, {})


def read_fill(raw: Any) -> FillRow:
    return mapping.fill(raw, assets)


def reason(raw: object, read: Any) -> str:
    _, bad = reading.rows([raw], read)
    return bad[0].reason


def test_a_fill_of_the_pair_asked_for(samples: Samples) -> None:
    raw = samples["my_trades"][0]
    assert mapping.fill(raw, assets, "ETH_BTC") == FillRow(
        market_type=MarketType.SPOT,
        symbol="ETH_BTC",
        base_asset="ETH",
        quote_asset="BTC",
        fill_id="1232893232",
        order_id="4128442423",
        side=Side.BUY,
        price=Decimal("0.03"),
        quantity=Decimal("0.15"),
        quote_quantity=Decimal("0.0045"),
        fee_amount=Decimal("0.0005"),
        fee_currency="ETH",
        is_maker=True,
        executed_at=datetime(2019, 1, 20, 16, 0, 0, 123000, UTC),
        raw=raw,
    )


def test_a_fee_paid_in_points(samples: Samples) -> None:
    row = read_fill(samples["points"])
    assert (row.fee_amount, row.fee_currency, row.side, row.executed_at) == (
        Decimal("0.4024342356"),
        "POINT",
        Side.SELL,
        datetime(2022, 5, 6, 3, 2, 55, 707000, UTC),
    )


@pytest.mark.parametrize(
    ("fees", "paid"),
    [
        ({"fee": "0", "gt_fee": "0.0012"}, (Decimal("0.0012"), "GT")),
        ({"fee": "-0.002"}, (Decimal("-0.002"), "USDT")),
        ({"fee": "0", "gt_fee": "-0.1"}, (Decimal("-0.1"), "GT")),
        ({"fee": "0"}, (ZERO, "USDT")),
        ({"fee": "", "fee_currency": "", "gt_fee": None}, (ZERO, "USDT")),
    ],
    ids=["GT", "rebate", "rebate in GT", "nothing", "nothing told"],
)
def test_fees_and_rebates(samples: Samples, fees: dict[str, Any], paid: tuple[Decimal, str]) -> None:
    row = read_fill(samples["points"] | {"point_fee": "0"} | fees)
    assert (row.fee_amount, row.fee_currency) == paid


def test_a_fill_without_milliseconds_has_seconds(samples: Samples) -> None:
    raw = {key: value for key, value in samples["points"].items() if key != "create_time_ms"}
    assert read_fill(raw).executed_at == datetime(2022, 5, 6, 3, 2, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": "1.0000000000000000001"}, "price: '1.0000000000000000001' has more than 18 decimals."),
        ({"price": "0"}, "price is not above zero: 0"),
        ({"amount": None}, "amount is missing"),
        ({"fee": "0.1"}, "a fee in several currencies: 0.1 USDT, 0.4024342356 POINT"),
        ({"fee": "0.1", "point_fee": "0", "fee_currency": ""}, "fee_currency is unreadable: ''"),
        ({"side": "short"}, "side 'short' is unknown"),
        ({"role": None}, "role is missing"),
        ({"id": "abc"}, "id is no id: 'abc'"),
        ({"currency_pair": "WHAT"}, "symbol 'WHAT' names no base and quote"),
        ({"create_time_ms": "1651806175"}, "create_time_ms '1651806175' is not in milliseconds"),
        ({"create_time_ms": None, "create_time": "soon"}, "create_time 'soon' is not in milliseconds"),
    ],
)
def test_an_unreadable_fill_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["points"] | change, read_fill).startswith(why)


def test_a_filled_order(samples: Samples) -> None:
    raw = samples["orders"][0]
    assert mapping.order(raw) == OrderRow(
        market_type=MarketType.SPOT,
        symbol="BTC_USDT",
        order_id="1852454420",
        client_order_id="abc123",
        order_list_id="",
        side=Side.BUY,
        type="LIMIT",
        status=OrderStatus.FILLED,
        price=Decimal("65000"),
        stop_price=None,
        quantity=Decimal("0.001"),
        executed_quantity=Decimal("0.001"),
        executed_quote_quantity=Decimal("63.4693"),
        time_in_force="GTC",
        ordered_at=datetime(2024, 3, 15, 7, 38, 54, 73000, UTC),
        updated_at=datetime(2024, 3, 15, 7, 38, 54, 74000, UTC),
        raw=raw,
    )


def test_an_old_open_order_tells_what_is_left(samples: Samples) -> None:
    row = mapping.order(samples["open_orders"][0]["orders"][0])
    assert (row.status, row.quantity, row.executed_quantity, row.updated_at) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("1"),
        Decimal("0.5"),
        datetime(2019, 1, 20, 16, 1, 40, tzinfo=UTC),
    )


def test_a_market_purchase_is_asked_for_in_the_quote(samples: Samples) -> None:
    market = {"type": "market", "amount": "50", "left": "0.1", "time_in_force": "ioc", "price": "0"}
    told = samples["orders"][0] | market
    row = mapping.order(told)
    assert (row.type, row.quantity, row.executed_quantity, row.price) == (
        "MARKET",
        Decimal("0.001"),
        Decimal("0.001"),
        None,
    )
    del told["filled_amount"]
    assert mapping.order(told).executed_quantity == Decimal("0.001")
    assert mapping.order(told | {"avg_deal_price": "0"}).quantity == ZERO


@pytest.mark.parametrize(
    ("status", "finish_as", "ours"),
    [
        ("cancelled", "cancelled", OrderStatus.CANCELED),
        ("cancelled", "ioc", OrderStatus.EXPIRED),
        ("cancelled", "stp", OrderStatus.EXPIRED),
        ("cancelled", "liquidate_cancelled", OrderStatus.CANCELED),
        ("closed", "filled", OrderStatus.FILLED),
        ("open", "open", OrderStatus.PARTIALLY_FILLED),
    ],
)
def test_states_of_orders(samples: Samples, status: str, finish_as: str, ours: OrderStatus) -> None:
    assert mapping.order(samples["orders"][0] | {"status": status, "finish_as": finish_as}).status is ours


def test_a_post_only_order_is_a_limit_maker(samples: Samples) -> None:
    row = mapping.order(samples["orders"][0] | {"time_in_force": "poc"})
    assert (row.type, row.time_in_force) == ("LIMIT_MAKER", "GTC")


@pytest.mark.parametrize(
    ("text", "ours"), [("t-cgt-1-TP1", "cgt-1-TP1"), ("web", ""), ("apiv4", ""), ("", "")]
)
def test_only_texts_of_clients_are_their_ids(text: str, ours: str) -> None:
    assert mapping.client_id(text) == ours


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "sleeping"}, "status 'sleeping' is unknown"),
        ({"type": "iceberg"}, "type 'iceberg' is unknown"),
        ({"amount": "-1"}, "amount is below zero: -1"),
        ({"filled_amount": "0.002"}, "0.002 of 0.001 were filled"),
        ({"filled_amount": None, "left": "0.002"}, "-0.001 of 0.001 were filled"),
    ],
)
def test_an_unreadable_order_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["orders"][0] | change, mapping.order) == why


def test_a_trigger_is_a_conditional_order(samples: Samples) -> None:
    row = triggers.order(samples["waiting trigger"])
    assert (row.order_id, row.symbol, row.type, row.status, row.stop_price, row.price, row.quantity) == (
        "trigger-71639298",
        "ADA_USDT",
        "STOP_LOSS_LIMIT",
        OrderStatus.NEW,
        Decimal("1.08"),
        Decimal("1.08"),
        Decimal(1),
    )
    assert row.updated_at == row.ordered_at == datetime(2022, 2, 4, 3, 39, 45, tzinfo=UTC)


@pytest.mark.parametrize(("told", "ours"), [(0, ""), (1852454420, "1852454420")])
def test_a_trigger_that_fired_says_what_it_placed(samples: Samples, told: int, ours: str) -> None:
    assert triggers.order(samples["waiting trigger"] | {"fired_order_id": told}).placed_order_id == ours


@pytest.mark.parametrize(
    ("side", "rule", "kind", "ours"),
    [
        ("sell", "<=", "limit", "STOP_LOSS_LIMIT"),
        ("sell", ">=", "limit", "TAKE_PROFIT_LIMIT"),
        ("buy", ">=", "market", "STOP_LOSS"),
        ("buy", "<=", "market", "TAKE_PROFIT"),
    ],
)
def test_what_a_trigger_is_for(samples: Samples, side: str, rule: str, kind: str, ours: str) -> None:
    raw = samples["waiting trigger"]
    told = raw | {
        "trigger": raw["trigger"] | {"rule": rule},
        "put": raw["put"] | {"side": side, "type": kind},
    }
    assert triggers.order(told).type == ours


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": ""}, "status is unreadable: ''"),
        ({"status": "asleep"}, "status 'asleep' is unknown"),
        ({"put": None}, "put is missing"),
        ({"trigger": {"rule": "=="}}, "side or rule is unknown"),
    ],
)
def test_an_unreadable_trigger_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["waiting trigger"] | change, triggers.order) == why


def test_a_deposit(samples: Samples) -> None:
    raw = samples["deposits"][0]
    assert mapping.deposit(raw) == TransferRow(
        kind=TransferKind.DEPOSIT,
        transfer_id="210496",
        asset="USDT",
        amount=Decimal("222.61"),
        fee_amount=ZERO,
        network="TRX",
        address="1HkxtBAMrA3tP5ENnYY2CZortjZvFDH5Cs",
        tx_id="128988928203223323290",
        status=TransferStatus.SUCCESS,
        occurred_at=datetime(2018, 11, 12, 5, 20, tzinfo=UTC),
        raw=raw,
    )


def test_a_withdrawals_fee_is_part_of_its_amount(samples: Samples) -> None:
    row = mapping.withdrawal(samples["TRX withdrawal"])
    assert (row.amount, row.fee_amount, row.status) == (Decimal(7), Decimal(2), TransferStatus.SUCCESS)


def test_what_left_by_gatecode_is_below_zero(samples: Samples) -> None:
    code = {"id": "b1", "amount": "-5", "fee": None, "status": "BCODE"}
    row = mapping.withdrawal(samples["TRX withdrawal"] | code)
    assert (row.amount, row.fee_amount, row.status) == (Decimal(5), ZERO, TransferStatus.SUCCESS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": "-5"}, "a fee of 2 is no part of -5"),
        ({"fee": "10"}, "a fee of 10 is no part of 9"),
        ({"fee": "-1"}, "a fee of -1 is no part of 9"),
        ({"id": ""}, "id is unreadable: ''"),
    ],
)
def test_an_unreadable_withdrawal_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["TRX withdrawal"] | change, mapping.withdrawal) == why


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("DONE", TransferStatus.SUCCESS),
        ("CANCEL", TransferStatus.FAILED),
        ("INVALID", TransferStatus.FAILED),
        ("FAIL", TransferStatus.PENDING),
        ("DMOVE", TransferStatus.PENDING),
        ("NEW_WORD", TransferStatus.UNKNOWN),
    ],
)
def test_states_of_withdrawals(samples: Samples, status: str, ours: TransferStatus) -> None:
    assert mapping.withdrawal(samples["TRX withdrawal"] | {"status": status}).status is ours


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("DONE", TransferStatus.SUCCESS),
        ("DEP_CREDITED", TransferStatus.SUCCESS),
        ("TRACK", TransferStatus.PENDING),
        ("BLOCKED", TransferStatus.FAILED),
    ],
)
def test_states_of_deposits(samples: Samples, status: str, ours: TransferStatus) -> None:
    assert mapping.deposit(samples["deposits"][0] | {"status": status}).status is ours


def test_a_listing_tells_steps_by_decimals(samples: Samples) -> None:
    row = mapping.listing(samples["currency_pairs"][0])
    assert (row.symbol, row.base_asset, row.quote_asset, row.is_trading) == ("ETH_USDT", "ETH", "USDT", True)
    assert (row.price_step, row.quantity_step, row.min_quantity, row.min_notional) == (
        Decimal("0.000001"),
        Decimal("0.001"),
        Decimal("0.001"),
        Decimal("1.0"),
    )


def test_a_pair_that_may_only_be_sold_does_not_trade(samples: Samples) -> None:
    row = mapping.listing(
        samples["currency_pairs"][0] | {"trade_status": "sellable", "min_base_amount": None}
    )
    assert (row.is_trading, row.status, row.min_quantity) == (False, "sellable", None)


def test_prices(samples: Samples) -> None:
    raw = samples["tickers"][0]
    assert mapping.price(raw) == PriceRow("BTC3L_USDT", Decimal("2.46140352"))
    assert [mapping.price(raw | {"last": last}) for last in ("0", "", None)] == [None, None, None]


def test_a_candle(samples: Samples) -> None:
    assert mapping.candle(samples["candlesticks"][0], "BTC_USDT", "1h") == CandleRow(
        symbol="BTC_USDT",
        timeframe="1h",
        opened_at=datetime(2024, 6, 1, 13, 0, tzinfo=UTC),
        open=Decimal("67715.1"),
        high=Decimal("67839.9"),
        low=Decimal("67715"),
        close=Decimal("67772.5"),
        volume=Decimal("17.07790000"),
    )


def test_a_candle_outside_itself_is_unreadable(samples: Samples) -> None:
    raw = [*samples["candlesticks"][0]]
    raw[4] = "68000"
    with pytest.raises(UnreadableRow, match="do not lie between"):
        mapping.candle(raw, "BTC_USDT", "1h")


WORDS = st.text("0159.-+eEnaIfN_ \x00é٣", max_size=20)
SCALAR = st.none() | st.booleans() | st.integers() | WORDS
JSON = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(WORDS, SCALAR, max_size=2)
FIELDS = (
    "currency_pair",
    "id",
    "order_id",
    "price",
    "amount",
    "create_time_ms",
    "create_time",
    "fee",
    "status",
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(changes=st.dictionaries(st.sampled_from([*FIELDS, "put", "trigger", "timestamp", "left"]), JSON))
def test_no_payload_stops_a_page(samples: Samples, changes: dict[str, Any]) -> None:
    for key, read in (
        ("points", read_fill),
        ("TRX withdrawal", mapping.withdrawal),
        ("waiting trigger", triggers.order),
    ):
        rows, bad = reading.rows([samples[key] | changes], read)
        assert len(rows) + len(bad) == 1
    for each in (samples["orders"][0], samples["open_orders"][0]["orders"][0]):
        rows, bad = reading.rows([each | changes], mapping.order)
        assert len(rows) + len(bad) == 1
