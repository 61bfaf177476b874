"""Gate.io spot. What is special about it stands in README.md."""

from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.gateio.account import GateioAccount
from exchanges.gateio.client import connect
from exchanges.gateio.market import GateioMarket
from exchanges.transport import Clock


def open_account(keys: ApiKeys, url: str | None, markets: Markets | None, now: Clock) -> Account:
    return GateioAccount(connect(keys, url=url, now=now), markets.spot if markets else None)


def open_market(url: str | None, now: Clock) -> MarketData:
    return GateioMarket(connect(None, url=url, now=now))
