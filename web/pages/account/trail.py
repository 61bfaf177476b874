"""One's own audit trail, newest first."""

from typing import Any, Final

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import audit
from core.django import tenancy
from core.errors import Invalid
from web.pages.access import member, member_page
from web.pages.account import agents

_ROWS: Final = 50
_CHANGES: Final = {"INSERT": "made", "UPDATE": "changed", "DELETE": "removed"}
_MODELS: Final = {model._meta.db_table: model for model in apps.get_models()}


@member_page
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """The same entries as `GET /api/audit`; a cursor of nobody leads to the newest."""
    with tenancy.acting_as(member(request).id):
        try:
            page = audit.page(limit=_ROWS, cursor=request.GET.get("cursor"))
        except Invalid:
            page = audit.page(limit=_ROWS)
    rows = [_row(entry) for entry in page.results]
    return render(request, "account/trail.html", {"rows": rows, "next_cursor": page.next_cursor})


def _row(entry: audit.Entry) -> dict[str, Any]:
    """An entry with the words people read; a table is called by what its rows are."""
    model = _MODELS.get(entry.table_name)
    return {
        "entry": entry,
        "action": _CHANGES.get(entry.action, entry.action),
        "subject": str(model._meta.verbose_name) if model else entry.table_name,
        "agent": agents.describe(entry.user_agent) if entry.user_agent else "",
    }
