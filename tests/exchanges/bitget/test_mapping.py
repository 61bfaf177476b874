"""Recorded rows of Bitget as ours, and what becomes of rows that cannot be read."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges import reading
from exchanges.bitget import contracts, mapping, plans, rights, unified_mapping
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    Contract,
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


def terms(symbol: str) -> Contract:
    return contracts.linear(symbol[:3], symbol[3:])


def test_a_fill_of_spot(samples: Samples) -> None:
    [raw] = samples["fills"]
    assert mapping.fill(raw, assets) == FillRow(
        market_type=MarketType.SPOT,
        symbol="BTCUSDT",
        base_asset="BTC",
        quote_asset="USDT",
        fill_id="12345678910",
        order_id="12345678910",
        side=Side.BUY,
        price=Decimal(13000),
        quantity=Decimal("0.0007"),
        quote_quantity=Decimal("9.1"),
        fee_amount=Decimal("0.0000007"),
        fee_currency="BTC",
        is_maker=False,
        executed_at=datetime(2023, 9, 28, 1, 40, 32, 579000, tzinfo=UTC),
        raw=raw,
    )


@pytest.mark.parametrize(
    ("detail", "fee"),
    [
        (
            {"deduction": "yes", "feeCoin": "BTC", "totalDeductionFee": "-0.2", "totalFee": "-0.001"},
            (Decimal("0.2"), "BGB"),
        ),
        (
            {"deduction": "yes", "feeCoin": "BGB", "totalDeductionFee": "0", "totalFee": "-0.1"},
            (Decimal("0.1"), "BGB"),
        ),
        ({"deduction": "no", "feeCoin": "usdt", "totalFee": "0.3"}, (Decimal("-0.3"), "USDT")),
        ({"deduction": "no", "feeCoin": "", "totalFee": "0"}, (Decimal(0), "USDT")),
    ],
    ids=["deducted beside", "deducted", "rebate", "nothing"],
)
def test_fees_below_zero_are_costs(samples: Samples, detail: Any, fee: tuple[Decimal, str]) -> None:
    row = mapping.fill(samples["fills"][0] | {"feeDetail": detail}, assets)
    assert (row.fee_amount, row.fee_currency) == fee


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tradeId": "x1"}, "tradeId is no id"),
        ({"side": "long"}, "side 'long' is unknown"),
        ({"size": "0"}, "size is not above zero"),
        ({"tradeScope": ""}, "tradeScope is unreadable"),
        ({"cTime": "now"}, "cTime 'now' is not in milliseconds"),
        ({"feeDetail": "{}"}, "feeDetail is unreadable"),
        ({"feeDetail": []}, "feeDetail is unreadable"),
        (
            {"feeDetail": [{"feeCoin": "BTC", "totalFee": "-1"}, {"feeCoin": "BGB", "totalFee": "-1"}]},
            "a fee in several currencies",
        ),
    ],
)
def test_a_fill_that_cannot_be_read_says_why(samples: Samples, change: Samples, reason: str) -> None:
    with pytest.raises(UnreadableRow, match=reason):
        mapping.fill(samples["fills"][0] | change, assets)


def test_an_ended_purchase_for_a_sum(samples: Samples) -> None:
    row = mapping.order(samples["history orders"][0] | {"orderId": "7", "clientOid": "mine"})
    assert (row.order_id, row.side, row.type, row.status) == ("7", Side.BUY, "MARKET", OrderStatus.FILLED)
    assert (row.quantity, row.executed_quantity, row.executed_quote_quantity) == (
        Decimal("0.0125"),
        Decimal("0.0125"),
        Decimal("19.97625"),
    )
    assert (row.price, row.client_order_id, row.updated_at) == (
        None,
        "mine",
        datetime(2023, 10, 31, 7, 11, 40, 363000, tzinfo=UTC),
    )


def test_an_open_order_tells_its_limit_as_an_average(samples: Samples) -> None:
    """And its time in seconds, as the documents show it."""
    row = mapping.order(samples["open orders"][0])
    assert (row.symbol, row.price, row.status, row.ordered_at) == (
        "BTCUSDT",
        Decimal("34829.12"),
        OrderStatus.NEW,
        datetime(2021, 6, 3, 5, 12, 28, tzinfo=UTC),
    )


def test_a_trigger_order(samples: Samples) -> None:
    row = plans.order(samples["plans"]["orderList"][0])
    assert (row.order_id, row.type, row.status, row.stop_price, row.price, row.quantity) == (
        "plan-121211212122",
        "TRIGGER_LIMIT",
        OrderStatus.NEW,
        Decimal("0.041572"),
        Decimal("0.041572"),
        Decimal(151),
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("not_trigger", OrderStatus.NEW),
        ("executing", OrderStatus.NEW),
        ("executed", OrderStatus.EXPIRED),
        ("cancelled", OrderStatus.CANCELED),
        ("fail_trigger", OrderStatus.REJECTED),
    ],
)
def test_states_of_a_trigger_order(samples: Samples, words: str, status: OrderStatus) -> None:
    assert plans.order(samples["plans"]["orderList"][0] | {"status": words}).status is status


def test_balances_of_all_wallets(samples: Samples) -> None:
    spot = samples["assets"][0] | {"available": "1", "frozen": "2", "locked": "0.5"}
    found = [mapping.balance(spot), mapping.funding_balance(samples["funding assets"][0])]
    assert [(row.asset, row.available, row.locked, row.wallet) for row in found if row] == [
        ("USDT", Decimal(1), Decimal("2.5"), "spot"),
        ("USDT", Decimal(326), Decimal(0), "funding"),
    ]
    assert mapping.balance(samples["assets"][0]) is None


def test_a_deposit(samples: Samples) -> None:
    [raw] = samples["deposits"]
    assert mapping.deposit(raw) == TransferRow(
        kind=TransferKind.DEPOSIT,
        transfer_id="1",
        asset="USDT",
        amount=Decimal(10),
        fee_amount=Decimal(0),
        network="erc20",
        address="0x52xxx",
        tx_id="1",
        status=TransferStatus.SUCCESS,
        occurred_at=datetime(2022, 5, 23, 7, 26, 9, 222000, tzinfo=UTC),
        raw=raw,
    )


def test_a_withdrawal_pays_its_fee_beside(samples: Samples) -> None:
    row = mapping.withdrawal(samples["withdrawals"][0])
    assert (row.kind, row.amount, row.fee_amount) == (TransferKind.WITHDRAWAL, Decimal(10), Decimal(1))


@pytest.mark.parametrize(
    ("words", "status"),
    [("success", "success"), ("pending", "pending"), ("fail", "failed"), ("quarantined", "unknown")],
)
def test_states_of_transfers(samples: Samples, words: str, status: str) -> None:
    row = mapping.deposit(samples["deposits"][0] | {"status": words})
    assert row.status.value == status


def test_a_transfer_between_wallets(samples: Samples) -> None:
    row = mapping.internal(samples["transfers"][0])
    assert (row.asset, row.amount, row.from_wallet, row.to_wallet, row.status) == (
        "BTC",
        Decimal(1000),
        "spot",
        "futures",
        TransferStatus.SUCCESS,
    )
    margin = mapping.internal(samples["transfers"][0] | {"toType": "crossed_margin"})
    assert margin.to_wallet == "margin"
    assert mapping.internal(samples["transfers"][0] | {"toType": "coin_futures"}).to_wallet == "coin_futures"


def test_a_listing(samples: Samples) -> None:
    row = mapping.listing(samples["symbols"][0])
    assert (row.symbol, row.base_asset, row.is_trading, row.price_step, row.quantity_step) == (
        "BTCUSDT",
        "BTC",
        True,
        Decimal("0.0001"),
        Decimal("1E-8"),
    )


def test_the_authorities_of_a_key(samples: Samples) -> None:
    info = rights.classic(samples["account info"])
    assert (info.can_read, info.can_trade, info.can_withdraw, info.ip_restricted, info.untold) == (
        True,
        True,
        False,
        True,
        (),
    )


@pytest.mark.parametrize(
    ("authorities", "withdraws", "untold"),
    [
        (["stor", "wwow"], True, ()),
        (["stor", "withdraw"], True, ()),
        (["stor", "wtow"], False, ()),
        (["stor", "abcd"], False, ("can_withdraw",)),
    ],
)
def test_a_word_nobody_knows_may_be_the_right_to_withdraw(
    samples: Samples, authorities: list[str], withdraws: bool, untold: tuple[str, ...]
) -> None:
    info = rights.classic(samples["account info"] | {"authorities": authorities})
    assert (info.can_withdraw, info.untold) == (withdraws, untold)


def test_the_permissions_of_a_key_of_a_unified_account(samples: Samples) -> None:
    info = rights.unified(samples["unified info"])
    assert (info.account_type, info.can_read, info.can_trade, info.can_withdraw) == (
        "unified",
        True,
        True,
        True,
    )
    reading_only = rights.unified(samples["unified info"] | {"permType": "read-only"})
    assert (reading_only.can_trade, reading_only.can_withdraw) == (False, False)


def test_the_funding_wallets_ledger_tells_both_ways() -> None:
    raw = {"id": "1", "coin": "USDT", "groupType": "transfer", "amount": "-30", "ts": "1787913879280"}
    out, back = unified_mapping.internal(raw), unified_mapping.internal(raw | {"amount": "30"})
    assert [(row.from_wallet, row.to_wallet, row.amount) for row in (out, back)] == [
        ("funding", "spot", Decimal(30)),
        ("spot", "funding", Decimal(30)),
    ]


@pytest.mark.parametrize(
    ("name", "member", "read"),
    [
        ("fills", "", lambda raw: mapping.fill(raw, assets)),
        ("deposits", "", mapping.deposit),
        ("mix fills", "fillList", lambda raw: contracts.fill(raw, terms)),
        ("unified fills", "list", lambda raw: unified_mapping.fill(raw, assets)),
        ("unified open orders", "list", unified_mapping.order),
    ],
)
def test_every_member_left_out_is_read_or_set_aside(
    samples: Samples, name: str, member: str, read: Callable[[Any], Any]
) -> None:
    """No row stops the ones beside it, whichever member it lacks."""
    whole = samples[name][member][0] if member else samples[name][0]
    raws = [{key: value for key, value in whole.items() if key != left_out} for left_out in whole]
    good, bad = reading.rows([*raws, whole], read)
    assert len(good) + len(bad) == len(whole) + 1
    assert bad
    assert good
