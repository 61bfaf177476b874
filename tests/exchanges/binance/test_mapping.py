"""Raw rows of Binance as ours, and rows that cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from exchanges import binance_like, reading
from exchanges.binance import mapping
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    CandleRow,
    FillRow,
    MarketType,
    OrderStatus,
    PriceRow,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

Samples = dict[str, Any]


def assets(symbol: str) -> tuple[str, str]:
    return symbol[:3], symbol[3:]


def read_fill(raw: Any) -> FillRow:
    return mapping.fill(raw, assets)


def reason(raw: object, read: Any) -> str:
    _, bad = reading.rows([raw], read)
    return bad[0].reason


def test_a_fill_keeps_every_digit(samples: Samples) -> None:
    raw = samples["myTrades"][0]
    assert mapping.fill(raw, assets) == FillRow(
        market_type=MarketType.SPOT,
        symbol="BNBBTC",
        base_asset="BNB",
        quote_asset="BTC",
        fill_id="28457",
        order_id="100234",
        side=Side.BUY,
        price=Decimal("4.00000100"),
        quantity=Decimal("12.00000000"),
        quote_quantity=Decimal("48.000012"),
        fee_amount=Decimal("10.10000000"),
        fee_currency="BNB",
        is_maker=False,
        executed_at=datetime(2017, 7, 12, 13, 19, 9, 590000, UTC),
        raw=raw,
    )


def test_a_fill_without_quote_quantity_gets_price_times_quantity(samples: Samples) -> None:
    raw = {key: value for key, value in samples["myTrades"][0].items() if key != "quoteQty"}
    assert read_fill(raw).quote_quantity == Decimal("48.000012")


def test_a_free_fill_may_name_no_fee_currency(samples: Samples) -> None:
    row = read_fill(samples["myTrades"][0] | {"commission": "0.00000000", "commissionAsset": None})
    assert (row.fee_amount, row.fee_currency) == (Decimal(0), "BTC")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": "1.0000000000000000001"}, "price: '1.0000000000000000001' has more than 18 decimals."),
        ({"price": "NaN"}, "price: 'NaN' is not a finite number."),
        ({"price": None}, "price is missing"),
        ({"price": "0"}, "price is not above zero: 0"),
        ({"qty": "-1"}, "qty is not above zero: -1"),
        ({"qty": True}, "qty: An amount must be text, not bool."),
        ({"qty": "1" * 21}, "qty: '111111111111111111111' has more than 20 digits before the point."),
        ({"commissionAsset": ""}, "commissionAsset is unreadable: ''"),
        ({"time": 1499865549}, "time 1499865549 is not in milliseconds between 2010 and 2100"),
        ({"time": "yesterday"}, "time 'yesterday' is not in milliseconds between 2010 and 2100"),
        ({"id": None}, "id is missing"),
        ({"id": "-1"}, "id is no id: '-1'"),
        ({"id": 2**63}, "id is no id: '9223372036854775808'"),
        ({"time": True}, "time True is not in milliseconds between 2010 and 2100"),
        ({"isBuyer": "yes"}, "isBuyer is unreadable: 'yes'"),
        ({"symbol": "BNB\x00BTC"}, "symbol is no usable text"),
    ],
)
def test_an_unreadable_fill_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["myTrades"][0] | change, read_fill) == why


def test_a_bad_row_leaves_the_good_ones(samples: Samples) -> None:
    good = samples["myTrades"][0]
    rows, bad = reading.rows([good, {"id": 1}, "nonsense", good], read_fill)
    assert ([row.fill_id for row in rows], [each.raw for each in bad]) == (
        ["28457", "28457"],
        [{"id": 1}, {"row": "nonsense"}],
    )


WORDS = st.text("0159.-+eEnaIfN_ \x00é٣", max_size=20)
SCALAR = st.none() | st.booleans() | st.integers() | WORDS
JSON = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(WORDS, SCALAR, max_size=2)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(
    changes=st.dictionaries(
        st.sampled_from(["symbol", "id", "orderId", "price", "qty", "time", "status"]), JSON
    )
)
def test_no_payload_stops_a_page(samples: Samples, changes: dict[str, Any]) -> None:
    for key, read in (
        ("myTrades", read_fill),
        ("allOrders", mapping.order),
        ("deposits", mapping.deposit),
        ("withdrawals", mapping.withdrawal),
    ):
        rows, bad = reading.rows([samples[key][0] | changes], read)
        assert len(rows) + len(bad) == 1


def test_an_order_of_its_own_has_no_list(samples: Samples) -> None:
    row = mapping.order(samples["allOrders"][0])
    assert (row.order_id, row.client_order_id, row.order_list_id) == ("1", "myOrder1", "")
    assert (row.price, row.stop_price, row.status) == (Decimal("0.1"), None, OrderStatus.NEW)


def test_an_order_of_the_first_years_has_no_list_field(samples: Samples) -> None:
    assert mapping.order(samples["allOrders without lists"][0]).order_list_id == ""


def test_a_leg_names_its_list(samples: Samples) -> None:
    assert mapping.order(samples["allOrders"][0] | {"orderListId": 27}).order_list_id == "27"


def test_a_market_order_has_no_price(samples: Samples) -> None:
    assert mapping.order(samples["allOrders"][0] | {"type": "MARKET", "price": "0.00000000"}).price is None


def test_a_cancelled_order_keeps_its_own_client_id(samples: Samples) -> None:
    assert mapping.order(samples["order/cancel"]).client_order_id == "myOrder1"


@pytest.mark.parametrize(
    ("status", "executed", "ours"),
    [
        ("PENDING_NEW", "0", OrderStatus.NEW),
        ("PENDING_CANCEL", "0", OrderStatus.NEW),
        ("PENDING_CANCEL", "0.5", OrderStatus.PARTIALLY_FILLED),
        ("EXPIRED_IN_MATCH", "0", OrderStatus.EXPIRED),
        *((status.value, "0", status) for status in OrderStatus),
    ],
)
def test_every_status_has_its_place(samples: Samples, status: str, executed: str, ours: OrderStatus) -> None:
    raw = samples["allOrders"][0] | {"status": status, "executedQty": executed}
    assert mapping.order(raw).status is ours


def test_an_unknown_status_is_reported(samples: Samples) -> None:
    assert (
        reason(samples["allOrders"][0] | {"status": "ASLEEP"}, mapping.order) == "status 'ASLEEP' is unknown"
    )


def test_a_forgotten_quote_amount_is_zero(samples: Samples) -> None:
    raw = samples["allOrders"][0] | {"cummulativeQuoteQty": "-1.0"}
    assert mapping.order(raw).executed_quote_quantity == Decimal(0)


def test_an_order_never_updated_was_updated_when_ordered(samples: Samples) -> None:
    row = mapping.order(samples["allOrders"][0] | {"updateTime": -1})
    assert row.updated_at == row.ordered_at


def test_a_withdrawal_carries_its_fee(samples: Samples) -> None:
    raw = samples["withdrawals"][0]
    assert mapping.withdrawal(raw) == TransferRow(
        kind=TransferKind.WITHDRAWAL,
        transfer_id="b6ae22b3aa844210a7041aee7589627c",
        asset="USDT",
        amount=Decimal("8.91000000"),
        fee_amount=Decimal("0.004"),
        network="ETH",
        address=raw["address"],
        tx_id=raw["txId"],
        status=TransferStatus.SUCCESS,
        occurred_at=datetime(2019, 10, 12, 11, 12, 2, tzinfo=UTC),
        raw=raw,
    )


def test_a_deposit_written_as_number_keeps_its_digits(samples: Samples) -> None:
    assert mapping.deposit(samples["deposit with a float"]).amount == Decimal("0.04670582")


def test_a_deposit_without_id_is_named_by_its_transaction(samples: Samples) -> None:
    row = mapping.deposit(samples["deposit of texts"])
    assert row.transfer_id == f"tx:{row.tx_id}:PAXG:0.009998"
    assert row.occurred_at == clock.from_ms(1599621997000)


def test_a_transfer_without_any_name_is_reported(samples: Samples) -> None:
    raw = samples["deposit of texts"] | {"txId": ""}
    assert reason(raw, mapping.deposit) == "neither id nor txId names this transfer"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (0, TransferStatus.PENDING),
        (1, TransferStatus.SUCCESS),
        (7, TransferStatus.FAILED),
        (99, TransferStatus.UNKNOWN),
    ],
)
def test_deposit_states(samples: Samples, code: int, status: TransferStatus) -> None:
    assert mapping.deposit(samples["deposits"][0] | {"status": code}).status is status


def test_account_and_key_must_both_allow_trading(samples: Samples) -> None:
    info = mapping.account_info(samples["account"], samples["apiRestrictions"])
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw) == ("354937868", True, False, False)
    assert (info.maker_commission, info.ip_restricted, info.permissions) == (
        Decimal("0.0015"),
        False,
        ("SPOT",),
    )


def test_commission_in_basis_points(samples: Samples) -> None:
    account = {key: value for key, value in samples["account"].items() if key != "commissionRates"}
    assert mapping.account_info(account, samples["apiRestrictions"]).taker_commission == Decimal("0.0015")


def test_a_listing_states_its_steps(samples: Samples) -> None:
    raw = samples["exchangeInfo"]["symbols"][0] | {
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
        ]
    }
    row = mapping.listing(raw)
    assert (row.symbol, row.base_asset, row.quote_asset, row.is_trading) == ("ETHBTC", "ETH", "BTC", True)
    assert (row.price_step, row.quantity_step, row.min_quantity, row.min_notional) == (
        Decimal("0.01"),
        Decimal("0.00001"),
        Decimal("0.00001"),
        Decimal(5),
    )


def test_a_listing_without_filters_states_none(samples: Samples) -> None:
    assert mapping.listing(samples["exchangeInfo"]["symbols"][0]).price_step is None


def test_a_candle_keeps_every_digit(samples: Samples) -> None:
    assert binance_like.candle(samples["klines"][0], "BTCUSDT", "5m") == CandleRow(
        symbol="BTCUSDT",
        timeframe="5m",
        opened_at=clock.from_ms(1586987400000),
        open=Decimal("6733.55000000"),
        high=Decimal("6737.79000000"),
        low=Decimal("6726.61000000"),
        close=Decimal("6727.14000000"),
        volume=Decimal("121.20139100"),
    )


def test_an_impossible_candle_is_refused() -> None:
    with pytest.raises(UnreadableRow, match="open and close do not lie between low and high"):
        binance_like.candle([1586987400000, "5", "6", "5.5", "6", "1"], "BTCUSDT", "5m")


def test_a_symbol_that_never_traded_has_no_price(samples: Samples) -> None:
    raws = [*samples["ticker/price"], {"symbol": "OLDBTC", "price": "0.00000000"}]
    assert reading.rows(raws, binance_like.price) == ((PriceRow("LTCBTC", Decimal("4.000002")),), ())
