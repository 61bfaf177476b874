"""Closed trades, newest first. Totals come from the maintained daily rows, never from counting a history."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from core.django.cursors import Place, cut
from core.errors import NotFound
from core.money import ZERO
from credentials.scope import Scope
from orders.models import Order
from portfolio.accounting.periods import Period, format_duration
from portfolio.models import (
    Excursion,
    PerformanceMetric,
    PeriodType,
    PositionSide,
    Trade,
    TradeDay,
    TradeKind,
)

MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """One exit order of a position, in `currency`. `cost_unknown`: (a part of) what was sold was never seen bought;
    that part is in no PnL."""

    id: int
    position_id: int
    account_id: UUID
    exchange: str
    symbol: str
    asset: str
    currency: str
    side: str
    kind: str
    entry_price: Decimal | None
    exit_price: Decimal
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    entry_fees: Decimal
    exit_fees: Decimal
    gross_pnl: Decimal
    net_pnl: Decimal
    pnl_percentage: Decimal | None
    roi_percentage: Decimal | None
    exit_type: str
    exit_reason: str
    hold_duration: str
    hold_seconds: int
    entry_time: datetime
    exit_time: datetime
    entry_order_id: str
    exit_order_id: str
    closes_position: bool
    cost_unknown: bool
    unknown_quantity: Decimal
    unknown_proceeds: Decimal
    stop_loss_price: Decimal | None
    take_profit_prices: list[Decimal]
    strategy: str
    leverage: int | None
    """None where the exchange did not tell a contract's; then there is no ROI, and `roi_reason` says so."""
    market_type: str
    settle_asset: str
    is_inverse: bool
    margin_mode: str
    funding: Decimal
    settled_pnl: Decimal | None
    """Gross in the settle asset, of contracts."""
    exchange_pnl: Decimal | None
    """The exchange's own word on the same, where it gives one."""
    exchange_difference: Decimal | None
    """Ours less the exchange's: its rounding, other lots than its average, or a fact that is missing."""
    roi_reason: str
    max_drawdown: Decimal | None
    """Maximum adverse excursion: the worst it stood at while it was held, zero or less."""
    max_runup: Decimal | None
    """Maximum favourable excursion."""
    excursion_interval: str
    """Of the candles both are from; `excursion_source` says whose."""
    excursion_source: str
    excursion_reason: str
    """Why there are none (`not_yet`, `missing_candles`, `shorter_than_interval`, `no_direct_market`), or empty."""

    @property
    def fees(self) -> Decimal:
        """Of entry and exit; funding stands by itself."""
        return self.entry_fees + self.exit_fees

    @property
    def gains_by_rise(self) -> bool:
        """Whether gross is exit value less entry value, or the other way round."""
        return (self.side == PositionSide.LONG) is not self.is_inverse


@dataclass(frozen=True, slots=True)
class TradeHistory:
    """A page of a period's trades with the whole period's totals; trades of wholly unknown cost are counted apart."""

    trades: list[ClosedTrade]
    total_trades: int
    total_pnl: Decimal
    cost_unknown_trades: int
    period_start: datetime
    period_end: datetime
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """What was traded, in alphabetical order."""

    symbols: list[str]
    strategies: list[str]


def names(*, scope: Scope, period: Period) -> Names:
    """Symbols and strategies of the trades that ended in a period."""
    days = TradeDay.objects.filter(
        account_id__in=scope.account_ids, day__gte=period.first_day, day__lte=period.last_day
    ).order_by()
    strategies = days.exclude(strategy="").values_list("strategy", flat=True).distinct()
    return Names(sorted(days.values_list("symbol", flat=True).distinct()), sorted(strategies))


def history(
    *,
    scope: Scope,
    period: Period,
    limit: int,
    symbol: str | None = None,
    strategy: str | None = None,
    tag: str | None = None,
    after: Place | None = None,
) -> TradeHistory:
    """The trades that ended in a period, newest first, from `after` on. `tag`: of the exit order."""
    asked = {"symbol": symbol, "strategy": strategy}
    chosen = Q(**{name: value for name, value in asked.items() if value is not None})
    if tag is not None:
        chosen &= Q(_is_tagged(tag))
    rows = (
        _trades()
        .only(*_LISTED)
        .filter(
            chosen,
            account_id__in=scope.account_ids,
            kind=TradeKind.TRADE,
            exit_time__gte=period.start,
            exit_time__lt=period.end,
        )
    )
    if after is not None:
        rows = rows.filter(after.beyond("exit_time"))
    found = list(rows.order_by("-exit_time", "-id")[: limit + 1])
    page, following = cut(found, limit, lambda row: Place(row.exit_time, row.pk))
    totals = _totals(scope, period, chosen)
    return TradeHistory(
        trades=[closed(row) for row in page],
        total_trades=totals["trades"] or 0,
        total_pnl=totals["net"] or ZERO,
        cost_unknown_trades=totals["unknown"] or 0,
        period_start=period.start,
        period_end=period.last_second,
        next_cursor=following,
    )


def trade(*, trade_id: int) -> ClosedTrade:
    """One trade of the door's owner, a coin spent on a fee included. Raises NotFound."""
    return closed(find(trade_id=trade_id))


