"""What stands around every request: size, pace, headers, one line of the log."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from core.django import actors, problems, rate_limits
from core.django.views import Endpoint
from web.middleware import printable
from web.pages import errors

access: Final = logging.getLogger("access")
_QUIET: Final = ("/health/", "/static/")
_HEADERS: Final = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
GetResponse = Callable[[HttpRequest], HttpResponse]


class AccessLog:
    """One line a request: method, path without its query, status, time taken, user. Probes and files only at DEBUG."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        path = printable(request.path)
        milliseconds = round((time.perf_counter() - begun) * 1000, 1)
        level = logging.DEBUG if request.path.startswith(_QUIET) else logging.INFO
        access.log(
            level,
            "%s %s %d %.1f ms",
            request.method,
            path,
            response.status_code,
            milliseconds,
            extra={
                "method": request.method,
                "path": path,
                "status": response.status_code,
                "duration_ms": milliseconds,
                "address": actors.current().address,
            },
        )
        return response


class SecurityHeaders:
    """The headers that Django has no setting for, on every answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class BodyLimit:
    """413 for a body that says of itself that it is over the limit, before it is read; parsers hold the rest to it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length.isdecimal() and int(length[:20]) > limit:
            return errors.too_large(request, limit)
        return self.get_response(request)


class PageVisitor:
    """The user of a page is known by its session, whatever the page; the API looks at tokens alone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, options: Any) -> HttpResponse | None:
        if _is_endpoint(view):
            return None
        try:
            user = request.user  # reads the session's row
            if user.is_authenticated and actors.current().user_id is None:
                actors.identify(user_id=user.id)
        except (OperationalError, InterfaceError) as error:
            return errors.unavailable(request, problems.unavailable(error))
        return None


class RateLimit:
    """Counts pages and documents by user or address; the API counts itself, once it knows whose token it is."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        rate_limits.add_headers(request, response)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, options: Any) -> HttpResponse | None:
        if _is_endpoint(view):
            return None
        try:
            rate_limits.consume_for(request, actors.current().user_id)
        except rate_limits.RateLimited as error:
            return errors.rate_limited(request, error)
        return None


def _is_endpoint(view: Any) -> bool:
    kind = getattr(view, "cls", None)
    return isinstance(kind, type) and issubclass(kind, Endpoint)


class Unavailable:
    """503 for pages while the database is slow, busy or away; the API says so itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            return errors.unavailable(request, problems.unavailable(error))
        return None
