"""Logging in: the tokens, and the user together with the exchanges they connected."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers import LogInSerializer
from core import clock
from core.django.schema import problems
from core.django.views import PublicEndpoint
from web import profiles
from web.api.profile import ProfileSerializer


class LoggedInSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField(source="tokens.access_token")
    refresh_token = serializers.CharField(source="tokens.refresh_token")
    user = ProfileSerializer(source="profile")


@method_decorator(never_cache, name="dispatch")
class LogInView(PublicEndpoint):
    """Log in with e-mail and password, and where two-factor authentication is on, a code.

    The answer is the same whether the e-mail or the password is wrong. Without the code a right password answers 401
    `second_factor_required`.
    """

    @extend_schema(
        tags=["session"],
        request=LogInSerializer,
        responses={200: LoggedInSerializer, **problems(400, 401, 429)},
    )
    def post(self, request: Request) -> Response:
        logged_in = profiles.log_in(**self.body(LogInSerializer), at=clock.now())
        return Response(LoggedInSerializer(logged_in).data)
