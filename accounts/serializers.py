"""How users and tokens look in the API. Names are the frontend's."""

# ruff: noqa: N815  (names of the frontend)
from typing import Any

from rest_framework import serializers

from accounts.details import EMAIL_LENGTH, NAME_LENGTH, PASSWORD_LENGTH
from accounts.models import User
from core.django.serializers import StrictSerializer

_TOKEN_LENGTH = 200


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


class LogInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=EMAIL_LENGTH)
    password = _password()


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
