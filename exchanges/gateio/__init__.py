"""Gate.io: spot and perpetual contracts. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.gateio.account import GateioAccount
from exchanges.gateio.client import connect
from exchanges.gateio.limits import LIMITS
from exchanges.gateio.market import GateioMarket
from exchanges.transport import Clock, check_time


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return GateioAccount(connect(keys, url=url, now=now), markets)


def open_market(url: str | None, now: Clock) -> MarketData:
    return GateioMarket(connect(None, url=url, now=now))


def probe(url: str | None, now: Clock) -> None:
    check_time(connect(None, url=url, now=now))


__all__ = ["LIMITS", "open_account", "open_market", "probe"]
