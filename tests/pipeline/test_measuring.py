"""Excursions in the background: candles fetched once, results kept beside their trades."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import CandleRow
from marketdata import candles
from pipeline import dispatch, market, measuring, tasks
from portfolio.models import Excursion
from portfolio.selectors.trades import trade as shown
from portfolio.valuations import PriceNeed
from tests.factories import UserFactory
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold

pytestmark = pytest.mark.django_db
Asked = list[tuple[str, str, datetime, datetime]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What was fetched; the exchange has an hour's high of 130 and low of 90, always."""
    ranges: Asked = []

    def fetch(needs: Iterable[PriceNeed], *, now: Callable[[], datetime]) -> int:
        for need in needs:
            ranges.append((need.asset, need.timeframe, need.since, need.until))
            first = clock.floor_hour(need.since)
            count = int((need.until - first) / timedelta(hours=1)) + 1
            rows = [
                CandleRow(
                    "BTCUSDT", "1h", first + place * timedelta(hours=1), *map(Decimal, (100, 130, 90, 100, 1))
                )
                for place in range(count)
            ]
            candles.store(exchange="binance", timeframe="1h", rows=rows, at=now())
        return len(ranges)

    monkeypatch.setattr(market, "fetch_candles", fetch)
    return ranges


@pytest.fixture
def account() -> ExchangeAccount:
    """1 BTC bought at 100 and sold at 110 a day later, from the half hour to the half hour."""
    user: User = UserFactory.create()
    api_books.list_pairs()
    made = api_books.open_account(user)
    half = timedelta(minutes=30)
    fold(
        made,
        fill(made, "BUY", "1", "100", executed_at=api_books.day(3) + half),
        fill(made, "SELL", "1", "110", executed_at=api_books.day(2) + half),
    )
    return made


def measure(account: ExchangeAccount, at: datetime | None = None) -> int:
    at = at or clock.now()
    return measuring.measure_excursions(user_id=account.user_id, account_id=account.id, at=at, now=lambda: at)


def waiting(at: datetime) -> list[UUID]:
    return [owned.account_id for owned in dispatch.unmeasured_accounts(at=at, limit=10)]


def told(account: ExchangeAccount) -> list[tuple[Any, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = Excursion.objects.order_by("exit_time")
        return list(rows.values_list("max_drawdown", "max_runup", "interval", "source", "reason"))


def test_a_trade_gets_its_worst_and_best_from_hourly_candles(account: ExchangeAccount, asked: Asked) -> None:
    assert measure(account) == 1

    assert told(account) == [(Decimal(-10), Decimal(30), "1h", "binance:BTCUSDT", "")]
    assert [(asset, timeframe) for asset, timeframe, *_ in asked] == [("BTC", "1h")]
    with tenancy.acting_as(account.user_id):
        found = shown(trade_id=Excursion.objects.get().trade_id)
    assert (found.max_drawdown, found.excursion_interval, found.excursion_reason) == (Decimal(-10), "1h", "")


def test_what_is_measured_is_not_asked_for_again(account: ExchangeAccount, asked: Asked) -> None:
    measure(account)
    asked.clear()

    assert (measure(account), asked) == (0, [])
    assert waiting(clock.now()) == []


def test_candles_that_do_not_exist_are_the_reason(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "fetch_candles", lambda needs, **_: 0)

    measure(account)

    assert told(account) == [(None, None, "1h", "binance:BTCUSDT", "missing_candles")]


@pytest.mark.usefixtures("asked")
def test_a_late_fill_has_its_trade_measured_anew(account: ExchangeAccount) -> None:
    measure(account)
    late = fill(account, "BUY", "1", "80", executed_at=api_books.day(3, 11))
    fold(account, late)

    assert waiting(clock.now()) == [account.id]
    assert tasks.measure_excursions() == 1

    # 1 of the 2 held, bought at 90 on average, was sold.
    assert told(account) == [(Decimal(0), Decimal(40), "1h", "binance:BTCUSDT", "")]


@pytest.mark.usefixtures("asked")
def test_a_trade_waits_until_the_candle_it_ended_in_is_final(account: ExchangeAccount) -> None:
    ended = api_books.day(2, 10) + timedelta(minutes=30)

    assert measure(account, ended + timedelta(minutes=30)) == 0
    assert (told(account), waiting(ended + timedelta(minutes=30))) == ([], [])

    settled = ended + timedelta(minutes=31)
    assert waiting(settled) == [account.id]
    assert measure(account, settled) == 1
    assert told(account) == [(Decimal(-10), Decimal(30), "1h", "binance:BTCUSDT", "")]


@pytest.mark.usefixtures("asked")
def test_a_trade_of_many_days_waits_for_the_end_of_its_last(account: ExchangeAccount) -> None:
    measure(account)
    fold(
        account,
        fill(account, "BUY", "1", "100", executed_at=api_books.day(40)),
        fill(account, "SELL", "1", "110", executed_at=api_books.day(4)),
    )

    assert (measure(account, api_books.day(4, 22)), waiting(api_books.day(4, 22))) == (0, [account.id])
    assert measure(account, api_books.day(3, 1)) == 1
    assert waiting(clock.now()) == []


@pytest.mark.usefixtures("asked")
def test_a_coin_without_a_market_in_the_currency_has_a_reason() -> None:
    api_books.list_pairs()
    made = api_books.open_account(UserFactory.create())
    coin = {"symbol": "XYZUSDT", "base_asset": "XYZ"}
    fold(
        made,
        fill(made, "BUY", "1", "100", executed_at=api_books.day(3), **coin),
        fill(made, "SELL", "1", "110", executed_at=api_books.day(2), **coin),
    )

    measure(made)

    assert told(made) == [(None, None, "", "", "no_direct_market")]
