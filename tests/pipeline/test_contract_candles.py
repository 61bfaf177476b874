"""A contract on a coin that no spot market prices is valued by its own candles."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

import pytest

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import CandleRow, Contract, ListingRow, MarketType, Page
from marketdata import listings
from pipeline import market
from portfolio import snapshots
from tests.factories import AccountFactory
from tests.portfolio import books as spot
from tests.portfolio.books import transfer
from tests.portfolio.contracts import fill, fold
from tests.portfolio.days import LAST, close, closes, line, moment, refresh, report

pytestmark = pytest.mark.django_db
PEPE = "1000PEPEUSDT"
TERMS = Contract("1000PEPE", "USDT", "USDT", Decimal(1))


class FakeMarket:
    """Closes of every day at 100, 110, 120, …, of contracts only; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        self.asked.append(f"spot {symbol}")
        return Page((), (), "", has_more=False, raw_count=0)

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        self.asked.append(f"contract {symbol}")
        days = (until - since) // clock.DAY
        first = (since - moment(0, 0)) // clock.DAY
        rows = []
        for number in range(first, first + days):
            price = Decimal(100 + 10 * number)
            rows.append(CandleRow(symbol, timeframe, moment(number, 0), price, price, price, price, price))
        return Page(tuple(rows), (), "", has_more=False, raw_count=len(rows))


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    spot.fold(stored, transfer(stored, amount=Decimal(1000), occurred_at=moment(0, 8)))
    row = ListingRow(
        MarketType.FUTURES, PEPE, "1000PEPE", "USDT", "TRADING", True, None, None, None, None, {}, TERMS
    )
    listings.store(exchange="binance", rows=[row], at=LAST)
    fold(stored, fill(stored, "BUY", "2", "100", symbol=PEPE, base_asset="1000PEPE", executed_at=moment(0)))
    report(stored, moment(2, 23), USDT="1000")
    return stored


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> FakeMarket:
    fake = FakeMarket()

    @contextmanager
    def opened(*_: object, **__: object) -> Iterator[FakeMarket]:
        yield fake

    monkeypatch.setattr(market, "open_market", opened)
    return fake


def fetch(account: ExchangeAccount, at: datetime) -> int:
    with tenancy.acting_as(account.user_id):
        needs = snapshots.price_needs(account=account, at=at)
    return market.fetch_candles(needs, now=lambda: at)


def test_days_of_a_contract_without_spot_are_complete(account: ExchangeAccount, exchange: FakeMarket) -> None:
    at = moment(3, 12)
    assert fetch(account, at) == 3
    refresh(account, at=at)
    assert line(account, "unrealized_pnl", "grade")[:3] == [
        (0, "complete"),
        (20, "complete"),
        (40, "complete"),
    ]


def test_what_is_stored_is_not_asked_for_again(account: ExchangeAccount, exchange: FakeMarket) -> None:
    fetch(account, moment(3, 12))
    assert exchange.asked == [f"contract {PEPE}"]
    assert fetch(account, moment(3, 13)) == 0
    assert exchange.asked == [f"contract {PEPE}"]


def test_contracts_stand_in_only_for_days_that_spot_does_not_price(
    account: ExchangeAccount, exchange: FakeMarket
) -> None:
    closes("1000PEPEUSDT", "1", "2")
    close("1000PEPEUSDT", 2, "3")
    fetch(account, moment(4, 12))
    assert exchange.asked == ["spot 1000PEPEUSDT", "contract 1000PEPEUSDT"]
    assert fetch(account, moment(4, 13)) == 0
