"""Pages that mailed links lead to. Their address holds a one-time token, which must not travel on."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods


def mailed_page(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """For everybody; kept by no cache, and no other request names its address."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response.headers["Referrer-Policy"] = "strict-origin"
        return response

    checked = require_http_methods(["GET", "HEAD", "POST"])(guarded)
    return sensitive_post_parameters("token", "password")(never_cache(checked))
