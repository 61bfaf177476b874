"""The second factor: setting it up, new recovery codes, switching it off."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import two_factor
from accounts.api.sessions import SessionEndpoint
from accounts.permissions import RecentLogIn, SessionOnly
from accounts.serializers import (
    CodeSerializer,
    NoBodySerializer,
    RecoveryCodesSerializer,
    SetUpSerializer,
    TwoFactorSerializer,
)
from core import clock
from core.django.schema import problems

_CHANGES = (SessionOnly, RecentLogIn)


class TwoFactorView(SessionEndpoint):
    """Two-factor authentication by an authenticator app."""

    def get_permissions(self) -> list[BasePermission]:
        """Looking is free; changing needs a fresh log-in."""
        kinds = (SessionOnly,) if self.request is None or self.request.method == "GET" else _CHANGES
        return [kind() for kind in kinds]

    @extend_schema(tags=["two-factor"], responses={200: TwoFactorSerializer, **problems(400, 401, 403)})
    def get(self, request: Request) -> Response:
        return Response(TwoFactorSerializer(two_factor.state(user_id=self.user.id)).data)

    @extend_schema(
        tags=["two-factor"],
        request=None,
        responses={201: SetUpSerializer, **problems(400, 401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Begin: a secret for the app, shown once. Nothing is asked for until a code confirms it."""
        self.body(NoBodySerializer)
        made = two_factor.begin(user=self.user, at=clock.now())
        return Response(SetUpSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["two-factor"], responses={204: None, **problems(400, 401, 403, 409)})
    def delete(self, request: Request) -> Response:
        """Switch it off; the secret and the recovery codes are destroyed."""
        two_factor.switch_off(user=self.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConfirmTwoFactorView(SessionEndpoint):
    """Switch it on by a code of the app."""

    permission_classes = _CHANGES

    @extend_schema(
        tags=["two-factor"],
        request=CodeSerializer,
        responses={200: RecoveryCodesSerializer, **problems(400, 401, 403, 409, 429)},
    )
    def post(self, request: Request) -> Response:
        """The answer holds the recovery codes, shown once."""
        codes = two_factor.confirm(user=self.user, at=clock.now(), **self.body(CodeSerializer))
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class RecoveryCodesView(SessionEndpoint):
    """Ten new recovery codes, shown once; the old ones stop working."""

    permission_classes = _CHANGES

    @extend_schema(
        tags=["two-factor"],
        request=None,
        responses={201: RecoveryCodesSerializer, **problems(400, 401, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        self.body(NoBodySerializer)
        codes = two_factor.renew_recovery_codes(user=self.user)
        return Response(
            RecoveryCodesSerializer({"recovery_codes": codes}).data, status=status.HTTP_201_CREATED
        )
