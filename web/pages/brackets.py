"""Entries with their targets and stops: what was planned, how it was filled, and legs that wait for nothing."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.django import tenancy
from credentials import accounts
from portfolio.selectors import brackets
from web.pages import lists
from web.pages.access import member, member_page

WHICH: Final = {"all": "All", "orphaned": "With an orphaned leg"}
_SHOWN: Final = 20


@member_page
@require_safe
def brackets_page(request: HttpRequest) -> HttpResponse:
    """The same rows as `GET /api/brackets`, for people."""
    user = member(request)
    asked = lists.chosen(request, "account", "symbol", "strategy", known={"which": WHICH})
    with tenancy.acting_as(user.id):
        page = brackets.brackets(
            scope=lists.scope(asked["account"]),
            symbol=asked["symbol"] or None,
            strategy=asked["strategy"] or None,
            orphaned=asked["which"] == "orphaned",
            limit=_SHOWN,
            after=lists.place(request),
        )
        connected = accounts.list_synced(user_id=user.id)
    links = {
        "choices": lists.choices(asked, "which", WHICH),
        **lists.pages(request, asked, page.next_cursor),
    }
    return render(request, "brackets.html", {"chosen": asked, "page": page, "accounts": connected, **links})
