"""Open positions at the latest prices. Unrealised PnL is computed here, on reading, and stored nowhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from marketdata import prices
from marketdata.prices import PricePoint
from portfolio.accounting.measure import percent
from portfolio.models import Position, PositionStatus

PRICE_STALE_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """Amounts in `currency`. Without a price `current_price` and what follows from it are None, never zero."""

    id: int
    account_id: UUID
    exchange: str
    symbol: str
    asset: str
    currency: str
    side: str
    entry_price: Decimal | None
    quantity: Decimal
    total_cost: Decimal
    average_cost: Decimal
    """Cost of what is held now, per unit: what `unrealized_pnl` is measured from."""
    current_price: Decimal | None
    price_as_of: datetime | None
    price_source: str | None
    is_stale: bool
    """The price is older than five minutes, or there is none."""
    current_value: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_percentage: Decimal | None
    realized_pnl: Decimal
    """Net, of the exits so far."""
    leverage: int
    stop_loss_price: Decimal | None
    take_profit_prices: list[Decimal]
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class OpenPositions:
    """`total_unrealized_pnl` sums what has a price; None when positions are open and none has one."""

    positions: list[OpenPosition]
    total_unrealized_pnl: Decimal | None
    total_positions: int
    unpriced_positions: int


def open_positions(*, scope: Scope, at: datetime) -> OpenPositions:
    """Every open position of the scope, newest first."""
    rows = list(
        Position.objects.filter(account_id__in=scope.account_ids, status=PositionStatus.OPEN)
        .select_related("book")
        .defer("checkpoint", "book__state")
        .order_by("-opened_at", "-id")
    )
    latest = latest_prices((row.book.asset, row.book.currency) for row in rows)
    positions = [_priced(row, latest.get((row.book.asset, row.book.currency)), at) for row in rows]
    known = [row.unrealized_pnl for row in positions if row.unrealized_pnl is not None]
    return OpenPositions(
        positions=positions,
        total_unrealized_pnl=sum(known, ZERO) if known or not positions else None,
        total_positions=len(positions),
        unpriced_positions=len(positions) - len(known),
    )


def latest_prices(pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], PricePoint]:
    """Latest prices by (asset, currency): one look-up per currency. What the price exchange does not list is priced
    where the user has it. Needs an open door."""
    own = set(ExchangeAccount.objects.values_list("exchange", flat=True).order_by().distinct())
    assets: dict[str, set[str]] = defaultdict(set)
    for asset, currency in pairs:
        assets[currency].add(asset)
    return {
        (asset, currency): point
        for currency, wanted in assets.items()
        for asset, point in prices.latest(assets=sorted(wanted), currency=currency, also=own).items()
    }


def is_stale(price_as_of: datetime | None, at: datetime) -> bool:
    """Whether a price is too old to be called current."""
    return price_as_of is None or at - price_as_of > PRICE_STALE_AFTER


def _priced(row: Position, point: PricePoint | None, at: datetime) -> OpenPosition:
    value = quantize(row.quantity * point.price) if point else None
    unrealized = value - row.total_cost if value is not None else None
    has_cost = unrealized is not None and row.total_cost > 0
    return OpenPosition(
        id=row.pk,
        account_id=row.account_id,
        exchange=row.exchange,
        symbol=row.symbol,
        asset=row.book.asset,
        currency=row.book.currency,
        side=row.side,
        entry_price=row.entry_price,
        quantity=row.quantity,
        total_cost=row.total_cost,
        average_cost=quantize(row.total_cost / row.quantity),
        current_price=point.price if point else None,
        price_as_of=point.at if point else None,
        price_source=point.source if point else None,
        is_stale=is_stale(point.at if point else None, at),
        current_value=value,
        unrealized_pnl=unrealized,
        unrealized_pnl_percentage=percent(unrealized, row.total_cost).value
        if has_cost and unrealized is not None
        else None,
        realized_pnl=row.net_pnl,
        leverage=row.leverage,
        stop_loss_price=row.stop_loss_price,
        take_profit_prices=[Decimal(price) for price in row.take_profit_prices or ()],
        opened_at=row.opened_at,
    )
