"""A Bitget account, classic or unified: one question decides which, then one of two readers answers."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from exchanges.base import Derivatives, Markets
from exchanges.bitget import client as wire
from exchanges.bitget.listings import KnownMarkets
from exchanges.bitget.spot import ClassicAccount
from exchanges.bitget.unified import UnifiedAccount
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import (
    AccountInfo,
    BalanceRow,
    ConversionRow,
    FillRow,
    OrderRow,
    Page,
    TransferKind,
    TransferRow,
)
from exchanges.transport import CcxtClient

_SETTINGS: Final = "private_uta_get_v3_account_settings"  # answered for unified accounts only
# Refusals that say something of the account; the others are of the key, or of the way there.
_REFUSED: Final = (ErrorKind.PERMISSION, ErrorKind.USER, ErrorKind.BUG)


class BitgetAccount:
    """Implements `exchanges.base.Account`. `markets` saves asking for them where the caller knows them."""

    def __init__(self, client: CcxtClient, markets: Markets | None = None) -> None:
        self._client = client
        self._markets = KnownMarkets(client, markets)

    @property
    def clock_offset(self) -> timedelta:
        """How far Bitget's clock is ahead of ours; zero until it refused ours."""
        return self._client.clock_offset

    @property
    def used_weight(self) -> int | None:
        """None: Bitget counts by endpoint and account, and tells nothing."""
        return self._client.used_weight

    @property
    def transfer_kinds(self) -> tuple[TransferKind, ...]:
        return self._reader.transfer_kinds

    @property
    def derivatives(self) -> Derivatives | None:
        return self._reader.derivatives

    def info(self) -> AccountInfo:
        return self._reader.info()

    def balances(self) -> Page[BalanceRow]:
        return self._reader.balances()

    def open_orders(self) -> Page[OrderRow]:
        return self._reader.open_orders()

    def order(self, symbol: str, order_id: str) -> OrderRow:
        return self._reader.order(symbol, order_id)

    def fills(self, symbol: str, position: str) -> Page[FillRow]:
        return self._reader.fills(symbol, position)

    def fills_between(self, symbol: str, since: datetime, until: datetime) -> Iterator[Page[FillRow]]:
        return self._reader.fills_between(symbol, since, until)

    def orders(self, symbol: str, position: str) -> Page[OrderRow]:
        return self._reader.orders(symbol, position)

    def transfers(self, kind: TransferKind, position: str, until: datetime) -> Page[TransferRow]:
        return self._reader.transfers(kind, position, until)

    @property
    def has_conversions(self) -> bool:
        return self._reader.has_conversions

    def conversions(self, position: str, until: datetime) -> Page[ConversionRow]:
        return self._reader.conversions(position, until)

    def traded_symbols(self, assets: Sequence[str], known: Sequence[str]) -> list[str]:
        return self._reader.traded_symbols(assets, known)

    def sweep_symbols(self, known: Sequence[str]) -> list[str]:
        return self._reader.sweep_symbols(known)

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _reader(self) -> ClassicAccount | UnifiedAccount:
        try:
            settings = wire.record(self._client, _SETTINGS)
        except ExchangeError as error:
            if error.kind not in _REFUSED:
                raise
            return ClassicAccount(self._client, self._markets)
        return UnifiedAccount(self._client, self._markets, settings)
