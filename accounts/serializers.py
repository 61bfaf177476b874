"""How users and tokens look in the API. Names are the frontend's."""

# ruff: noqa: N815  (names of the frontend)
from typing import Any

from rest_framework import serializers

from accounts.models import User
from core.django.serializers import StrictSerializer

_PASSWORD_LENGTH = 128  # longer ones would only cost hashing time


class RegistrationSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)
    date_of_birth = serializers.DateTimeField(
        required=False, allow_null=True, help_text="A date will do; it is taken as UTC."
    )


class LogInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)


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