def find(*, trade_id: int) -> Trade:
    """The row of a trade with its position and book. Raises NotFound."""
    row = _trades().filter(id=trade_id).first()
    if row is None:
        raise NotFound("There is no such trade.")
    return row


def _trades() -> QuerySet[Trade]:
    return Trade.objects.select_related("position__book", "excursion").defer(
        "position__checkpoint", "position__book__state"
    )


# A page is of many rows: of position and book what `closed` says of them.
_LISTED: Final = (
    *(field.name for field in Trade._meta.concrete_fields),
    *(f"excursion__{field.name}" for field in Excursion._meta.concrete_fields),
    "position__book__asset",
    "position__book__currency",
)


def _is_tagged(tag: str) -> Exists:
    """Few orders have tags, and an index holds these (`order_tagged`)."""
    return Exists(
        Order.objects.filter(
            ~Q(tags=[]),
            tags__contains=[tag],
            account_id=OuterRef("account_id"),
            market_type=OuterRef("market_type"),
            symbol=OuterRef("symbol"),
            exchange_order_id=OuterRef("exit_order_id"),
        )
    )


def _totals(scope: Scope, period: Period, chosen: Q) -> dict[str, Any]:
    """From the maintained daily rows; of some symbol, strategy or tag, from their trades."""
    if chosen:
        chosen_trades: dict[str, Any] = Trade.objects.filter(
            chosen,
            account_id__in=scope.account_ids,
            kind=TradeKind.TRADE,
            exit_time__gte=period.start,
            exit_time__lt=period.end,
        ).aggregate(
            trades=Count("id", filter=Q(exit_quantity__gt=0)),
            net=Sum("net_pnl", filter=Q(exit_quantity__gt=0)),
            unknown=Count("id", filter=Q(exit_quantity=0)),
        )
        return chosen_trades
    totals: dict[str, Any] = PerformanceMetric.objects.filter(
        account_id__in=scope.account_ids,
        period_type=PeriodType.DAILY,
        strategy="",
        period_start__gte=period.start,
        period_start__lt=period.end,
    ).aggregate(
        trades=Sum(F("total_trades")), net=Sum("total_net_pnl"), unknown=Sum(F("cost_unknown_trades"))
    )
    return totals


def closed(row: Trade) -> ClosedTrade:
    """A row of `find` as it is shown."""
    book, excursion = row.position.book, _excursion(row)
    return ClosedTrade(
        id=row.pk,
        position_id=row.position_id,
        account_id=row.account_id,
        exchange=row.exchange,
        symbol=row.symbol,
        asset=book.asset,
        currency=book.currency,
        side=row.side,
        kind=row.kind,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        quantity=row.exit_quantity,
        cost=row.cost,
        proceeds=row.proceeds,
        entry_fees=row.entry_fees,
        exit_fees=row.exit_fees,
        gross_pnl=row.gross_pnl,
        net_pnl=row.net_pnl,
        pnl_percentage=row.pnl_percentage,
        roi_percentage=row.roi_percentage,
        exit_type=row.exit_type,
        exit_reason=row.exit_reason,
        hold_duration=format_duration(row.hold_duration),
        hold_seconds=int(row.hold_duration.total_seconds()),
        entry_time=row.entry_time,
        exit_time=row.exit_time,
        entry_order_id=row.entry_order_id,
        exit_order_id=row.exit_order_id,
        closes_position=row.closes_position,
        cost_unknown=row.unknown_quantity > 0,
        unknown_quantity=row.unknown_quantity,
        unknown_proceeds=row.unknown_proceeds,
        stop_loss_price=row.stop_loss_price,
        take_profit_prices=[Decimal(price) for price in row.take_profit_prices or ()],
        strategy=row.strategy,
        leverage=row.leverage,
        market_type=row.market_type,
        settle_asset=row.settle_asset,
        is_inverse=row.is_inverse,
        margin_mode=row.margin_mode,
        funding=row.funding,
        settled_pnl=row.settled_pnl,
        exchange_pnl=row.exchange_pnl,
        exchange_difference=_difference(row),
        roi_reason=_roi_reason(row),
        max_drawdown=excursion.max_drawdown if excursion else None,
        max_runup=excursion.max_runup if excursion else None,
        excursion_interval=excursion.interval if excursion else "",
        excursion_source=excursion.source if excursion else "",
        excursion_reason=excursion.reason if excursion else "not_yet",
    )


def _excursion(row: Trade) -> Excursion | None:
    """If it is of the trade as it is."""
    found: Excursion | None = getattr(row, "excursion", None)
    if found is None:
        return None
    of = (found.entry_time, found.exit_time, found.entry_price, found.quantity)
    return found if of == (row.entry_time, row.exit_time, row.entry_price, row.exit_quantity) else None


def _difference(row: Trade) -> Decimal | None:
    if row.settled_pnl is None or row.exchange_pnl is None:
        return None
    return row.settled_pnl - row.exchange_pnl


def _roi_reason(row: Trade) -> str:
    """Why there is no ROI; empty where there is one."""
    if row.roi_percentage is not None:
        return ""
    return "unknown_leverage" if row.leverage is None else "no_cost"
