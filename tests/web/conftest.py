"""Alice, who has traded for a while, and Bob, who has just signed up."""

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import Trade
from tests.factories import UserFactory
from tests.web import history
from tests.web.browser import chromium, visit

__all__ = ["chromium", "visit"]


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(email="alice@example.com", name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(email="bob@example.com", name="Bob")


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """Alice's, with some weeks of history up to now."""
    return history.live(user=alice, at=clock.now(), days=20)


@pytest.fixture
def trade_id(alice: User, account: ExchangeAccount) -> int:
    """Alice's last trade."""
    with tenancy.acting_as(alice.id):
        trade = Trade.objects.filter(kind="TRADE").order_by("-exit_time", "-id").first()
        assert trade is not None
        return trade.pk


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client
