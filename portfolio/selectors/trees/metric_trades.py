"""The trades behind metrics: those of a day, and the largest that won or lost, the others summed up from rows of
their own: the other trades of these days one by one, and the sums of the other days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from core import clock
from core.errors import NotFound
from core.money import ZERO, text
from portfolio.models import PerformanceMetric, Trade, TradeDay, TradeKind
from portfolio.selectors.trees import facts, node
from portfolio.selectors.trees.node import ExplanationNode, Rule, texts

MOST: Final = 50
"""Trades told one by one."""


@dataclass(frozen=True, slots=True)
class Traded:
    """What a row of metrics is of: a period's trades of known cost, of these accounts, and of its strategy if any."""

    row: PerformanceMetric
    """Not stored where it has no id."""
    account_ids: Sequence[UUID]

    @property
    def name(self) -> str:
        """What it is asked for by."""
        row = self.row
        last = row.period_end.date() - clock.DAY
        return str(row.pk) if row.pk else f"{row.period_type.lower()}:{last}"

    @property
    def path(self) -> str:
        """Of its tree."""
        row = self.row
        named = {"account": row.account_id, "strategy": "" if row.pk else row.strategy}
        query = urlencode({name: value for name, value in named.items() if value})
        return f"{facts.path_of('metric', self.name)}{'?' if query else ''}{query}"

    def link(self, part: str) -> str:
        """To a list of its tree."""
        return f"{self.path}{'&' if '?' in self.path else '?'}part={part}"

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
    among = _days_of_the_largest(of, way)
    trades = _on_one_side(of, among, way)
    shown = list(trades.order_by("-net_pnl" if way > 0 else "net_pnl", "id")[:MOST])
    children = [_trade(each, of.row.currency, way=way) for each in shown]
    if count > len(shown):
        children += [
            _smaller(of, trades.exclude(id__in=[each.pk for each in shown]), way),
            _elsewhere(of, among, name),
        ]
    words = "sum over net results, from the largest on"
    return ExplanationNode(
        name, title, value, of.row.currency, Rule.SUM, words, count=count,
        children=[each for each in children if each.count],
    )  # fmt: skip


def _days_of_the_largest(of: Traded, way: int) -> list[tuple[UUID, date]]:
    """Accounts and days: the largest trades are of the days whose largest ones are the largest."""
    extreme = "largest_win" if way > 0 else "largest_loss"
    days = of.days().filter(**{f"{extreme}__isnull": False})
    order = F(extreme).desc() if way > 0 else F(extreme).asc()
    return sorted(set(days.order_by(order, "id").values_list("account_id", "day")[:MOST]))


def _on_one_side(of: Traded, among: Sequence[tuple[UUID, date]], way: int) -> QuerySet[Trade]:
    within = reduce(or_, (_on(day, account_id=account) for account, day in among), Q(pk__in=()))
    return of.trades().filter(within, **{"net_pnl__gt" if way > 0 else "net_pnl__lt": 0})


def _smaller(of: Traded, trades: QuerySet[Trade], way: int) -> ExplanationNode:
    found = trades.aggregate(count=Count("id"), net=Sum("net_pnl"))
    value = way * (found["net"] or ZERO)
    return ExplanationNode(
        "rest", f"{found['count']} smaller ones of these days", value, of.row.currency, count=found["count"]
    )


def _elsewhere(of: Traded, among: Sequence[tuple[UUID, date]], name: str) -> ExplanationNode:
    column = "profit" if name == "wins" else "loss"
    here = reduce(or_, (Q(account_id=account, day=day) for account, day in among), Q(pk__in=()))
    found = of.days().exclude(here).aggregate(count=Sum(name), value=Sum(column))
    count = found["count"] or 0
    return ExplanationNode(
        name="other_days",
        title=f"{count} smaller ones of other days",
        value=found["value"] or ZERO,
        unit=of.row.currency,
        count=count,
        link=of.link("days"),
    )


def of_day(of: Traded, asked: str, after: int) -> ExplanationNode:
    """Every trade that ended on a day. Raises NotFound."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise NotFound("There is no such part of metrics.") from None
    if not of.row.period_start.date() <= day < of.row.period_end.date():
        raise NotFound("The day is not in the period.")
    found = facts.listed(of.trades().filter(_on(day)), after=after, sums={"net": Sum("net_pnl")})
    currency, words = of.row.currency, "sum over net results"
    children = [_trade(each, currency) for each in found.rows]
    children += facts.rest_of(found, "net", unit=currency, path=of.path, part=f"trades:{day}")
    if after:
        return node.summed("trades", f"More trades of {day}", currency, words, children)
    kept = of.days().filter(day=day).aggregate(net=Sum(F("profit") - F("loss")))["net"]
    return ExplanationNode(
        "trades", f"Trades of {day}", kept or ZERO, currency, Rule.SUM, words, children=children
    )


def of_day_link(of: Traded, day: date, net: Decimal, count: int) -> ExplanationNode:
    return ExplanationNode(
        "trades", "Its trades", net, of.row.currency, count=count, link=of.link(f"trades:{day}")
    )


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
