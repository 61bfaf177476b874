"""Which assets a wire symbol stands for, and which symbols are worth asking for."""

from typing import Final

from exchanges.ranking import QuoteRanking

# Quotes of Binance spot, the likeliest first; the ones no longer listed serve old symbols.
QUOTES: Final = (
    *("USDT", "USDC", "FDUSD", "BTC", "BNB", "ETH", "BUSD", "TUSD", "EUR", "TRY", "USD1", "DAI", "USDP"),
    *("PAX", "USDS", "USDSB", "TRX", "XRP", "DOGE", "DOT", "SOL", "BRL", "GBP", "AUD", "JPY", "RUB", "UAH"),
    *("NGN", "ZAR", "PLN", "RON", "ARS", "COP", "CZK", "MXN", "BIDR", "IDRT", "BVND", "BKRW", "VAI", "UST"),
    *("AEUR", "EURI", "IDR", "XUSD", "RLUSD", "U"),
)
_RANKING: Final = QuoteRanking(QUOTES)
assets, traded, rest = _RANKING.assets, _RANKING.traded, _RANKING.rest
