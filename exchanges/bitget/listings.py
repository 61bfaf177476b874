"""Which assets a wire symbol stands for, and which symbols an asset points at."""

from collections.abc import Collection
from functools import cached_property
from typing import Final

from exchanges.base import Contracts, Listings, Markets
from exchanges.bitget import market
from exchanges.ranking import QuoteRanking
from exchanges.transport import CcxtClient

# The likeliest quotes first.
QUOTES: Final = ("USDT", "USDC", "BTC", "ETH", "BGB", "USD", "EUR", "BRL", "TRY")
_RANKING: Final = QuoteRanking(QUOTES)
_RANK: Final = {quote: rank for rank, quote in enumerate(QUOTES)}


def assets(symbol: str, listings: Listings) -> tuple[str, str]:
    """(base, quote) as listed, or, for a symbol no longer listed, by the quote its name ends with."""
    return _RANKING.assets(symbol, listings)


def unmet(touched: Collection[str], known: Collection[str], listings: Listings) -> list[str]:
    """The pairs of every touched asset that no known symbol has as its base, likely quotes first."""
    asked = frozenset(known)
    met = {listings[symbol][0] for symbol in asked if symbol in listings}
    new = frozenset(touched) - met
    found = (symbol for symbol, (base, _) in listings.items() if base in new and symbol not in asked)
    return sorted(found, key=lambda symbol: (_RANK.get(listings[symbol][1], len(QUOTES)), symbol))


class KnownMarkets:
    """The markets the caller knows, else those Bitget lists: asked for when the first of them is needed."""

    def __init__(self, client: CcxtClient, given: Markets | None) -> None:
        self._client = client
        self._given = given

    @cached_property
    def spot(self) -> Listings:
        if self._given is not None:
            return self._given.spot
        page = market.listings(self._client)
        return {row.symbol: (row.base_asset, row.quote_asset) for row in page.rows}

    @cached_property
    def contracts(self) -> Contracts:
        if self._given is not None:
            return self._given.contracts
        page = market.contracts(self._client)
        return {row.symbol: row.contract for row in page.rows if row.contract is not None}
