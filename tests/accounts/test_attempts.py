"""Attempts are counted before anything is checked, and counts outlive refusals."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection

from accounts import attempts, one_time, passwords, proofs, sessions
from accounts.errors import InvalidCredentials, TooManyAttempts
from accounts.models import LogInAttempts, Session, User
from core import clock
from core.django import actors
from core.django.actors import Actor
from tests.accounts.apps import with_app
from tests.accounts.threads import at_once
from tests.clients import problem, stranger
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def _fail(email: str, at: datetime, password: str = "wrong") -> str:
    """How one attempt ends."""
    try:
        proofs.identify(email=email, password=password, at=at)
    except TooManyAttempts as refusal:
        return f"wait {refusal.retry_after}"
    except InvalidCredentials:
        return "wrong"
    return "right"


@pytest.mark.parametrize("known", [True, False])
def test_the_sixth_failure_within_a_quarter_of_an_hour_is_not_even_checked(
    known: bool, now: datetime, hashes: list[str]
) -> None:
    email = UserFactory.create().email if known else "nobody@example.com"
    hashes.clear()

    answers = [_fail(email, now + second * timedelta(seconds=1)) for second in range(6)]

    assert answers == ["wrong"] * 5 + ["wait 59"]
    assert hashes == ["wrong"] * 5


def test_the_right_password_is_refused_too_while_the_account_waits(now: datetime) -> None:
    user = UserFactory.create()
    for _ in range(5):
        _fail(user.email, now)

    assert _fail(user.email, now, PASSWORD) == "wait 60"
    assert _fail(user.email, now + MINUTE, PASSWORD) == "right"


def test_each_further_failure_doubles_the_wait_up_to_an_hour(now: datetime) -> None:
    for _ in range(5):
        _fail("x@example.com", now)
    at, waits = now, []
    for _ in range(8):
        waits.append(int(_fail("x@example.com", at).removeprefix("wait ")) // 60)
        at += timedelta(minutes=waits[-1])
        assert _fail("x@example.com", at) == "wrong"

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_refusal_does_not_lengthen_the_wait(now: datetime) -> None:
    for _ in range(5):
        _fail("x@example.com", now)

    assert [_fail("x@example.com", now + timedelta(seconds=s)) for s in (10, 20, 50)] == [
        "wait 50", "wait 40", "wait 10",
    ]  # fmt: skip


@pytest.mark.parametrize(("failures", "quiet"), [(4, 15 * MINUTE), (5, 16 * MINUTE)])
def test_a_quarter_of_an_hour_of_quiet_starts_anew(failures: int, quiet: timedelta, now: datetime) -> None:
    for _ in range(failures):
        _fail("x@example.com", now)

    answers = [_fail("x@example.com", now + quiet) for _ in range(6)]

    assert answers == ["wrong"] * 5 + ["wait 60"]


def test_success_starts_the_account_anew_and_takes_one_off_the_address(
    now: datetime, at_address: Actor
) -> None:
    user = UserFactory.create()
    for _ in range(4):
        _fail(user.email, now)

    assert _fail(user.email, now, PASSWORD) == "right"

    rows = LogInAttempts.objects.values_list("key", "count", "blocked_until")
    assert list(rows) == [("address:192.0.2.7", 4, None)]


def test_the_last_attempt_before_the_wait_may_be_the_right_one(now: datetime, at_address: Actor) -> None:
    user = UserFactory.create()
    for number in range(29):
        _fail(f"other{number}@example.com", now)

    assert [_fail(user.email, now, PASSWORD) for _ in range(3)] == ["right"] * 3


def test_an_address_has_thirty_failures_over_all_accounts(now: datetime, at_address: Actor) -> None:
    answers = [_fail(f"user{number}@example.com", now) for number in range(31)]

    assert answers == ["wrong"] * 30 + ["wait 60"]
    assert not LogInAttempts.objects.filter(key__startswith="account:", count__gt=1).exists()


def test_a_blocked_address_does_not_count_on_accounts(now: datetime, at_address: Actor) -> None:
    for number in range(30):
        _fail(f"user{number}@example.com", now)
    accounts = LogInAttempts.objects.filter(key__startswith="account:")
    before = accounts.count()

    _fail("victim@example.com", now)

    assert accounts.count() == before


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, same: bool, now: datetime) -> None:
    for address in (one, other):
        with actors.acting(Actor(address=address)):
            attempts.begin(email=f"{address}@example.com", at=now)

    assert LogInAttempts.objects.filter(key__startswith="address:").count() == (1 if same else 2)


def test_without_an_address_only_the_account_counts(now: datetime) -> None:
    attempts.begin(email="x@example.com", at=now)

    assert [row.key.partition(":")[0] for row in LogInAttempts.objects.all()] == ["account"]


@pytest.mark.parametrize("spelling", ["ALICE@example.com", "alİce@example.com", "alice@EXAMPLE.com"])
def test_every_spelling_that_finds_the_user_has_the_same_count(spelling: str, now: datetime) -> None:
    """Lower case is the database's: Python would make two letters of İ, PostgreSQL makes one."""
    UserFactory.create(email="alice@example.com")
    found = User.objects.filter(email="alice@example.com").exists() and _finds(spelling)
    attempts.begin(email="alice@example.com", at=now)
    attempts.begin(email=spelling, at=now)

    assert (LogInAttempts.objects.count() == 1) is found


