"""Closing one's account for good."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core import clock
from core.errors import DomainError
from credentials import accounts
from web import profiles
from web.pages import forms
from web.pages.access import member, recent_member_page

_CLOSE = "account/close.html"


@sensitive_post_parameters("password")
@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """What will happen, and the password that makes it happen."""
    user = member(request)
    count = len(accounts.list_for(user_id=user.id))
    if request.method != "POST":
        return render(request, _CLOSE, {"count": count})
    try:
        profiles.close_user(user=user, password=request.POST.get("password", "")[:128], at=clock.now())
    except DomainError as error:
        return forms.refused(request, _CLOSE, error, given={}, count=count)
    logout(request)
    text = "Your keys were destroyed, and nothing opens the account any more. A mail confirms it."
    return forms.told(request, "Your account is closed", text, to="web:login", label="To the log-in")
