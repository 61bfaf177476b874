"""Which assets a wire symbol stands for, and which symbols are worth asking for."""

from typing import Final

from exchanges.ranking import QuoteRanking

# Quotes of MEXC spot, the likeliest first.
QUOTES: Final = ("USDT", "USDC", "USD1", "BTC", "ETH", "EUR", "USDE", "MX", "TUSD", "BRL", "BUSD")
_RANKING: Final = QuoteRanking(QUOTES)
assets, traded, rest = _RANKING.assets, _RANKING.traded, _RANKING.rest
