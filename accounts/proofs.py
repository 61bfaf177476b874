"""Showing who one is: password and, where it is on, the second factor. Every attempt is counted before it is checked.

One hash is computed for every attempt that is checked, whether the e-mail exists or not.
"""

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password

from accounts import attempts, audit, hashers, two_factor
from accounts.audit import Action
from accounts.errors import InvalidCode, InvalidCredentials, SecondFactorRequired, Unconfirmed
from accounts.models import User
from core.django import actors
from core.errors import NotAuthenticated


def identify(*, email: str, password: str, code: str | None = None, at: datetime) -> User:
    """The living, active user of these. Raises TooManyAttempts, InvalidCredentials, SecondFactorRequired, InvalidCode.

    Not inside a transaction: the count of attempts has to outlive a refusal.
    """
    try:
        user = User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        user = None
    return _prove(user, email=email, password=password, code=code, at=at)


def second_step(*, user: User, code: str, at: datetime) -> None:
    """The code of somebody whose password was just right. Raises TooManyAttempts, InvalidCode."""
    attempt = attempts.begin(email=user.email, at=at)
    _check_code(user, code, at)
    attempt.succeed()


def confirm(*, user: User, password: str, code: str | None = None, at: datetime) -> None:
    """Somebody who is logged in shows it again. Raises TooManyAttempts, Unconfirmed (with the reason)."""
    try:
        _prove(user, email=user.email, password=password, code=code, at=at)
    except NotAuthenticated as error:
        raise Unconfirmed(error.message, reason=error.code) from None


def confirm_password(*, user: User, password: str, at: datetime) -> bool:
    """Whether it is the user's password, where no second factor is asked for. Raises TooManyAttempts."""
    attempt = attempts.begin(email=user.email, at=at)
    if not check_password(password, hashers.normalise(user.password)):
        return False
    attempt.withdraw()
    return True


def _prove(user: User | None, *, email: str, password: str, code: str | None, at: datetime) -> User:
    attempt = attempts.begin(email=email, at=at)
    if user is None:
        make_password(password)  # as long as a real check takes
        raise _wrong_password(None)
    right = check_password(password, hashers.normalise(user.password), setter=lambda raw: _upgrade(user, raw))
    if not right or not user.is_active:
        raise _wrong_password(user)
    if two_factor.is_on(user_id=user.id):
        if not code:
            attempt.withdraw()
            raise SecondFactorRequired(user)
        _check_code(user, code, at)
    attempt.succeed()
    return user


def _check_code(user: User, code: str, at: datetime) -> None:
    if not two_factor.accepts(user_id=user.id, code=code, at=at):
        audit.record(Action.LOG_IN_REFUSED, user_id=user.id, reason=InvalidCode.code)
        raise InvalidCode("This code is wrong, or was used before: wait for the next one.")


def _wrong_password(user: User | None) -> InvalidCredentials:
    """Recorded for everybody, so that existing users answer no later than others."""
    audit.record(
        Action.LOG_IN_REFUSED, user_id=None if user is None else user.id, reason=InvalidCredentials.code
    )
    return InvalidCredentials("E-mail or password is wrong.")


def _upgrade(user: User, raw: str) -> None:
    """Store the password by today's hasher; of parallel log-ins, one does."""
    before, user.password = user.password, make_password(raw)
    with actors.stamped():
        won = User.objects.filter(id=user.id, password=before).update(password=user.password)
    if not won:
        user.refresh_from_db(fields=["password"])
        if not check_password(raw, user.password):  # it was changed, not upgraded
            user.password = before
