"""The seeds' five routes of the books, trades with their explanation, and balances.

Every answer tells the age of the books in `X-Data-As-Of` and `X-Data-Stale`, and carries an ETag.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django import conditional, kept, tenancy
from core.django.answers import Amounts, plain, schema
from core.django.cursors import Place
from core.django.rendering import ExactJSONRenderer, dumps
from core.django.schema import problems
from core.django.serializers import QuerySerializer
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from credentials.scope import Scope, resolve
from portfolio.accounting.periods import Period
from portfolio.selectors import (
    balances,
    curve,
    explain,
    freshness,
    pairs,
    performance,
    positions,
    snapshot,
    trades,
)

_ETAG = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag of an earlier answer."
)


def _header(name: str, kind: Any, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, response=[200])


_AGE = (
    _header("ETag", OpenApiTypes.STR, "Version of the answer; sent back, it may save one."),
    _header(
        "X-Data-As-Of",
        OpenApiTypes.DATETIME,
        "The exchange's last word on the oldest account.",
    ),
    _header("X-Data-Stale", OpenApiTypes.BOOL, "Whether that is longer ago than it should be."),
)
BENCHMARKS: Final = ("BTC",)
AGE_HEADERS: Final = (_ETAG, *_AGE)
_LINK = _header("Link", OpenApiTypes.STR, 'The next page, as `<…>; rel="next"`; absent on the last.')


class PeriodQuery(ScopeQuery):
    period = serializers.CharField(
        required=False, max_length=20, help_text="`30d`, `1y`, or `daily`, `weekly`, `monthly`, `all_time`."
    )
    at = serializers.DateField(
        required=False, help_text="The UTC day the period holds or ends with; today if left out."
    )

    def validate_at(self, day: Any) -> Any:
        """Days that can have a history."""
        if not clock.EPOCH.date() <= day <= clock.utc_day(clock.now()):
            raise serializers.ValidationError("Give a day from 1970-01-01 up to today, UTC.")
        return day


class HistoryQuery(PeriodQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    strategy = serializers.CharField(required=False, max_length=60, help_text="Of the exit order.")
    limit = serializers.IntegerField(min_value=1, max_value=trades.MAX_LIMIT, default=100)
    cursor = serializers.CharField(required=False, max_length=80, help_text="From the Link header.")


class PairsQuery(PeriodQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="Of the opening fill.")
    strategy = serializers.CharField(required=False, max_length=60, help_text="Of the opening order.")
    limit = serializers.IntegerField(min_value=1, max_value=pairs.MAX_LIMIT, default=100)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class BooksEndpoint(Endpoint):
    """Reads a scope of the user's books in one door; 304 when the client has the answer already."""

    query_serializer: ClassVar[type[QuerySerializer]] = ScopeQuery
    amounts: ClassVar[Amounts] = "number"
    with_prices: ClassVar[bool] = False
    kept_seconds: ClassVar[int] = 0
    """How long an answer is kept for its owner, while its version is the same; 0: not at all."""

    def read(self, request: Request) -> HttpResponse:
        user, at = cast("User", request.user), clock.now()
        with tenancy.acting_as(user.id):
            chosen = {name: self.query.get(name) for name in ("exchange", "account", "mode")}
            scope = resolve(**chosen)
            headers = self._headers(request, scope, at)
            ready = conditional.not_modified(request, headers["ETag"])
            if ready is None and self.kept_seconds:
                ready = self._kept(user.id, headers["ETag"], scope, at)
            answer = self.answer(scope, at) if ready is None else None
        if ready is not None:
            return _with_headers(ready, headers)
        body = plain(answer, amounts=self.amounts)
        return Response(body, headers={**headers, **self.links(request, answer)})

    def _kept(self, owner: UUID, version: str, scope: Scope, at: datetime) -> HttpResponse:
        def make() -> bytes:
            return dumps(plain(self.answer(scope, at), amounts=self.amounts))

        body = kept.answer(owner=owner, version=version, seconds=self.kept_seconds, make=make)
        return HttpResponse(body, content_type=ExactJSONRenderer.media_type)

    @abstractmethod
    def answer(self, scope: Scope, at: datetime) -> Any:
        """What the selectors say, inside the open door."""

    def links(self, request: Request, answer: Any) -> dict[str, str]:
        """A Link header, where the answer is a page of several."""
        return {}

    @property
    def currency(self) -> str:
        return cast("User", self.request.user).reporting_currency

    def period(self, scope: Scope, at: datetime, *, default: str) -> Period:
        """Of the query. Raises Invalid."""
        day = self.query.get("at")
        moment = clock.day_start(day) if day else at
        return performance.period_for(self.query.get("period", default), scope=scope, at=moment)

    def _headers(self, request: Request, scope: Scope, at: datetime) -> dict[str, str]:
        fresh = freshness.freshness(scope=scope, at=at)
        with_prices = self.with_prices or bool(self.query.get("benchmark"))
        version = freshness.version(scope=scope, at=at, with_prices=with_prices)
        asked = sorted(request.query_params.items())
        tag = conditional.etag(version, request.path, asked, self.currency, clock.utc_day(at), fresh.is_stale)
        as_of = {"X-Data-As-Of": plain(fresh.as_of, amounts="text")} if fresh.as_of else {}
        stale = {"X-Data-Stale": "true" if fresh.is_stale else "false"}
        return {**conditional.HEADERS, "ETag": tag, **as_of, **stale}


