"""How users and tokens look in the API. Names are the frontend's."""

# ruff: noqa: N815  (names of the frontend)
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import api_tokens
from accounts.details import EMAIL_LENGTH, NAME_LENGTH, PASSWORD_LENGTH
from accounts.models import ApiToken, Session, User
from core.django.serializers import StrictSerializer

_TOKEN_LENGTH = 200
_CODE_LENGTH = 40


def _password() -> serializers.CharField:
    return serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False, write_only=True)


class NoBodySerializer(StrictSerializer):
    """Nothing is to be sent."""


class RegistrationSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=EMAIL_LENGTH)
    name = serializers.CharField(max_length=NAME_LENGTH)
    password = _password()
    date_of_birth = serializers.DateTimeField(
        required=False, allow_null=True, help_text="A date will do; it is taken as UTC."
    )


class EmailSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=EMAIL_LENGTH)


class OneTimeTokenSerializer(StrictSerializer):
    token = serializers.CharField(max_length=_TOKEN_LENGTH, write_only=True)


class ResetPasswordSerializer(StrictSerializer):
    token = serializers.CharField(max_length=_TOKEN_LENGTH, write_only=True)
    password = _password()


class ChangePasswordSerializer(StrictSerializer):
    current_password = _password()
    new_password = _password()


def _code(*, required: bool) -> serializers.CharField:
    text = "Of the authenticator app, or a recovery code."
    return serializers.CharField(
        max_length=_CODE_LENGTH,
        required=required,
        allow_null=not required,
        allow_blank=not required,
        write_only=True,
        help_text=text,
    )


class LogInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=EMAIL_LENGTH)
    password = _password()
    code = _code(required=False)


class StepUpSerializer(StrictSerializer):
    password = _password()
    code = _code(required=False)


class CodeSerializer(StrictSerializer):
    code = serializers.CharField(max_length=_CODE_LENGTH, write_only=True)


class LogOutEverywhereSerializer(StrictSerializer):
    keep_current = serializers.BooleanField(default=False, help_text="Leave the session that asks alone.")


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=200)


class LogOutSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=200, required=False, allow_null=True, allow_blank=True)


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()


class UserSerializer(serializers.Serializer[User]):
    id = serializers.UUIDField()
    email = serializers.CharField()
    displayName = serializers.CharField(source="name")
    createdAt = serializers.DateTimeField(source="created_at")


class SessionSerializer(serializers.Serializer[Session]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Session.Kind.choices)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    expires_at = serializers.DateTimeField()
    ip_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()
    is_current = serializers.SerializerMethodField(help_text="Whether it is the one that asks.")

    def get_is_current(self, session: Session) -> bool:
        return bool(session.id == self.context["current"])


class TwoFactorSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class SetUpSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, for typing it into an app.")
    otpauth_uri = serializers.CharField(help_text="For a QR code.")


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField())


class NewApiTokenSerializer(StrictSerializer):
    name = serializers.CharField(max_length=api_tokens.NAME_LENGTH)
    can_trade = serializers.BooleanField(default=False)
    expires_in_days = serializers.IntegerField(min_value=1, max_value=api_tokens.LONGEST_DAYS)


class ApiTokenSerializer(serializers.Serializer[ApiToken]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="The token's last four characters.")
    scopes = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=["read", "trade"])))
    def get_scopes(self, row: ApiToken) -> list[str]:
        return ["read", "trade"] if row.can_trade else ["read"]


class ShownApiTokenSerializer(ApiTokenSerializer):
    token = serializers.SerializerMethodField(help_text="Shown this once.")

    def get_token(self, row: ApiToken) -> str:
        return str(self.context["token"])
