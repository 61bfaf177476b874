from datetime import timedelta

import pytest
from pytest_django import Settings

from accounts import users
from accounts.models import User
from core import clock
from core.errors import Invalid
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def _register(**changes: object) -> User:
    person = {"email": "Alice@Example.com", "name": "Alice", "password": PASSWORD, "at": clock.now()}
    return users.register(**{**person, **changes})  # type: ignore[arg-type]


def test_a_new_user_can_use_the_password_and_is_not_verified() -> None:
    user = _register()

    assert user.check_password(PASSWORD)
    assert (user.is_verified, user.is_staff, user.is_superuser) == (False, False, False)


def test_an_email_is_taken_in_any_case() -> None:
    _register()

    with pytest.raises(users.EmailTaken):
        _register(email="ALICE@example.com")


def test_the_email_of_a_deleted_user_is_free() -> None:
    UserFactory.create(email="alice@example.com", is_deleted=True)

    assert _register().id is not None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("password123", "password_too_common"),
        ("alice@example", "password_too_similar"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        _register(password=password)

    assert [(e["pointer"], e["code"]) for e in caught.value.details["errors"]] == [("/password", code)]
    assert User.objects.count() == 0


def test_a_birth_to_come_is_refused() -> None:
    with pytest.raises(Invalid, match="future"):
        _register(date_of_birth=clock.now() + timedelta(days=1))


def test_nobody_signs_up_where_it_is_closed(settings: Settings) -> None:
    settings.SIGN_UP_OPEN = False

    with pytest.raises(users.SignUpClosed):
        _register()
