"""What the exchange itself told of an account: what a file tells of the same is left to it.

Spot exports carry no ids by which the two could be told to be the same. So a file's fills of a pair of coins count up
to the exchange's first one of that pair, and what came and went of a coin up to its first such move. Executions of
contracts have the exchange's own ids in files, too. Inside an open door.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from django.db.models import Min, Q

from credentials.models import ExchangeAccount
from exchanges.histories.tables import FILE_ID
from exchanges.rows import FillRow, MarketType, TransferKind, TransferRow
from orders.conversions import CONVERSION_ID
from orders.models import Fill, Transfer

_K = TypeVar("_K")
_NAMES: Final = (FILE_ID, f"{CONVERSION_ID}{FILE_ID}")
_OF_FILES: Final = Q(exchange_fill_id__startswith=_NAMES[0]) | Q(exchange_fill_id__startswith=_NAMES[1])
_WORDS: Final = {TransferKind.DEPOSIT.value: "deposits", TransferKind.WITHDRAWAL.value: "withdrawals"}
_OTHERS: Final = "income and charges"
"""Files and exchanges do not call them alike."""


def is_of_file(name: str) -> bool:
    """Whether a fact has its id from us, as its file has none."""
    return name.startswith(_NAMES)


class Told:
    """From when on the exchange told such facts, and what they are in words; None: it never did. As it stands when this
    is made; by the minute, as files round their times."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._fills: dict[tuple[frozenset[str], bool], datetime] = {}
        fills = (
            Fill.objects.filter(account=account, market_type=MarketType.SPOT).exclude(_OF_FILES).order_by()
        )
        pairs = fills.values_list("base_asset", "quote_asset", "is_conversion").annotate(
            at=Min("executed_at")
        )
        for base, quote, is_conversion, at in pairs:
            _keep_first(self._fills, (frozenset((base, quote)), is_conversion), at)
        self._moves: dict[tuple[str, str], datetime] = {}
        moves = Transfer.objects.filter(account=account).exclude(exchange_transfer_id__startswith=FILE_ID)
        kinds = moves.order_by().values_list("kind", "asset", "from_wallet", "to_wallet")
        for kind, asset, source, target, at in kinds.annotate(at=Min("occurred_at")):
            _keep_first(self._moves, (_what(kind, source, target), asset), at)

    def fills(self, base: str, quote: str, *, is_conversion: bool) -> tuple[str, datetime] | None:
        pair = frozenset((base, quote))
        at = self._fills.get((pair, is_conversion))
        what = "conversions" if is_conversion else "fills"
        return None if at is None else (f"{what} of {' and '.join(sorted(pair))}", at)

    def moves(self, kind: str, asset: str, *, source: str, target: str) -> tuple[str, datetime] | None:
        what = _what(kind, source, target)
        at = self._moves.get((what, asset))
        return None if at is None else (f"{what} of {asset}", at)


def unknown_contracts(account: ExchangeAccount, rows: Iterable[FillRow]) -> list[FillRow]:
    """Executions but those that the exchange told under the same id."""
    rows = list(rows)
    known = set(
        Fill.objects.filter(account=account, exchange_fill_id__in={row.fill_id for row in rows})
        .exclude(raw__has_key="lines")
        .values_list("market_type", "symbol", "exchange_fill_id")
    )
    return [row for row in rows if (row.market_type.value, row.symbol, row.fill_id) not in known]


def unknown_transfers(account: ExchangeAccount, rows: Sequence[TransferRow]) -> list[TransferRow]:
    """Transfers may advance; those of files never do, and are left as they are."""
    ids = {row.transfer_id for row in rows}
    known = set(
        Transfer.objects.filter(account=account, exchange_transfer_id__in=ids).values_list(
            "kind", "exchange_transfer_id"
        )
    )
    return [row for row in rows if (row.kind.value, row.transfer_id) not in known]


def _what(kind: str, source: str, target: str) -> str:
    if kind == TransferKind.INTERNAL:
        return f"moves between {' and '.join(sorted((source, target)))}"
    return _WORDS.get(kind, _OTHERS)


def _keep_first(found: dict[_K, datetime], key: _K, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    found[key] = min(at, found.get(key, at))
