"""Alice has accounts at exchanges, Bob has none."""

import pytest

from accounts.models import User
from credentials.models import ExchangeAccount
from tests.clients import JsonClient, client_of
from tests.factories import AccountFactory, UserFactory


@pytest.fixture
def alice(db: None) -> User:
    made: User = UserFactory.create()
    return made


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    return made


@pytest.fixture
def bitget(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Bitget", exchange="bitget")
    return made


@pytest.fixture
def reader(alice: User) -> JsonClient:
    return client_of(alice)


@pytest.fixture
def bob(db: None) -> User:
    made: User = UserFactory.create()
    return made


@pytest.fixture
def as_bob(bob: User) -> JsonClient:
    return client_of(bob)
