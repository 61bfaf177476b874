"""A book made by hand whose every number is known, in the days before now: the API reads the real clock."""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow, CandleRow, ListingRow, MarketType, PriceRow
from marketdata import candles, listings, tickers
from orders.models import Fill, Transfer
from portfolio import balances, metrics, snapshots
from portfolio.models import Trade
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer

PAIRS = {"BTCUSDT": ("BTC", "USDT"), "BNBUSDT": ("BNB", "USDT"), "ETHBTC": ("ETH", "BTC")}


def day(before: int, hour: int = 10) -> datetime:
    """An hour of the UTC day that many days before today."""
    return clock.day_start(clock.utc_day(clock.now())) - timedelta(days=before) + timedelta(hours=hour)


def list_pairs() -> None:
    rows = [
        ListingRow(
            MarketType.SPOT, symbol, base, quote, "TRADING", True, None, Decimal("0.00001"), None, None
        )
        for symbol, (base, quote) in PAIRS.items()
    ]
    listings.store(exchange="binance", rows=rows, at=clock.now())


def quote(at: datetime | None = None, **prices: str) -> None:
    """Latest prices, read now unless told otherwise."""
    rows = [PriceRow(symbol, Decimal(price)) for symbol, price in prices.items()]
    tickers.store(exchange="binance", rows=rows, at=at or clock.now())


def candle(symbol: str, opened_at: datetime, price: str, timeframe: str = "1h") -> None:
    value = Decimal(price)
    row = CandleRow(symbol, timeframe, opened_at, value, value, value, value, Decimal(1))
    candles.store(exchange="binance", timeframe=timeframe, rows=[row], at=clock.now())


def open_account(user: User, label: str = "Main") -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=user, label=label)
    return made


def report(account: ExchangeAccount, totals: dict[str, str], at: datetime | None = None) -> None:
    rows = [BalanceRow(asset, Decimal(total), Decimal(0)) for asset, total in totals.items()]
    with tenancy.acting_as(account.user_id):
        balances.record(account=account, rows=rows, at=at or clock.now(), run_id=None)


def derive(account: ExchangeAccount) -> None:
    """Snapshots and metrics as they stand now."""
    snapshots.refresh(user_id=account.user_id, account_id=account.id, at=clock.now())
    metrics.refresh(user_id=account.user_id, at=clock.now())


def small(user: User, label: str = "Main") -> ExchangeAccount:
    """1000 USDT paid in five days ago; 2 BTC bought at 100, one sold at 150 the next day, fees 1 and 2 USDT."""
    list_pairs()
    for before in range(6):
        candle("BTCUSDT", day(before, 0), "120", "1d")
    quote(BTCUSDT="125.5")
    account = open_account(user, label)
    facts: list[Fill | Transfer] = [
        transfer(account, occurred_at=day(5, 8)),
        fill(account, "BUY", "2", "100", fee_amount=Decimal(1), executed_at=day(5)),
        fill(account, "SELL", "1", "150", fee_amount=Decimal(2), executed_at=day(4, 12)),
    ]
    fold(account, *facts)
    report(account, {"USDT": "947", "BTC": "1"})
    derive(account)
    return account


def rich(user: User) -> ExchangeAccount:
    """Fees in BNB and in the base coin, and a quote in BTC, all with pinned prices."""
    list_pairs()
    account = open_account(user, "Rich")
    candle("BTCUSDT", day(5), "60000.123456789")
    candle("BTCUSDT", day(4), "61000.987654321")
    candle("BNBUSDT", day(5), "601.77")
    candle("BNBUSDT", day(4), "599.13")
    in_eth = {"symbol": "ETHBTC", "base_asset": "ETH", "quote_asset": "BTC"}
    facts = [
        fill(account, "BUY", "1.5", "60000.1", executed_at=day(5), fee_currency="BTC", fee_amount=Decimal("0.0015")),
        fill(account, "BUY", "2", "600", executed_at=day(5), symbol="BNBUSDT", base_asset="BNB"),
        fill(
            account, "BUY", "3.3333", "0.05123457", executed_at=day(5, 10) + timedelta(minutes=9),
            fee_currency="BNB", fee_amount=Decimal("0.00271828"), **in_eth,
        ),
        fill(
            account, "BUY", "1.1111", "0.04999999", executed_at=day(5, 10) + timedelta(minutes=11),
            fee_currency="ETH", fee_amount=Decimal("0.0011111"), **in_eth,
        ),
        fill(
            account, "SELL", "1.23456789", "0.05555557", executed_at=day(4), exchange_order_id="out",
            fee_currency="BNB", fee_amount=Decimal("0.00314159"), **in_eth,
        ),
        fill(
            account, "SELL", "0.7", "0.05512345", executed_at=day(4, 10) + timedelta(minutes=1),
            exchange_order_id="out", fee_currency="ETH", fee_amount=Decimal("0.0007"), **in_eth,
        ),
    ]  # fmt: skip
    fold(account, *facts)
    return account


def trades(user: User, **filters: object) -> list[Trade]:
    with tenancy.acting_as(user.id):
        return list(Trade.objects.filter(**filters).order_by("exit_time", "id"))


def fills(user: User) -> list[Fill]:
    with tenancy.acting_as(user.id):
        return list(Fill.objects.order_by("id"))
