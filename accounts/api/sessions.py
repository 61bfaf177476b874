"""New tokens for old ones, logging out. Logging in answers more than this room knows: see web.api."""

from typing import cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sessions
from accounts.serializers import LogOutSerializer, RefreshSerializer, TokensSerializer
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


class LogOutView(Endpoint):
    """End the session of the access token, and that of the refresh token if one is sent, from the next request on."""

    @extend_schema(tags=["session"], request=LogOutSerializer, responses={204: None, **problems(400, 401)})
    def post(self, request: Request) -> Response:
        claims = cast("sessions.Claims", request.auth)
        refresh_token = self.body(LogOutSerializer).get("refresh_token")
        sessions.log_out(refresh_token=refresh_token, session_id=claims.session_id, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
