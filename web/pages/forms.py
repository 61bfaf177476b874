"""What the forms of the pages share: reading fields, and coming back with the reason at the field it concerns."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.errors import DomainError


def read(request: HttpRequest, *names: str) -> dict[str, str]:
    """The posted fields, missing ones as empty texts."""
    return {name: request.POST.get(name, "") for name in names}


def by_field(error: DomainError) -> dict[str, str]:
    """The reasons by the field they point at; what points at none stands under the empty name."""
    reasons: dict[str, str] = {}
    for one in error.details.get("errors", ()):
        field = one["pointer"].lstrip("/")
        reasons[field] = f"{reasons[field]} {one['detail']}" if field in reasons else one["detail"]
    return reasons or {"": error.message}


def refused(
    request: HttpRequest, template: str, error: DomainError, *, given: Mapping[str, str], **context: Any
) -> HttpResponse:
    """The form again with what was given (leave secrets out) and why it was refused."""
    reasons = by_field(error)
    context |= {"given": given, "errors": reasons, "stray": reasons.get("")}
    status = error.status if error.status == HTTPStatus.TOO_MANY_REQUESTS else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, template, context, status=status)


def told(
    request: HttpRequest,
    title: str,
    text: str,
    *,
    to: str,
    label: str,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """A page that says one thing and leads on: `to` names a route, `label` is on the button."""
    return render(
        request, "told.html", {"title": title, "text": text, "to": to, "label": label}, status=status
    )
