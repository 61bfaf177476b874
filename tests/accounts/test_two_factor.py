"""The second factor: codes of an app work once, recovery codes work once, and both count as attempts."""

from datetime import datetime, timedelta

import pyotp
import pytest
from django.conf import settings
from django.core import mail

from accounts import proofs, two_factor
from accounts.errors import InvalidCode, SecondFactorRequired, TooManyAttempts
from accounts.models import LogInAttempts, RecoveryCode, TwoFactor, User
from core import clock
from core.django import sealing
from core.errors import Conflict, Invalid
from core.vault import Place, VaultError
from tests.accounts.apps import with_app, wrong
from tests.accounts.threads import at_once
from tests.accounts.trails import trail_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=30)


def _log_in(user: User, code: str | None, at: datetime) -> User:
    return proofs.identify(email=user.email, password=PASSWORD, code=code, at=at)


def test_setting_up_answers_a_secret_and_its_link(now: datetime) -> None:
    user = UserFactory.create(email="alice@example.com")

    made = two_factor.begin(user=user, at=now)

    uri = pyotp.parse_uri(made.otpauth_uri)
    assert (uri.secret, uri.name, uri.issuer) == (made.secret, "alice@example.com", "Crypto Graph Trader")
    assert not two_factor.is_on(user_id=user.id)


def test_the_secret_is_sealed_to_its_row(now: datetime) -> None:
    app = with_app(now)
    row = TwoFactor.objects.get()
    place = Place(table="accounts_twofactor", row=str(row.id), user=str(app.user.id), field="secret")

    assert app.totp.secret not in row.secret
    assert settings.VAULT.open(row.secret, place) == app.totp.secret
    with pytest.raises(VaultError):
        sealing.unseal(TwoFactor(user_id=UserFactory.create().id, id=row.id, secret=row.secret), "secret")


def test_it_is_on_once_a_code_confirmed_it(now: datetime) -> None:
    user = UserFactory.create()
    totp = pyotp.TOTP(two_factor.begin(user=user, at=now).secret)
    with pytest.raises(Invalid):
        two_factor.confirm(user=user, code=wrong(totp.at(now)), at=now)
    assert not two_factor.is_on(user_id=user.id)

    codes = two_factor.confirm(user=user, code=totp.at(now), at=now)

    assert two_factor.state(user_id=user.id) == two_factor.State(
        enabled=True, confirmed_at=now, recovery_codes_left=10
    )
    assert len({*codes}) == 10


def test_a_set_up_is_to_be_confirmed_within_a_quarter_of_an_hour(now: datetime) -> None:
    user = UserFactory.create()
    totp = pyotp.TOTP(two_factor.begin(user=user, at=now).secret)
    late = now + timedelta(minutes=15)

    with pytest.raises(Conflict):
        two_factor.confirm(user=user, code=totp.at(late), at=late)


def test_a_second_set_up_replaces_an_unconfirmed_one_only(now: datetime) -> None:
    user = UserFactory.create()
    first, second = (pyotp.TOTP(two_factor.begin(user=user, at=now).secret) for _ in range(2))
    with pytest.raises(Invalid):
        two_factor.confirm(user=user, code=first.at(now), at=now)
    two_factor.confirm(user=user, code=second.at(now), at=now)

    with pytest.raises(two_factor.TwoFactorIsOn):
        two_factor.begin(user=user, at=now)


def test_the_code_that_confirmed_does_not_log_in(now: datetime) -> None:
    user = UserFactory.create()
    totp = pyotp.TOTP(two_factor.begin(user=user, at=now).secret)
    two_factor.confirm(user=user, code=totp.at(now), at=now)

    with pytest.raises(InvalidCode):
        _log_in(user, totp.at(now), now)


def test_a_right_password_alone_is_not_enough_and_costs_no_attempt(now: datetime) -> None:
    app = with_app(now)

    for _ in range(7):
        with pytest.raises(SecondFactorRequired):
            _log_in(app.user, None, now)

    assert LogInAttempts.objects.get().count == 0


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_may_be_a_step_off(steps: int, now: datetime) -> None:
    app = with_app(now)

    assert _log_in(app.user, app.code(now, steps=steps), now) == app.user


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_two_steps_off_is_wrong(steps: int, now: datetime) -> None:
    app = with_app(now)

    with pytest.raises(InvalidCode):
        _log_in(app.user, app.code(now, steps=steps), now)


@pytest.mark.parametrize("older", [0, -1])
def test_a_code_works_once_and_older_ones_not_after_it(older: int, now: datetime) -> None:
    app = with_app(now)
    _log_in(app.user, app.code(now), now)

    with pytest.raises(InvalidCode):
        _log_in(app.user, app.code(now, steps=older), now)
    assert _log_in(app.user, app.code(now + STEP), now + STEP) == app.user


