"""Facts of files in an export, beside those that the exchange itself told the account here: see `orders.told`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders.giving_way import Gone
from orders.told import Told, is_of_file
from orders.touched import Touched
from portfolio import fees
from portfolio.exports.records import FillRecord, TransferRecord


def let_go(account: ExchangeAccount, gone: Gone) -> Touched:
    """Facts of files here went for those that the exchange told there."""
    fees.forget(account=account, fills=gone.fills, transfers=gone.transfers)
    return gone.touched


class Beside:
    """Inside the owner's open door; made before anything of the export is stored."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._told = Told(account)
        self.left_out = 0

    def wanted(self, rows: Sequence[tuple[int, Any]]) -> list[tuple[int, Any]]:
        """Of numbered records, those that the exchange did not tell."""
        kept = [one for one in rows if not self._is_told(one[1])]
        self.left_out += len(rows) - len(kept)
        return kept

    def _is_told(self, row: object) -> bool:
        since: tuple[str, datetime] | None = None
        if isinstance(row, FillRecord):
            if row.market_type is MarketType.SPOT and is_of_file(row.exchange_fill_id):
                since = self._told.fills(row.base_asset, row.quote_asset, is_conversion=row.is_conversion)
            return since is not None and row.executed_at >= since[1]
        if isinstance(row, TransferRecord) and is_of_file(row.exchange_transfer_id):
            since = self._told.moves(row.kind, row.asset, source=row.from_wallet, target=row.to_wallet)
            return since is not None and row.occurred_at >= since[1]
        return False
