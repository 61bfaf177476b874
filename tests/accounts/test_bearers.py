"""The look-up of every request: the rows are whole, and such as the ORM makes."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from accounts import api_tokens, bearers, sessions, tokens
from accounts.models import ApiToken, Session, User
from core.django import actors
from core.django.actors import Actor
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def _values(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _session(at: datetime) -> Session:
    with actors.acting(Actor(address="203.0.113.7", user_agent="a browser")):
        return sessions.start(UserFactory.create(date_of_birth=at), kind=Session.Kind.API, at=at)


def _token(at: datetime) -> api_tokens.NewToken:
    return api_tokens.create(user=UserFactory.create(), name="x", can_trade=True, expires_in_days=1, at=at)


def test_a_session_is_found_whole_with_its_user_by_one_query(now: datetime) -> None:
    stored = Session.objects.select_related("user").get(id=_session(now).id)

    with CaptureQueriesContext(connection) as queries:
        found = bearers.find_session(stored.id, at=now)
        assert found is not None
        values, user = _values(found), _values(found.user)

    assert (values, user) == (_values(stored), _values(stored.user))
    assert values["ip_address"] == "203.0.113.7"
    assert len(queries) == 1


def test_a_token_is_found_whole_with_its_user_by_one_query(now: datetime) -> None:
    made = _token(now)
    stored = ApiToken.objects.select_related("user").get(id=made.row.id)

    with CaptureQueriesContext(connection) as queries:
        found = bearers.find_token(tokens.digest(made.token), at=now)
        assert found is not None
        values, user = _values(found), _values(found.user)

    assert (values, user) == (_values(stored), _values(stored.user))
    assert len(queries) == 1


def test_what_is_found_is_saved_as_a_row_that_is_there(now: datetime) -> None:
    found = bearers.find_session(_session(now).id, at=now)
    assert found is not None

    found.user.name = "Somebody else"
    found.user.save(update_fields=["name"])

    assert [user.name for user in User.objects.all()] == ["Somebody else"]


@pytest.mark.parametrize("change", [{}, {"revoked_at": 0}, {"expires_at": 0}])
@pytest.mark.parametrize("user", [{}, {"is_active": False}, {"is_deleted": True}])
def test_a_session_is_found_if_it_is_living(
    now: datetime, change: dict[str, int], user: dict[str, bool]
) -> None:
    session = _session(now - HOUR)
    Session.objects.update(**{name: now + HOUR * hours for name, hours in change.items()})
    User.objects.update(**user)

    found = bearers.find_session(session.id, at=now)

    assert found == sessions.living(now).filter(id=session.id).first()
    assert (found is None) == bool(change or user)


def test_a_revoked_token_is_not_found(now: datetime) -> None:
    made = _token(now)
    ApiToken.objects.update(revoked_at=now)

    assert bearers.find_token(tokens.digest(made.token), at=now) is None
