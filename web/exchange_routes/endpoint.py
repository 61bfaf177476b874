"""The base of `/{exchange}/*`: whose accounts, live or stored, how old, and the next page."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.serializers import QuerySerializer
from core.django.views import Endpoint
from pipeline import ages, live
from pipeline.ages import Age
from pipeline.live import CLOSED, Reading, What
from pipeline.models import Stream
from portfolio.selectors.confidence import Confidence
from web.exchange_routes.asking import KNOWN, Answer, Asked, ask, require_known
from web.exchange_routes.queries import AccountQuery

TAG: Final = "exchanges"
_View = TypeVar("_View", bound=Callable[..., Response])


def _header(name: str, kind: Any, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=text, response=[200])


_EXCHANGE: Final = OpenApiParameter("exchange", OpenApiTypes.STR, OpenApiParameter.PATH, enum=KNOWN)
_AGE: Final = (
    _header("X-Data-As-Of", OpenApiTypes.DATETIME, "When the exchange was asked, of the oldest account."),
    _header("X-Data-Stale", OpenApiTypes.BOOL, "Whether that is longer ago than it should be, or asked for."),
    _header(
        "X-Data-Stale-Reason",
        OpenApiTypes.STR,
        "Why it is stale, in a word: `never_read`, `old`, `history_incomplete`; where some of the snapshot's accounts"
        " were never read, which, percent-encoded (`never_read:Main`, commas between); of live reads `timeout`, `busy`,"
        " `unavailable`, `closed`, `key_…`, or how the exchange failed (`down`, `network`, `rate`, `auth`, …).",
    ),
)
_GRADE: Final = (
    _header(
        "X-Data-Grade",
        OpenApiTypes.STR,
        "How far totals can be trusted: `complete`, `partial`, `unreliable`.",
    ),
    _header(
        "X-Data-Grade-Reasons",
        OpenApiTypes.STR,
        "Why not further: codes, some with what they are about (`gap:deposits`), percent-encoded, commas between.",
    ),
)
_LINK: Final = _header("Link", OpenApiTypes.STR, 'The next page, as `<…>; rel="next"`; absent on the last.')


def described(
    shape: type,
    query: type[QuerySerializer],
    *,
    example: Any,
    many: bool = True,
    pages: bool = False,
    at_one_exchange: bool = False,
    has_totals: bool = False,
) -> Callable[[_View], _View]:
    """What the OpenAPI document tells of a route."""
    answer = schema(shape, amounts="number")
    decorate: Callable[[_View], _View] = extend_schema(
        tags=[TAG],
        parameters=[
            query,
            *(() if at_one_exchange else (_EXCHANGE,)),
            *_AGE,
            *(_GRADE if has_totals else ()),
            *((_LINK,) if pages else ()),
        ],
        responses={200: answer(many=True) if many else answer, **problems(400, 401, 404)},
        examples=[OpenApiExample("Answer", value=example, response_only=True, status_codes=["200"])],
    )
    return decorate


@method_decorator(never_cache, name="dispatch")
class ExchangeEndpoint(Endpoint):
    """Reads facts of the user's accounts at one exchange, in one door."""

    query_serializer: ClassVar[type[QuerySerializer]] = AccountQuery
    what: ClassVar[What]
    """What a live read of it asks for."""
    streams: ClassVar[Sequence[Stream]] = ()
    """What the age of the answer is that of."""
    contract_streams: ClassVar[Sequence[Stream]] = ()
    """And these, where contracts are asked for."""
    walked: ClassVar[Sequence[Stream]] = ()
    """Histories that the answer is a part of, unless it is of contracts alone."""
    contract_walked: ClassVar[Sequence[Stream]] = ()
    """And these, where contracts are asked for."""

    def read(self, request: Request, exchange: str) -> Response:
        """The answer with its headers. Raises UnknownExchange, NoAccount."""
        require_known(exchange)
        user_id = cast("User", request.user).id
        refusal = self._read_live(user_id, exchange) if self.query["live"] else ""
        with tenancy.acting_as(user_id):
            asked = ask(exchange, self.query, clock.now())
            answer = self.answer(asked)
            age, trust = self.told(asked)
        return respond(request, answer, Age(age.as_of, refusal) if refusal else age, trust)

    def _read_live(self, user_id: UUID, exchange: str) -> str:
        """Have a worker ask the exchange, and wait; answers why that did not work. Outside any door."""
        with tenancy.acting_as(user_id):
            asked = ask(exchange, self.query, clock.now())
        readings = [
            Reading(
                what=self.what,
                exchange=exchange,
                user_id=user_id,
                account_id=account_id,
                symbol=self.query.get("symbol", ""),
                contracts=asked.market != "spot",
            )
            for account_id in asked.scope.living_ids
        ]
        return live.read(readings) if readings else CLOSED

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """What is stored, inside the open door."""

    def age(self, asked: Asked) -> Age:
        """Of what is stored, inside the open door. Closed accounts do not age: nothing new can come."""
        streams, walked = [*self.streams], [*(self.walked if asked.market != "futures" else ())]
        if asked.market != "spot":
            streams += self.contract_streams
            walked += self.contract_walked
        age = ages.of(account_ids=asked.present_ids, streams=streams, walked=walked, at=asked.at)
        return age if asked.scope.living_ids else Age(age.as_of)

    def told(self, asked: Asked) -> tuple[Age, Confidence | None]:
        """The answer's age, and how far its totals can be trusted, where it has any. Inside the open door."""
        return self.age(asked), None


def respond(request: Request, answer: Answer, age: Age, trust: Confidence | None = None) -> Response:
    """The body as it is, everything else in headers."""
    headers = {"X-Data-Stale": "true" if age.reason else "false"}
    if trust is not None:
        headers |= {"X-Data-Grade": trust.grade, "X-Data-Grade-Reasons": trust.line}
    if age.as_of is not None:
        headers["X-Data-As-Of"] = plain(age.as_of, amounts="text")
    if age.reason:
        headers["X-Data-Stale-Reason"] = age.reason
    if answer.next_cursor is not None:
        query = urlencode({**request.query_params.dict(), "cursor": answer.next_cursor})
        headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return Response(plain(answer.body, amounts="number"), headers=headers)
