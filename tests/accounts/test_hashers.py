"""bcrypt hashes from elsewhere are read; everything new is Argon2id."""

import bcrypt
import pytest
from django.contrib.auth.hashers import check_password, identify_hasher
from pytest_django import Settings

from accounts import hashers
from accounts.models import User
from tests.clients import log_in
from tests.factories import UserFactory

RAW = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(4)).decode()


@pytest.fixture(autouse=True)
def _real_hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2id", "accounts.hashers.Bcrypt"]


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_a_raw_bcrypt_hash_is_brought_into_djangos_form(prefix: str) -> None:
    raw = RAW.replace("$2b$", prefix)

    assert hashers.normalise(raw) == f"bcrypt${raw}"
    assert identify_hasher(hashers.normalise(raw)).algorithm == "bcrypt"
    assert check_password("correct horse battery", hashers.normalise(raw))
    assert not check_password("correct horse batterz", hashers.normalise(raw))


@pytest.mark.parametrize(
    "encoded", [f"bcrypt${RAW}", "argon2$argon2id$x", "!unusable", "", "$2b$12$short", RAW + "x"]
)
def test_any_other_hash_stays_as_it_is(encoded: str) -> None:
    assert hashers.normalise(encoded) == encoded


def test_bytes_beyond_the_72nd_do_not_count_as_in_other_implementations() -> None:
    raw = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert check_password("x" * 80, hashers.normalise(raw))
    assert not check_password("x" * 71, hashers.normalise(raw))


@pytest.mark.django_db
@pytest.mark.parametrize("stored", [RAW, f"bcrypt${RAW}", RAW.replace("$2b$", "$2a$")])
def test_who_comes_with_bcrypt_logs_in_and_has_argon2id_from_then_on(stored: str) -> None:
    user = UserFactory.create()
    User.objects.update(password=stored)

    log_in(user)

    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$v=19$m=47104,t=1,p=1$")
    assert log_in(user).user == user


def test_bcrypt_is_replaced_by_argon2id() -> None:
    upgraded: list[str] = []

    assert check_password("correct horse battery", hashers.normalise(RAW), setter=upgraded.append)

    assert upgraded == ["correct horse battery"]
