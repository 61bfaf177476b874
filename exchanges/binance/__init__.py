"""Binance spot. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.binance.account import BinanceAccount
from exchanges.binance.client import connect
from exchanges.binance.market import BinanceMarket
from exchanges.transport import Clock


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return BinanceAccount(connect(keys, url=url, now=now), markets.spot if markets else None)


def open_market(url: str | None, now: Clock) -> MarketData:
    return BinanceMarket(connect(None, url=url, now=now))
