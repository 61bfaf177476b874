"""What surrounds every request."""

import re
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.django import actors, tenancy
from core.django.actors import ActorKind

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_USER_AGENT_LENGTH: Final = 300


class RequestActor:
    """Names who asks, from where, for the audit trail and the logs; every answer carries the request's id.

    Authentication fills in the user (`actors.identify`). An id sent by a proxy is kept if it is a plain word.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        actor = actors.Actor(
            kind=ActorKind.ANONYMOUS,
            request_id=given if _REQUEST_ID.fullmatch(given) else uuid4().hex,
            address=client_address(request),
            user_agent=_printable(request.headers.get("User-Agent", ""))[:_USER_AGENT_LENGTH],
        )
        with actors.acting(actor):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = actor.request_id
        return response


def client_address(request: HttpRequest) -> str:
    """The address of who asks: the socket's, or behind TRUSTED_PROXIES proxies the one the first of them saw."""
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    proxies: int = settings.TRUSTED_PROXIES
    address = seen[-proxies] if proxies and len(seen) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


class AdminDoor:
    """Operators' pages see all owners' rows, and only they: the admin runs inside the system door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_admin = request.path.startswith(reverse("admin:index"))
        if not is_admin or not admin.site.has_permission(request):
            return self.get_response(request)
        with tenancy.as_system("admin"):
            response = self.get_response(request)
            if (
                response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            ):  # Django made a page of the error: undo it
                transaction.set_rollback(True)
            return response
