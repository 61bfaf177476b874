"""MEXC: spot, and contracts to read. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.mexc.account import MexcAccount
from exchanges.mexc.client import connect
from exchanges.mexc.limits import LIMITS
from exchanges.mexc.market import MexcMarket
from exchanges.transport import Clock, check_time


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return MexcAccount(connect(keys, url=url, now=now), markets)


def open_market(url: str | None, now: Clock) -> MarketData:
    return MexcMarket(connect(None, url=url, now=now))


def probe(url: str | None, now: Clock) -> None:
    check_time(connect(None, url=url, now=now))


__all__ = ["LIMITS", "open_account", "open_market", "probe"]
