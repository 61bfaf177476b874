"""Signing up, confirming addresses by mail, forgotten and changed passwords. A mailed token is sent back in a body."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import passwords, profile, sessions, users
from accounts.models import User
from accounts.permissions import RecentLogIn, SessionOnly
from accounts.serializers import (
    ChangePasswordSerializer,
    EmailSerializer,
    NoBodySerializer,
    OneTimeTokenSerializer,
    RegistrationSerializer,
    ResetPasswordSerializer,
    UserSerializer,
)
from core import clock
from core.django.schema import problems
from core.django.views import Endpoint, PublicEndpoint


class RegisterView(PublicEndpoint):
    """Sign up. The answer holds no tokens: log in next."""

    @extend_schema(
        tags=["user"],
        request=RegistrationSerializer,
        responses={201: UserSerializer, **problems(400, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Where addresses are confirmed by mail, a taken one answers like a free one, and its owner is mailed."""
        user = users.register(**self.body(RegistrationSerializer), at=clock.now())
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


class VerifyEmailView(PublicEndpoint):
    """Confirm one's address by the token that was mailed at sign-up."""

    @extend_schema(tags=["user"], request=OneTimeTokenSerializer, responses={204: None, **problems(400)})
    def post(self, request: Request) -> Response:
        users.verify_email(**self.body(OneTimeTokenSerializer), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResendVerificationView(Endpoint):
    """Ask for another mail to confirm one's address; the token mailed before stops working."""

    permission_classes = (SessionOnly,)

    @extend_schema(tags=["user"], request=None, responses={202: None, **problems(400, 401, 403, 409, 429)})
    def post(self, request: Request) -> Response:
        self.body(NoBodySerializer)
        users.resend_verification(user=cast("User", request.user), at=clock.now())
        return Response(status=status.HTTP_202_ACCEPTED)


class ForgotPasswordView(PublicEndpoint):
    """Ask for a mail to choose a new password. The answer does not tell whether anybody has the address."""

    @extend_schema(tags=["user"], request=EmailSerializer, responses={202: None, **problems(400)})
    def post(self, request: Request) -> Response:
        passwords.ask_reset(**self.body(EmailSerializer), at=clock.now())
        return Response(status=status.HTTP_202_ACCEPTED)


class ResetPasswordView(PublicEndpoint):
    """Choose a new password by the mailed token. Every session and API token of the user ends."""

    @extend_schema(tags=["user"], request=ResetPasswordSerializer, responses={204: None, **problems(400)})
    def post(self, request: Request) -> Response:
        passwords.reset(**self.body(ResetPasswordSerializer), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChangePasswordView(Endpoint):
    """Change the password by the current one. Every other session of the user ends."""

    permission_classes = (SessionOnly,)

    @extend_schema(
        tags=["user"],
        request=ChangePasswordSerializer,
        responses={204: None, **problems(400, 401, 403, 429)},
    )
    def post(self, request: Request) -> Response:
        claims = cast("sessions.Claims", request.auth)
        passwords.change(
            user=cast("User", request.user),
            session_id=claims.session_id,
            at=clock.now(),
            **self.body(ChangePasswordSerializer),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChangeEmailView(Endpoint):
    """Ask to log in with another address. A mail goes there; the change waits until its token comes back."""

    permission_classes = (SessionOnly, RecentLogIn)

    @extend_schema(
        tags=["user"], request=EmailSerializer, responses={202: None, **problems(400, 401, 403, 429)}
    )
    def post(self, request: Request) -> Response:
        user = cast("User", request.user)
        profile.ask_email_change(user=user, **self.body(EmailSerializer), at=clock.now())
        return Response(status=status.HTTP_202_ACCEPTED)


class ConfirmEmailView(PublicEndpoint):
    """Confirm a new address by the token mailed to it."""

    @extend_schema(tags=["user"], request=OneTimeTokenSerializer, responses={204: None, **problems(400, 409)})
    def post(self, request: Request) -> Response:
        profile.confirm_email(**self.body(OneTimeTokenSerializer), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
