"""JSON both ways without a float: Decimals leave as JSON numbers with all their digits, and arrive as Decimals."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import IO, Any

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from rest_framework.exceptions import APIException, NotAcceptable, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


def _fallback(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):  # DRF's own dictionaries
        return dict(value)
    if isinstance(value, list | tuple | set):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


_ENCODER = msgspec.json.Encoder(enc_hook=_fallback, decimal_format="number")


def dumps(data: Any) -> bytes:
    """UTF-8 JSON; Decimals are numbers, datetimes RFC 3339 (`Z` for UTC)."""
    return _ENCODER.encode(data)


class ExactJSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data)


class ProblemRenderer(ExactJSONRenderer):
    """RFC 9457."""

    media_type = "application/problem+json"


class Negotiation(DefaultContentNegotiation):
    """Who asks for problem documents alone is answered in JSON: what an answer is shows when it is made."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        known = list(renderers)
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, known, format_suffix)
        except NotAcceptable:
            if any(
                media.partition(";")[0] == ProblemRenderer.media_type
                for media in self.get_accept_list(request)
            ):
                return known[0], known[0].media_type
            raise
        return chosen


class BodyTooLarge(APIException):
    """Django's own limit does not reach bodies that a parser reads from the stream."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class ExactJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"Send at most {limit} bytes.")
        try:
            return json.loads(body.decode(), parse_float=_decimal, parse_constant=_refuse)
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None


def _decimal(number: str) -> Decimal:
    """Raises ValueError for an exponent that no Decimal holds."""
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError("a number is too large or too small.") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON.")
