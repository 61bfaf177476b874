"""API tokens, for programs."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import api_tokens
from accounts.api.sessions import SessionEndpoint
from accounts.permissions import RecentLogIn, SessionOnly
from accounts.serializers import ApiTokenSerializer, NewApiTokenSerializer, ShownApiTokenSerializer
from core import clock
from core.django.schema import problems


class ApiTokensView(SessionEndpoint):
    """One's API tokens."""

    def get_permissions(self) -> list[BasePermission]:
        """Making one needs a fresh log-in."""
        recent = self.request is not None and self.request.method == "POST"
        return [SessionOnly(), RecentLogIn()] if recent else [SessionOnly()]

    @extend_schema(
        tags=["api tokens"], responses={200: ApiTokenSerializer(many=True), **problems(400, 401, 403)}
    )
    def get(self, request: Request) -> Response:
        """Revoked and expired ones too, the newest first."""
        rows = api_tokens.list_for(user_id=self.user.id)
        return Response([ApiTokenSerializer(row).data for row in rows])

    @extend_schema(
        tags=["api tokens"],
        request=NewApiTokenSerializer,
        responses={201: ShownApiTokenSerializer, **problems(400, 401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Make one. The answer shows it, once. It may read; with `can_trade` it may trade as well."""
        made = api_tokens.create(user=self.user, at=clock.now(), **self.body(NewApiTokenSerializer))
        shown = ShownApiTokenSerializer(made.row, context={"token": made.token})
        return Response(shown.data, status=status.HTTP_201_CREATED)


class ApiTokenView(SessionEndpoint):
    """One API token."""

    @extend_schema(tags=["api tokens"], responses={204: None, **problems(400, 401, 403, 404)})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it, from the next request on."""
        api_tokens.revoke(user_id=self.user.id, token_id=token_id, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
