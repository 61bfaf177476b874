"""Forgotten and changed passwords. A new password ends every other way in."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password

from accounts import (
    api_tokens,
    attempts,
    details,
    mail,
    mail_limits,
    one_time,
    proofs,
    sessions,
    two_factor,
    users,
)
from accounts.models import User
from accounts.one_time import Purpose
from core.django import actors


def ask_reset(*, email: str, at: datetime) -> None:
    """Mail a link to choose a new password, if somebody has this address. Raises Invalid.

    Nothing tells whether, nor how long it takes: for nobody the same is done, and the mail goes nowhere.
    """
    address = details.clean_email(email)
    if not mail_limits.take(address, at=at):
        return
    user = users.living(address)
    owner = user if user is not None and user.is_active else User()
    token = one_time.issue(user_id=owner.id, purpose=Purpose.RESET, at=at)
    link = users.page("reset-password", token=token)
    mail.send("reset_password", to=owner.email, subject="Choose a new password", link=link)


def reset(*, token: str, password: str, at: datetime) -> None:
    """Set a new password by a mailed token; every session and API token ends. Raises InvalidOneTimeToken, Invalid.

    A refused password leaves the token good. Who can read the mail owns the address: it counts as verified, and no
    failed log-ins of before keep its owner out.
    """
    user = one_time.find(purpose=Purpose.RESET, token=token, at=at)
    details.check_password(password, user)
    encoded = make_password(password)
    with actors.stamped():
        one_time.redeem(
            purpose=Purpose.RESET,
            token=token,
            at=at,
            password=encoded,
            password_updated_at=at,
            is_verified=True,
        )
        sessions.revoke_all(user_id=user.id, except_session=None, reason="password reset", at=at)
        api_tokens.revoke_all(user_id=user.id, at=at)
        if not two_factor.is_on(user_id=user.id):  # else who reads the mail could try codes without end
            attempts.start_anew(email=user.email)
    _tell_changed(user)


def change(
    *, user: User, current_password: str, new_password: str, session_id: UUID | None, at: datetime
) -> None:
    """Set a new password by the old one; every session but this one ends, and so does a mailed link.

    Raises Invalid for a wrong current or a refused new password, TooManyAttempts. Not inside a transaction.
    """
    verify(user=user, password=current_password, at=at, pointer="/current_password")
    details.check_password(new_password, user, pointer="/new_password")
    encoded = make_password(new_password)
    with actors.stamped():
        User.objects.filter(id=user.id, is_deleted=False).update(
            password=encoded,
            password_updated_at=at,
            secret_token=None,
            secret_token_created_at=None,
            pending_email="",
            updated_at=at,
        )
        sessions.revoke_all(user_id=user.id, except_session=session_id, reason="password changed", at=at)
    _tell_changed(user)


def verify(*, user: User, password: str, at: datetime, pointer: str = "/password") -> None:
    """Raises Invalid when this is not the user's password, TooManyAttempts. Not inside a transaction."""
    if not proofs.confirm_password(user=user, password=password, at=at):
        raise details.invalid(pointer, "wrong_password", "This is not your password.")


def _tell_changed(user: User) -> None:
    mail.send("password_changed", to=user.email, subject="Your password was changed")
