"""Who one is: name, birth, e-mail address; and how one's books are kept."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from accounts import profile as accounts_profile
from accounts import users
from core import clock
from core.errors import DomainError
from portfolio import books
from web import profiles
from web.api.profile import ProfileChangeSerializer
from web.pages import forms
from web.pages.access import member, member_page, recent_member_page

_PROFILE = "account/profile.html"
_EMAIL = "account/email.html"


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """The form, by the same rules as `PATCH /user/me`."""
    user = member(request)
    if request.method != "POST":
        born = user.date_of_birth.date().isoformat() if user.date_of_birth else ""
        given = {
            "name": user.name,
            "date_of_birth": born,
            "cost_method": user.cost_method,
            "cost_scope": user.cost_scope,
        }
        left = books.left_to_recompute(user_id=user.id)
        return render(request, _PROFILE, {"given": given, "books_left": left})
    given = forms.read(request, "name", "date_of_birth", "cost_method", "cost_scope")
    serializer = ProfileChangeSerializer(data={**given, "date_of_birth": given["date_of_birth"] or None})
    try:
        serializer.is_valid(raise_exception=True)
        profiles.update(user=user, at=clock.now(), **serializer.validated_data)
    except (ValidationError, DomainError) as error:
        return forms.refused(request, _PROFILE, error, given=given)
    messages.success(request, "Saved.")
    return redirect("web:account")


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def resend(request: HttpRequest) -> HttpResponse:
    """Mail the link again that confirms the address; a GET, as after a log-in in between, only leads back."""
    if request.method != "POST":
        return redirect("web:account")
    try:
        users.resend_verification(user=member(request), at=clock.now())
    except DomainError as error:
        messages.info(request, error.message)
    else:
        messages.success(request, f"A new link is on its way to {member(request).email}.")
    return redirect("web:account")


@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Asking for another address; it takes effect when the mail to it is answered."""
    if request.method != "POST":
        return render(request, _EMAIL)
    given = forms.read(request, "email")
    try:
        accounts_profile.ask_email_change(user=member(request), email=given["email"], at=clock.now())
    except DomainError as error:
        return forms.refused(request, _EMAIL, error, given=given)
    messages.success(
        request, "Look into the mail of your new address: it takes effect once you open the link there."
    )
    return redirect("web:account")
