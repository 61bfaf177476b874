"""The protocol every exchange stands behind, and what a caller must bring."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    CandleRow,
    FillRow,
    ListingRow,
    OrderRow,
    Page,
    PriceRow,
    TransferKind,
    TransferRow,
)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Decrypted keys for the length of one client. Never printed, pickled or compared."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False, default="")

    def __reduce__(self) -> str:
        raise TypeError("API keys are not serialised.")


class MarketData(Protocol):
    """Public data; needs no key."""

    def listings(self) -> Page[ListingRow]: ...

    def prices(self) -> Page[PriceRow]: ...

    def candles(self, symbol: str, timeframe: str, since: datetime, until: datetime) -> Page[CandleRow]:
        """Candles opened in [since, until), oldest first; at most one page: go on at the last `opened_at`."""
        ...


class Account(Protocol):
    """One user's account. Every walk starts at position "" (the oldest fact) and goes on at `Page.next_position`."""

    def info(self) -> AccountInfo: ...

    def balances(self) -> Page[BalanceRow]:
        """Every asset that is not zero."""
        ...

    def open_orders(self) -> Page[OrderRow]: ...

    def order(self, symbol: str, order_id: str) -> OrderRow:
        """One order as it stands now: how an order that left the open list is brought up to date."""
        ...

    def fills(self, symbol: str, position: str) -> Page[FillRow]: ...

    def orders(self, symbol: str, position: str) -> Page[OrderRow]: ...

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]: ...

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        """Listed symbols worth asking for fills, given assets ever touched and symbols already asked (exclusive)."""
        ...

    def close(self) -> None: ...
