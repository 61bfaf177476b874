"""Which assets a wire symbol stands for, and which symbols are worth asking for, where a symbol is needed."""

from collections.abc import Collection, Iterable, Sequence

from exchanges.base import Listings
from exchanges.reading import UnreadableRow


class QuoteRanking:
    """An exchange's quotes, the likeliest first; the ones no longer listed serve old symbols."""

    def __init__(self, quotes: Sequence[str]) -> None:
        self._rank = {quote: rank for rank, quote in enumerate(quotes)}
        # A single letter says nothing about where a symbol of unknown origin divides.
        several = (quote for quote in quotes if len(quote) > 1)
        self._suffixes = tuple(sorted(several, key=len, reverse=True))

    def assets(self, symbol: str, listings: Listings) -> tuple[str, str]:
        """(base, quote) as listed, or, for a symbol no longer listed, by the quote its name ends with."""
        listed = listings.get(symbol)
        if listed is not None:
            return listed
        for quote in self._suffixes:
            if symbol.endswith(quote) and len(symbol) > len(quote):
                return symbol.removesuffix(quote), quote
        raise UnreadableRow(f"symbol {symbol!r:.40} is not listed and its base and quote cannot be told")

    def traded(self, touched: Collection[str], known: Collection[str], listings: Listings) -> list[str]:
        """Symbols whose base was touched: pairs of two touched assets first, then by how common the quote is."""
        owned, asked = frozenset(touched), frozenset(known)
        found = (symbol for symbol, (base, _) in listings.items() if base in owned and symbol not in asked)
        return sorted(
            found, key=lambda symbol: (listings[symbol][1] not in owned, *self._order(symbol, listings))
        )

    def rest(self, known: Iterable[str], listings: Listings) -> list[str]:
        """All other symbols, common quotes first."""
        asked = frozenset(known)
        return sorted(
            (each for each in listings if each not in asked), key=lambda each: self._order(each, listings)
        )

    def _order(self, symbol: str, listings: Listings) -> tuple[int, str]:
        return self._rank.get(listings[symbol][1], len(self._rank)), symbol
