"""Who may see a page: people who are logged in, each their own."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts import page_sessions, permissions
from accounts.models import User
from core import clock
from core.django import actors

P = ParamSpec("P")
Page: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponse]


def member_page(view: Page[P]) -> Page[P]:
    """For logged-in people only; strangers go to the log-in page. Nothing of it is kept by browsers or proxies."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        actors.identify(user_id=member(request).id)
        return view(request, *args, **kwargs)

    return cast("Page[P]", never_cache(login_required(guarded)))


def recent_member_page(view: Page[P]) -> Page[P]:
    """For people who showed their password and second factor within STEP_UP_MINUTES; others are asked to, and led
    back. What a form was sent with is lost by that: a page that shows such a form is one of these itself."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        session = page_sessions.current(request)
        if session is None or not permissions.is_recent(session.stepped_up_at, at=clock.now()):
            return redirect(f"{reverse('web:confirm')}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    return member_page(cast("Page[P]", guarded))


def member(request: HttpRequest) -> User:
    """The logged-in user of a page."""
    return cast("User", request.user)


def own_path(request: HttpRequest, wanted: str) -> bool:
    """Whether it is the address of a page of ours."""
    return url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
