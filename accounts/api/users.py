"""Signing up."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import users
from accounts.serializers import RegistrationSerializer, UserSerializer
from core import clock
from core.django.schema import problems
from core.django.views import PublicEndpoint


class RegisterView(PublicEndpoint):
    """Sign up. The answer holds no tokens: log in next."""

    @extend_schema(
        tags=["session"],
        request=RegistrationSerializer,
        responses={201: UserSerializer, **problems(400, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        user = users.register(**self.body(RegistrationSerializer), at=clock.now())
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)
