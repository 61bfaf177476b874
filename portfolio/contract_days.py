"""What contract positions were worth at the end of each UTC day, and what they did on it.

A wallet's balance holds neither the unrealised profit of open contracts nor what our method has realised before the
exchange settles it ("unsettled": other lots than the exchange's average). Both are part of the equity.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from django.db import connection

from core import clock
from core.money import CONTEXT, ZERO, quantize
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from marketdata.models import Candle, Ticker
from portfolio.accounting.holdings import DoubtKind
from portfolio.composition import Closes
from portfolio.models import BookDay, Position, ReportedPosition

_DAILY: Final = "1d"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a book's contract is."""

    symbol: str
    base: str
    quote: str
    settle: str
    is_inverse: bool

    def worth(self, quantity: Decimal, price: Decimal) -> Decimal:
        """A quantity's value in the settle asset."""
        return CONTEXT.divide(quantity, price) if self.is_inverse else CONTEXT.multiply(quantity, price)

    def unrealised(self, quantity: Decimal, cost: Decimal, price: Decimal) -> Decimal:
        """Of a signed quantity entered at `cost`, in the settle asset."""
        rise = CONTEXT.subtract(self.worth(abs(quantity), price), cost)
        return rise if (quantity > 0) is not self.is_inverse else -rise


class _Row(NamedTuple):
    """A book at the end of a day it changed."""

    book: int
    quantity: Decimal
    cost: Decimal
    gross: Decimal
    funding: Decimal
    unsettled: Decimal
    untold: Decimal


@dataclass(slots=True)
class ContractDay:
    """A day of all contracts, in the reporting currency but for `booked` and `unsettled`."""

    unrealised: Decimal = ZERO
    """Of open positions at the day's price."""
    notional: Decimal = ZERO
    gross: Decimal = ZERO
    funding: Decimal = ZERO
    booked: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By settle asset: gross and funding of the day as counted, in the reporting currency."""
    unsettled: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By settle asset, at the day's end, in it."""
    untold: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By settle asset, of the day, in it: profit that came in and the exchange does not tell."""
    unsettled_value: Decimal = ZERO
    doubts: list[str] = field(default_factory=list)

    @property
    def equity(self) -> Decimal:
        """What the contracts are worth beside the wallets' balances."""
        return self.unrealised + self.unsettled_value


class ContractDays:
    """Walks an account's contract books through its days, which must be asked for in order."""

    def __init__(self, account: ExchangeAccount) -> None:
        books = read_books(account)
        self._terms, self._settle, self.firsts = books.terms, books.settle, books.firsts
        self._rows: dict[date, list[_Row]] = defaultdict(list)
        days = BookDay.objects.filter(account=account, book_id__in=self._settle).order_by("day")
        columns = ("book_id", "quantity", "cost", "gross_pnl", "funding", "unsettled", "untold")
        for day, *row in days.values_list("day", *columns):
            self._rows[day].append(_Row._make(row))
        self._days = sorted(self._rows, reverse=True)
        self._standing: dict[int, _Row] = {}
        self._marks = Marks(account, {terms.symbol for terms in self._terms.values()})

    def next(self, day: date, closes: Closes) -> ContractDay:
        """The books at the end of a day."""
        result = ContractDay()
        for row in self._until(day):
            self._standing[row.book] = row
            result.gross += row.gross
            result.funding += row.funding
            result.booked[self._settle[row.book]] += row.gross + row.funding
            if row.untold:
                result.untold[self._settle[row.book]] += row.untold
        for row in self._standing.values():
            if row.quantity:
                self._value(result, row, day, closes)
        for asset, amount in result.unsettled.items():
            result.unsettled_value += worth_of(amount, closes.price(asset, day))
        return result

    def _until(self, day: date) -> Iterator[_Row]:
        """What no day was asked for yet: contracts may be older than the first balance that is known to change."""
        while self._days and self._days[-1] <= day:
            yield from self._rows[self._days.pop()]

    def _value(self, result: ContractDay, row: _Row, day: date, closes: Closes) -> None:
        terms = self._terms[row.book]
        if row.unsettled:
            result.unsettled[terms.settle] += row.unsettled
        found = self._marks.value(terms, row.quantity, row.cost, day=day, closes=closes)
        if found.unrealised is None:
            result.doubts.append(f"{DoubtKind.UNPRICED}:{terms.symbol}")
            return
        result.unrealised += found.unrealised
        result.notional += found.notional


def worth_of(amount: Decimal, price: Decimal | None) -> Decimal:
    """At a price; nothing without one."""
    return quantize(CONTEXT.multiply(amount, price or ZERO))


class Prices(Protocol):
    """Closes in the reporting currency."""

    def price(self, asset: str, day: date) -> Decimal | None: ...

    def source(self, asset: str, day: date) -> str: ...


class Mark(NamedTuple):
    """A contract's price of a day in its quote asset, and where it is from."""

    price: Decimal
    source: str


class Valued(NamedTuple):
    """An open position at a day's price; `unrealised` and `notional` are in the reporting currency, without a price
    there are none."""

    mark: Mark | None
    settle_price: Decimal | None
    unrealised: Decimal | None = None
    notional: Decimal = ZERO


