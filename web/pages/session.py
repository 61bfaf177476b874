"""Logging in and out of the pages, by Django's own sessions."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import sessions

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_LONGEST_PASSWORD = 1000  # hashing takes time by length


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The log-in form. The answer is the same whether the e-mail or the password is wrong."""
    if request.user.is_authenticated:
        return redirect(_next(request))
    if request.method != "POST":
        return render(request, "login.html", {"next": request.GET.get("next", "")})
    email = request.POST.get("email", "").replace("\0", "").strip()  # PostgreSQL takes no NUL
    password = request.POST.get("password", "")
    try:
        user = sessions.verify_password(email=email, password=password[:_LONGEST_PASSWORD])
    except sessions.InvalidCredentials as error:
        context = {"error": error.message, "email": email, "next": request.POST.get("next", "")}
        return render(request, "login.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    login(request, user, backend=_BACKEND)
    return redirect(_next(request))


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go, if it is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if own else resolve_url(settings.LOGIN_REDIRECT_URL)
