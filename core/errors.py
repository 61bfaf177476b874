"""The base of every error a user may be shown. Each has a stable code; `core.django.problems` makes HTTP of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar


class DomainError(Exception):
    """Expected failure: its text says what happened and what to do, and holds no secret."""

    code: ClassVar[str] = "error"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details


class NotFound(DomainError):
    """No such object, or not this user's: both answer alike."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class Invalid(DomainError):
    """Input that breaks a rule; `details['errors']` may list {pointer, code, detail}."""

    code = "invalid"


class Conflict(DomainError):
    """The state of things forbids it."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class NotAuthenticated(DomainError):
    """Missing, wrong or dead credentials of our own."""

    code = "not_authenticated"
    status = HTTPStatus.UNAUTHORIZED
