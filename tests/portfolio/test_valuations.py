from datetime import datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill
from portfolio import rebuild, valuations
from portfolio.models import Fee, Valuation
from portfolio.valuations import PriceNeed
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, touch, transfer
from tests.portfolio.days import close, list_pairs, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    list_pairs("BTCUSDT", "BNBUSDT", "USDCUSDT")
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def pins(account: ExchangeAccount) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        return list(Valuation.objects.order_by("asset", "at").values_list("asset", "at", "price", "source"))


def needs(account: ExchangeAccount) -> list[PriceNeed]:
    return rebuild.price_needs(user_id=account.user_id, account_id=account.id)


def bnb_fee(account: ExchangeAccount, at: datetime) -> Fill:
    return fill(account, "BUY", "1", "100", fee_amount=Decimal("0.01"), fee_currency="BNB", executed_at=at)


def test_a_fee_coins_hour_is_pinned_once_with_its_source(account: ExchangeAccount) -> None:
    close("BNBUSDT", 0, "310", opened="300")
    fold(account, bnb_fee(account, moment(0, 10, 5)), bnb_fee(account, moment(0, 10, 55)))

    assert pins(account) == [("BNB", moment(0, 10), 300, "binance:BNBUSDT:1d")]


def test_the_reporting_currency_needs_no_price(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100", fee_amount=Decimal(1), executed_at=moment(0)))

    assert (pins(account), needs(account)) == ([], [])


def test_a_mended_candle_changes_nothing_that_is_pinned(account: ExchangeAccount) -> None:
    close("BNBUSDT", 0, "310", opened="300")
    fold(account, bnb_fee(account, moment(0)))
    close("BNBUSDT", 0, "310", opened="305")

    fold(account, from_zero=True)

    with tenancy.acting_as(account.user_id):
        assert Fee.objects.get().value == 3
    assert pins(account)[0][2] == 300


def test_a_newer_version_of_a_price_is_what_books_and_fees_use(account: ExchangeAccount) -> None:
    close("BNBUSDT", 0, "310", opened="300")
    fold(account, bnb_fee(account, moment(0)))
    with tenancy.acting_as(account.user_id):
        Valuation.objects.create(
            user_id=account.user_id, asset="BNB", currency="USDT", at=moment(0), price=Decimal(200), version=2,
            source="revalued", source_at=moment(0),
        )  # fmt: skip

    fold(account, from_zero=True)

    with tenancy.acting_as(account.user_id):
        assert list(Fee.objects.values_list("value", "price_source")) == [(Decimal(2), "revalued")]
        assert valuations.pinned(user_id=account.user_id, currency="USDT", since=moment(0)) == {
            ("BNB", moment(0)): 200
        }


def test_hours_without_a_price_are_asked_for(account: ExchangeAccount) -> None:
    touch(account, [bnb_fee(account, moment(0, 10, 30))])

    assert needs(account) == [PriceNeed("BNB", "USDT", moment(0, 10), moment(0, 11), "1h", ("binance",))]


def test_hours_near_each_other_are_asked_for_as_one_range() -> None:
    hours = [moment(0, 10), moment(0, 15), moment(7, 15), moment(15, 0)]

    assert valuations.as_needs({"BNB": hours}, exchange="mexc", currency="USDT") == [
        PriceNeed("BNB", "USDT", moment(0, 10), moment(7, 16), "1h", ("mexc",)),
        PriceNeed("BNB", "USDT", moment(15, 0), moment(15, 1), "1h", ("mexc",)),
    ]


def test_the_fee_of_a_withdrawal_is_asked_for_and_valued_when_its_price_comes(
    account: ExchangeAccount,
) -> None:
    """Books of transfers wait for no price; the fee does."""
    paid = transfer(
        account,
        kind="WITHDRAWAL",
        asset="BNB",
        amount=Decimal(1),
        fee_amount=Decimal("0.01"),
        occurred_at=moment(0),
    )
    fold(account, paid)
    assert [need.asset for need in needs(account)] == ["BNB"]

    close("BNBUSDT", 0, "300")
    fold(account)

    with tenancy.acting_as(account.user_id):
        assert Fee.objects.values_list("value", flat=True).get() == 3
    assert needs(account) == []


def test_prices_of_one_user_are_not_anothers(account: ExchangeAccount) -> None:
    close("BNBUSDT", 0, "300")
    fold(account, bnb_fee(account, moment(0)))

    assert pins(AccountFactory.create()) == []
