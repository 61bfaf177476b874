"""What surrounds every request."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import admin
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import audit
from accounts.audit import Action
from accounts.models import User
from core.django import actors, problems, tenancy
from core.django.actors import ActorKind
from web.pages import errors

logger = logging.getLogger(__name__)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_USER_AGENT_LENGTH: Final = 300
_PATH_LENGTH: Final = 200


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
            user_agent=printable(request.headers.get("User-Agent", ""))[:_USER_AGENT_LENGTH],
        )
        with actors.acting(actor):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = actor.request_id
        return response


class RefusedAccess:
    """Writes into the audit trail that somebody we know asked for what is not theirs.

    That is every 403, and a 404 for a path that names another user. Of other ids nobody can tell a foreign one from
    one that never was, neither the asker nor this server: row-level security hides both alike.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user_id = actors.current().user_id
        if user_id is not None and _is_refusal(request, response, user_id):
            details = {"method": request.method or "", "path": printable(request.path)[:_PATH_LENGTH]}
            try:
                audit.record(Action.ACCESS_REFUSED, user_id=user_id, status=response.status_code, **details)
            except DatabaseError:  # the refusal stands; that it left no trace is worth an alarm
                logger.exception("A refused request left no trace")
        return response


def _is_refusal(request: HttpRequest, response: HttpResponse, user_id: UUID) -> bool:
    if response.status_code == HTTPStatus.FORBIDDEN:
        return True
    asked = request.resolver_match.kwargs.get("user_id") if request.resolver_match else None
    return response.status_code == HTTPStatus.NOT_FOUND and asked not in (None, user_id, str(user_id))


def client_address(request: HttpRequest) -> str:
    """The address of who asks: the socket's, or behind TRUSTED_PROXIES proxies the one the first of them saw."""
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    proxies: int = settings.TRUSTED_PROXIES
    address = seen[-proxies] if proxies and len(seen) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def printable(text: str) -> str:
    """Without control characters, which forge lines of a log and which no JSON column holds."""
    return "".join(character for character in text if character.isprintable())


class AdminDoor:
    """Operators' pages see all owners' rows, and only they: the admin runs inside the system door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._answer(request)
        except (
            OperationalError,
            InterfaceError,
        ) as error:  # the door's own: those of pages are answers by here
            return errors.unavailable(request, problems.unavailable(error))

    def _answer(self, request: HttpRequest) -> HttpResponse:
        is_admin = request.path.startswith(reverse("admin:index"))
        if not is_admin or not admin.site.has_permission(request):
            return self.get_response(request)
        actors.identify(user_id=cast("User", request.user).id, kind=ActorKind.OPERATOR)
        # The query is left out: operators search for people by e-mail.
        with tenancy.as_system(
            "admin", method=request.method or "", path=printable(request.path)[:_PATH_LENGTH]
        ):
            response = self.get_response(request)
            # Django made a page of the error: what came before it is undone.
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                transaction.set_rollback(True)
            return response
