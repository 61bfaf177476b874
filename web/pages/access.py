"""Who may see a page: people who are logged in, each their own."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias, cast

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from accounts import sessions
from accounts.models import User
from core import clock
from core.django import actors

P = ParamSpec("P")
Page: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponse]


def member_page(view: Page[P]) -> Page[P]:
    """For logged-in people only; strangers go to the log-in page. Nothing of it is kept by browsers or proxies."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = member(request)
        if user.is_deleted:  # the deletion did not end this session
            logout(request)
            return redirect("web:login")
        actors.identify(user_id=user.id)
        sessions.note_seen(user, clock.now())
        return view(request, *args, **kwargs)

    return cast("Page[P]", never_cache(login_required(guarded)))


def member(request: HttpRequest) -> User:
    """The logged-in user of a page."""
    return cast("User", request.user)
