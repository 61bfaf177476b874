"""`manage.py create_user`."""

import io
from typing import Any

import bcrypt
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
RAW_BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
MODULE = "accounts.management.commands.create_user"


@pytest.fixture(autouse=True)
def _hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [
        *settings.PASSWORD_HASHERS,
        "accounts.hashers.Argon2id",
        "accounts.hashers.Bcrypt",
    ]


def _create(*arguments: str, email: str = "alice@example.com") -> str:
    out = io.StringIO()
    call_command("create_user", "--email", email, "--name", "Alice", *arguments, stdout=out)
    return out.getvalue()


def test_a_user_with_a_password_is_verified_and_no_staff() -> None:
    said = _create("--password", PASSWORD)

    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert (user.email, user.name, user.is_verified, user.is_staff) == (
        "alice@example.com",
        "Alice",
        True,
        False,
    )
    assert said == f"Created user alice@example.com ({user.id}).\n"


def test_staff_and_unverified_are_said() -> None:
    assert _create("--password", PASSWORD, "--staff", "--unverified").startswith(
        "Created staff user (unverified) "
    )

    user = User.objects.get()
    assert (user.is_verified, user.is_staff, user.is_superuser) == (False, True, False)


@pytest.mark.parametrize("prefix", ["", "bcrypt$"])
def test_a_bcrypt_hash_is_taken_over(prefix: str) -> None:
    _create("--password-hash", prefix + RAW_BCRYPT)

    assert User.objects.get().password == f"bcrypt${RAW_BCRYPT}"
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "plain",
        "$2b$12$short",
        "bcrypt$x",
        "argon2$argon2id$v=19$m=1$x",
        "argon2$",
        "!",
        f"sha1${PASSWORD}",
    ],
)
def test_what_is_no_hash_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(CommandError, match=r"^--password-hash is no hash this server reads") as caught:
        _create("--password-hash", given)

    assert PASSWORD not in str(caught.value)
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--password", "short"], "^password: This password is too short"),
        (["--password", PASSWORD, "--name", " "], "^name: Enter a name"),
        (["--password", PASSWORD, "--email", "nobody"], "^email: Enter a valid e-mail address"),
        (["--password", PASSWORD, "--password-hash", RAW_BCRYPT], "not allowed with"),
    ],
)
def test_bad_input_is_told_in_words(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        _create(*arguments)

    assert User.objects.count() == 0


def test_a_taken_address_is_told_whatever_the_settings(settings: Settings) -> None:
    UserFactory.create(email="ALICE@example.com")

    with pytest.raises(CommandError, match=r"^A user with this e-mail exists"):
        _create("--password", PASSWORD)


def test_a_script_sends_the_password_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    assert PASSWORD not in _create()
    assert User.objects.get().check_password(PASSWORD)


def test_an_empty_standard_input_makes_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    with pytest.raises(CommandError, match="too short"):
        _create()


@pytest.mark.parametrize(("again", "made"), [(PASSWORD, 1), ("something else", 0)])
def test_a_person_is_asked_twice(again: str, made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PASSWORD, again])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(f"{MODULE}.getpass", lambda _: next(answers))

    def create() -> Any:
        try:
            _create()
        except CommandError as error:
            return str(error)

    assert create() == (None if made else "The two passwords are not the same.")
    assert User.objects.count() == made
