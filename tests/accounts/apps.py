"""An authenticator app, and a user who set one up."""

from dataclasses import dataclass
from datetime import datetime

import pyotp

from accounts import two_factor
from accounts.models import TwoFactor, User
from tests.factories import UserFactory


@dataclass(frozen=True)
class App:
    user: User
    totp: pyotp.TOTP
    recovery_codes: list[str]

    def code(self, at: datetime, *, steps: int = 0) -> str:
        return self.totp.at(at, counter_offset=steps)


def with_app(at: datetime) -> App:
    """A user with two-factor authentication on; no code was used yet."""
    user = UserFactory.create()
    totp = pyotp.TOTP(two_factor.begin(user=user, at=at).secret)
    codes = two_factor.confirm(user=user, code=totp.at(at), at=at)
    TwoFactor.objects.filter(user=user).update(last_step=0)
    return App(user, totp, codes)


def wrong(code: str) -> str:
    """Another code of the same length."""
    return f"{(int(code) + 1) % 1_000_000:06}"
