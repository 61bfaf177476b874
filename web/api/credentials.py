"""The four `/api-credentials` routes of the seeds. They know exchange accounts, never a secret."""

from typing import cast
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
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
    """Connect an exchange account; its first sync begins at once. Only keys without withdrawal rights are kept."""

    @extend_schema(
        tags=["credentials"],
        request=NewAccountSerializer,
        responses={201: ConnectedAccountSerializer, **problems(400, 401, 409)},
    )
    def post(self, request: Request) -> Response:
        connected = connections.connect(
            user_id=_user_id(request), at=clock.now(), **self.body(NewAccountSerializer)
        )
        return Response(ConnectedAccountSerializer(connected).data, status=status.HTTP_201_CREATED)


@method_decorator(never_cache, name="dispatch")
class UserCredentialsView(Endpoint):
    """The user's connected accounts, oldest first."""

    @extend_schema(
        tags=["credentials"],
        responses={200: ConnectedAccountSerializer(many=True), **problems(401, 404)},
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        if user_id != _user_id(request):
            raise NotFound("There is no such user.")
        connected = accounts.list_for(user_id=user_id)
        return Response([ConnectedAccountSerializer(one).data for one in connected])


@method_decorator(never_cache, name="dispatch")
class CredentialView(Endpoint):
    """One connected account."""

    @extend_schema(
        tags=["credentials"],
        request=AccountChangeSerializer,
        responses={200: ConnectedAccountSerializer, **problems(400, 401, 404, 409)},
    )
    def put(self, request: Request, account_id: UUID) -> Response:
        """Change the label or the key. The masked key and empty secrets, sent back, keep what is stored."""
        changes = self.body(AccountChangeSerializer)
        connected = connections.update(
            user_id=_user_id(request), account_id=account_id, at=clock.now(), **changes
        )
        return Response(ConnectedAccountSerializer(connected).data)

    @extend_schema(tags=["credentials"], responses={204: None, **problems(401, 404)})
    def delete(self, request: Request, account_id: UUID) -> Response:
        """Close the account: its key is destroyed, its history stays."""
        accounts.close(user_id=_user_id(request), account_id=account_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user_id(request: Request) -> UUID:
    return cast("User", request.user).id
