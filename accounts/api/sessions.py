"""What keeps and ends a session, and what it may do. Logging in answers more than this room knows: see web.api."""

from typing import cast
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sessions
from accounts.models import User
from accounts.permissions import SessionOnly
from accounts.serializers import (
    LogOutEverywhereSerializer,
    LogOutSerializer,
    RefreshSerializer,
    SessionSerializer,
    StepUpSerializer,
    TokensSerializer,
)
from core import clock
from core.django.schema import problems
from core.django.views import Endpoint, PublicEndpoint


@method_decorator(never_cache, name="dispatch")
class RefreshView(PublicEndpoint):
    """Exchange a refresh token for its successor and a new access token. Each works once; twice ends the session."""

    @extend_schema(
        tags=["session"],
        request=RefreshSerializer,
        responses={200: TokensSerializer, **problems(400, 401)},
    )
    def post(self, request: Request) -> Response:
        tokens = sessions.refresh(**self.body(RefreshSerializer), at=clock.now())
        return Response(TokensSerializer(tokens).data)


class SessionEndpoint(Endpoint):
    """For people who are logged in; no API token passes."""

    permission_classes: tuple[type[BasePermission], ...] = (SessionOnly,)

    @property
    def user(self) -> User:
        return cast("User", self.request.user)

    @property
    def session_id(self) -> UUID:
        return cast("UUID", cast("sessions.Claims", self.request.auth).session_id)


class LogOutView(SessionEndpoint):
    """End the session of the access token, and that of the refresh token if one is sent, from the next request on."""

    @extend_schema(
        tags=["session"], request=LogOutSerializer, responses={204: None, **problems(400, 401, 403)}
    )
    def post(self, request: Request) -> Response:
        refresh_token = self.body(LogOutSerializer).get("refresh_token")
        sessions.log_out(refresh_token=refresh_token, session_id=self.session_id, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogOutEverywhereView(SessionEndpoint):
    """End all one's sessions, of the API and the pages, from the next request on. API tokens go on."""

    @extend_schema(
        tags=["session"],
        request=LogOutEverywhereSerializer,
        responses={204: None, **problems(400, 401, 403)},
    )
    def post(self, request: Request) -> Response:
        keep = self.body(LogOutEverywhereSerializer)["keep_current"]
        sessions.revoke_all(
            user_id=self.user.id,
            except_session=self.session_id if keep else None,
            reason="log-out everywhere",
            at=clock.now(),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionsView(SessionEndpoint):
    """One's living sessions, the last used first."""

    @extend_schema(tags=["session"], responses={200: SessionSerializer(many=True), **problems(400, 401, 403)})
    def get(self, request: Request) -> Response:
        rows = sessions.list_for(user_id=self.user.id, at=clock.now())
        context = {"current": self.session_id}
        return Response([SessionSerializer(row, context=context).data for row in rows])


class SessionView(SessionEndpoint):
    """One session."""

    @extend_schema(tags=["session"], responses={204: None, **problems(400, 401, 403, 404)})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End it, from the next request on; it may be the current one."""
        sessions.revoke(
            user_id=self.user.id, session_id=session_id, reason="ended by its user", at=clock.now()
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


@method_decorator(never_cache, name="dispatch")
class StepUpView(SessionEndpoint):
    """Show password and second factor again: for a few minutes keys, tokens and live trading may be touched."""

    @extend_schema(
        tags=["session"], request=StepUpSerializer, responses={204: None, **problems(400, 401, 403, 429)}
    )
    def post(self, request: Request) -> Response:
        sessions.step_up(
            user=self.user, session_id=self.session_id, at=clock.now(), **self.body(StepUpSerializer)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
