"""The logged-in user: shown, changed, closed. Names are the frontend's `User`, with more beside."""

# ruff: noqa: N815  (names of the frontend)
from typing import Any, cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.details import NAME_LENGTH, PASSWORD_LENGTH
from accounts.models import User
from accounts.models.users import COST_METHODS, COST_SCOPES
from accounts.permissions import RecentLogIn, SessionOnly, TokenScope
from core import clock
from core.django.schema import problems
from core.django.serializers import StrictSerializer
from core.django.views import Endpoint
from web import profiles


class ProfileSerializer(serializers.Serializer[profiles.Profile]):
    id = serializers.UUIDField(source="user.id")
    email = serializers.CharField(source="user.email")
    displayName = serializers.CharField(source="user.name")
    createdAt = serializers.DateTimeField(source="user.created_at")
    configuredExchanges = serializers.ListField(source="configured_exchanges", child=serializers.CharField())
    isVerified = serializers.BooleanField(source="user.is_verified")
    twoFactorEnabled = serializers.BooleanField(source="two_factor")
    pendingEmail = serializers.CharField(
        source="user.pending_email", help_text="An address that waits for its confirmation; or empty."
    )
    dateOfBirth = serializers.DateTimeField(source="user.date_of_birth", allow_null=True)
    reportingCurrency = serializers.CharField(source="user.reporting_currency")
    costMethod = serializers.CharField(source="user.cost_method")
    costScope = serializers.CharField(source="user.cost_scope")
    booksToRecompute = serializers.IntegerField(
        source="books_to_recompute",
        help_text="Books that the background still folds anew, after another cost method, say; 0: all is done.",
    )


class ProfileChangeSerializer(StrictSerializer):
    """Members are those of signing up."""

    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    date_of_birth = serializers.DateTimeField(
        required=False, allow_null=True, help_text="A date will do; it is taken as UTC."
    )
    cost_method = serializers.ChoiceField(
        choices=list(COST_METHODS), required=False, help_text="Every book is folded anew by it."
    )
    cost_scope = serializers.ChoiceField(
        choices=list(COST_SCOPES),
        required=False,
        help_text="`account`: a sale consumes what its own account bought; `all`: what any of the user's accounts"
        " did. Every book is folded anew by it.",
    )


class CloseSerializer(StrictSerializer):
    password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False, write_only=True)


class _BodyOfDelete(AutoSchema):
    """The generator leaves bodies of DELETE out; ours has one, and says so."""

    def _get_request_body(self, direction: str = "request") -> Any:
        method, self.method = self.method, "POST" if self.method == "DELETE" else self.method
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method


@method_decorator(never_cache, name="dispatch")
class MeView(Endpoint):
    """Who the access token speaks for."""

    schema = _BodyOfDelete()

    def get_permissions(self) -> list[BasePermission]:
        """Everybody may look; programs change nothing; leaving needs a fresh log-in."""
        method = "GET" if self.request is None else self.request.method
        if method == "DELETE":
            return [SessionOnly(), RecentLogIn()]
        return [SessionOnly() if method == "PATCH" else TokenScope()]

    @extend_schema(tags=["user"], responses={200: ProfileSerializer, **problems(401)})
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(profiles.profile_of(cast("User", request.user))).data)

    @extend_schema(
        tags=["user"],
        request=ProfileChangeSerializer,
        responses={200: ProfileSerializer, **problems(400, 401, 403)},
    )
    def patch(self, request: Request) -> Response:
        """Change what is given. The address has a route of its own: it is confirmed by mail."""
        changes = self.body(ProfileChangeSerializer)
        profile = profiles.update(user=cast("User", request.user), at=clock.now(), **changes)
        return Response(ProfileSerializer(profile).data)

    @extend_schema(
        tags=["user"], request=CloseSerializer, responses={204: None, **problems(400, 401, 403, 429)}
    )
    def delete(self, request: Request) -> Response:
        """Close one's account for good: exchange keys are destroyed, every session and API token ends, what is
        personal is erased. Trades stay, nobody's any more. Needs a fresh log-in and the password."""
        user = cast("User", request.user)
        profiles.close_user(user=user, **self.body(CloseSerializer), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
