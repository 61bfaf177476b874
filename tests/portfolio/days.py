"""Hand-made days for tests: closes, balance reports and the snapshots drawn from them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow, CandleRow, ListingRow, MarketType, PriceRow
from marketdata import candles, listings, tickers
from portfolio import balances, marks, snapshots
from portfolio.models import PortfolioSnapshot

FIRST = date(2026, 2, 1)
LAST = datetime(2026, 2, 20, 12, tzinfo=clock.EPOCH.tzinfo)
"""When everything is looked at, unless a test says otherwise."""
_QUOTES = ("USDT", "USDC", "BTC")


def moment(day: int, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of the day that many days after the first."""
    return clock.day_start(FIRST + clock.DAY * day) + timedelta(hours=hour, minutes=minute)


def day(number: int) -> date:
    return FIRST + clock.DAY * number


def list_pairs(*symbols: str) -> None:
    rows = []
    for symbol in symbols:
        quote = next(quote for quote in _QUOTES if symbol.endswith(quote))
        base, step = symbol.removesuffix(quote), Decimal("0.00001")
        rows.append(ListingRow(MarketType.SPOT, symbol, base, quote, "TRADING", True, None, step, None, None))
    listings.store(exchange="binance", rows=rows, at=LAST)


def close(symbol: str, number: int, price: str, opened: str | None = None) -> None:
    """A final daily candle."""
    value, start = Decimal(price), Decimal(opened or price)
    high, low = max(value, start), min(value, start)
    row = CandleRow(symbol, "1d", moment(number, 0), start, high, low, value, Decimal(1))
    candles.store(exchange="binance", timeframe="1d", rows=[row], at=LAST)


def closes(symbol: str, *prices: str) -> None:
    """Daily closes from the first day on; the pair is listed too."""
    list_pairs(symbol)
    for number, price in enumerate(prices):
        close(symbol, number, price)


def quote(symbol: str, price: str, at: datetime) -> None:
    tickers.store(exchange="binance", rows=[PriceRow(symbol, Decimal(price))], at=at)


def report(
    account: ExchangeAccount, at: datetime, locked: Mapping[str, str] | None = None, **available: str
) -> set[str]:
    """One whole balance report."""
    held = locked or {}
    rows = [
        BalanceRow(asset, Decimal(available.get(asset, "0")), Decimal(held.get(asset, "0")))
        for asset in available | dict(held)
    ]
    with tenancy.acting_as(account.user_id):
        return balances.record(account=account, rows=rows, at=at, run_id=None)


def refresh(account: ExchangeAccount, at: datetime = LAST, heard: datetime | None = None) -> int:
    """Draw the line; the exchange said the same again just then, or last at `heard`."""
    with tenancy.acting_as(account.user_id):
        marks.heard(account=account, at=heard or at)
    return snapshots.refresh(user_id=account.user_id, account_id=account.id, at=at)


def line(account: ExchangeAccount, *columns: str) -> list[Any]:
    """A column, or tuples of columns, of every day in order."""
    with tenancy.acting_as(account.user_id):
        rows = PortfolioSnapshot.objects.filter(account=account).order_by("snapshot_date")
        return list(rows.values_list(*columns, flat=len(columns) == 1))
