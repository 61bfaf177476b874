"""Binance spot. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, Listings, MarketData
from exchanges.binance.account import BinanceAccount
from exchanges.binance.client import connect
from exchanges.binance.market import BinanceMarket
from exchanges.transport import Clock


def open_account(keys: ApiKeys, url: str | None, listings: Listings | None, now: Clock) -> Account:
    return BinanceAccount(connect(keys, url=url, now=now), listings)


def open_market(url: str | None, now: Clock) -> MarketData:
    return BinanceMarket(connect(None, url=url, now=now))
