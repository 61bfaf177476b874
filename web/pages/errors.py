"""Error pages for people; programs get problem documents (core.django.problems)."""

from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from core.django import problems
from core.django.rate_limits import RateLimited

_OF_PROGRAMS: Final = (
    "/api", "/auth/", "/user/", "/health/", "/wallets/", "/database/", "/bot/",
)  # fmt: skip


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing there, or nothing of this person's."""
    if not _is_for_people(request):
        return problems.page_not_found(request, exception)
    return _page(
        HTTPStatus.NOT_FOUND,
        "There is nothing here",
        "The page does not exist, or it belongs to somebody else.",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what Django refuses before a view sees it: a foreign host, a form over the limit."""
    if not _is_for_people(request):
        return problems.bad_request(request, exception)
    return _page(
        HTTPStatus.BAD_REQUEST,
        "This request was refused",
        "It was too large, or asked for another address than this server's.",
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: logged in, but not for this."""
    if not _is_for_people(request):
        return problems.permission_denied(request, exception)
    return _page(HTTPStatus.FORBIDDEN, "You may not do this", "Ask an operator of this server if you should.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: touches neither database nor session, which may be what broke."""
    if not _is_for_people(request):
        return problems.server_error(request)
    return _page(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something broke on our side",
        "It has been logged. Your data is safe: what is stored is never changed by reading it. Try again in a moment.",
    )


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """413: more than a form of ours ever sends."""
    if not _is_for_people(request):
        return problems.too_large(request, limit)
    return _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This was too large", f"Send at most {limit} bytes.")


def rate_limited(request: HttpRequest, error: RateLimited) -> HttpResponse:
    """429: wait a little."""
    seconds = str(error.details["retry_after"])
    if not _is_for_people(request):
        problem = problems.document(error.status, error.code, error.message, **error.details)
        return problems.respond(problem, Retry_After=seconds)
    page = _page(
        error.status, "Slow down a little", f"Too many requests came. Try again in {seconds} seconds."
    )
    page.headers["Retry-After"] = seconds
    return page


def unavailable(request: HttpRequest, problem: dict[str, Any]) -> HttpResponse:
    """503: the database is slow, busy or away."""
    seconds = str(problems.RETRY_SECONDS)
    if not _is_for_people(request):
        return problems.respond(problem, Retry_After=seconds)
    page = _page(HTTPStatus.SERVICE_UNAVAILABLE, "This takes too long at the moment", problem["detail"])
    page.headers["Retry-After"] = seconds
    return page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without our token. What exactly was wrong with it is nobody's business."""
    return _page(
        HTTPStatus.FORBIDDEN,
        "This form has expired",
        "It was open for too long, or cookies are switched off. Go back, reload the page and send it again.",
    )


def _is_for_people(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(_OF_PROGRAMS)


def _page(status: HTTPStatus, title: str, text: str) -> HttpResponse:
    page = render_to_string("error.html", {"status": int(status), "title": title, "text": text})
    return HttpResponse(page, status=status)
