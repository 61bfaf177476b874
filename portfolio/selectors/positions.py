"""Open positions at the latest prices. Unrealised PnL is computed here, on reading, and stored nowhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from exchanges.rows import MarketType
from marketdata import prices
from marketdata.prices import PricePoint
from portfolio.accounting.measure import percent
from portfolio.models import Position, PositionStatus
from portfolio.selectors import contract_prices
from portfolio.selectors.contract_prices import ContractValue

PRICE_STALE_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """Amounts in `currency`. Without a price `current_price` and what follows from it are None, never zero.

    Of contracts (`market_type` futures): `quantity` in base units (inverse: quote units), `total_cost` and
    `current_value` notional, prices in the contract's quote asset; `leverage` None where the exchange tells none.
    """

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
    leverage: int | None
    market_type: str
    settle_asset: str
    is_inverse: bool
    margin_mode: str
    margin: Decimal | None
    """As the exchange reports it, in the settle asset."""
    liquidation_price: Decimal | None
    funding: Decimal
    """Received less paid since it opened."""
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
    positions = valued(rows, at=at)
    known = [row.unrealized_pnl for row in positions if row.unrealized_pnl is not None]
    return OpenPositions(
        positions=positions,
        total_unrealized_pnl=sum(known, ZERO) if known or not positions else None,
        total_positions=len(positions),
        unpriced_positions=len(positions) - len(known),
    )


def valued(rows: Sequence[Position], *, at: datetime) -> list[OpenPosition]:
    """Open positions at the latest prices, in their order; a number of statements that does not grow with them."""
    contracts = [row for row in rows if row.market_type != MarketType.SPOT]
    terms = contract_prices.terms(contracts)
    wanted = [row.book.asset for row in rows if row.market_type == MarketType.SPOT]
    for contract in terms.values():
        wanted += (contract.base, contract.quote, contract.settle)
    currencies = {row.book.currency for row in rows}
    latest = latest_prices((asset, currency) for asset in wanted for currency in currencies)
    reported = contract_prices.reports(contracts)
    marks = contract_prices.tickers(contracts)
    positions = []
    for row in rows:
        if row.book_id in terms:
            report = reported.get((row.account_id, row.book.asset, row.side))
            mark = marks.get((row.exchange, row.book.asset))
            worth = contract_prices.value(row, terms[row.book_id], report, latest, at, mark)
            positions.append(_contract(row, worth, at))
        else:
            positions.append(_priced(row, latest.get((row.book.asset, row.book.currency)), at))
    return positions


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


def _contract(row: Position, worth: ContractValue, at: datetime) -> OpenPosition:
    cost = worth.cost if worth.cost is not None else row.total_cost
    return _position(
        row,
        total_cost=cost,
        average_cost=row.entry_price or ZERO,
        current_price=worth.price,
        price_as_of=worth.at,
        price_source=worth.source,
        is_stale=is_stale(worth.at, at),
        current_value=worth.value,
        unrealized_pnl=worth.unrealized,
        unrealized_pnl_percentage=worth.unrealized_percent,
        margin=worth.margin,
        liquidation_price=worth.liquidation_price,
    )


def _priced(row: Position, point: PricePoint | None, at: datetime) -> OpenPosition:
    value = quantize(row.quantity * point.price) if point else None
    unrealized = value - row.total_cost if value is not None else None
    has_cost = unrealized is not None and row.total_cost > 0
    return _position(
        row,
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
        margin=None,
        liquidation_price=None,
    )


def _position(row: Position, **worth: Any) -> OpenPosition:
    """The stored columns with what prices say of them."""
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
        realized_pnl=row.net_pnl,
        leverage=row.leverage,
        market_type=row.market_type,
        settle_asset=row.settle_asset,
        is_inverse=row.is_inverse,
        margin_mode=row.margin_mode,
        funding=row.funding,
        stop_loss_price=row.stop_loss_price,
        take_profit_prices=[Decimal(price) for price in row.take_profit_prices or ()],
        opened_at=row.opened_at,
        **worth,
    )
