from decimal import Decimal

import pytest
from django.db import connection

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Transfer
from portfolio import fees
from portfolio.models import Fee
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, touch, transfer
from tests.portfolio.days import close, list_pairs, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    list_pairs("BTCUSDT", "BNBUSDT", "USDCUSDT", "EURUSDT")
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def kept(account: ExchangeAccount, *columns: str) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        return list(Fee.objects.filter(account=account).order_by("fee_timestamp", "id").values_list(*columns))


def written(account: ExchangeAccount) -> list[tuple[object, ...]]:
    """Each fee's id and the place of its row, which moves when it is written again."""
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM portfolio_fee ORDER BY fee_timestamp, id")
        return list(cursor.fetchall())


def withdraw(account: ExchangeAccount, **more: object) -> Transfer:
    values = {
        "asset": "USDT",
        "amount": Decimal(100),
        "fee_amount": Decimal(1),
        "occurred_at": moment(0),
    } | more
    return transfer(account, kind="WITHDRAWAL", **values)


def test_a_fill_has_one_fee_with_the_price_used(account: ExchangeAccount) -> None:
    fact = fill(account, "BUY", "1", "100", fee_amount=Decimal("0.1"), is_maker=True, executed_at=moment(0))
    fold(account, fact)
    fold(account, from_zero=True)

    assert kept(account, "fee_type", "transaction_type", "fee_currency", "fee_amount", "value", "price") == [
        ("MAKER", "ORDER_FILL", "USDT", Decimal("0.1"), Decimal("0.1"), 1)
    ]


def test_a_fill_without_a_fee_has_none(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100", executed_at=moment(0)))

    assert kept(account, "id") == []


def test_a_rebate_is_a_negative_fee(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100", fee_amount=Decimal("-0.1"), executed_at=moment(0)))

    assert kept(account, "value") == [(Decimal("-0.1"),)]


def test_without_a_price_a_fee_has_no_value_until_it_comes(account: ExchangeAccount) -> None:
    fact = fill(
        account, "BUY", "1", "100", fee_amount=Decimal("0.01"), fee_currency="BNB", executed_at=moment(0)
    )
    fold(account, fact)
    assert kept(account, "value", "price") == [(None, None)]

    close("BNBUSDT", 0, "300")
    fold(account)

    assert kept(account, "value", "price", "price_source") == [(3, 300, "binance:BNBUSDT:1d")]


def test_a_price_that_comes_later_changes_only_the_fee_that_waited_for_it(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "1", "100", fee_amount=Decimal("0.1"), executed_at=moment(0)),
        fill(
            account, "BUY", "1", "100", fee_amount=Decimal("0.01"), fee_currency="BNB", executed_at=moment(0, 11)
        ),
    )  # fmt: skip
    (paid, _), (waiting, _) = before = written(account)

    close("BNBUSDT", 0, "300")
    fold(account, fill(account, "BUY", "1", "100", fee_amount=Decimal("0.2"), executed_at=moment(0, 12)))

    assert kept(account, "value") == [(Decimal("0.1"),), (3,), (Decimal("0.2"),)]
    after = written(account)
    assert [row[0] for row in after[:2]] == [paid, waiting]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_a_rebuild_from_zero_writes_no_fee_again(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "1", "100", fee_amount=Decimal("0.1"), executed_at=moment(0)),
        withdraw(account),
    )
    before = written(account)

    fold(account, from_zero=True)

    assert written(account) == before


def test_a_base_coin_fee_is_worth_the_fills_price_in_the_reporting_currency(account: ExchangeAccount) -> None:
    close("USDCUSDT", 0, "1.01")
    fold(
        account,
        fill(
            account, "BUY", "1", "100", symbol="BTCUSDC", quote_asset="USDC", fee_amount=Decimal("0.001"),
            fee_currency="BTC", executed_at=moment(0),
        ),
    )  # fmt: skip

    assert kept(account, "value", "price", "price_source") == [
        (Decimal("0.101"), 101, "fill × binance:USDCUSDT:1d")
    ]


def test_a_fill_between_two_kinds_of_cash_has_its_fee_though_no_book_is_touched(
    account: ExchangeAccount,
) -> None:
    fact = fill(
        account, "BUY", "100", "1.10", symbol="EURUSDT", base_asset="EUR", fee_amount=Decimal("0.1"),
        fee_currency="EUR", executed_at=moment(0),
    )  # fmt: skip
    fold(account, fact)

    assert kept(account, "value") == [(Decimal("0.11"),)]


def test_a_withdrawal_of_cash_has_its_fee_though_no_book_is_touched(account: ExchangeAccount) -> None:
    fold(account, withdraw(account))

    assert kept(account, "fee_type", "transaction_type", "value") == [("WITHDRAWAL", "TRANSFER", 1)]


@pytest.mark.parametrize("asset", ["USDT", "BTC"])
def test_a_withdrawal_that_fails_costs_nothing(account: ExchangeAccount, asset: str) -> None:
    close("BTCUSDT", 0, "100")
    fact = withdraw(account, asset=asset, status="pending")
    fold(account, fact)
    assert len(kept(account, "id")) == 1

    fact.status = "failed"
    with tenancy.acting_as(account.user_id):
        fact.save()
    fold(account, fact)

    assert kept(account, "id") == []


def test_a_deposit_has_no_fee_of_ours(account: ExchangeAccount) -> None:
    fold(account, transfer(account, occurred_at=moment(0)))

    assert kept(account, "id") == []


def test_another_accounts_fees_are_untouched(account: ExchangeAccount) -> None:
    other = AccountFactory.create(user=account.user)
    fold(other, withdraw(other))

    fold(account, withdraw(account, exchange_transfer_id="mine"))

    assert (len(kept(other, "id")), len(kept(account, "id"))) == (1, 1)


def test_fees_wait_from_the_first_fact_of_cash_until_they_are_kept(account: ExchangeAccount) -> None:
    def waiting() -> object:
        with tenancy.acting_as(account.user_id):
            return fees.waiting_since(account=account)

    before = waiting()
    touch(account, [withdraw(account, occurred_at=moment(1)), withdraw(account, occurred_at=moment(0))])
    noted = waiting()
    fold(account)

    assert (before, noted, waiting()) == (None, moment(0), None)


def test_a_fee_of_cash_without_a_price_waits_on(account: ExchangeAccount) -> None:
    fold(account, withdraw(account, asset="EUR", occurred_at=moment(0)))
    with tenancy.acting_as(account.user_id):
        waiting = fees.waiting_since(account=account)
    close("EURUSDT", 0, "1.10")
    fold(account)

    assert (waiting, kept(account, "value")) == (moment(0), [(Decimal("1.10"),)])
