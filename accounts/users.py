"""Signing up."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from core.errors import Conflict, DomainError, Invalid


class SignUpClosed(DomainError):
    """The operator lets nobody sign up (SIGN_UP_OPEN)."""

    code = "sign_up_closed"
    status = HTTPStatus.FORBIDDEN


class EmailTaken(Conflict):
    """A living user has this e-mail. It tells that the e-mail exists: until sign-up is confirmed by mail, the
    person at the form must learn why there is no new user."""

    code = "email_taken"


def register(
    *, email: str, name: str, password: str, date_of_birth: datetime | None = None, at: datetime
) -> User:
    """A new user, not yet verified. Raises SignUpClosed, Invalid (weak password, birth to come) or EmailTaken."""
    if not settings.SIGN_UP_OPEN:
        raise SignUpClosed("Signing up is closed on this server.")
    if date_of_birth is not None and date_of_birth > at:
        raise _invalid("/date_of_birth", "in_the_future", "This date of birth is in the future.")
    _refuse_weak(password, User(email=email, name=name))
    try:
        with transaction.atomic():
            return User.objects.create_user(
                email, password, name=name, date_of_birth=date_of_birth, password_updated_at=at
            )
    except IntegrityError:
        raise EmailTaken("A user with this e-mail exists: log in instead.") from None


def _refuse_weak(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        reasons = [
            {"pointer": "/password", "code": reason.code, "detail": " ".join(reason.messages)}
            for reason in error.error_list
        ]
        raise Invalid(" ".join(error.messages), errors=reasons) from None


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    errors: list[dict[str, Any]] = [{"pointer": pointer, "code": code, "detail": detail}]
    return Invalid(detail, errors=errors)
