"""What people type about themselves: e-mail addresses, names, passwords. Cleaned, or refused with the reason."""

import unicodedata
from datetime import datetime
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

from accounts.models import User
from core.errors import Invalid

EMAIL_LENGTH: Final = 254
NAME_LENGTH: Final = 150
PASSWORD_LENGTH: Final = 128  # longer ones would only cost hashing time


def clean_email(text: str, *, pointer: str = "/email") -> str:
    """An address as it is stored: ASCII, its domain normalised (nameprep) to punycode in lower case. Raises Invalid.

    Letters that merely look alike, or become alike in lower case, so never name the same account.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{punycode(domain).lower()}"
        validate_email(address)
    except (ValidationError, UnicodeError):
        raise invalid(pointer, "invalid", "Enter a valid e-mail address.") from None
    if len(address) > EMAIL_LENGTH or not (address.isascii() and address.isprintable()):
        raise invalid(pointer, "invalid", "Enter a valid e-mail address.")
    return address


def clean_name(text: str, *, pointer: str = "/name") -> str:
    """A name without surrounding blanks, composed (NFC). Raises Invalid when it is empty, long or unprintable."""
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise invalid(pointer, "blank", "Enter a name.")
    if len(name) > NAME_LENGTH:
        raise invalid(pointer, "max_length", f"A name has at most {NAME_LENGTH} characters.")
    if not name.isprintable():
        raise invalid(pointer, "unprintable", "A name has no control characters.")
    return name


def check_birth(born: datetime | None, *, at: datetime, pointer: str = "/date_of_birth") -> None:
    """Raises Invalid for a date of birth that is still to come."""
    if born is not None and born > at:
        raise invalid(pointer, "in_the_future", "This date of birth is in the future.")


def check_password(password: str, user: User, *, pointer: str = "/password") -> None:
    """Raises Invalid for a password that is too long, weak, or close to the user's name or e-mail."""
    if len(password) > PASSWORD_LENGTH:
        detail = f"A password has at most {PASSWORD_LENGTH} characters."
        raise invalid(pointer, "max_length", detail)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        raise invalid(pointer, "unprintable", "A password has no control characters.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        reasons = [
            {"pointer": pointer, "code": reason.code, "detail": " ".join(reason.messages)}
            for reason in error.error_list
        ]
        raise Invalid(" ".join(error.messages), errors=reasons) from None


def invalid(pointer: str, code: str, detail: str) -> Invalid:
    """One refused member."""
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])
