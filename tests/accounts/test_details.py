"""What people type about themselves is cleaned or refused."""

from datetime import timedelta

import pytest

from accounts import details
from accounts.models import User
from core import clock
from core.errors import Invalid


def _refusal(call: object, *args: object, **kwargs: object) -> list[tuple[str, str]]:
    assert callable(call)
    with pytest.raises(Invalid) as caught:
        call(*args, **kwargs)
    return [(error["pointer"], error["code"]) for error in caught.value.details["errors"]]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  Alice@EXAMPLE.com\n", "Alice@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@bu\u0308cher.example", "alice@xn--bcher-kva.example"),
        ("alice@ｅxample.com", "alice@example.com"),
        ("a+tag@example.com", "a+tag@example.com"),
    ],
)
def test_an_address_is_stored_in_one_spelling(typed: str, stored: str) -> None:
    assert details.clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@example",
        "alice@exa mple.com",
        "alíce@example.com",
        "ali\u212ae@example.com",  # the Kelvin sign becomes k in lower case
        "a\x00b@example.com",
        '"a\x01b"@example.com',
        "a\nb@example.com",
        "a@b@example.com",
        "a@" + "x" * 64 + ".com",
        "a" * 245 + "@example.com",
        "\ud800@example.com",
        "a@\ud800.com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert _refusal(details.clean_email, typed) == [("/email", "invalid")]


def test_a_name_is_composed_and_trimmed() -> None:
    assert details.clean_name("  Zoe\u0308 ☃ Żółć ") == "Zoë ☃ Żółć"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "blank"),
        (" \u2003", "blank"),
        ("x" * 151, "max_length"),
        ("a\x00b", "unprintable"),
        ("a\nb", "unprintable"),
        ("a\u202eb", "unprintable"),
        ("a\ud800b", "unprintable"),
    ],
)
def test_what_is_no_name_is_refused(typed: str, code: str) -> None:
    assert _refusal(details.clean_name, typed) == [("/name", code)]


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("short", ["password_too_short"]),
        ("", ["password_too_short"]),
        ("password123", ["password_too_common"]),
        ("alice@example", ["password_too_similar"]),
        ("x" * 129, ["max_length"]),
        ("with\x00a nul", ["unprintable"]),
        ("with\ta tab", ["unprintable"]),
        ("with a \ud800 half", ["unprintable"]),
        ("1234567", ["password_too_short", "password_too_common"]),
    ],
)
def test_a_bad_password_is_refused_with_every_reason(password: str, codes: list[str]) -> None:
    user = User(email="alice@example.com", name="Alice")

    assert _refusal(details.check_password, password, user) == [("/password", code) for code in codes]


@pytest.mark.parametrize(
    "password", ["correct horse battery", "päßwörd ☃ lang", " spaces around ", "x" * 64 + "yz" * 32]
)
def test_a_good_password_passes(password: str) -> None:
    details.check_password(password, User(email="alice@example.com", name="Alice"))


def test_a_birth_to_come_is_refused() -> None:
    at = clock.now()

    assert _refusal(details.check_birth, at + timedelta(seconds=1), at=at) == [
        ("/date_of_birth", "in_the_future")
    ]
    details.check_birth(at, at=at)
    details.check_birth(None, at=at)