def _finds(spelling: str) -> bool:
    try:
        return bool(User.objects.get_by_natural_key(spelling))
    except User.DoesNotExist:
        return False


def test_no_email_is_stored(now: datetime) -> None:
    attempts.begin(email="alice@example.com", at=now)

    assert "alice" not in LogInAttempts.objects.get().key


@pytest.mark.parametrize("state", ["wrong password", "unknown", "inactive", "deleted"])
def test_every_refusal_answers_alike_and_computes_one_hash(state: str, hashes: list[str]) -> None:
    user = UserFactory.create(is_active=state != "inactive", is_deleted=state == "deleted")
    email = "nobody@example.com" if state == "unknown" else user.email
    password = "wrong" if state == "wrong password" else PASSWORD
    hashes.clear()

    response = stranger().post("/auth/login", {"email": email, "password": password})

    assert problem(response) == (401, "invalid_credentials", [])
    assert response.json()["detail"] == "E-mail or password is wrong."
    assert hashes == [password]


def test_too_many_attempts_are_429_with_the_time_to_wait() -> None:
    for _ in range(5):
        stranger().post("/auth/login", {"email": "x@example.com", "password": "wrong"})

    response = stranger().post("/auth/login", {"email": "X@example.com", "password": "wrong"})

    assert problem(response) == (429, "too_many_attempts", [])
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert response.json()["retry_after"] == int(response.headers["Retry-After"])


def test_quiet_rows_are_forgotten(now: datetime) -> None:
    attempts.begin(email="old@example.com", at=now - 16 * MINUTE)
    attempts.begin(email="new@example.com", at=now - 14 * MINUTE)

    assert attempts.forget(before=now) == 1
    assert LogInAttempts.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_parallel_bad_log_ins_five_are_checked(hashes: list[str]) -> None:
    user = UserFactory.create()
    hashes.clear()
    at = clock.now()

    answers = at_once(200, lambda _: _fail(user.email, at), threads=16)

    assert sorted(answers) == ["wait 60"] * 195 + ["wrong"] * 5
    assert hashes == ["wrong"] * 5


@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_parallel_bad_log_ins_from_one_address_thirty_are_checked(hashes: list[str]) -> None:
    at = clock.now()

    def fail(number: int) -> str:
        with actors.acting(Actor(address="192.0.2.7")):
            return _fail(f"user{number}@example.com", at)

    answers = at_once(200, fail, threads=16)

    assert sorted(answers) == ["wait 60"] * 170 + ["wrong"] * 30
    assert len(hashes) == 30


@pytest.mark.django_db(transaction=True)
def test_counts_are_committed_although_the_request_is_refused() -> None:
    for _ in range(3):
        stranger().post("/auth/login", {"email": "x@example.com", "password": "wrong"})
    connection.close()

    assert LogInAttempts.objects.get(key__startswith="account:").count == 3


@pytest.mark.django_db(transaction=True)
def test_attempts_are_not_counted_inside_a_transaction_that_could_undo_them(now: datetime) -> None:
    with pytest.raises(RuntimeError, match="durable"), actors.stamped():
        attempts.begin(email="x@example.com", at=now)


@pytest.mark.django_db(transaction=True)
def test_who_logs_in_while_the_password_changes_gets_no_session() -> None:
    user = UserFactory.create()
    proven = proofs.identify(email=user.email, password=PASSWORD, at=clock.now())
    user.set_password("another one entirely")
    user.save()

    with pytest.raises(InvalidCredentials):
        sessions.start(proven, kind=Session.Kind.API, at=clock.now())
    user.refresh_from_db()
    assert check_password("another one entirely", user.password)


@pytest.mark.parametrize(("second_factor", "counts"), [(False, 0), (True, 1)])
def test_a_reset_password_starts_anew_unless_codes_could_be_tried_without_end(
    second_factor: bool, counts: int
) -> None:
    at = clock.now()
    user = with_app(at).user if second_factor else UserFactory.create()
    LogInAttempts.objects.all().delete()
    _fail(user.email, at)
    token = one_time.issue(user_id=user.id, purpose=one_time.Purpose.RESET, at=at)

    passwords.reset(token=token, password="quite another one", at=at)

    assert LogInAttempts.objects.count() == counts
