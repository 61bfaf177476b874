"""The protocol every exchange stands behind, and what a caller must bring."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol

from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    CandleRow,
    Contract,
    ConversionRow,
    FillRow,
    FundingRow,
    ListingRow,
    OrderRow,
    Page,
    PositionRow,
    PriceRow,
    TransferKind,
    TransferRow,
)

Listings = Mapping[str, tuple[str, str]]  # wire symbol to (base asset, quote asset)
Contracts = Mapping[str, Contract]  # wire symbol to what it is


@dataclass(frozen=True, slots=True)
class Markets:
    """All the exchange's markets as stored: handing them in saves an adapter from asking for them."""

    spot: Listings
    contracts: Contracts


NO_MARKETS: Final = Markets({}, {})


class ApiKeys:
    """Decrypted keys for the length of one client. Never printed, copied, pickled, compared or written as JSON.

    No dataclass on purpose: JSON encoders write dataclasses field by field, secrets included.
    """

    __slots__ = ("key", "passphrase", "secret")

    def __init__(self, key: str, secret: str, passphrase: str = "") -> None:
        self.key = key
        self.secret = secret
        self.passphrase = passphrase

    def wipe(self) -> None:
        """Forget them: whoever still holds this object holds nothing."""
        self.key = self.passphrase = self.secret = ""

    def __repr__(self) -> str:
        return "ApiKeys(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("API keys are not serialised.")


class MarketData(Protocol):
    """Public data; needs no key."""

    @property
    def used_weight(self) -> int | None:
        """Request weight this address used in the running period, as the last answer told; None when untold."""
        ...

    @property
    def has_contracts(self) -> bool:
        """Whether contracts are read here, too."""
        ...

    def listings(self) -> Page[ListingRow]:
        """Spot markets."""
        ...

    def prices(self) -> Page[PriceRow]:
        """Last prices of all spot markets."""
        ...

    def contracts(self) -> Page[ListingRow]:
        """Contracts, each with its `contract`."""
        ...

    def contract_prices(self) -> Page[PriceRow]:
        """Mark prices of all contracts."""
        ...

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        """Candles opened in [since, until), oldest first; at most one page: go on at the last `opened_at`."""
        ...

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        """Like `candles`, of a contract; volumes as the exchange counts them, in contracts or in coins."""
        ...

    def close(self) -> None: ...


class Account(Protocol):
    """One user's account, for one thread. Every method that asks the exchange raises only ExchangeError.

    Every walk starts at position "" (the oldest fact) and goes on at `Page.next_position`; pages overlap on
    purpose, so the same row arrives more than once.
    """

    @property
    def clock_offset(self) -> timedelta:
        """How far the exchange's clock is ahead of ours, measured and made up for once it refused ours."""
        ...

    @property
    def used_weight(self) -> int | None:
        """Request weight this address used in the running period, as the last answer told; None when untold."""
        ...

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        """What `transfers` can be asked for."""
        ...

    @property
    def derivatives(self) -> "Derivatives | None":
        """The account's contracts; None where the exchange has none here, or the key may not see them."""
        ...

    def info(self) -> AccountInfo: ...

    def balances(self) -> Page[BalanceRow]:
        """Every asset that is not zero, of every wallet the key may read: spot and contracts'."""
        ...

    def open_orders(self) -> Page[OrderRow]:
        """Open spot orders, conditional ones too."""
        ...

    def order(self, symbol: str, order_id: str) -> OrderRow:
        """One spot order as it stands now: how an order that left the open list is brought up to date."""
        ...

    def fills(self, symbol: str, position: str) -> Page[FillRow]: ...

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        """All fills of [since, until) by time, page by page; the pages' positions are no cursors.

        The recheck that finds what came too late for `fills`.
        """
        ...

    def orders(self, symbol: str, position: str) -> Page[OrderRow]: ...

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        """Transfers before `until` (exclusive), window by window; the next walk reads the last days again."""
        ...

    @property
    def has_conversions(self) -> bool:
        """Whether `conversions` tells anything here."""
        ...

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        """Coins changed outside the order book before `until` (exclusive)."""
        ...

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        """Listed symbols worth asking for fills, given assets ever touched and the symbols already asked.

        Fills found add assets (their quotes, the coins of their fees): ask again until nothing new comes.
        """
        ...

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        """All other listed symbols: what the slow search in the background goes through."""
        ...

    def close(self) -> None: ...


class OpenBySymbol(Protocol):
    """Implemented, beside the protocol it extends, where the list of all open orders is dear: see
    `registry.Exchange.open_orders_alone`."""

    def open_orders_of(self, symbols: Sequence[str]) -> Page[OrderRow]:
        """As `open_orders`, of these symbols alone; asked one by one."""
        ...


class NoConversions:
    """What an adapter answers that reads none."""

    @property
    def has_conversions(self) -> bool:
        return False

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return Page((), (), position, has_more=False, raw_count=0)


class SpotAccount(NoConversions):
    """What an adapter without contracts answers."""

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        return TransferKind.DEPOSIT, TransferKind.WITHDRAWAL

    @property
    def derivatives(self) -> "Derivatives | None":
        return None


class SpotMarket:
    """What an adapter without contracts answers."""

    @property
    def has_contracts(self) -> bool:
        return False

    def contracts(self) -> Page[ListingRow]:
        return Page((), (), "", has_more=False, raw_count=0)

    def contract_prices(self) -> Page[PriceRow]:
        return Page((), (), "", has_more=False, raw_count=0)

    def contract_candles(
        self, symbol: str, timeframe: str, since: datetime, until: datetime
    ) -> Page[CandleRow]:
        return Page((), (), "", has_more=False, raw_count=0)


class Derivatives(Protocol):
    """The contracts of an account, by the same rules as `Account`; shares its keys, clock and connection.

    A scope is what one walk covers: a symbol where the exchange wants one named, a settle asset or product, or "".
    """

    def positions(self) -> Page[PositionRow]:
        """Every open position: a whole report."""
        ...

    def open_orders(self) -> Page[OrderRow]:
        """Open orders of all contracts, conditional ones too."""
        ...

    def order(self, symbol: str, order_id: str) -> OrderRow: ...

    def trade_scopes(self, known: Sequence[str]) -> list[str]:
        """What `fills` and `orders` are to be walked by. `known`: contracts seen in facts, positions and open
        orders."""
        ...

    def ledger_scopes(self) -> list[str]:
        """What `funding` is to be walked by."""
        ...

    def fills(self, scope: str, position: str) -> Page[FillRow]: ...

    def fills_between(self, scope: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]: ...

    def orders(self, scope: str, position: str) -> Page[OrderRow]: ...

    def funding(self, scope: str, position: str, until: datetime) -> Page[FundingRow]:
        """Funding payments before `until` (exclusive)."""
        ...
