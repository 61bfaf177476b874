"""What the forms of the pages share: reading fields, and coming back with the reason at the field it concerns."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import ValidationError

from accounts.errors import TooManyAttempts
from core.errors import DomainError


def read(request: HttpRequest, *names: str) -> dict[str, str]:
    """The posted fields, missing ones as empty texts."""
    return {name: request.POST.get(name, "") for name in names}


def by_field(error: DomainError | ValidationError) -> dict[str, str]:
    """The reasons by the field they concern, a service's or a serializer's; what concerns none has an empty name."""
    if isinstance(error, ValidationError):
        details: Any = error.detail
        return {name: " ".join(_texts(told)) for name, told in details.items()}
    reasons: dict[str, str] = {}
    for one in error.details.get("errors", ()):
        field = one["pointer"].lstrip("/")
        reasons[field] = f"{reasons[field]} {one['detail']}" if field in reasons else one["detail"]
    return reasons or {"": error.message}


def _texts(told: Any) -> Iterator[str]:
    """Of a field, or of the fields of a list's members."""
    for one in told.values() if isinstance(told, Mapping) else told:
        if isinstance(one, list | Mapping):
            yield from _texts(one)
        else:
            yield str(one)


def refused(
    request: HttpRequest,
    template: str,
    error: DomainError | ValidationError,
    *,
    given: Mapping[str, str],
    **context: Any,
) -> HttpResponse:
    """The form again with what was given (leave secrets out) and why it was refused."""
    reasons = by_field(error)
    context |= {"given": given, "errors": reasons, "stray": reasons.get("")}
    answer = render(request, template, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if isinstance(error, TooManyAttempts):
        answer.status_code = error.status
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


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
