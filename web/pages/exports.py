"""Files of one's rows: asked for, watched while they are written, downloaded."""

from typing import Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import conditional_page, require_http_methods, require_safe
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core import clock
from core.django import tenancy
from core.django.serializers import StrictSerializer
from core.errors import DomainError, NotFound
from credentials.models import DATA_SOURCES, ExchangeAccount
from pipeline import exports
from pipeline.export_api import attachment
from pipeline.models import ExportFormat, ExportKind
from web.pages import forms
from web.pages.access import member, member_page, recent_member_page

_PAGE: Final = "exports.html"
_FIELDS: Final = ("kind", "format", "account", "since", "until")
_SHOWN: Final = 30
_WORKING_SECONDS: Final = 2
_SETTLED_SECONDS: Final = 60
KINDS: Final = {
    ExportKind.TRADES: "Trades",
    ExportKind.FILLS: "Fills",
    ExportKind.LEDGER: "Ledger: everything that moved a balance",
    ExportKind.TAX_LOTS: "Tax lots: disposed of, and held",
    ExportKind.SNAPSHOTS: "Daily snapshots",
    ExportKind.HOLDINGS: "Daily holdings by asset",
    ExportKind.COMPLETE: "Complete: all facts, to be imported elsewhere",
}
FORMATS: Final = {ExportFormat.CSV: "CSV, for spreadsheets", ExportFormat.JSONL: "JSON Lines, for programs"}
_TONES: Final = {"queued": "busy", "running": "busy", "ready": "good", "failed": "bad"}


class _AskSerializer(StrictSerializer):
    kind = serializers.ChoiceField(ExportKind.choices)
    format = serializers.ChoiceField(ExportFormat.choices)
    account = serializers.CharField(max_length=100, allow_blank=True)
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)


@recent_member_page
@require_http_methods(["GET", "HEAD", "POST"])
def exports_page(request: HttpRequest) -> HttpResponse:
    """The form and the list, by the same rules as `/api/exports`."""
    if request.method != "POST":
        return render(request, _PAGE, {"given": {}, **_form(request), **_state(request)})
    given = forms.read(request, *_FIELDS)
    try:
        if "delete" in request.POST:
            _delete(request)
        else:
            _ask(request, given)
    except (ValidationError, DomainError) as error:
        return forms.refused(request, _PAGE, error, given=given, **_form(request), **_state(request))
    return redirect("web:exports")


@member_page
@require_safe
@conditional_page
def exports_list(request: HttpRequest) -> HttpResponse:
    """The part of it that changes; 304 while it is the same."""
    return render(request, "fragments/exports.html", _state(request))


@recent_member_page
@require_safe
def export_file(request: HttpRequest, export_id: int) -> HttpResponse:
    """The file itself."""
    try:
        file = exports.download(user_id=member(request).id, export_id=export_id)
        return cast("HttpResponse", attachment(file))  # an answer like any other to whoever sends it
    except NotFound:
        raise Http404 from None
    except exports.NotReady as error:
        messages.error(request, error.message)
        return redirect("web:exports")


def _ask(request: HttpRequest, given: dict[str, str]) -> None:
    days = {name: given[name] or None for name in ("since", "until")}
    serializer = _AskSerializer(data={**given, **days})
    serializer.is_valid(raise_exception=True)
    told = serializer.validated_data
    asked = exports.Asked(
        kind=told["kind"],
        format=told["format"],
        account=told["account"] or None,
        since=clock.day_start(told["since"]) if told["since"] else None,
        until=clock.day_end(told["until"]) if told["until"] else None,
    )
    exports.request(user_id=member(request).id, asked=asked, at=clock.now())
    messages.success(request, "The file is written in the background.")


def _delete(request: HttpRequest) -> None:
    wanted = request.POST["delete"]
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19):
        raise NotFound("There is no such export.")
    exports.delete(user_id=member(request).id, export_id=int(wanted))
    messages.success(request, "The file was thrown away.")


def _form(request: HttpRequest) -> dict[str, Any]:
    with tenancy.acting_as(member(request).id):
        rows = ExchangeAccount.objects.exclude(exchange__in=DATA_SOURCES).order_by("created_at", "id")
        accounts = [(str(row.id), row.label) for row in rows]
    return {"kinds": KINDS, "formats": FORMATS, "accounts": accounts}


def _state(request: HttpRequest) -> dict[str, Any]:
    found = exports.page(user_id=member(request).id, limit=_SHOWN).results
    rows = [{"row": row, "name": _name(row), "tone": _TONES[row.state]} for row in found]
    is_working = any(row.state in exports.WORKING for row in found)
    return {
        "rows": rows,
        "kept_days": exports.KEPT.days,
        "pace": _WORKING_SECONDS if is_working else _SETTLED_SECONDS,
        "version": " ".join(f"{row.id}{row.state}" for row in found),
    }


def _name(row: exports.ExportReport) -> str:
    return KINDS[ExportKind(row.kind)].partition(":")[0]
