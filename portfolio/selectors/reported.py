"""Contract positions as the exchanges report them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from credentials.scope import Scope
from portfolio.models import ReportedPosition


@dataclass(frozen=True, slots=True)
class ReportedContract:
    """A position of a contract. `quantity` is in the base asset (inverse: in the quote asset); what the exchange does
    not tell is null."""

    account_id: UUID
    exchange: str
    symbol: str
    side: str
    is_hedged: bool
    quantity: Decimal
    settle_asset: str
    is_inverse: bool
    entry_price: Decimal
    mark_price: Decimal | None
    liquidation_price: Decimal | None
    leverage: Decimal | None
    margin_mode: str
    margin: Decimal | None
    unrealized_pnl: Decimal | None
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class ReportedContracts:
    results: list[ReportedContract]
    next_cursor: str | None = None
    """Always None: positions are one page."""


def reported_contracts(*, scope: Scope, symbol: str | None = None) -> ReportedContracts:
    """What is held by the latest reports, by account, contract and side. Needs an open door."""
    rows = ReportedPosition.objects.filter(account_id__in=scope.account_ids, quantity__gt=0)
    if symbol is not None:
        rows = rows.filter(symbol=symbol)
    rows = (
        rows.select_related("account")
        .defer("raw")
        .order_by("account__created_at", "account_id", "symbol", "side")
    )
    return ReportedContracts([_told(row) for row in rows])


def _told(row: ReportedPosition) -> ReportedContract:
    return ReportedContract(
        account_id=row.account_id,
        exchange=row.account.exchange,
        symbol=row.symbol,
        side=row.side,
        is_hedged=row.is_hedged,
        quantity=row.quantity,
        settle_asset=row.settle_asset,
        is_inverse=row.is_inverse,
        entry_price=row.entry_price,
        mark_price=row.mark_price,
        liquidation_price=row.liquidation_price,
        leverage=row.leverage,
        margin_mode=row.margin_mode,
        margin=row.margin,
        unrealized_pnl=row.unrealized_pnl,
        reported_at=row.reported_at,
    )