class Marks:
    """Prices of contracts at days' ends: their own of that very day, else the underlying's, else their own last."""

    def __init__(self, account: ExchangeAccount, symbols: Collection[str]) -> None:
        self._own: dict[str, dict[date, Mark]] = defaultdict(dict)
        listed = {
            "listing__exchange": account.exchange,
            "listing__market_type": MarketType.FUTURES,
            "listing__name__in": symbols,
        }
        reported = ReportedPosition.objects.filter(account=account, symbol__in=symbols, mark_price__gt=0)
        # Of two sides that were reported on one day the later word counts.
        in_order = reported.order_by("reported_at", "id")
        for symbol, at, price in in_order.values_list("symbol", "reported_at", "mark_price"):
            self._own[symbol][clock.utc_day(at)] = Mark(price or ZERO, f"{symbol}: mark of its position")
        tickers = Ticker.objects.filter(**listed, price__gt=0)
        for symbol, at, price in tickers.values_list("listing__name", "read_at", "price"):
            self._own[symbol][clock.utc_day(at)] = Mark(price, f"{symbol}: ticker")
        candles = Candle.objects.filter(**listed, timeframe=_DAILY, is_final=True)
        for symbol, at, price in candles.values_list("listing__name", "opened_at", "close"):
            self._own[symbol][clock.utc_day(at)] = Mark(price, f"{symbol}: {_DAILY}")
        self._days = {symbol: sorted(prices) for symbol, prices in self._own.items()}

    def value(self, terms: Terms, quantity: Decimal, cost: Decimal, *, day: date, closes: Prices) -> Valued:
        """A signed quantity that was entered at `cost`, in the settle asset."""
        mark, settle_price = self.of(terms, day, closes), closes.price(terms.settle, day)
        if mark is None or settle_price is None:
            return Valued(mark, settle_price)
        gained = CONTEXT.multiply(terms.unrealised(quantity, cost, mark.price), settle_price)
        notional = CONTEXT.multiply(terms.worth(abs(quantity), mark.price), settle_price)
        return Valued(mark, settle_price, quantize(gained), quantize(notional))

    def of(self, terms: Terms, day: date, closes: Prices) -> Mark | None:
        own = self._own.get(terms.symbol, {})
        if day in own:
            return own[day]
        price = underlying(terms, closes.price(terms.base, day), closes.price(terms.quote, day))
        if price:
            return Mark(price, f"{terms.base}: {closes.source(terms.base, day) or 'its last close'}")
        return self._last(terms.symbol, day)

    def _last(self, symbol: str, day: date) -> Mark | None:
        days = self._days.get(symbol, [])
        place = bisect_right(days, day)
        return self._own[symbol][days[place - 1]] if place else None


def underlying(terms: Terms, base_price: Decimal | None, quote_price: Decimal | None) -> Decimal | None:
    """The base asset's price in the quote asset, by their prices in the reporting currency. A quote that no market
    prices (the dollar of coin-margined contracts) counts as the reporting currency."""
    if base_price is None:
        return None
    return CONTEXT.divide(base_price, quote_price) if quote_price else base_price


def terms_of(positions: Iterable[Position]) -> dict[int, Terms]:
    """By book, of positions read with their opening fill and book."""
    return {
        row.book_id: Terms(
            row.book.asset,
            row.opening_fill.base_asset,
            row.opening_fill.quote_asset,
            row.settle_asset,
            row.is_inverse,
        )
        for row in positions
        if row.opening_fill is not None  # as every contract's position has one
    }


_CONTRACTS: Final = """
SELECT b.id, b.asset, f.base_asset, f.quote_asset, coalesce(f.settle_asset, p.asset, ''), coalesce(f.is_inverse, false),
       least((b.stale_from AT TIME ZONE 'UTC')::date,
             (SELECT min(day) FROM portfolio_bookday d WHERE d.book_id = b.id)) AS first
FROM portfolio_book b
LEFT JOIN LATERAL (
  SELECT base_asset, quote_asset, settle_asset, is_inverse FROM orders_fill
  WHERE account_id = b.account_id AND symbol = b.asset AND market_type <> 'spot' LIMIT 1
) AS f ON true
LEFT JOIN LATERAL (
  SELECT asset FROM orders_fundingpayment WHERE account_id = b.account_id AND symbol = b.asset LIMIT 1
) AS p ON true
WHERE b.account_id = %(account)s AND b.market_type <> 'spot'
"""


@dataclass(frozen=True, slots=True)
class ContractBooks:
    """By book: what it settles in; and, where it ever had a fill, what its contract is."""

    settle: dict[int, str]
    terms: dict[int, Terms]
    firsts: dict[str, date]
    """Assets whose prices contracts are valued by, from when on."""
    contracts: dict[str, tuple[str, ...]]
    """The contracts on each base asset."""


def read_books(account: ExchangeAccount) -> ContractBooks:
    """Every contract book, also one that no fold has seen yet."""
    books = ContractBooks({}, {}, {}, {})
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, {"account": account.id})
        for book_id, symbol, base, quote, settle, is_inverse, first in cursor.fetchall():
            books.settle[book_id] = settle
            if base is not None:
                books.terms[book_id] = Terms(symbol, base, quote, settle, is_inverse)
                books.contracts[base] = (*books.contracts.get(base, ()), symbol)
            for asset in (base, quote, settle):
                if asset and first:
                    books.firsts[asset] = min(first, books.firsts.get(asset, first))
    return books
