"""Coins that came or changed outside the order book: recorded rows, and answers that are full."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from core.money import InvalidAmount
from exchanges import reading
from exchanges.binance import outside
from exchanges.reading import UnreadableRow
from exchanges.rows import TransferKind
from exchanges.simulators.profiles import COLLECTOR
from tests.exchanges.conformance.house import Facts, World, walk
from tests.exchanges.conformance.houses import HOUSES

Json = dict[str, Any]
BINANCE = next(house for house in HOUSES if house.name == "binance")
# As Binance's documents show them (JKorf's samples of assetDividend, dribblet, tradeFlow).
DIVIDEND: Json = {
    "id": 1637366104,
    "amount": "10.00000000",
    "asset": "BHFT",
    "divTime": 1563189166000,
    "enInfo": "BHFT distribution",
    "tranId": 2968885920,
}
DUST: Json = {
    "transId": 4359321,
    "serviceChargeAmount": "0.000009",
    "amount": "0.0009",
    "operateTime": 1615985535000,
    "transferedAmount": "0.000441",
    "fromAsset": "USDT",
}
CONVERSION: Json = {
    "quoteId": "f3b91c525b2644c7bc1e1cd31b6e1aa6",
    "orderId": 940708407462087195,
    "orderStatus": "SUCCESS",
    "fromAsset": "USDT",
    "fromAmount": "20",
    "toAsset": "BNB",
    "toAmount": "0.06154036",
    "createTime": 1624248872184,
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    people = (replace(COLLECTOR, days=100),)
    with BINANCE.running(profiles=people) as running:
        yield running


def truth(world: World) -> Json:
    return world.truth("collector")


def changes(world: World) -> Facts:
    return {
        f"dust-{row['id']}-{row['from_asset']}" if row["is_dust"] else str(row["id"]): {
            **{name: row[name] for name in ("from_asset", "to_asset", "time")},
            **{name: Decimal(row[name]) for name in ("from_amount", "to_amount", "fee")},
        }
        for row in truth(world)["conversions"]
    }


def told(rows: list[Any]) -> Facts:
    return {
        row.conversion_id: {
            "from_asset": row.from_asset,
            "to_asset": row.to_asset,
            "time": clock.to_ms(row.occurred_at),
            "from_amount": row.from_amount,
            "to_amount": row.to_amount,
            "fee": row.fee_amount,
        }
        for row in rows
    }


def test_an_answer_that_is_full_is_asked_for_in_halves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_FLOW_PAGE", 3)
    monkeypatch.setattr(outside, "_DIVIDENDS", replace(outside._DIVIDENDS, page=7))
    account, until = world.account("collector"), world.now()
    rows, _, _ = walk(lambda at: account.conversions(at, until))
    assert told(rows) == changes(world)
    given, _, _ = walk(lambda at: account.transfers(TransferKind.AIRDROP, at, until))
    assert {row.transfer_id for row in given} == {str(row["id"]) for row in truth(world)["dividends"]}


def test_dust_is_told_before_its_charge() -> None:
    row = outside.dust(DUST)
    assert (row.to_amount, row.fee_amount, row.fee_currency, row.conversion_id) == (
        Decimal("0.00045"),
        Decimal("0.000009"),
        "BNB",
        "dust-4359321-USDT",
    )
    assert outside.dust(DUST | {"targetAsset": "USDC"}).to_asset == "USDC"


def test_a_conversion_that_did_not_come_about_is_none() -> None:
    row = outside.conversion(CONVERSION)
    assert row is not None
    assert (row.from_amount, row.to_amount, row.occurred_at) == (
        Decimal(20),
        Decimal("0.06154036"),
        datetime(2021, 6, 21, 4, 14, 32, 184000, tzinfo=UTC),
    )
    assert outside.conversion(CONVERSION | {"orderStatus": "FAIL"}) is None


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("BHFT distribution", TransferKind.AIRDROP),
        ("Simple Earn Flexible Interest", TransferKind.INTEREST),
        ("Launchpool Airdrop", TransferKind.AIRDROP),
        ("Locked Staking Rewards", TransferKind.INTEREST),
        ("Reward Hub voucher", TransferKind.AIRDROP),
        ("", TransferKind.AIRDROP),
    ],
)
def test_the_words_of_a_dividend_say_whether_it_was_earned(words: str, kind: TransferKind) -> None:
    assert outside.dividend(DIVIDEND | {"enInfo": words}).kind is kind


@pytest.mark.parametrize(
    ("read", "raw", "why"),
    [
        (outside.dividend, DIVIDEND | {"amount": "0"}, "amount is not above zero: 0"),
        (outside.dust, DUST | {"fromAsset": None}, "fromAsset is missing"),
        (
            outside.conversion,
            CONVERSION | {"createTime": "x"},
            "createTime 'x' is not in milliseconds between 2010 and 2100",
        ),
    ],
)
def test_a_row_that_cannot_be_read_says_why(read: Any, raw: Json, why: str) -> None:
    _, bad = reading.rows([raw], read)
    assert [each.reason for each in bad] == [why]
    with pytest.raises((UnreadableRow, InvalidAmount)):
        read(raw)
