"""The four `/api-credentials` routes of the seeds. They know exchange accounts, never a secret."""

from functools import partial
from typing import cast
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import users
from accounts.models import User
from accounts.permissions import RecentLogIn, SessionOnly
from core import clock
from core.django.schema import problems
from core.django.views import Endpoint
from core.errors import NotFound
from credentials import accounts
from credentials.serializers import (
    AccountChangeSerializer,
    ConnectedAccountSerializer,
    NewAccountSerializer,
)
from web import connections


@method_decorator(never_cache, name="dispatch")
class SaveCredentialsView(Endpoint):
    """Connect an exchange account; its key is checked and its first sync begins at once.

    Only keys without withdrawal rights are kept. The answer waits a few seconds for the verdict on the key
    (`keyState`); when none has come by then it reads `unchecked`, and the check goes on. Needs a confirmed e-mail
    address and a fresh log-in.
    """

    permission_classes = (RecentLogIn,)

    @extend_schema(
        tags=["credentials"],
        request=NewAccountSerializer,
        responses={201: ConnectedAccountSerializer, **problems(400, 401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        users.require_verified(_user(request))
        user_id = _user(request).id
        connected = connections.connect(user_id=user_id, at=clock.now(), **self.body(NewAccountSerializer))
        connected = connections.settled(user_id=user_id, connected=connected)
        return Response(ConnectedAccountSerializer(connected).data, status=status.HTTP_201_CREATED)


@method_decorator(never_cache, name="dispatch")
class UserCredentialsView(Endpoint):
    """The user's connected accounts, oldest first."""

    @extend_schema(
        tags=["credentials"],
        responses={200: ConnectedAccountSerializer(many=True), **problems(401, 404)},
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        if user_id != _user(request).id:
            raise NotFound("There is no such user.")
        connected = accounts.list_for(user_id=user_id)
        return Response([ConnectedAccountSerializer(one).data for one in connected])


@method_decorator(never_cache, name="dispatch")
class CredentialView(Endpoint):
    """One connected account."""

    def get_permissions(self) -> list[BasePermission]:
        """Destroying a key needs a fresh log-in; of a PUT only one that changes the key does."""
        return [RecentLogIn() if self.request.method == "DELETE" else SessionOnly()]

    @extend_schema(
        tags=["credentials"],
        request=AccountChangeSerializer,
        responses={200: ConnectedAccountSerializer, **problems(400, 401, 403, 404, 409)},
    )
    def put(self, request: Request, account_id: UUID) -> Response:
        """Change the label or the key. The masked key and empty secrets, sent back, keep what is stored.

        A changed key is checked before the answer, as when it is saved first.
        """
        user_id = _user(request).id
        connected = connections.update(
            user_id=user_id,
            account_id=account_id,
            at=clock.now(),
            allow_key=partial(_allow_key, request, self),
            **self.body(AccountChangeSerializer),
        )
        return Response(
            ConnectedAccountSerializer(connections.settled(user_id=user_id, connected=connected)).data
        )

    @extend_schema(tags=["credentials"], responses={204: None, **problems(401, 403, 404)})
    def delete(self, request: Request, account_id: UUID) -> Response:
        """Close the account: its key is destroyed, its history stays."""
        accounts.close(user_id=_user(request).id, account_id=account_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _allow_key(request: Request, view: Endpoint) -> None:
    """Raises StepUpRequired, EmailNotVerified."""
    RecentLogIn().has_permission(request, view)
    users.require_verified(_user(request))


def _user(request: Request) -> User:
    return cast("User", request.user)
