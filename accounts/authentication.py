"""Bearer tokens: simplejwt verifies the signature, one indexed look-up finds the living session."""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import sessions
from accounts.models import User
from core import clock
from core.django import actors


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`."""

    def authenticate(self, request: Request) -> tuple[User, sessions.Claims] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        at = clock.now()
        user, claims = sessions.authenticate(access_token=token.strip(), at=at)
        sessions.note_seen(user, at)
        actors.identify(user_id=user.id)
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{settings.SPECTACULAR_SETTINGS["TITLE"]}"'
