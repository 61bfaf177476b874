"""What moved balances, in order."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import AssetDay, Valuation
from tests.factories import AccountFactory, FillFactory, FundingFactory, TransferFactory
from tests.portfolio import books, contracts
from tests.portfolio.books import START
from tests.portfolio.exports.files import export, told

pytestmark = pytest.mark.django_db


def pin(user: User, asset: str, price: str, at: datetime = START, version: int = 1) -> None:
    with tenancy.acting_as(user.id):
        Valuation.objects.create(
            user=user, asset=asset, currency="USDT", at=at, price=Decimal(price), source=f"test {version}",
            source_at=at, version=version,
        )  # fmt: skip


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    return made


def test_a_fill_moves_two_assets_and_its_fee(alice: User, account: ExchangeAccount) -> None:
    books.fill(account, "BUY", "2", "100", fee_amount=Decimal("0.01"), fee_currency="BNB", executed_at=START)
    pin(alice, "BNB", "590")
    pin(alice, "BNB", "600", version=2)

    found = told(export(alice, "ledger"), "type", "asset", "amount", "price", "value", "price_source")
    assert found == [
        ("TRADE", "BTC", "2", "100", "200", "fill"),
        ("TRADE", "USDT", "-200", "1", "-200", ""),
        ("FEE", "BNB", "-0.01", "600", "-6", "test 2"),
    ]


def test_what_is_quoted_in_a_coin_is_worth_that_coins_price(alice: User, account: ExchangeAccount) -> None:
    books.fill(
        account, "SELL", "3", "0.05", base_asset="ETH", quote_asset="BTC", symbol="ETHBTC", fee_amount=Decimal("0.001"),
        fee_currency="ETH", executed_at=START,
    )  # fmt: skip
    pin(alice, "BTC", "10000")

    found = told(export(alice, "ledger"), "asset", "amount", "price", "value")
    assert found == [
        ("ETH", "-3", "500", "-1500"),
        ("BTC", "0.15", "10000", "1500"),
        ("ETH", "-0.001", "500", "-0.5"),
    ]


def test_what_nobody_priced_has_no_value(alice: User, account: ExchangeAccount) -> None:
    books.transfer(account, asset="XYZ", amount=Decimal(5), exchange_transfer_id="=d", tx_id="0x1")

    [row] = export(alice, "ledger")
    assert (row["type"], row["amount"], row["price"], row["value"]) == ("DEPOSIT", "5", None, None)
    assert (row["source_id"], row["tx_id"], row["fact"]) == ("=d", "0x1", "transfer")


def test_a_price_is_of_its_hour(alice: User, account: ExchangeAccount) -> None:
    for hours, price in enumerate(("600", "610", "620")):
        pin(alice, "BNB", price, START + timedelta(hours=hours))
        at = START + timedelta(hours=hours, minutes=59)
        TransferFactory.create(
            account=account, asset="BNB", amount=Decimal(1), kind="AIRDROP", occurred_at=at
        )

    assert told(export(alice, "ledger"), "value") == [("600",), ("610",), ("620",)]
    since = START + timedelta(hours=1)
    assert told(export(alice, "ledger", since=since, until=since + timedelta(hours=1)), "value") == [("610",)]


def test_its_amounts_add_up_to_the_balances_that_facts_give(alice: User, account: ExchangeAccount) -> None:
    """Every kind of fact, those that moved nothing among them."""
    spot: list[Any] = [
        books.fill(account, "BUY", "2", "100", fee_amount=Decimal("0.003"), fee_currency="BTC"),
        books.fill(account, "SELL", "1", "110", fee_amount=Decimal("-0.02"), fee_currency="BNB"),
        FillFactory.create(account=account, is_conversion=True, side="SELL", executed_at=START),
    ]
    kinds = ("DEPOSIT", "WITHDRAWAL", "REBATE", "CHARGE", "AIRDROP", "INTEREST", "INTERNAL")
    spot += [
        books.transfer(
            account, kind=kind, status=status, amount=Decimal(7), fee_amount=Decimal("0.5"), asset="BTC",
            from_wallet="spot", to_wallet="earn", exchange_transfer_id=f"{kind}{status}",
        )
        for kind in kinds
        for status in ("success", "failed", "pending")
    ]  # fmt: skip
    spot.append(
        books.transfer(
            account, kind="INTERNAL", from_wallet="spot", to_wallet="futures", fee_amount=Decimal(1)
        )
    )
    books.touch(account, spot)
    contracts.touch(
        account,
        contracts.fill(account, "SELL", "1", "100", fee_amount=Decimal("0.1"), realized_pnl=Decimal("-4.5")),
        FundingFactory.create(
            account=account, amount=Decimal("-0.25"), paid_at=datetime(2026, 2, 3, tzinfo=UTC)
        ),
    )

    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in export(alice, "ledger"):
        sums[row["asset"]] += Decimal(row["amount"])
    days: dict[str, Decimal] = defaultdict(Decimal)
    with tenancy.acting_as(alice.id):
        for day in AssetDay.objects.filter(account=account):
            days[day.asset] += day.traded + day.settled + day.funding + day.income + day.moved
            days[day.asset] += day.deposited - day.withdrawn - day.withdrawal_fees
    assert sums == days
    assert len(days) == 3
