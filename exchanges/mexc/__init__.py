"""MEXC spot. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, Listings, MarketData
from exchanges.mexc.account import MexcAccount
from exchanges.mexc.client import connect
from exchanges.mexc.market import MexcMarket
from exchanges.transport import Clock


def open_account(keys: ApiKeys, url: str | None, listings: Listings | None, now: Clock) -> Account:
    return MexcAccount(connect(keys, url=url, now=now), listings)


def open_market(url: str | None, now: Clock) -> MarketData:
    return MexcMarket(connect(None, url=url, now=now))
