"""The seeds' five routes of the books, trades with their explanation, and balances."""

from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
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
from portfolio.books_api import ANSWER_HEADERS, BooksEndpoint, PeriodQuery, graded, header, user_id_of
from portfolio.selectors import balances, curve, explain, pairs, positions, snapshot, trades

BENCHMARKS: Final = ("BTC",)
KEPT_SECONDS: Final = 60
"""What is looked at again and again: a page refreshed, a phone beside a desktop."""
PRICED_SECONDS: Final = 30
"""What is made of current prices: as long as these are, which are read every 30 seconds."""
_LINK = header("Link", OpenApiTypes.STR, 'The next page, as `<…>; rel="next"`; absent on the last.')


class HistoryQuery(PeriodQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    strategy = serializers.CharField(required=False, max_length=60, help_text="Of the exit order.")
    tag = serializers.CharField(required=False, max_length=40, help_text="Of the exit order.")
    limit = serializers.IntegerField(min_value=1, max_value=trades.MAX_LIMIT, default=100)
    cursor = serializers.CharField(required=False, max_length=80, help_text="From the Link header.")


class PairsQuery(PeriodQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="Of the opening fill.")
    strategy = serializers.CharField(required=False, max_length=60, help_text="Of the opening order.")
    limit = serializers.IntegerField(min_value=1, max_value=pairs.MAX_LIMIT, default=100)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class OpenPositionsView(BooksEndpoint):
    """Open positions at the latest prices, newest first."""

    with_prices = True
    kept_seconds = PRICED_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, *ANSWER_HEADERS],
        responses={
            200: graded(positions.OpenPositions, amounts="number"),
            304: None,
            **problems(400, 401, 404),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """A price older than five minutes is kept and marked stale; without a price, what follows from it is null."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> positions.OpenPositions:
        return positions.open_positions(scope=scope, at=at)


class TradeHistoryView(BooksEndpoint):
    """Closed trades of a period, newest first."""

    query_serializer = HistoryQuery
    usual_period = "30d"
    kept_seconds = KEPT_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[HistoryQuery, *ANSWER_HEADERS, _LINK],
        responses={200: graded(trades.TradeHistory, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of trades; the totals are of the whole period (30 days if none is given)."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> trades.TradeHistory:
        cursor = self.query.get("cursor")
        return trades.history(
            scope=scope,
            period=self.period(scope, at),
            limit=self.query["limit"],
            symbol=self.query.get("symbol"),
            strategy=self.query.get("strategy"),
            tag=self.query.get("tag"),
            after=Place.read(cursor) if cursor else None,
        )

    def links(self, request: Request, answer: trades.TradeHistory) -> dict[str, str]:
        if answer.next_cursor is None:
            return {}
        query = urlencode({**request.query_params.dict(), "cursor": answer.next_cursor})
        return {"Link": f'<{request.path}?{query}>; rel="next"'}


class PairsView(BooksEndpoint):
    """Closed positions, what was bought against what was sold."""

    query_serializer = PairsQuery
    usual_period = "30d"
    amounts = "text"
    has_totals = False

    @extend_schema(
        operation_id="api_trades_pairs",
        tags=["portfolio"],
        parameters=[PairsQuery, *ANSWER_HEADERS],
        responses={200: schema(pairs.PairPage, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of the positions that closed in the period (30 days if none is given), newest first."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> pairs.PairPage:
        cursor = self.query.get("cursor")
        return pairs.pairs(
            scope=scope,
            period=self.period(scope, at),
            limit=self.query["limit"],
            symbol=self.query.get("symbol"),
            strategy=self.query.get("strategy"),
            after=Place.read(cursor) if cursor else None,
        )


class SnapshotView(BooksEndpoint):
    """What the scope was worth when it was last brought up to date."""

    kept_seconds = KEPT_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, *ANSWER_HEADERS],
        responses={200: graded(snapshot.Snapshot, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest snapshot of each account, summed, with its composition."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> snapshot.Snapshot:
        return snapshot.snapshot(scope=scope, currency=self.currency, at=at)


class CurveQuery(PeriodQuery):
    benchmark = serializers.ChoiceField(
        choices=BENCHMARKS, required=False, help_text="What the same money would be worth in this asset."
    )


class EquityCurveView(BooksEndpoint):
    """Balance and PnL by day."""

    query_serializer = CurveQuery
    usual_period = "90d"
    kept_seconds = KEPT_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[CurveQuery, *ANSWER_HEADERS],
        responses={200: graded(curve.EquityCurve, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """One point a UTC day; days without a snapshot are left out. 90 days if no period is given."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> curve.EquityCurve:
        return curve.equity_curve(
            scope=scope,
            period=self.period(scope, at),
            currency=self.currency,
            benchmark=self.query.get("benchmark"),
        )


class BalancesView(BooksEndpoint):
    """Balances the exchanges reported beside what the facts give."""

    amounts = "text"
    with_prices = True
    kept_seconds = PRICED_SECONDS

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, *ANSWER_HEADERS],
        responses={200: graded(balances.Balances, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """By asset and account, the most valuable first; `difference` is what no fact explains."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> balances.Balances:
        return balances.asset_balances(scope=scope, currency=self.currency, at=at)


class TradeView(Endpoint):
    """One trade."""

    @extend_schema(
        tags=["portfolio"],
        responses={200: schema(trades.ClosedTrade, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request, trade_id: int) -> Response:
        """Also one that only paid a fee (`kind` FEE)."""
        with tenancy.acting_as(user_id_of(request)):
            found = trades.trade(trade_id=trade_id)
        return Response(plain(found, amounts="text"))


class TradeExplanationView(Endpoint):
    """Where a trade's numbers come from."""

    @extend_schema(
        tags=["portfolio"],
        responses={200: schema(explain.Explanation, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request, trade_id: int) -> Response:
        """Its allocations, fills, fees and valuations, and checks that add every number up again from them."""
        with tenancy.acting_as(user_id_of(request)):
            tree = explain.explain(trade_id=trade_id)
        return Response(plain(tree, amounts="text"))
