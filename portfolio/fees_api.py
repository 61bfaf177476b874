"""Fees: the list and the totals of a period."""

from datetime import datetime

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.django.answers import schema
from core.django.cursors import Place
from core.django.schema import problems
from credentials.queries import ScopeQuery
from credentials.scope import Scope
from portfolio.books_api import ANSWER_HEADERS, BooksEndpoint, PeriodQuery, graded
from portfolio.selectors import fees

_TYPES = ("MAKER", "TAKER", "FUNDING", "WITHDRAWAL", "CONVERSION")


class FeesQuery(ScopeQuery):
    """`since` is in, `until` is not."""

    type = serializers.ChoiceField(choices=_TYPES, required=False)
    currency = serializers.CharField(required=False, max_length=20, help_text="The coin it was paid in.")
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    order_id = serializers.CharField(required=False, max_length=64, help_text="The exchange's order id.")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=fees.MOST, default=50)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class FeesView(BooksEndpoint):
    """Fees in their own coins, newest first; funding is listed with them."""

    query_serializer = FeesQuery
    amounts = "text"
    has_totals = False

    @extend_schema(
        operation_id="api_fees",
        tags=["portfolio"],
        parameters=[FeesQuery, *ANSWER_HEADERS],
        responses={200: schema(fees.FeePage, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of fees; `next_cursor` is null on the last."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> fees.FeePage:
        cursor = self.query.get("cursor")
        names = ("currency", "symbol", "order_id", "since", "until")
        return fees.fees_page(
            account_ids=scope.account_ids,
            fee_type=self.query.get("type"),
            limit=self.query["limit"],
            after=Place.read(cursor) if cursor else None,
            **{name: self.query.get(name) for name in names},
        )


class FeeSummaryView(BooksEndpoint):
    """What fees came to."""

    query_serializer = PeriodQuery
    usual_period = "30d"
    amounts = "text"

    @extend_schema(
        operation_id="api_fees_summary",
        tags=["portfolio"],
        parameters=[PeriodQuery, *ANSWER_HEADERS],
        responses={200: graded(fees.FeeSummary, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """Totals of a period (30 days if none is given) by exchange, coin, UTC month and type, without funding; and an
        estimate of what paying in the exchanges' own coins saved."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> fees.FeeSummary:
        period = self.period(scope, at)
        return fees.summary(scope=scope, period=period, currency=self.currency)
