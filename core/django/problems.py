"""Every API error as an RFC 9457 problem document with a stable `code`."""

import logging
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from psycopg.errors import LockNotAvailable, QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.django.rendering import ProblemRenderer, dumps
from core.errors import DomainError

logger = logging.getLogger(__name__)
CONTENT_TYPE: Final = ProblemRenderer.media_type
RETRY_SECONDS: Final = 5
_NO_CHOICE: Final = "This is none of the known values."


def document(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem; `type` is about:blank, the code tells them apart."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Unforeseen errors go on to Django's 500 page, which tells nothing."""
    problem, headers = _translate(error)
    if problem is None:
        return None
    set_rollback()
    request = context["request"]  # whatever a view's answers are written in, its problems are JSON
    request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), CONTENT_TYPE
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def unavailable(error: OperationalError | InterfaceError) -> dict[str, Any]:
    """503 for a database that is slow, busy or away: the statement was cancelled with its whole transaction."""
    logger.error("The database did not answer: %s", type(error.__cause__ or error).__name__, exc_info=error)
    if isinstance(error.__cause__, QueryCanceled | LockNotAvailable):
        return document(
            503, "timeout", "This took too long and was stopped; nothing was changed. Try again later."
        )
    return document(
        503, "unavailable", "The database does not answer; nothing was changed. Try again in a moment."
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for paths that no view answers."""
    return respond(document(404, "not_found", "Nothing answers at this path."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what Django refuses before a view sees it: a foreign host, a form over the limit."""
    return respond(document(400, "bad_request", "The request was refused."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 outside the API's views."""
    return respond(document(403, "permission_denied", "You may not do this."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without a word about the inside."""
    return respond(
        document(500, "server_error", "Something broke on our side; it has been logged. Try again later.")
    )


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """413 for a body that says of itself that it is over the limit."""
    return respond(document(413, "body_too_large", f"Send at most {limit} bytes."))


def respond(problem: dict[str, Any], **more: str) -> HttpResponse:
    """A problem document outside the API's views; `more` are headers, `_` standing for `-`."""
    headers = {"Cache-Control": "no-store", **{name.replace("_", "-"): value for name, value in more.items()}}
    return HttpResponse(dumps(problem), status=problem["status"], content_type=CONTENT_TYPE, headers=headers)


def _translate(error: Exception) -> tuple[dict[str, Any] | None, dict[str, str]]:
    if isinstance(error, DomainError):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
        if "retry_after" in error.details:
            headers["Retry-After"] = str(error.details["retry_after"])
        return document(error.status, error.code, error.message, **error.details), headers
    if isinstance(error, Http404):
        return document(404, "not_found", "There is no such object."), {}
    if isinstance(error, PermissionDenied):
        return document(403, "permission_denied", "You may not do this."), {}
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.detail, ""))
        return document(
            400,
            "invalid",
            "; ".join(f"{e['pointer']}: {e['detail']}" if e["pointer"] else e["detail"] for e in errors),
            errors=errors,
        ), {}
    if isinstance(error, OperationalError | InterfaceError):
        return unavailable(error), {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, exceptions.APIException):
        scheme = getattr(error, "auth_header", None)  # set by the view when it asks for a token
        headers = {"WWW-Authenticate": scheme} if scheme else {}
        return document(error.status_code, error.default_code, str(error.detail)), headers
    return None, {}


def _flatten(detail: Any, pointer: str) -> Any:
    """DRF's nested messages as {pointer, code, detail} with JSON pointers (RFC 6901: "" is the whole body)."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, pointer if key == "non_field_errors" else f"{pointer}/{key}")
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _flatten(value, f"{pointer}/{index}" if nested else pointer)
    else:
        code = getattr(detail, "code", "invalid")
        # The framework's text repeats what was sent, and that may be a secret in the wrong place.
        text = _NO_CHOICE if code == "invalid_choice" else str(detail)
        yield {"pointer": pointer, "code": code, "detail": text}
