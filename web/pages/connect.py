"""Connecting an exchange account by hand."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from core import clock
from core.errors import Invalid
from credentials.accounts import LabelTaken
from credentials.serializers import NewAccountSerializer
from exchanges import registry
from web import connections
from web.pages.access import member, member_page

_FIELDS: Final = ("exchange", "label", "apiKey", "secretKey")
_KEPT: Final = ("exchange", "label", "apiKey")  # a refused form comes back without the secret


@sensitive_post_parameters("apiKey", "secretKey")
@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: HttpRequest) -> HttpResponse:
    """The form, by the same rules as `POST /api-credentials/save-credentials`; the first sync begins at once."""
    if request.method != "POST":
        return _form(request, {}, {})
    given = {name: request.POST.get(name, "") for name in _FIELDS}
    try:
        serializer = NewAccountSerializer(data=given)
        serializer.is_valid(raise_exception=True)
        connections.connect(user_id=member(request).id, at=clock.now(), **serializer.validated_data)
    except ValidationError as error:
        return _form(request, given, _refused(error))
    except Invalid as error:
        return _form(request, given, _pointed(error))
    except LabelTaken as error:
        return _form(request, given, {"label": error.message})
    return redirect("web:dashboard")


def _form(request: HttpRequest, given: Mapping[str, str], errors: Mapping[str, str]) -> HttpResponse:
    context = {
        "exchanges": {name: exchange.title for name, exchange in registry.supported().items()},
        "given": {name: given.get(name, "") for name in _KEPT},
        "errors": errors,
        "stray": [text for name, text in errors.items() if name not in _FIELDS],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "connect.html", context, status=status)


def _refused(error: ValidationError) -> dict[str, str]:
    """The serializer's messages by field."""
    details: Any = error.detail
    return {name: " ".join(str(message) for message in messages) for name, messages in details.items()}


def _pointed(error: Invalid) -> dict[str, str]:
    """A service's messages by the field they point at."""
    errors = error.details.get("errors", ())
    return {one["pointer"].lstrip("/"): one["detail"] for one in errors} or {"": error.message}
