"""Closed positions as pairs of what was bought and what was sold, newest first; the arithmetic is
`accounting.pairing`'s, over stored positions and trades."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, Sum

from core.django.cursors import Place, cut
from core.money import ZERO
from credentials.scope import Scope
from exchanges.rows import MarketType
from portfolio.accounting.pairing import Leg, Pairing, pair
from portfolio.accounting.periods import Period, format_duration
from portfolio.models import Allocation, Position, PositionSide, Trade, TradeKind

MAX_LIMIT: Final = 500
_NOTHING: Final = Leg(ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class TradePair:
    """A closed position in `currency`. The camel-cased figures are the frontend's; of inverse contracts, whose value
    falls as the price rises, what ended a long was bought. `netPnl` is the books' result, funding included; coins of
    unknown cost are in no figure but `unknownQuantity`."""

    id: int
    account_id: UUID
    exchange: str
    symbol: str
    market_type: str
    side: str
    status: str
    currency: str
    strategy: str
    totalBuyCost: Decimal  # noqa: N815  (names of the frontend, as those below)
    effectiveBuySize: Decimal  # noqa: N815
    avgBuyPrice: Decimal | None  # noqa: N815
    totalSellRevenue: Decimal  # noqa: N815
    avgSellPrice: Decimal | None  # noqa: N815
    matchedSize: Decimal  # noqa: N815
    costBasis: Decimal  # noqa: N815
    pnl: Decimal
    pnlPercent: Decimal | None  # noqa: N815
    fees: Decimal
    funding: Decimal
    net_pnl: Decimal
    unknown_quantity: Decimal
    trades: int
    opened_at: datetime
    closed_at: datetime
    hold_duration: str


@dataclass(frozen=True, slots=True)
class PairPage:
    """`next_cursor` is null on the last page."""

    results: list[TradePair]
    next_cursor: str | None


def pairs(
    *,
    scope: Scope,
    period: Period,
    limit: int,
    symbol: str | None = None,
    strategy: str | None = None,
    after: Place | None = None,
) -> PairPage:
    """Positions that closed in a period and sold something, from `after` on. `strategy`: of the opening order."""
    wanted = {"symbol": symbol, "strategy": strategy}
    rows = Position.objects.filter(
        Exists(Trade.objects.filter(position=OuterRef("pk"), kind=TradeKind.TRADE)),
        account_id__in=scope.account_ids,
        closed_at__isnull=False,
        closed_at__gte=period.start,
        closed_at__lt=period.end,
        **{name: value for name, value in wanted.items() if value is not None},
    )
    if after is not None:
        rows = rows.filter(after.beyond("closed_at"))
    found = list(
        rows.select_related("book")
        .defer("checkpoint", "book__state")
        .order_by("-closed_at", "-id")[: limit + 1]
    )
    shown, following = cut(found, limit, _place)
    sums = _sums([row.pk for row in shown])
    dust = _dust([row.pk for row in shown if _sold_more(row, sums[row.pk])])
    return PairPage(
        results=[_pair(row, sums[row.pk], dust.get(row.pk, _NOTHING)) for row in shown],
        next_cursor=following,
    )


def _place(row: Position) -> Place:
    assert row.closed_at is not None
    return Place(row.closed_at, row.pk)


def _sums(position_ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """What the exits of each position come to. A coin spent on a fee is an exit, but no sale."""
    is_sale = Q(kind=TradeKind.TRADE)
    rows = (
        Trade.objects.filter(position_id__in=position_ids)
        .values("position_id")
        .order_by()
        .annotate(
            sold=Sum("exit_quantity", filter=is_sale),
            left_cost=Sum("cost", filter=is_sale),
            left_proceeds=Sum("proceeds", filter=is_sale),
            used_entry_fees=Sum("entry_fees", filter=is_sale),
            paid_exit_fees=Sum("exit_fees", filter=is_sale),
            all_exit_fees=Sum("exit_fees"),
            all_left=Sum("exit_quantity"),
            net=Sum("net_pnl", filter=is_sale),
            count=Count("id", filter=is_sale),
        )
    )
    return {row["position_id"]: row for row in rows}


def _sold_more(row: Position, sums: Mapping[str, Any]) -> bool:
    """Than came into the position: it also sold what earlier ones had left over."""
    left: Decimal = sums["all_left"] + row.moved_quantity + row.dust_quantity
    return left > row.entered_quantity > 0


def _dust(position_ids: Collection[int]) -> dict[int, Leg]:
    """What sales took of earlier positions' dust, at the cost it was left with."""
    if not position_ids:
        return {}
    parts = Allocation.objects.filter(
        trade__position_id__in=position_ids, trade__kind=TradeKind.TRADE, source=Allocation.Source.DUST
    )
    sums = parts.values("trade__position_id").order_by()
    found = sums.annotate(size=Sum("quantity"), worth=Sum("cost"), fees=Sum("entry_fee"))
    return {row["trade__position_id"]: Leg(row["size"], row["worth"], row["fees"]) for row in found}


def _pair(row: Position, sums: Mapping[str, Any], dust: Leg) -> TradePair:
    assert row.closed_at is not None
    figures = _figures(row, sums, dust)
    return TradePair(
        id=row.pk,
        account_id=row.account_id,
        exchange=row.exchange,
        symbol=row.symbol,
        market_type=row.market_type,
        side=row.side,
        status=row.status,
        currency=row.book.currency,
        strategy=row.strategy,
        totalBuyCost=figures.total_buy_cost,
        effectiveBuySize=figures.effective_buy_size,
        avgBuyPrice=figures.avg_buy_price,
        totalSellRevenue=figures.total_sell_revenue,
        avgSellPrice=figures.avg_sell_price,
        matchedSize=figures.matched_size,
        costBasis=figures.cost_basis,
        pnl=figures.pnl,
        pnlPercent=figures.pnl_percent,
        fees=sums["used_entry_fees"] + sums["paid_exit_fees"],
        funding=row.funding,
        net_pnl=sums["net"],
        unknown_quantity=row.unknown_quantity,
        trades=sums["count"],
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        hold_duration=format_duration(row.closed_at - row.opened_at),
    )


def _figures(row: Position, sums: Mapping[str, Any], dust: Leg) -> Pairing:
    entered, left = (
        _entered(row, sums, dust),
        Leg(sums["sold"], sums["left_proceeds"], sums["paid_exit_fees"]),
    )
    rises = (row.side == PositionSide.LONG) is not row.is_inverse
    return pair(bought=entered if rises else left, sold=left if rises else entered)


def _entered(row: Position, sums: Mapping[str, Any], dust: Leg) -> Leg:
    """All that came in, and dust that was there. A contract's position leaves only by exits; coins may also be
    withdrawn, and their share of cost and fees with them."""
    if row.market_type != MarketType.SPOT or not row.entered_quantity:
        return Leg(sums["sold"], sums["left_cost"], sums["used_entry_fees"])
    return Leg(
        row.entered_quantity + dust.size,
        row.entered_cost + dust.value,
        row.fees_paid - sums["all_exit_fees"] + dust.fees,
    )
