"""A small market: what is listed, and helpers to fill it with candles and tickers."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from exchanges.rows import CandleRow, ListingRow, MarketType, PriceRow
from marketdata import candles, listings, tickers
from tests.conftest import NOW


def listing_row(base: str, quote: str, *, is_trading: bool = True) -> ListingRow:
    return ListingRow(
        market_type=MarketType.SPOT,
        symbol=base + quote,
        base_asset=base,
        quote_asset=quote,
        status="TRADING" if is_trading else "BREAK",
        is_trading=is_trading,
        price_step=Decimal("0.01"),
        quantity_step=Decimal("0.00001"),
        min_quantity=None,
        min_notional=Decimal(5),
    )


def candle_row(
    symbol: str,
    opened_at: datetime,
    opened: str | int = 100,
    close: str | int | None = None,
    timeframe: str = "1h",
) -> CandleRow:
    prices = Decimal(opened), Decimal(opened if close is None else close)
    return CandleRow(
        symbol, timeframe, opened_at, prices[0], max(prices), min(prices), prices[1], volume=Decimal(1)
    )


Lister = Callable[..., int]


@pytest.fixture
def list_pairs(db: None) -> Lister:
    """`list_pairs("BTC/USDT", …)`: exactly these are listed."""

    def act(*pairs: str, exchange: str = "binance", at: datetime = NOW) -> int:
        rows = [listing_row(*pair.split("/")) for pair in pairs]
        return listings.store(exchange=exchange, rows=rows, at=at)

    return act


def store_candles(*rows: CandleRow, at: datetime = NOW, exchange: str = "binance") -> int:
    timeframe = rows[0].timeframe
    return candles.store(exchange=exchange, timeframe=timeframe, rows=rows, at=at)


def store_prices(at: datetime = NOW, /, **prices: str | int) -> int:
    rows = [PriceRow(symbol, Decimal(price)) for symbol, price in prices.items()]
    return tickers.store(exchange="binance", rows=rows, at=at)
