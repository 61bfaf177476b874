"""MEXC spot. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.mexc.account import MexcAccount
from exchanges.mexc.client import connect
from exchanges.mexc.market import MexcMarket
from exchanges.transport import Clock


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return MexcAccount(connect(keys, url=url, now=now), markets.spot if markets else None)


def open_market(url: str | None, now: Clock) -> MarketData:
    return MexcMarket(connect(None, url=url, now=now))
