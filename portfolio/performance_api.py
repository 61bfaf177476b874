"""Performance: one set of metrics, and strategies side by side. Answers are kept for five minutes, as the seeds ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.django.schema import problems
from credentials.scope import Scope
from portfolio.books_api import ANSWER_HEADERS, BooksEndpoint, PeriodQuery, graded
from portfolio.selectors import performance
from portfolio.selectors.performance import Part, Performance

KEPT_SECONDS: Final = 300


class PerformanceQuery(PeriodQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="Only trades of this symbol.")
    strategy = serializers.CharField(
        required=False,
        max_length=60,
        allow_blank=True,
        help_text="Only trades of this strategy; empty: those without one.",
    )


class PerformanceView(BooksEndpoint):
    """Performance metrics of a period."""

    query_serializer = PerformanceQuery
    usual_period = "monthly"
    kept_seconds = KEPT_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[PerformanceQuery, *ANSWER_HEADERS],
        responses={200: graded(Performance, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """Undefined figures are null, and `reasons` says why; `sample` says what they are drawn from. This month if no
        period is given. Of a symbol or a strategy returns are its realised results over the accounts' capital."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> Performance:
        period = self.period(scope, at)
        part = Part(symbol=self.query.get("symbol"), strategy=self.query.get("strategy"))
        return performance.performance(scope=scope, period=period, currency=self.currency, at=at, part=part)


@dataclass(frozen=True, slots=True)
class StrategyComparison:
    """Strategies that traded in the period, the best net result first; `strategy` is empty for trades without one."""

    results: list[Performance]
    next_cursor: str | None


class StrategiesView(BooksEndpoint):
    """Strategies side by side."""

    query_serializer = PeriodQuery
    usual_period = "all_time"
    amounts = "text"
    kept_seconds = KEPT_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[PeriodQuery, *ANSWER_HEADERS],
        responses={200: graded(StrategyComparison, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """The full set of metrics for each strategy of the scope. All time if no period is given."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> StrategyComparison:
        period = self.period(scope, at)
        rows = performance.strategies(scope=scope, period=period, currency=self.currency, at=at)
        return StrategyComparison(results=rows, next_cursor=None)
