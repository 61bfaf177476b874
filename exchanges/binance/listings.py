"""Which assets a wire symbol stands for, and which symbols are worth asking for."""

from collections.abc import Collection, Iterable
from typing import Final

from exchanges.base import Listings
from exchanges.reading import UnreadableRow

# Quotes of Binance spot, the likeliest first; the ones no longer listed serve old symbols.
QUOTES: Final = (
    *("USDT", "USDC", "FDUSD", "BTC", "BNB", "ETH", "BUSD", "TUSD", "EUR", "TRY", "USD1", "DAI", "USDP"),
    *("PAX", "USDS", "USDSB", "TRX", "XRP", "DOGE", "DOT", "SOL", "BRL", "GBP", "AUD", "JPY", "RUB", "UAH"),
    *("NGN", "ZAR", "PLN", "RON", "ARS", "COP", "CZK", "MXN", "BIDR", "IDRT", "BVND", "BKRW", "VAI", "UST"),
    *("AEUR", "EURI", "IDR", "XUSD", "RLUSD", "U"),
)
_RANK: Final = {quote: rank for rank, quote in enumerate(QUOTES)}
# A single letter says nothing about where a symbol of unknown origin divides.
_SUFFIXES: Final = tuple(sorted((quote for quote in QUOTES if len(quote) > 1), key=len, reverse=True))


def assets(symbol: str, listings: Listings) -> tuple[str, str]:
    """(base, quote) as listed, or, for a symbol no longer listed, by the quote its name ends with."""
    listed = listings.get(symbol)
    if listed is not None:
        return listed
    for quote in _SUFFIXES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote), quote
    raise UnreadableRow(f"symbol {symbol!r:.40} is not listed and its base and quote cannot be told")


def traded(touched: Collection[str], known: Collection[str], listings: Listings) -> list[str]:
    """Symbols whose base was touched: pairs of two touched assets first, then by how common the quote is."""
    owned, asked = frozenset(touched), frozenset(known)
    found = (symbol for symbol, (base, _) in listings.items() if base in owned and symbol not in asked)
    return sorted(found, key=lambda symbol: (listings[symbol][1] not in owned, *_order(symbol, listings)))


def rest(known: Iterable[str], listings: Listings) -> list[str]:
    """All other symbols, common quotes first."""
    asked = frozenset(known)
    return sorted((each for each in listings if each not in asked), key=lambda each: _order(each, listings))


def _order(symbol: str, listings: Listings) -> tuple[int, str]:
    return _RANK.get(listings[symbol][1], len(_RANK)), symbol
