"""What the sweep throws away, and what it leaves."""

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.models import Session as Cookie

from accounts import attempts, housekeeping, sessions, two_factor
from accounts.models import LogInAttempts, RefreshToken, Session, TwoFactor
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_sessions_that_ended_a_month_ago_go_with_their_tokens(now: datetime) -> None:
    user = UserFactory.create()
    for days in (61, 59, 31, 29, 0):  # a session lives for 30 days
        sessions.log_in(email=user.email, password=PASSWORD, at=now - days * DAY)
    revoked = Session.objects.order_by("created_at")[2]
    Session.objects.filter(id=revoked.id).update(revoked_at=now - 31 * DAY)

    swept = housekeeping.sweep(at=now)

    left = Session.objects.order_by("-created_at").values_list("created_at", flat=True)
    assert [(now - created).days for created in left] == [0, 29, 59]
    assert swept.sessions == 2
    assert RefreshToken.objects.count() == 3


def test_attempts_cookies_and_forgotten_set_ups_go(now: datetime) -> None:
    for age in (timedelta(minutes=20), timedelta(minutes=1)):
        attempts.begin(email=f"{age}@example.com", at=now - age)
        two_factor.begin(user=UserFactory.create(), at=now - age)
        Cookie.objects.create(session_key=str(age), session_data="", expire_date=now + DAY / 2 - age * 40)

    swept = housekeeping.sweep(at=now)

    assert (swept.attempts, swept.cookies, swept.set_ups) == (1, 1, 1)
    left = [table.objects.count() for table in (LogInAttempts, Cookie, TwoFactor)]
    assert left == [1, 1, 1]


def test_a_confirmed_second_factor_stays(now: datetime) -> None:
    user = UserFactory.create()
    two_factor.begin(user=user, at=now - DAY)
    TwoFactor.objects.update(confirmed_at=now - DAY)

    assert housekeeping.sweep(at=now).set_ups == 0
