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
    BalanceRow,
    Contract,
    ContractSide,
    FillRow,
    FundingRow,
    MarketType,
    OrderStatus,
    PositionSide,
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
