"""Alice, who trades, and Bob, who has just signed up."""

import pytest

from accounts.models import User
from tests.clients import JsonClient, client_of
from tests.factories import UserFactory


@pytest.fixture
def alice(db: None) -> User:
    user: User = UserFactory.create(email="alice@example.com")
    return user


@pytest.fixture
def bob(db: None) -> User:
    user: User = UserFactory.create(email="bob@example.com")
    return user


@pytest.fixture
def as_alice(alice: User) -> JsonClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User) -> JsonClient:
    return client_of(bob)
