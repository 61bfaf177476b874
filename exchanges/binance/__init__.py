"""Binance spot and USD-M futures. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.binance.account import BinanceAccount
from exchanges.binance.client import connect
from exchanges.binance.limits import LIMITS
from exchanges.binance.market import BinanceMarket
from exchanges.transport import Clock, check_time


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return BinanceAccount(
        connect(keys, url=url, now=now),
        markets.spot if markets else None,
        markets.contracts or None if markets else None,
    )


def open_market(url: str | None, now: Clock) -> MarketData:
    return BinanceMarket(connect(None, url=url, now=now))


def probe(url: str | None, now: Clock) -> None:
    check_time(connect(None, url=url, now=now))


__all__ = ["LIMITS", "open_account", "open_market", "probe"]
