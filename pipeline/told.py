"""What the exchange itself told of an account: what a file tells of the same is left to it.

Spot exports carry no ids by which the two could be told to be the same. So a file's fills of a pair of coins count up
to the exchange's first one of that pair, and what came and went of a coin up to its first such move. Executions of
contracts have the exchange's own ids in files, too. Inside an open door.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db.models import Max, Min, Q

from core.errors import Conflict
from credentials.models import ExchangeAccount
from exchanges.histories.formats import FORMATS
from exchanges.histories.history import Format, History
from exchanges.histories.tables import FILE_ID
from exchanges.rows import ConversionRow, FillRow, MarketType, TransferKind, TransferRow
from orders.conversions import CONVERSION_ID
from orders.models import Fill, Transfer
from pipeline.rejected import FROM_FILES

_K = TypeVar("_K")
_OF_FILES: Final = Q(exchange_fill_id__startswith=FILE_ID) | Q(
    exchange_fill_id__startswith=f"{CONVERSION_ID}{FILE_ID}"
)
_WORDS: Final = {
    TransferKind.DEPOSIT.value: "deposits",
    TransferKind.WITHDRAWAL.value: "withdrawals",
    TransferKind.INTERNAL.value: "moves between wallets",
}
_MOMENTS: Final[tuple[tuple[Any, str], ...]] = ((Fill, "executed_at"), (Transfer, "occurred_at"))
_OTHERS: Final = "income and charges"
"""Files and exchanges do not call them alike."""


class Told:
    """`since_` of a row: from when on the exchange told such ones, and what they are in words; None: it never did. By
    the minute: files round their times."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._account = account
        fills = Fill.objects.filter(account=account, market_type=MarketType.SPOT).exclude(_OF_FILES)
        self._fills: dict[tuple[frozenset[str], bool], datetime] = {}
        for base, quote, is_conversion, at in (
            fills.order_by()
            .values_list("base_asset", "quote_asset", "is_conversion")
            .annotate(at=Min("executed_at"))
        ):
            _keep_first(self._fills, (frozenset((base, quote)), is_conversion), at)
        moves = Transfer.objects.filter(account=account).exclude(exchange_transfer_id__startswith=FILE_ID)
        self._moves: dict[tuple[str, str], datetime] = {}
        for kind, asset, at in moves.order_by().values_list("kind", "asset").annotate(at=Min("occurred_at")):
            _keep_first(self._moves, (_WORDS.get(kind, _OTHERS), asset), at)

    def since_fill(self, row: FillRow) -> tuple[str, datetime] | None:
        return self._traded(frozenset((row.base_asset, row.quote_asset)), is_conversion=False)

    def since_conversion(self, row: ConversionRow) -> tuple[str, datetime] | None:
        return self._traded(frozenset((row.from_asset, row.to_asset)), is_conversion=True)

    def since_transfer(self, row: TransferRow) -> tuple[str, datetime] | None:
        words = _WORDS.get(row.kind.value, _OTHERS)
        at = self._moves.get((words, row.asset))
        return None if at is None else (f"{words} of {row.asset}", at)

    def unknown_contracts(self, rows: Iterable[FillRow]) -> list[FillRow]:
        """Executions but those that the exchange told under the same id."""
        rows = list(rows)
        known = set(
            Fill.objects.filter(account=self._account, exchange_fill_id__in={row.fill_id for row in rows})
            .exclude(raw__has_key="lines")
            .values_list("market_type", "symbol", "exchange_fill_id")
        )
        return [row for row in rows if (row.market_type.value, row.symbol, row.fill_id) not in known]

    def _traded(self, pair: frozenset[str], *, is_conversion: bool) -> tuple[str, datetime] | None:
        at = self._fills.get((pair, is_conversion))
        what = "conversions" if is_conversion else "fills"
        return None if at is None else (f"{what} of {' and '.join(sorted(pair))}", at)


def require_once(account: ExchangeAccount, one: Format, history: History) -> None:
    """Raises Conflict where another file told the account the same times, of which its exchange has several exports."""
    told = [row.executed_at for row in history.fills]
    told += [row.occurred_at for row in history.conversions] + [row.occurred_at for row in history.transfers]
    for name in one.tells_like if told else ():
        stored = [
            at
            for model, moment in _MOMENTS
            for at in model.objects.filter(account=account, source=f"{FROM_FILES}{name}")
            .aggregate(first=Min(moment), last=Max(moment))
            .values()
            if at is not None
        ]
        if stored and min(stored) <= max(told) and min(told) <= max(stored):
            raise Conflict(
                f"What this file tells of {min(told):%Y-%m-%d} to {max(told):%Y-%m-%d} the account has from"
                f" “{FORMATS[name].title}”: import each time from one of them."
            )


def unknown_transfers(account: ExchangeAccount, rows: Sequence[TransferRow]) -> list[TransferRow]:
    """Transfers may advance; those of files never do, and are left as they are."""
    ids = {row.transfer_id for row in rows}
    known = set(
        Transfer.objects.filter(account=account, exchange_transfer_id__in=ids).values_list(
            "kind", "exchange_transfer_id"
        )
    )
    return [row for row in rows if (row.kind.value, row.transfer_id) not in known]


def _keep_first(found: dict[_K, datetime], key: _K, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    found[key] = min(at, found.get(key, at))
