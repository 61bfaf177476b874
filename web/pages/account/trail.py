"""One's own audit trail, newest first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import audit
from core.django import tenancy
from core.errors import Invalid
from web.pages.access import member, member_page
from web.pages.account import agents

_ROWS = 50


@member_page
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """The same entries as `GET /api/audit`; a cursor of nobody leads to the newest."""
    with tenancy.acting_as(member(request).id):
        try:
            page = audit.page(limit=_ROWS, cursor=request.GET.get("cursor"))
        except Invalid:
            page = audit.page(limit=_ROWS)
    rows = [
        {"entry": entry, "agent": agents.describe(entry.user_agent) if entry.user_agent else ""}
        for entry in page.results
    ]
    return render(request, "account/trail.html", {"rows": rows, "next_cursor": page.next_cursor})
