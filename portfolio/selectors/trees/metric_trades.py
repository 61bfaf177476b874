"""The trades behind metrics: those of a day, and the largest that won or lost, the others summed up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from core import clock
from core.errors import NotFound
from core.money import text
from portfolio.models import PerformanceMetric, Trade, TradeDay, TradeKind
from portfolio.selectors.trees import facts, node
from portfolio.selectors.trees.node import ExplanationNode, Rule, texts

MOST: Final = 50
"""Trades told one by one."""


@dataclass(frozen=True, slots=True)
class Traded:
    """What a row of metrics is of: a period's trades of known cost, of these accounts, and of its strategy if any."""

    row: PerformanceMetric
    account_ids: Sequence[UUID]

    @property
    def path(self) -> str:
        return facts.path_of("metric", self.row.pk)

    def days(self) -> QuerySet[TradeDay]:
        row = self.row
        days = TradeDay.objects.filter(
            account_id__in=self.account_ids, day__gte=row.period_start.date(), day__lt=row.period_end.date()
        )
        return days.filter(strategy=row.strategy) if row.strategy else days

    def trades(self) -> QuerySet[Trade]:
        known = Trade.objects.filter(
            account_id__in=self.account_ids, kind=TradeKind.TRADE, exit_quantity__gt=0
        )
        return known.filter(strategy=self.row.strategy) if self.row.strategy else known


def won(of: Traded, profit: Decimal, wins: Decimal) -> ExplanationNode:
    """What winning trades made, the largest first."""
    return _side(of, "wins", "Made by trades that won", profit, int(wins))


def lost(of: Traded, loss: Decimal, losses: Decimal) -> ExplanationNode:
    """What losing trades lost, as an amount above zero, the largest first."""
    return _side(of, "losses", "Lost by trades that lost", loss, int(losses))


def _side(of: Traded, name: str, title: str, value: Decimal, count: int) -> ExplanationNode:
    way = 1 if name == "wins" else -1
    children = [_trade(each, of.row.currency, way=way) for each in _largest(of, way)]
    others = count - len(children)
    if others:
        rest = value - node.total(children)
        children.append(
            ExplanationNode("rest", f"{others} smaller ones", rest, of.row.currency, count=others)
        )
    words = "sum over net results, from the largest on"
    return ExplanationNode(
        name, title, value, of.row.currency, Rule.SUM, words, count=count, children=children
    )


def _largest(of: Traded, way: int) -> list[Trade]:
    """They are of the days whose largest ones are the largest: so no other day's trades are read."""
    extreme = "largest_win" if way > 0 else "largest_loss"
    days = of.days().filter(**{f"{extreme}__isnull": False})
    order = F(extreme).desc() if way > 0 else F(extreme).asc()
    found = set(days.order_by(order, "id").values_list("account_id", "day")[:MOST])
    if not found:
        return []
    within = reduce(or_, (_on(day, account_id=account) for account, day in sorted(found)))
    trades = of.trades().filter(within, **{"net_pnl__gt" if way > 0 else "net_pnl__lt": 0})
    return list(trades.order_by("-net_pnl" if way > 0 else "net_pnl", "id")[:MOST])


def of_day(of: Traded, asked: str, after: int) -> ExplanationNode:
    """Every trade that ended on a day. Raises NotFound."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise NotFound("There is no such part of metrics.") from None
    if not of.row.period_start.date() <= day < of.row.period_end.date():
        raise NotFound("The day is not in the period.")
    found = facts.listed(of.trades().filter(_on(day)), after=after, sums={"net": Sum("net_pnl")})
    currency = of.row.currency
    children = [_trade(each, currency) for each in found.rows]
    children += facts.rest_of(found, "net", unit=currency, path=of.path, part=f"trades:{day}")
    return node.summed("trades", f"Trades of {day}", currency, "sum over net results", children)


def of_day_link(of: Traded, day: date, net: Decimal, count: int) -> ExplanationNode:
    link = f"{of.path}?part=trades:{day}"
    return ExplanationNode("trades", "Its trades", net, of.row.currency, count=count, link=link)


def _on(day: date, **more: UUID) -> Q:
    return Q(exit_time__gte=clock.day_start(day), exit_time__lt=clock.day_end(day), **more)


def _trade(each: Trade, currency: str, *, way: int = 1) -> ExplanationNode:
    return ExplanationNode(
        name=f"trade:{each.pk}",
        title=f"{text(each.exit_quantity)} {each.symbol} {each.exit_type.lower()}",
        value=way * each.net_pnl,
        unit=currency,
        details=texts(exit_time=each.exit_time, exit_order=each.exit_order_id, strategy=each.strategy),
        link=facts.path_of("trade", each.pk),
    )