@pytest.mark.parametrize("code", ["", "  ", "12345", "1234567", "☃" * 6, "abcdef", "٠" * 6, "\0" * 6])
def test_what_is_no_code_does_not_log_in(code: str, now: datetime) -> None:
    app = with_app(now)

    with pytest.raises((InvalidCode, SecondFactorRequired)):
        _log_in(app.user, code, now)


def test_codes_are_counted_as_attempts_even_beside_the_right_password(now: datetime) -> None:
    app = with_app(now)
    for _ in range(5):
        with pytest.raises(InvalidCode):
            _log_in(app.user, wrong(app.code(now)), now)
        if LogInAttempts.objects.get().count < 5:
            with pytest.raises(SecondFactorRequired):  # which must not start the count anew
                _log_in(app.user, None, now)

    with pytest.raises(TooManyAttempts):
        _log_in(app.user, app.code(now), now)


def test_codes_tried_after_the_password_page_are_counted_too(now: datetime) -> None:
    app = with_app(now)
    for _ in range(5):
        with pytest.raises(InvalidCode):
            proofs.second_step(user=app.user, code=wrong(app.code(now)), at=now)

    with pytest.raises(TooManyAttempts):
        proofs.second_step(user=app.user, code=app.code(now), at=now)


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower"])
def test_a_recovery_code_works_once_however_it_is_typed(typed: str, now: datetime) -> None:
    app = with_app(now)
    code = app.recovery_codes[3]
    typed_code = code.lower().replace("-", " ") if typed == "lower" else typed.format(code)

    assert _log_in(app.user, typed_code, now) == app.user
    with pytest.raises(InvalidCode):
        _log_in(app.user, code, now)
    assert two_factor.state(user_id=app.user.id).recovery_codes_left == 9


def test_a_recovery_code_of_somebody_else_is_wrong(now: datetime) -> None:
    app, other = with_app(now), with_app(now)

    with pytest.raises(InvalidCode):
        _log_in(app.user, other.recovery_codes[0], now)


def test_only_hashes_of_recovery_codes_are_stored(now: datetime) -> None:
    app = with_app(now)

    stored = [bytes(row.code_hash) for row in RecoveryCode.objects.all()]

    assert {len(value) for value in stored} == {32}
    assert not any(code.replace("-", "").encode() in stored for code in app.recovery_codes)


def test_new_recovery_codes_replace_the_old_ones(now: datetime) -> None:
    app = with_app(now)

    codes = two_factor.renew_recovery_codes(user=app.user)

    with pytest.raises(InvalidCode):
        _log_in(app.user, app.recovery_codes[0], now)
    assert _log_in(app.user, codes[0], now) == app.user


def test_switching_off_destroys_secret_and_codes(now: datetime) -> None:
    app = with_app(now)

    two_factor.switch_off(user=app.user)

    assert (TwoFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert _log_in(app.user, None, now) == app.user
    for act in (two_factor.switch_off, two_factor.renew_recovery_codes):
        with pytest.raises(two_factor.TwoFactorIsOff):
            act(user=app.user)


def test_the_trail_tells_of_it_without_secrets(now: datetime) -> None:
    app = with_app(now)
    _log_in(app.user, app.recovery_codes[0], now)
    two_factor.switch_off(user=app.user)

    trail = trail_of(app.user)
    happened = [row.action for row in trail if row.table_name != "accounts_user"]
    assert happened == ["INSERT", "UPDATE", "recovery codes renewed", "recovery code used", "DELETE"]
    assert app.totp.secret not in str([(row.old_values, row.new_values) for row in trail])


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_mailed_what_changed_and_no_code(now: datetime) -> None:
    app = with_app(now)
    _log_in(app.user, app.recovery_codes[0], now)
    two_factor.switch_off(user=app.user)

    assert [message.subject for message in mail.outbox] == [
        "Two-factor authentication is on", "A recovery code was used", "Two-factor authentication is off",
    ]  # fmt: skip
    assert {message.to[0] for message in mail.outbox} == {app.user.email}
    sent = "".join(message.message().as_string() for message in mail.outbox)
    assert not any(secret in sent for secret in (app.totp.secret, *app.recovery_codes))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_parallel_log_ins_by_one_code_one_gets_in(kind: str) -> None:
    at = clock.now()
    app = with_app(at)
    code = app.code(at) if kind == "app" else app.recovery_codes[0]

    won = at_once(5, lambda _: two_factor.accepts(user_id=app.user.id, code=code, at=at))

    assert sorted(won) == [False] * 4 + [True]
