"""What users change about themselves: name, birth, address; and how they leave."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.db.models import F

from accounts import api_tokens, details, mail, mail_limits, one_time, recovery_codes, sessions, users
from accounts.mail_limits import TooManyMails
from accounts.models import TwoFactor, User
from accounts.one_time import Purpose
from core.django import actors

_CLOSED: Final = "account closed"


def update(*, user: User, at: datetime, **changes: Any) -> User:
    """Change `name`, `date_of_birth`, `cost_method` or `cost_scope`, those that are given. Raises Invalid."""
    if "name" in changes:
        changes["name"] = details.clean_name(changes["name"])
    details.check_birth(changes.get("date_of_birth"), at=at)
    with actors.stamped():
        User.objects.filter(id=user.id, is_deleted=False).update(**changes, updated_at=at)
    user.refresh_from_db(fields=[*changes, "updated_at"])
    return user


def ask_email_change(*, user: User, email: str, at: datetime) -> None:
    """Mail a link to the new address; it takes effect when that is opened. Raises Invalid, TooManyMails.

    Nothing tells whether somebody else has the address; if so, its owner is told by mail instead.
    """
    address = details.clean_email(email)
    if address == user.email:
        raise details.invalid("/email", "unchanged", "This is your address already.")
    if not mail_limits.take(address, at=at):
        raise TooManyMails("Several mails went to this address already: ask again in a while.")
    token = one_time.issue(user_id=user.id, purpose=Purpose.EMAIL, at=at, pending_email=address)
    owner = users.living(address)
    if owner is not None and owner.id != user.id:
        users.tell_taken(address)
        return
    link = users.page("confirm-email", token=token)
    mail.send("confirm_email", to=address, subject="Confirm your new e-mail address", link=link)


def confirm_email(*, token: str, at: datetime) -> None:
    """The new address is the user's, and verified; the old one is told. Raises InvalidOneTimeToken, EmailTaken."""
    user = one_time.find(purpose=Purpose.EMAIL, token=token, at=at)
    try:
        one_time.redeem(
            purpose=Purpose.EMAIL,
            token=token,
            at=at,
            email=F("pending_email"),
            pending_email="",
            is_verified=True,
        )
    except IntegrityError:
        raise users.EmailTaken("Somebody else has this address by now.") from None
    mail.send("email_changed", to=user.email, subject="Your e-mail address was changed")


def erase(*, user: User, at: datetime) -> None:
    """Close a user for good: nothing personal stays in the row, nothing opens it, and the address is free again.

    What other rooms keep for the user is closed by whoever calls this, in the same transaction.
    """
    address = user.email
    with actors.stamped():
        User.objects.filter(id=user.id).update(
            is_deleted=True,
            is_active=False,
            deleted_at=at,
            updated_at=at,
            email=erased_email(user.id),
            name="",
            date_of_birth=None,
            password=make_password(None),
            pending_email="",
            secret_token=None,
            secret_token_created_at=None,
        )
        sessions.revoke_all(user_id=user.id, except_session=None, reason=_CLOSED, at=at)
        api_tokens.revoke_all(user_id=user.id, at=at)
        TwoFactor.objects.filter(user_id=user.id).delete()
        recovery_codes.destroy(user_id=user.id)
    mail.send("account_closed", to=address, subject="Your account was closed")


def erased_email(user_id: UUID) -> str:
    """Stands where an address was; `.invalid` is nobody's (RFC 2606)."""
    return f"{user_id}@erased.invalid"