class OpenPositionsView(BooksEndpoint):
    """Open positions at the latest prices, newest first."""

    with_prices = True

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, _ETAG, *_AGE],
        responses={
            200: schema(positions.OpenPositions, amounts="number"),
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

    @extend_schema(
        tags=["portfolio"],
        parameters=[HistoryQuery, _ETAG, *_AGE, _LINK],
        responses={200: schema(trades.TradeHistory, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of trades; the totals are of the whole period (30 days if none is given)."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> trades.TradeHistory:
        cursor = self.query.get("cursor")
        return trades.history(
            scope=scope,
            period=self.period(scope, at, default="30d"),
            limit=self.query["limit"],
            symbol=self.query.get("symbol"),
            strategy=self.query.get("strategy"),
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
    amounts = "text"

    @extend_schema(
        operation_id="api_trades_pairs",
        tags=["portfolio"],
        parameters=[PairsQuery, _ETAG, *_AGE],
        responses={200: schema(pairs.PairPage, amounts="text"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of the positions that closed in the period (30 days if none is given), newest first."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> pairs.PairPage:
        cursor = self.query.get("cursor")
        return pairs.pairs(
            scope=scope,
            period=self.period(scope, at, default="30d"),
            limit=self.query["limit"],
            symbol=self.query.get("symbol"),
            strategy=self.query.get("strategy"),
            after=Place.read(cursor) if cursor else None,
        )


class SnapshotView(BooksEndpoint):
    """What the scope was worth when it was last brought up to date."""

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, _ETAG, *_AGE],
        responses={200: schema(snapshot.Snapshot, amounts="number"), 304: None, **problems(400, 401, 404)},
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

    @extend_schema(
        tags=["portfolio"],
        parameters=[CurveQuery, _ETAG, *_AGE],
        responses={200: schema(curve.EquityCurve, amounts="number"), 304: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> HttpResponse:
        """One point a UTC day; days without a snapshot are left out. 90 days if no period is given."""
        return self.read(request)

    def answer(self, scope: Scope, at: datetime) -> curve.EquityCurve:
        return curve.equity_curve(
            scope=scope,
            period=self.period(scope, at, default="90d"),
            currency=self.currency,
            benchmark=self.query.get("benchmark"),
        )


class BalancesView(BooksEndpoint):
    """Balances the exchanges reported beside what the facts give."""

    amounts = "text"
    with_prices = True

    @extend_schema(
        tags=["portfolio"],
        parameters=[ScopeQuery, _ETAG, *_AGE],
        responses={200: schema(balances.Balances, amounts="text"), 304: None, **problems(400, 401, 404)},
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


def user_id_of(request: Request) -> UUID:
    return cast("User", request.user).id


def _with_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        response[name] = value
    return response
