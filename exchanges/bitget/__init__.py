"""Bitget: spot and futures, classic and unified accounts. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.bitget.account import BitgetAccount
from exchanges.bitget.client import connect
from exchanges.bitget.limits import LIMITS
from exchanges.bitget.market import BitgetMarket
from exchanges.transport import Clock, check_time


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return BitgetAccount(connect(keys, url=url, now=now), markets)


def open_market(url: str | None, now: Clock) -> MarketData:
    return BitgetMarket(connect(None, url=url, now=now))


def probe(url: str | None, now: Clock) -> None:
    check_time(connect(None, url=url, now=now))


__all__ = ["LIMITS", "open_account", "open_market", "probe"]
