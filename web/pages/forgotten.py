"""Forgotten passwords: asking for a link, and choosing a new password by it."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts import one_time, passwords
from accounts.one_time import InvalidOneTimeToken, Purpose
from core import clock
from core.errors import DomainError
from web.pages import forms
from web.pages.mailed import mailed_page


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgot_password(request: HttpRequest) -> HttpResponse:
    """The form leads on alike whether somebody has the address or not."""
    if request.method != "POST":
        return render(request, "forgot_password.html")
    given = forms.read(request, "email")
    try:
        passwords.ask_reset(**given, at=clock.now())
    except DomainError as error:
        return forms.refused(request, "forgot_password.html", error, given=given)
    return redirect("web:link-mailed")


@never_cache
@require_safe
def link_mailed(request: HttpRequest) -> HttpResponse:
    text = (
        "If somebody has an account with this address, a link to choose a new password is on its way. It works once,"
        f" for {settings.ONE_TIME_TOKEN_MINUTES} minutes."
    )
    return forms.told(request, "Look into your mail", text, to="web:login", label="Back to the log-in")


@mailed_page
@sensitive_variables("given")
def reset_password(request: HttpRequest) -> HttpResponse:
    """The form as long as the token is good; a refused password leaves it so."""
    at = clock.now()
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    try:
        one_time.find(purpose=Purpose.RESET, token=token, at=at)
        if request.method != "POST":
            return render(request, "reset_password.html", {"token": token})
        passwords.reset(token=token, password=request.POST.get("password", ""), at=at)
    except InvalidOneTimeToken as error:
        return forms.told(
            request,
            "This did not work",
            error.message,
            to="web:forgot-password",
            label="Ask for another link",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    except DomainError as error:
        return forms.refused(request, "reset_password.html", error, given={}, token=token)
    return redirect("web:password-set")


@never_cache
@require_safe
def password_set(request: HttpRequest) -> HttpResponse:
    text = "Your password is set, and every session was ended. Log in with the new one."
    return forms.told(request, "A new password", text, to="web:login", label="Log in")
