"""How this room refuses: codes are stable, texts are for people and tell nothing an attacker could use."""

from http import HTTPStatus

from accounts.models import User
from core.errors import DomainError, NotAuthenticated


class InvalidCredentials(NotAuthenticated):
    """The same answer whether the e-mail exists or not."""

    code = "invalid_credentials"


class SecondFactorRequired(NotAuthenticated):
    """The password is right; a code of the authenticator app, or a recovery code, has to come with it."""

    code = "second_factor_required"

    def __init__(self, user: User) -> None:
        super().__init__("Enter the code of your authenticator app, or a recovery code.")
        self.user = user


class InvalidCode(NotAuthenticated):
    code = "invalid_code"


class InvalidToken(NotAuthenticated):
    code = "invalid_token"


class TokenReused(InvalidToken):
    """A refresh token came twice: somebody else may hold it, so the session is dead."""

    code = "token_reused"


class TooManyAttempts(DomainError):
    """Nothing was checked. `retry_after`: seconds until the next attempt may be made."""

    code = "too_many_attempts"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after: int) -> None:
        wait = f"{-(-retry_after // 60)} minutes" if retry_after > 60 else f"{retry_after} seconds"
        super().__init__(f"Too many failed attempts: try again in {wait}.", retry_after=retry_after)
        self.retry_after = retry_after


class Unconfirmed(DomainError):
    """Somebody who is logged in could not show it again; `reason` is the code a log-in would have answered."""

    code = "unconfirmed"
    status = HTTPStatus.FORBIDDEN


class StepUpRequired(DomainError):
    """The log-in is too long ago for this: `POST /auth/step-up` first."""

    code = "step_up_required"
    status = HTTPStatus.FORBIDDEN


class TokenNotAllowed(DomainError):
    """An API token may not do this, whatever its scopes."""

    code = "token_not_allowed"
    status = HTTPStatus.FORBIDDEN


class ScopeMissing(DomainError):
    """The API token was made without the scope this needs."""

    code = "scope_missing"
    status = HTTPStatus.FORBIDDEN
