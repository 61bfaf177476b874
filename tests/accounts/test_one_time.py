"""One-time tokens: once, in time, for their purpose."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from threading import Barrier

import pytest
from django.db import connection

from accounts import one_time
from accounts.models import User
from accounts.one_time import InvalidOneTimeToken, Purpose
from core import clock
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LIFE = timedelta(minutes=15)


@pytest.fixture
def user() -> User:
    return UserFactory.create(is_verified=False)


def _refused(token: str, purpose: Purpose = Purpose.VERIFY, later: timedelta = timedelta(0)) -> bool:
    at = clock.now() + later
    with pytest.raises(InvalidOneTimeToken):
        one_time.find(purpose=purpose, token=token, at=at)
    with pytest.raises(InvalidOneTimeToken):
        one_time.redeem(purpose=purpose, token=token, at=at, is_verified=True)
    return True


def test_only_the_hash_of_purpose_and_token_is_stored(user: User) -> None:
    token = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())

    user.refresh_from_db()
    assert user.secret_token == hashlib.sha256(f"verify:{token}".encode()).hexdigest()
    assert len(token) == 43


def test_a_token_makes_its_change_once(user: User) -> None:
    token = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())

    assert one_time.find(purpose=Purpose.VERIFY, token=token, at=clock.now()) == user
    one_time.redeem(purpose=Purpose.VERIFY, token=token, at=clock.now(), is_verified=True)

    user.refresh_from_db()
    assert (user.is_verified, user.secret_token, user.secret_token_created_at) == (True, None, None)
    assert _refused(token)


def test_asking_again_replaces_the_last_token(user: User) -> None:
    first = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())
    second = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())

    assert _refused(first)
    assert one_time.find(purpose=Purpose.VERIFY, token=second, at=clock.now()) == user


def test_a_token_ends_after_a_quarter_of_an_hour(user: User) -> None:
    at = clock.now()
    token = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=at)

    assert one_time.find(purpose=Purpose.VERIFY, token=token, at=at + LIFE - timedelta(seconds=1)) == user
    assert _refused(token, later=LIFE)


@pytest.mark.parametrize(("given", "used"), [*permutations(Purpose, 2)])
def test_a_token_serves_no_other_purpose(user: User, given: Purpose, used: Purpose) -> None:
    assert _refused(one_time.issue(user_id=user.id, purpose=given, at=clock.now()), used)


@pytest.mark.parametrize("change", [{"is_deleted": True}, {"is_active": False}])
def test_a_token_dies_with_its_user(user: User, change: dict[str, bool]) -> None:
    token = one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())
    User.objects.update(**change)

    assert _refused(token)


@pytest.mark.parametrize("token", ["", "x", "☃", "a\x00b"])
def test_what_is_no_token_is_refused(user: User, token: str) -> None:
    assert _refused(token)


def test_the_stored_hash_is_no_token(user: User) -> None:
    one_time.issue(user_id=user.id, purpose=Purpose.VERIFY, at=clock.now())
    user.refresh_from_db()

    assert _refused(user.secret_token or "")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_exactly_one_wins() -> None:
    user, start = UserFactory.create(), Barrier(8)
    token = one_time.issue(user_id=user.id, purpose=Purpose.RESET, at=clock.now())

    def use(number: int) -> str:
        try:
            start.wait()
            one_time.redeem(purpose=Purpose.RESET, token=token, at=clock.now(), name=f"Winner {number}")
        except InvalidOneTimeToken:
            return "refused"
        finally:
            connection.close()
        return f"Winner {number}"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(use, range(8)))

    user.refresh_from_db()
    assert sorted(outcomes) == sorted([user.name, *["refused"] * 7])
