"""Signing up, and confirming the address by mail."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from accounts import details, mail, mail_limits, one_time
from accounts.mail_limits import TooManyMails
from accounts.models import User
from accounts.one_time import Purpose
from core.django import actors
from core.errors import Conflict, DomainError, NotAuthenticated


class SignUpClosed(DomainError):
    """The operator lets nobody sign up (SIGN_UP_OPEN)."""

    code = "sign_up_closed"
    status = HTTPStatus.FORBIDDEN


class EmailTaken(Conflict):
    """A living user has this e-mail. Said only where addresses are not confirmed by mail: there the person at the
    form must learn why there is no new user."""

    code = "email_taken"


class AlreadyVerified(Conflict):
    code = "already_verified"


class EmailNotVerified(DomainError):
    """Unverified users may look around, but not trust the server with a key."""

    code = "email_not_verified"
    status = HTTPStatus.FORBIDDEN


def register(
    *, email: str, name: str, password: str, date_of_birth: datetime | None = None, at: datetime
) -> User:
    """A new user, not yet verified. Raises SignUpClosed, Invalid (weak password, birth to come) or EmailTaken.

    Where addresses are confirmed by mail (VERIFY_EMAIL) a taken one answers exactly like a free one: with a user that
    was never stored; its owner is told by mail. The password is hashed before anybody is looked for.
    """
    if not settings.SIGN_UP_OPEN:
        raise SignUpClosed("Signing up is closed on this server.")
    user = User(
        email=details.clean_email(email),
        name=details.clean_name(name),
        date_of_birth=date_of_birth,
        password_updated_at=at,
    )
    details.check_birth(date_of_birth, at=at)
    details.check_password(password, user)
    user.set_password(password)
    try:
        _insert(user)
    except EmailTaken:
        if not settings.VERIFY_EMAIL:
            raise
        if mail_limits.take(user.email, at=at):
            tell_taken(user.email)
        return user
    if settings.VERIFY_EMAIL and mail_limits.take(user.email, at=at):
        _mail_verification(user, at)
    return user


def create(
    *, email: str, name: str, password: str | None = None, encoded: str = "", at: datetime, **fields: Any
) -> User:
    """A user made by an operator, with a password or the stored form of one. Raises Invalid, EmailTaken."""
    user = User(
        email=details.clean_email(email), name=details.clean_name(name), password_updated_at=at, **fields
    )
    if password is None:
        user.password = encoded
    else:
        details.check_password(password, user)
        user.set_password(password)
    _insert(user)
    return user


def verify_email(*, token: str, at: datetime) -> None:
    """The address is its user's. Raises InvalidOneTimeToken."""
    one_time.redeem(purpose=Purpose.VERIFY, token=token, at=at, is_verified=True)


def resend_verification(*, user: User, at: datetime) -> None:
    """Mail a new link in place of the last one. Raises AlreadyVerified, TooManyMails."""
    if user.is_verified:
        raise AlreadyVerified("This address is confirmed already.")
    if not mail_limits.take(user.email, at=at):
        raise TooManyMails(
            "Several links were mailed already: look for the last one, or ask again in a while."
        )
    _mail_verification(user, at)


def require_verified(user: User) -> None:
    """Raises EmailNotVerified where addresses are to be confirmed and this user's is not."""
    if settings.VERIFY_EMAIL and not user.is_verified:
        raise EmailNotVerified(
            "Confirm your e-mail address first: open the link that was mailed to you, or ask for another one."
        )


def require_living(user_id: UUID) -> None:
    """Raises NotAuthenticated for a user who was closed since the request began."""
    if not User.objects.filter(id=user_id, is_deleted=False).exists():
        raise NotAuthenticated("This account was closed a moment ago.")


def tell_taken(email: str) -> None:
    """Tell the owner of an address that somebody tried to use it for another account."""
    owner = living(email)
    if owner is not None:
        link = page("forgot-password")
        mail.send("address_taken", to=owner.email, subject="You have an account already", link=link)


def living(email: str) -> User | None:
    """The user of an address as `details.clean_email` writes it."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        return None


def page(path: str, **query: str) -> str:
    """Where a mailed link leads."""
    return f"{settings.SITE_URL}/{path}" + (f"?{urlencode(query)}" if query else "")


def _insert(user: User) -> None:
    try:
        with actors.stamped():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken("A user with this e-mail exists: log in instead.") from None


def _mail_verification(user: User, at: datetime) -> None:
    token = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=at)
    link = page("verify-email", token=token)
    mail.send("verify_email", to=user.email, subject="Confirm your e-mail address", link=link)
