"""Logging in and out of the pages, and showing again who one is. The admin's log-in is this one, too."""

from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import page_sessions, proofs, sessions, two_factor
from accounts.errors import (
    InvalidCode,
    InvalidCredentials,
    SecondFactorRequired,
    TooManyAttempts,
    Unconfirmed,
)
from core import clock
from core.errors import DomainError
from web.pages import second_steps
from web.pages.access import member, member_page, own_path

_LONGEST_PASSWORD: Final = 1000  # hashing takes time by length
_LONGEST_CODE: Final = 40


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
    at = clock.now()
    try:
        user = proofs.identify(email=email, password=_password(request), at=at)
        page_sessions.log_in(request, user, at=at)
    except SecondFactorRequired as found:
        second_steps.await_code(request, found.user, at=at)
        return render(request, "login_code.html", {"next": request.POST.get("next", "")})
    except (InvalidCredentials, TooManyAttempts) as error:
        given = {"email": email, "next": request.POST.get("next", "")}
        return _refused(request, "login.html", error, given)
    return redirect(_next(request))


@sensitive_post_parameters("code")
@never_cache
@require_POST
def log_in_code(request: HttpRequest) -> HttpResponse:
    """The second step: a code of the authenticator app, or a recovery code, within minutes of the password."""
    at = clock.now()
    user = second_steps.awaited(request, at=at)
    if user is None:
        message = "That took too long: log in again."
        given = {"error": message, "next": request.POST.get("next", "")}
        return render(request, "login.html", given, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        proofs.second_step(user=user, code=_code(request), at=at)
        page_sessions.log_in(request, user, at=at)
    except (InvalidCode, InvalidCredentials, TooManyAttempts) as error:
        return _refused(request, "login_code.html", error, {"next": request.POST.get("next", "")})
    second_steps.forget(request)
    return redirect(_next(request))


@sensitive_post_parameters("password", "code")
@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Showing again who one is, before something sensitive."""
    user, session = member(request), page_sessions.current(request)
    assert session is not None
    given = {
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "asks_code": two_factor.is_on(user_id=user.id),
    }
    if request.method != "POST":
        return render(request, "confirm.html", given)
    proof = {"password": _password(request), "code": _code(request)}
    try:
        sessions.step_up(user=user, session_id=session.id, at=clock.now(), **proof)
    except (Unconfirmed, TooManyAttempts) as error:
        return _refused(request, "confirm.html", error, given)
    return redirect(_next(request))


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    page_sessions.log_out(request, at=clock.now())
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _password(request: HttpRequest) -> str:
    return request.POST.get("password", "")[:_LONGEST_PASSWORD]


def _code(request: HttpRequest) -> str:
    return request.POST.get("code", "")[:_LONGEST_CODE]


def _refused(request: HttpRequest, template: str, error: DomainError, given: dict[str, Any]) -> HttpResponse:
    """The form again, with what was wrong; never with the secret."""
    if isinstance(error, TooManyAttempts):
        answer = render(
            request, template, {**given, "error": error.message}, status=HTTPStatus.TOO_MANY_REQUESTS
        )
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return render(
        request, template, {**given, "error": error.message}, status=HTTPStatus.UNPROCESSABLE_ENTITY
    )


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go, if it is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if own_path(request, wanted) else resolve_url(settings.LOGIN_REDIRECT_URL)
