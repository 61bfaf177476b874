"""Raw rows of MEXC as ours, and rows that cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges import reading
from exchanges.mexc import mapping
from exchanges.rows import (
    FillRow,
    MarketType,
    OrderStatus,
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


def test_a_fill_keeps_every_digit_and_its_textual_ids(samples: Samples) -> None:
    raw = samples["myTrades"][0]
    assert read_fill(raw) == FillRow(
        market_type=MarketType.SPOT,
        symbol="BNBBTC",
        base_asset="BNB",
        quote_asset="BTC",
        fill_id="fad2af9e942049b6adbda1a271f990c6",
        order_id="bb41e5663e124046bd9497a3f5692f39",
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


def test_a_purchase_pays_its_fee_in_the_quote(samples: Samples) -> None:
    row = read_fill(samples["myTrades of texts"][0])
    assert (row.side, row.fee_amount, row.fee_currency) == (Side.BUY, Decimal("0.016798204"), "USDT")
    assert row.executed_at == datetime(2022, 3, 19, 19, 27, 35, tzinfo=UTC)


def test_a_free_fill_may_name_no_fee_currency(samples: Samples) -> None:
    row = read_fill(samples["myTrades"][0] | {"commission": "0", "commissionAsset": None})
    assert (row.fee_amount, row.fee_currency) == (Decimal(0), "BTC")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": "1.0000000000000000001"}, "price: '1.0000000000000000001' has more than 18 decimals."),
        ({"price": None}, "price is missing"),
        ({"price": "0"}, "price is not above zero: 0"),
        ({"qty": "-1"}, "qty is not above zero: -1"),
        ({"commissionAsset": ""}, "commissionAsset is unreadable: ''"),
        ({"time": 1499865549}, "time 1499865549 is not in milliseconds between 2010 and 2100"),
        ({"id": None}, "id is missing"),
        ({"orderId": ""}, "orderId is unreadable: ''"),
        ({"isBuyer": "yes"}, "isBuyer is unreadable: 'yes'"),
    ],
)
def test_an_unreadable_fill_says_why(samples: Samples, change: dict[str, Any], why: str) -> None:
    assert reason(samples["myTrades"][0] | change, read_fill) == why


def test_nulls_of_an_order_mean_nothing(samples: Samples) -> None:
    row = mapping.order(samples["openOrders with nulls"][0])
    assert (row.order_id, row.order_list_id, row.client_order_id, row.time_in_force, row.stop_price) == (
        "133949373632483328",
        "",
        "",
        "",
        None,
    )
    assert (row.price, row.updated_at) == (Decimal(45000), row.ordered_at)


def test_a_single_order_may_call_its_quantity_otherwise(samples: Samples) -> None:
    raw = {key: value for key, value in samples["order"].items() if key != "origQty"} | {"Qty": "1.0"}
    assert mapping.order(raw).quantity == Decimal("1.0")


def test_a_market_order_has_no_price_whatever_is_told(samples: Samples) -> None:
    row = mapping.order(samples["order"] | {"type": "MARKET", "price": "41995.51"})
    assert row.price is None


def test_an_order_for_a_sum_of_the_quote_has_the_quantity_it_got(samples: Samples) -> None:
    raw = samples["order"] | {"type": "MARKET", "origQty": "0", "executedQty": "0.5", "status": "FILLED"}
    assert mapping.order(raw).quantity == Decimal("0.5")


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("NEW", OrderStatus.NEW),
        ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELED),
        ("PARTIALLY_CANCELED", OrderStatus.CANCELED),
    ],
)
def test_each_state_of_an_order_is_ours(samples: Samples, status: str, ours: OrderStatus) -> None:
    assert mapping.order(samples["order"] | {"status": status}).status is ours


def test_an_unknown_state_of_an_order_is_reported(samples: Samples) -> None:
    assert reason(samples["order"] | {"status": "LOST"}, mapping.order) == "status 'LOST' is unknown"


def test_a_deposit_is_named_by_its_transaction(samples: Samples) -> None:
    raw = samples["deposit with a network in its coin"]
    chain = "51a8f49e6f03f2c056e71fe3291aa65e1032880be855b65cecd0595a1b8af95b"
    assert mapping.deposit(raw) == TransferRow(
        kind=TransferKind.DEPOSIT,
        transfer_id=f"tx:{chain}:0:USDC:10",
        asset="USDC",
        amount=Decimal(10),
        fee_amount=Decimal(0),
        network="TRX",
        address="TSMcEDDvkqY9dz8RkFnrS86U59GwEZjfvh",
        tx_id=chain,
        status=TransferStatus.SUCCESS,
        occurred_at=datetime(2022, 10, 3, 13, 50, 21, tzinfo=UTC),
        raw=raw,
    )


def test_a_deposit_without_transaction_cannot_be_named(samples: Samples) -> None:
    raw = samples["deposits"][0] | {"txId": None}
    assert reason(raw, mapping.deposit) == "neither id nor txId names this transfer"


def test_a_withdrawals_amount_contains_its_fee(samples: Samples) -> None:
    row = mapping.withdrawal(samples["withdrawals"][0] | {"amount": "10", "transactionFee": "0.5"})
    assert (row.amount, row.fee_amount, row.transfer_id) == (
        Decimal("9.5"),
        Decimal("0.5"),
        "bb17a2d452684f00a523c015d512a341",
    )


def test_a_fee_above_the_amount_is_reported(samples: Samples) -> None:
    raw = samples["withdrawals"][0] | {"amount": "1", "transactionFee": "2"}
    assert reason(raw, mapping.withdrawal) == "transactionFee 2 is above the amount 1"


def test_a_withdrawal_of_many_digits_is_not_rounded(samples: Samples) -> None:
    raw = samples["withdrawals"][0] | {"amount": "12345678901234567890.000000000000000001"}
    assert mapping.withdrawal(raw).amount == Decimal("12345678901234567890.000000000000000001")


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        *((status, TransferStatus.PENDING) for status in (1, 2, 3, 4, 6, 9, 11)),
        *((status, TransferStatus.SUCCESS) for status in (5, 12)),
        *((status, TransferStatus.FAILED) for status in (7, 8, 10)),
        (99, TransferStatus.UNKNOWN),
    ],
)
def test_each_state_of_a_deposit_is_ours(samples: Samples, status: int, ours: TransferStatus) -> None:
    assert mapping.deposit(samples["deposits"][0] | {"status": status}).status is ours


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        *((status, TransferStatus.PENDING) for status in (1, 2, 3, 4, 5, 6, 10)),
        (7, TransferStatus.SUCCESS),
        *((status, TransferStatus.FAILED) for status in (8, 9)),
        (None, TransferStatus.UNKNOWN),
    ],
)
def test_each_state_of_a_withdrawal_is_ours(
    samples: Samples, status: int | None, ours: TransferStatus
) -> None:
    assert mapping.withdrawal(samples["withdrawals"][0] | {"status": status}).status is ours


def info(samples: Samples, **key: Any) -> Any:
    return mapping.account_info(samples["account"], samples["uid"], samples["apiKeyInfo"] | key)


def test_the_keys_own_permissions_count_not_the_accounts(samples: Samples) -> None:
    told = info(samples)
    assert samples["account"]["canWithdraw"] is True
    assert (told.uid, told.can_read, told.can_trade, told.can_withdraw) == ("209302839", True, True, False)


@pytest.mark.parametrize("permission", ["SPOT_WITHDRAW_WRITE", "SPOT_WITHDRAW_W"])
def test_a_key_that_may_withdraw_is_known_by_its_permission(samples: Samples, permission: str) -> None:
    assert info(samples, permissions=f"SPOT_ACCOUNT_READ, {permission}").can_withdraw is True


@pytest.mark.parametrize(
    "key",
    [
        {"permissions": "SPOT_ACCOUNT_READ"},
        {"permissions": None},
        {"status": "EXPIRED"},
    ],
)
def test_a_key_that_cannot_read_all_cannot_read(samples: Samples, key: dict[str, Any]) -> None:
    assert info(samples, **key).can_read is False


@pytest.mark.parametrize(("listed", "restricted"), [("1.1.1.1,2.2.2.2", True), ("", False), (None, False)])
def test_addresses_a_key_is_bound_to_are_told(samples: Samples, listed: str | None, restricted: bool) -> None:
    assert info(samples, ipWhiteList=listed).ip_restricted is restricted


def test_the_key_itself_is_not_kept(samples: Samples) -> None:
    assert "mx0npKfh57kEEVmyLa" not in repr(info(samples).raw)


def test_a_listing_reads_what_the_names_hide(samples: Samples) -> None:
    row = mapping.listing(samples["exchangeInfo"]["symbols"][0])
    assert (row.symbol, row.status, row.is_trading) == ("BROCKUSDT", "1", True)
    assert (row.price_step, row.quantity_step, row.min_quantity, row.min_notional) == (
        Decimal("0.00001"),
        Decimal("0.01"),
        None,
        Decimal(1),
    )


@pytest.mark.parametrize(
    "change", [{"status": "2"}, {"status": "3"}, {"tradeSideType": 4}], ids=["pauses", "offline", "closed"]
)
def test_a_listing_that_nobody_can_trade(samples: Samples, change: dict[str, Any]) -> None:
    assert mapping.listing(samples["exchangeInfo"]["symbols"][0] | change).is_trading is False
