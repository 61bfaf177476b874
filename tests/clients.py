"""Clients of tests, of the API and of the pages: a stranger, or a person who is logged in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from accounts import page_sessions, sessions
from accounts.models import User
from core import clock
from tests.factories import PASSWORD


class JsonClient(APIClient):
    """Sends JSON; errors of the application are answers, not exceptions."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(raise_request_exception=False, **defaults)
        self.default_format = "json"

    def request(self, **kwargs: Any) -> Any:
        """What is sent bit by bit is read to its end, and then an answer like any other."""
        answer = super().request(**kwargs)
        if not answer.streaming:
            return answer
        body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return HttpResponse(body, status=answer.status_code, headers=dict(answer.headers))


class PageClient(Client):
    """Reads pages; `force_login` begins a session as the log-in page does."""

    def _login(self, user: Any, backend: str | None = None) -> None:
        request = HttpRequest()
        request.session = self.session
        page_sessions.log_in(request, user, at=clock.now())
        request.session.save()
        self._set_login_cookies(request)  # type: ignore[attr-defined]  # unknown to the stubs


def stranger() -> JsonClient:
    return JsonClient()


def client_of(user: User) -> JsonClient:
    """A client with a session of its own. The clock is the real one: access tokens end by it."""
    return with_token(log_in(user).access_token)


def with_token(access_token: str) -> JsonClient:
    return JsonClient(HTTP_AUTHORIZATION=f"Bearer {access_token}")


def log_in(user: User) -> sessions.Tokens:
    return sessions.log_in(email=user.email, password=PASSWORD, at=clock.now())


def problem(response: Any) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, code, and the refused members as (pointer, code), of a problem document."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    return response.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]
