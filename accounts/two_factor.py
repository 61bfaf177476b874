"""Two-factor authentication by time-based one-time codes (RFC 6238, pyotp): 30 seconds, six digits, each works once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyotp
from django.conf import settings
from pyotp.exceptions import OTPVerificationError

from accounts import attempts, details, mail, recovery_codes
from accounts.models import TwoFactor, User
from core.django import actors, sealing
from core.errors import Conflict

SET_UP_TIME: Final = timedelta(minutes=15)
_DIGITS: Final = 6
_STEPS_OFF: Final = 1  # clocks of telephones are a little early or late


class TwoFactorIsOn(Conflict):
    code = "two_factor_on"


class TwoFactorIsOff(Conflict):
    code = "two_factor_off"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What an authenticator app needs, shown once: the secret as base32 text, and as the link of a QR code."""

    secret: str
    otpauth_uri: str


@dataclass(frozen=True, slots=True)
class State:
    enabled: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


def state(*, user_id: UUID) -> State:
    row = TwoFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    if row is None:
        return State(enabled=False, confirmed_at=None, recovery_codes_left=0)
    return State(
        enabled=True, confirmed_at=row.confirmed_at, recovery_codes_left=recovery_codes.left(user_id=user_id)
    )


def is_on(*, user_id: UUID) -> bool:
    return TwoFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()


def begin(*, user: User, at: datetime) -> SetUp:
    """A new secret, asked for only once it is confirmed. Raises TwoFactorIsOn."""
    secret = pyotp.random_base32()
    with actors.stamped():
        _hold(user.id)
        if is_on(user_id=user.id):
            raise TwoFactorIsOn("Two-factor authentication is on already: switch it off first.")
        TwoFactor.objects.filter(user_id=user.id).delete()
        row = TwoFactor(user_id=user.id, created_at=at)
        sealing.seal(row, secret=secret)
        row.save(force_insert=True)
    issuer = str(settings.SPECTACULAR_SETTINGS["TITLE"])
    return SetUp(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer))


def confirm(*, user: User, code: str, at: datetime) -> list[str]:
    """The app works: switch it on and answer the recovery codes. Raises TooManyAttempts, TwoFactorIsOff, Invalid."""
    attempt = attempts.begin(email=user.email, at=at)
    row = TwoFactor.objects.filter(
        user_id=user.id, confirmed_at__isnull=True, created_at__gt=at - SET_UP_TIME
    ).first()
    if row is None:
        attempt.withdraw()
        raise TwoFactorIsOff("There is no set-up to confirm: begin one.")
    step = _step(row, code, at)
    if step is None:
        raise details.invalid("/code", "wrong_code", "This code is wrong: enter the one shown now.")
    attempt.withdraw()
    with actors.stamped():
        won = TwoFactor.objects.filter(id=row.id, confirmed_at__isnull=True).update(
            confirmed_at=at, last_step=step
        )
        if not won:
            raise TwoFactorIsOn("Two-factor authentication is on already.")
        codes = recovery_codes.renew(user_id=user.id)
    mail.tell_access_changed(
        to=user.email,
        subject="Two-factor authentication is on",
        what="From now on logging in asks for a code of your authenticator app, or one of your recovery codes.",
    )
    return codes


def accepts(*, user_id: UUID, code: str, at: datetime) -> bool:
    """Whether it is a code of the user's app, or a recovery code; either is used up by it."""
    digits = "".join(code.split())
    if len(digits) != _DIGITS or not digits.isdecimal():
        return recovery_codes.redeem(user_id=user_id, code=code, at=at)
    row = TwoFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    step = None if row is None else _step(row, digits, at)
    if row is None or step is None:
        return False
    with actors.stamped():  # of parallel log-ins by one code, one wins
        return TwoFactor.objects.filter(id=row.id, last_step__lt=step).update(last_step=step) == 1


def renew_recovery_codes(*, user: User) -> list[str]:
    """Ten new recovery codes; the old ones stop working. Raises TwoFactorIsOff."""
    with actors.stamped():
        _hold(user.id)
        if not is_on(user_id=user.id):
            raise TwoFactorIsOff("Two-factor authentication is off.")
        return recovery_codes.renew(user_id=user.id)


def switch_off(*, user: User) -> None:
    """Raises TwoFactorIsOff."""
    with actors.stamped():
        _hold(user.id)
        if not TwoFactor.objects.filter(user_id=user.id, confirmed_at__isnull=False).delete()[0]:
            raise TwoFactorIsOff("Two-factor authentication is off already.")
        recovery_codes.destroy(user_id=user.id)
    mail.tell_access_changed(
        to=user.email,
        subject="Two-factor authentication is off",
        what="Logging in asks for your password alone again.",
    )


def _hold(user_id: UUID) -> None:
    """One change at a time for each user."""
    User.objects.select_for_update(no_key=True).filter(id=user_id).values_list("id").first()


def _step(row: TwoFactor, code: str, at: datetime) -> int | None:
    """The time step the code belongs to; none if it is wrong."""
    totp = pyotp.TOTP(sealing.unseal(row, "secret"))
    try:
        return totp.verify_and_get_timecode(code, for_time=at, valid_window=_STEPS_OFF)
    except OTPVerificationError:
        return None
