"""Many accounts behind one address, at an exchange that enforces its limits and never has to."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from benchmarks.limits import START, Crowd, crowd
from core import clock
from credentials.models import ExchangeAccount
from exchanges.simulators.binance.limits import Limits
from pipeline import pace
from pipeline.schedule import PROMPT
from tests.clients import client_of
from tests.factories import PASSWORD
from tests.pipeline.facts import Facts, stored_fills, stored_orders, true_fills, true_orders
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


def world_of(people: Crowd, account: ExchangeAccount) -> World:
    user = User.objects.get(id=account.user_id)
    return World(people.simulator, people.clock, account.label, user, account)


@pytest.fixture(autouse=True)
def _small_exchange(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ninth of Binance's limits, of which we spend most: few accounts are a crowd then."""
    settings.EXCHANGE_BUDGET_PERCENT = 10
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr("exchanges.binance.walks.OPENED", START - timedelta(days=20))


def test_a_crowd_is_all_read_within_the_limits_of_its_address_and_less_often_where_less_is_allowed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(api=700, sapi_ip=1_400, fapi=280)
    with crowd(6, limits=limits) as people:
        while people.due():
            people.work(until=people.now() + timedelta(minutes=1))

        assert people.refused == 0
        assert 300 < people.busiest("api") <= 600
        assert people.now() - START > timedelta(minutes=2)  # there was more to ask for than one minute allows
        for account in people.accounts:
            world = world_of(people, account)
            assert of_history(stored_fills(world)) == of_history(true_fills(world))
            assert of_history(stored_orders(world)).keys() == of_history(true_orders(world)).keys()

        # Less is allowed now, and everybody looks on: all are read less often, and told so.
        monkeypatch.setattr("pipeline.sync._derive", lambda session: None)
        settings.EXCHANGE_BUDGET_PERCENT = 1
        limits.api, limits.sapi_ip, limits.fapi = 100, 140, 56
        for _ in range(9):
            people.look()
            people.work(until=people.now() + timedelta(minutes=1))
        rhythm = pace.find("binance").pace.prompt
        assert people.refused == 0
        assert rhythm > PROMPT
        assert people.oldest("balances") < 1.5 * rhythm
        told_the_rhythm(people.accounts[0], rhythm)


def told_the_rhythm(account: ExchangeAccount, rhythm: timedelta) -> None:
    user = User.objects.get(id=account.user_id)
    user.set_password(PASSWORD)
    user.save()
    client = client_of(user)
    [connected] = client.get("/api/connectivity").json()["accounts"]
    [synced] = client.get("/api/sync").json()["results"]
    for told in (connected, synced):
        assert told["read_every_seconds"] == round(rhythm.total_seconds())
        assert told["slowed_by"].startswith("Accounts at Binance are read every ")


def of_history(facts: Facts) -> Facts:
    """What had happened when the reading began: the market goes on meanwhile."""
    return {key: fact for key, fact in facts.items() if fact["time"] <= clock.to_ms(START)}
