"""The base of every answer made of the books: whose, how old, how far they can be trusted, and whether it is known
already.

Age stands in `X-Data-As-Of` and `X-Data-Stale`, trust in `X-Data-Grade` and `X-Data-Grade-Reasons`, of totals also in
`confidence`; every answer carries an ETag.
"""

import json
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django import conditional, kept, tenancy
from core.django.answers import Amounts, plain, schema
from core.django.rendering import ExactJSONRenderer, dumps
from core.django.serializers import QuerySerializer
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from credentials.scope import Scope, resolve
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.selectors import confidence, freshness, performance, standing
from portfolio.selectors.confidence import Confidence

_ETAG = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag of an earlier answer."
)


def header(name: str, kind: Any, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, response=[200])


ANSWER_HEADERS: Final = (
    _ETAG,
    header("ETag", OpenApiTypes.STR, "Version of the answer; sent back, it may save one."),
    header(
        "X-Data-As-Of",
        OpenApiTypes.DATETIME,
        "The exchange's last word on the oldest account.",
    ),
    header("X-Data-Stale", OpenApiTypes.BOOL, "Whether that is longer ago than it should be."),
    header(
        "X-Data-Grade", OpenApiTypes.STR, "How far it can be trusted: `complete`, `partial`, `unreliable`."
    ),
    header(
        "X-Data-Grade-Reasons",
        OpenApiTypes.STR,
        "Why not further: codes, some with what they are about (`gap:deposits`), percent-encoded, commas between.",
    ),
)


def graded(kind: type, *, amounts: Amounts) -> type[serializers.Serializer[Any]]:
    """The description of an answer with totals."""
    plain_schema = schema(kind, amounts=amounts)
    members = {"confidence": schema(Confidence, amounts="text")(), "__doc__": plain_schema.__doc__}
    return type(plain_schema.__name__, (plain_schema,), members)


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


class BooksEndpoint(Endpoint):
    """Reads a scope of the user's books in one door; 304 when the client has the answer already."""

    query_serializer: ClassVar[type[QuerySerializer]] = ScopeQuery
    amounts: ClassVar[Amounts] = "number"
    with_prices: ClassVar[bool] = False
    kept_seconds: ClassVar[int] = 0
    """How long an answer is kept for its owner, while its version is the same; 0: not at all."""
    has_totals: ClassVar[bool] = True
    """Whether the body itself says how far they can be trusted; of lists only the headers do."""
    usual_period: ClassVar[str] = ""
    """Where none is asked for; empty where an answer is of no period."""

    def read(self, request: Request) -> HttpResponse:
        user, at = cast("User", request.user), clock.now()
        with tenancy.acting_as(user.id):
            chosen = {name: self.query.get(name) for name in ("exchange", "account", "mode")}
            scope = resolve(**chosen)
            headers, trust = self._told(request, scope, at)
            ready = conditional.not_modified(request, headers["ETag"])
            if ready is None and self.kept_seconds:
                ready = self._kept(request, headers["ETag"], scope, at, trust)
            answer = self.answer(scope, at) if ready is None else None
        if ready is not None:
            return _with_headers(ready, headers)
        return Response(self._body(answer, trust), headers={**headers, **self.links(request, answer)})

    def _kept(
        self, request: Request, version: str, scope: Scope, at: datetime, trust: Confidence
    ) -> HttpResponse:
        """The links in the first line, the body in the second."""

        def make() -> bytes:
            answer = self.answer(scope, at)
            return dumps(self.links(request, answer)) + b"\n" + dumps(self._body(answer, trust))

        owner = user_id_of(request)
        found = kept.answer(owner=owner, version=version, seconds=self.kept_seconds, make=make)
        links, _, body = found.partition(b"\n")
        return _with_headers(HttpResponse(body, content_type=ExactJSONRenderer.media_type), json.loads(links))

    def _body(self, answer: Any, trust: Confidence) -> dict[str, Any]:
        body: dict[str, Any] = plain(answer, amounts=self.amounts)
        return {**body, "confidence": plain(trust, amounts=self.amounts)} if self.has_totals else body

    @abstractmethod
    def answer(self, scope: Scope, at: datetime) -> Any:
        """What the selectors say, inside the open door."""

    def links(self, request: Request, answer: Any) -> dict[str, str]:
        """A Link header, where the answer is a page of several."""
        return {}

    @property
    def currency(self) -> str:
        return cast("User", self.request.user).reporting_currency

    def period(self, scope: Scope, at: datetime) -> Period:
        """Of the query. Raises Invalid."""
        day = self.query.get("at")
        moment = clock.day_start(day) if day else at
        return performance.period_for(self._wanted, scope=scope, at=moment)

    @property
    def _wanted(self) -> str:
        return str(self.query.get("period", self.usual_period))

    def _told(self, request: Request, scope: Scope, at: datetime) -> tuple[dict[str, str], Confidence]:
        """What stands in the headers: the answer's version, its age, and how far it can be trusted."""
        stands = standing.read(scope)
        fresh = freshness.freshness(scope=scope, at=at, stands=stands)
        is_part = self._wanted.strip().upper() not in ("", PeriodKind.ALL_TIME)
        period = self.period(scope, at) if is_part else None
        trust = confidence.confidence(scope=scope, at=at, stands=stands, fresh=fresh, period=period)
        with_prices = self.with_prices or bool(self.query.get("benchmark"))
        version = freshness.version(scope=scope, at=at, with_prices=with_prices, stands=stands)
        asked = sorted(request.query_params.items())
        state = (clock.utc_day(at), fresh.is_stale, trust)
        tag = conditional.etag(version, request.path, asked, self.currency, *state)
        as_of = {"X-Data-As-Of": plain(fresh.as_of, amounts="text")} if fresh.as_of else {}
        stale = {"X-Data-Stale": "true" if fresh.is_stale else "false"}
        grade = {"X-Data-Grade": trust.grade, "X-Data-Grade-Reasons": trust.line}
        return {**conditional.HEADERS, "ETag": tag, **as_of, **stale, **grade}, trust


def user_id_of(request: Request) -> UUID:
    return cast("User", request.user).id


def _with_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        response[name] = value
    return response
