"""Bearer tokens: an access token of a session, or an API token; one indexed look-up finds what it stands for."""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import api_tokens, sessions
from accounts.models import User
from core import clock
from core.django import actors


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token or API token>`."""

    def authenticate(self, request: Request) -> tuple[User, sessions.Claims] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        token = text.strip()
        if scheme.lower() != "bearer" or not token:
            return None
        at = clock.now()
        if token.startswith(api_tokens.PREFIX):
            user, claims = api_tokens.authenticate(token=token, at=at)
        else:
            user, claims = sessions.authenticate(access_token=token, at=at)
        actors.identify(user_id=user.id, token_id=claims.token_id)
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{settings.SPECTACULAR_SETTINGS["TITLE"]}"'
