"""Which assets a wire symbol stands for, and which symbols an asset points at."""

from collections.abc import Collection
from typing import Final

from exchanges.base import Listings
from exchanges.reading import UnreadableRow

# The likeliest quotes first.
QUOTES: Final = ("USDT", "USDC", "BTC", "ETH", "GT", "USD1", "USD", "EUR", "TRY")
_RANK: Final = {quote: rank for rank, quote in enumerate(QUOTES)}


def assets(symbol: str, listings: Listings) -> tuple[str, str]:
    """(base, quote) as listed, or, for a symbol no longer listed, as its name says: `BASE_QUOTE`."""
    listed = listings.get(symbol)
    if listed is not None:
        return listed
    base, _, quote = symbol.rpartition("_")
    if not base or not quote:
        raise UnreadableRow(f"symbol {symbol!r:.40} names no base and quote")
    return base, quote


def unmet(touched: Collection[str], known: Collection[str], listings: Listings) -> list[str]:
    """The pairs of every touched asset that no known symbol has as its base, likely quotes first."""
    asked = frozenset(known)
    met = {listings[symbol][0] for symbol in asked if symbol in listings}
    new = frozenset(touched) - met
    found = (symbol for symbol, (base, _) in listings.items() if base in new and symbol not in asked)
    return sorted(found, key=lambda symbol: (_RANK.get(listings[symbol][1], len(QUOTES)), symbol))
