"""Fees over the API."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from portfolio import rebuild
from portfolio.accounting.own_coins import OWN_COINS, saved
from tests.clients import JsonClient
from tests.factories import FundingFactory, TransferFactory
from tests.portfolio import api_books, contracts
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db


@pytest.fixture
def _paid(alice: User) -> None:
    """2 USDT as a taker, −0.5 as a maker, 0.01 BNB (worth 6) on ETHBTC's brother, 0.001 BTC withdrawn, 3 of funding."""
    api_books.list_pairs()
    for before in (3, 2):
        api_books.candle("BNBUSDT", api_books.day(before), "600")
        api_books.candle("BTCUSDT", api_books.day(before), "100")
    account = api_books.open_account(alice)
    bnb = {"fee_currency": "BNB", "fee_amount": Decimal("0.01")}
    fold(
        account,
        fill(account, "BUY", "1", "100", fee_amount=Decimal(2), executed_at=api_books.day(3)),
        fill(account, "BUY", "1", "100", fee_amount=Decimal("-0.5"), is_maker=True, executed_at=api_books.day(3)),
        fill(account, "BUY", "1", "100", executed_at=api_books.day(2), **bnb),
        fill(account, "BUY", "1", "600", symbol="BNBUSDT", base_asset="BNB", executed_at=api_books.day(2), **bnb),
    )  # fmt: skip
    TransferFactory.create(
        account=account, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.1"), fee_amount=Decimal("0.001"),
        occurred_at=api_books.day(2),
    )  # fmt: skip
    paid = FundingFactory.create(account=account, amount=Decimal(-3), paid_at=api_books.day(2))
    contracts.touch(account, paid)
    rebuild.rebuild_account(user_id=alice.id, account_id=account.id, at=api_books.day(0))


def get(client: JsonClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.json()


def keyed(rows: list[dict[str, Any]], name: str = "key") -> dict[str, tuple[str, int]]:
    return {row[name]: (row["value"], row["count"]) for row in rows}


@pytest.mark.usefixtures("_paid")
def test_funding_is_listed_and_in_no_total(as_alice: JsonClient) -> None:
    summary = get(as_alice, "/api/fees/summary")
    listed = get(as_alice, "/api/fees?type=FUNDING")["results"]

    assert keyed(summary["by_type"]) == {"MAKER": ("-0.5", 1), "TAKER": ("14", 3), "WITHDRAWAL": ("0.1", 1)}
    assert (summary["total"], summary["count"], summary["unvalued"]) == ("13.6", 5, 0)
    assert (summary["funding"]["value"], summary["funding"]["count"]) == ("3", 1)
    assert [(row["fee_amount"], row["value"], row["in_totals"]) for row in listed] == [("3", "3", False)]


@pytest.mark.usefixtures("_paid")
def test_totals_by_exchange_coin_and_month_agree(as_alice: JsonClient) -> None:
    summary = get(as_alice, "/api/fees/summary")

    assert keyed(summary["by_exchange"]) == {"binance": ("13.6", 5)}
    coins = {row["currency"]: (row["amount"], row["value"]) for row in summary["by_currency"]}
    assert coins == {"BNB": ("0.02", "12"), "BTC": ("0.001", "0.1"), "USDT": ("1.5", "1.5")}
    assert sum(Decimal(row["value"]) for row in summary["by_month"]) == Decimal("13.6")


@pytest.mark.usefixtures("_paid")
def test_what_paying_in_bnb_saved_is_an_estimate_with_its_rate(as_alice: JsonClient) -> None:
    # 6 USDT were three quarters of the full fee; the fee on BNBUSDT may be in BNB without a discount.
    [saving] = get(as_alice, "/api/fees/summary")["own_coins"]

    assert (saving["coin"], saving["paid"], saving["saved"], saving["discount"]) == ("BNB", "6", "2", "0.25")
    assert (saving["is_estimate"], saving["count"]) == (True, 1)


def test_a_conversion_is_charged_without_a_discount(alice: User, as_alice: JsonClient) -> None:
    api_books.list_pairs()
    api_books.candle("BNBUSDT", api_books.day(2), "600")
    account = api_books.open_account(alice)
    bnb = {"fee_currency": "BNB", "fee_amount": Decimal("0.01"), "executed_at": api_books.day(2)}
    fold(account, fill(account, "BUY", "1", "100", is_conversion=True, **bnb))

    summary = get(as_alice, "/api/fees/summary")
    assert keyed(summary["by_type"]) == {"CONVERSION": ("6", 1)}
    assert (summary["own_coins"], summary["saved"]) == ([], "0")


@pytest.mark.usefixtures("_paid")
def test_pages_of_fees_follow_each_other(as_alice: JsonClient) -> None:
    whole = get(as_alice, "/api/fees")["results"]
    first = get(as_alice, "/api/fees?limit=4")
    second = get(as_alice, f"/api/fees?limit=4&cursor={first['next_cursor']}")

    assert [*first["results"], *second["results"]] == whole
    assert (len(whole), second["next_cursor"]) == (6, None)


@pytest.mark.usefixtures("_paid")
@pytest.mark.parametrize(
    ("query", "count"),
    [("?currency=BNB", 2), ("?symbol=BNBUSDT", 1), ("?type=MAKER", 1), ("?exchange=mexc", 0)],
)
def test_fees_are_chosen(as_alice: JsonClient, query: str, count: int) -> None:
    assert len(get(as_alice, f"/api/fees{query}")["results"]) == count


@pytest.mark.usefixtures("_paid")
def test_somebody_elses_fees_are_not_there(as_bob: JsonClient) -> None:
    assert get(as_bob, "/api/fees")["results"] == []
    assert get(as_bob, "/api/fees/summary")["total"] == "0"


@pytest.mark.parametrize("exchange", OWN_COINS)
def test_the_full_fee_is_what_was_paid_and_saved(exchange: str) -> None:
    for discount in OWN_COINS[exchange].discounts.values():
        full = Decimal(100)
        paid = full * (1 - discount)
        assert paid + saved(paid, discount) == full
