"""The exchanges we speak to, and the only way in. Importing it is cheap: the first client loads ccxt."""

import ipaddress
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from core import clock
from core.errors import Invalid
from exchanges import binance, bitget, gateio, mexc
from exchanges.base import Account, ApiKeys, MarketData, Markets
from exchanges.limits import UNKNOWN, Limits
from exchanges.transport import Clock, Governor, governed_by

NO_URLS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one exchange is shown and reached."""

    title: str
    open_account: Callable[[ApiKeys, str | None, Markets | None, Clock], Account]
    open_market: Callable[[str | None, Clock], MarketData]
    ccxt_class: str = ""  # "" for a client of our own
    probe: Callable[[str | None, Clock], None] | None = None
    """One small public request whose answer says that the exchange can be reached. Raises ExchangeError."""
    limits: Limits = UNKNOWN
    needs_passphrase: bool = False  # a key is made with one, and useless without
    locks_open_orders: bool = False
    """Every open spot order locks a balance: with nothing locked there is none."""
    open_orders_alone: int = 0
    """Up to so many symbols, asking for the open orders of each costs less than for all: its clients implement
    `OpenBySymbol`."""


_EXCHANGES: Final[Mapping[str, Exchange]] = {
    "binance": Exchange(
        "Binance",
        binance.open_account,
        binance.open_market,
        "binance",
        binance.probe,
        binance.LIMITS,
        locks_open_orders=True,
        open_orders_alone=8,
    ),
    "bitget": Exchange(
        "Bitget",
        bitget.open_account,
        bitget.open_market,
        "bitget",
        bitget.probe,
        bitget.LIMITS,
        needs_passphrase=True,
    ),
    "gateio": Exchange(
        "Gate.io", gateio.open_account, gateio.open_market, "gate", gateio.probe, gateio.LIMITS
    ),
    "mexc": Exchange("MEXC", mexc.open_account, mexc.open_market, "mexc", mexc.probe, mexc.LIMITS),
}


def supported() -> Mapping[str, Exchange]:
    """Exchanges by the name they have in the API and in settings."""
    return MappingProxyType(_EXCHANGES)


def open_account(
    exchange: str,
    keys: ApiKeys,
    *,
    urls: Mapping[str, str] = NO_URLS,
    markets: Markets | None = None,
    now: Clock = clock.now,
    governor: Governor | None = None,
) -> Account:
    """A client for one account and one thread; close it after use.

    `markets` (all the exchange's, as stored) saves asking for them. Raises ExchangeError(AUTH) for keys that
    cannot be keys, Invalid for an unknown exchange.
    """
    with governed_by(governor):
        return _find(exchange).open_account(keys, urls.get(exchange), markets, now)


def open_market(
    exchange: str,
    *,
    urls: Mapping[str, str] = NO_URLS,
    now: Clock = clock.now,
    governor: Governor | None = None,
) -> MarketData:
    """A client for public data; close it after use. Raises Invalid for an unknown exchange."""
    with governed_by(governor):
        return _find(exchange).open_market(urls.get(exchange), now)


def probe(exchange: str, *, urls: Mapping[str, str] = NO_URLS, now: Clock = clock.now) -> None:
    """Ask an exchange for one small public thing. Raises ExchangeError when no good answer comes."""
    found = _find(exchange)
    if found.probe is not None:
        found.probe(urls.get(exchange), now)
        return
    with closing(found.open_market(urls.get(exchange), now)) as market:
        market.prices()


def limits(exchange: str) -> Limits:
    """What it allows. Raises Invalid for an unknown exchange."""
    return _find(exchange).limits


def parse_urls(text: str) -> dict[str, str]:
    """`binance=http://127.0.0.1:9001,…`: addresses in place of the exchanges' own. Raises Invalid."""
    urls: dict[str, str] = {}
    for entry in text.replace(",", " ").split():
        exchange, _, url = entry.partition("=")
        _find(exchange)
        urls[exchange] = _checked(url)
    return urls


def _find(exchange: str) -> Exchange:
    if exchange not in _EXCHANGES:
        raise Invalid(f"{exchange!r:.40} is no supported exchange; there are: {', '.join(_EXCHANGES)}.")
    return _EXCHANGES[exchange]


def _checked(url: str) -> str:
    """Keys travel only encrypted, or not at all: plain http stays on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid("An exchange's address is malformed.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("An exchange's address must begin with https:// (or http:// on this machine).")
    if parts.username is not None or parts.query or parts.fragment:
        raise Invalid("An exchange's address holds only scheme, host, port and path.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise Invalid(f"Plain http is refused for {host!r:.100}: keys would travel unprotected.")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
