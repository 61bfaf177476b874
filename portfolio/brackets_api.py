"""Brackets: entries with their targets and stops, planned and done."""

from datetime import datetime

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.django import tenancy
from core.django.answers import plain, schema
from core.django.cursors import Place
from core.django.schema import problems
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from credentials.scope import Scope
from portfolio.books_api import ANSWER_HEADERS, BooksEndpoint, user_id_of
from portfolio.selectors import brackets


class BracketsQuery(ScopeQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    strategy = serializers.CharField(required=False, max_length=60, help_text="Of the entry.")
    orphaned = serializers.BooleanField(
        default=False, help_text="Only those with a leg that waits though nothing is left for it to close."
    )
    limit = serializers.IntegerField(min_value=1, max_value=brackets.MAX_LIMIT, default=50)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class BracketsView(BooksEndpoint):
    """Entries with their targets and stops, the newest first."""

    query_serializer = BracketsQuery
    amounts = "text"
    has_totals = False

    @extend_schema(
        operation_id="api_brackets",
        tags=["portfolio"],
        parameters=[BracketsQuery, *ANSWER_HEADERS],
        responses={200: schema(brackets.BracketPage, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of brackets with the slippage of each leg against its plan, planned risk and R-multiple."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> brackets.BracketPage:
        cursor = self.query.get("cursor")
        return brackets.brackets(
            scope=scope,
            symbol=self.query.get("symbol"),
            strategy=self.query.get("strategy"),
            orphaned=self.query["orphaned"],
            limit=self.query["limit"],
            after=Place.read(cursor) if cursor else None,
        )


class BracketView(Endpoint):
    """One bracket."""

    @extend_schema(
        operation_id="api_bracket",
        tags=["portfolio"],
        responses={200: schema(brackets.Bracket, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: int) -> Response:
        """By the id of its entry order or of any of its legs."""
        with tenancy.acting_as(user_id_of(request)):
            found = brackets.bracket(order_id=order_id)
        return Response(plain(found, amounts="text"))
