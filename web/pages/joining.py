"""Signing up, and the links that are mailed to confirm an address."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts import profile, users
from core import clock
from core.errors import DomainError
from web.pages import forms
from web.pages.mailed import mailed_page


@sensitive_post_parameters("password")
@sensitive_variables("given")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form. With VERIFY_EMAIL a taken address leads on like a free one; its owner is mailed."""
    if request.user.is_authenticated:
        return redirect("web:dashboard")
    if not settings.SIGN_UP_OPEN:
        text = "Nobody can sign up on this server at the moment. Ask its operator for an account."
        return forms.told(
            request,
            "Signing up is closed",
            text,
            to="web:login",
            label="Log in",
            status=HTTPStatus.FORBIDDEN,
        )
    if request.method != "POST":
        return render(request, "signup.html")
    given = forms.read(request, "name", "email", "password")
    try:
        users.register(email=given["email"], name=given["name"], password=given["password"], at=clock.now())
    except DomainError as error:
        del given["password"]
        return forms.refused(request, "signup.html", error, given=given)
    return redirect("web:signed-up")


@never_cache
@require_safe
def signed_up(request: HttpRequest) -> HttpResponse:
    """What to do next; the same whether the address was free or not."""
    if settings.VERIFY_EMAIL:
        text = (
            "We have sent a mail to the address you gave. Open its link within"
            f" {settings.ONE_TIME_TOKEN_MINUTES} minutes to confirm that it is yours. You can log in and look around"
            " before."
        )
        return forms.told(request, "Look into your mail", text, to="web:login", label="Log in")
    text = "Log in with the password you have just chosen."
    return forms.told(request, "Your account is made", text, to="web:login", label="Log in")


@mailed_page
def verify_email(request: HttpRequest) -> HttpResponse:
    """A GET shows a button, a POST uses the token up."""
    return _confirm(request, "Confirm your e-mail address", "Confirm the address", users.verify_email)


@mailed_page
def confirm_email(request: HttpRequest) -> HttpResponse:
    """The same for a changed address."""
    return _confirm(request, "Use this e-mail address", "Use this address", profile.confirm_email)


def _confirm(request: HttpRequest, title: str, label: str, use: Callable[..., None]) -> HttpResponse:
    if request.method != "POST":
        context = {"title": title, "label": label, "token": request.GET.get("token", "")}
        return render(request, "confirm_address.html", context)
    try:
        use(token=request.POST.get("token", ""), at=clock.now())
    except DomainError as error:
        return forms.told(
            request,
            "This did not work",
            error.message,
            to="web:dashboard",
            label="Go on",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    return forms.told(
        request, "Thank you", "Your e-mail address is confirmed.", to="web:dashboard", label="Go on"
    )
