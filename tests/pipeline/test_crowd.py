"""Many accounts behind one address, at an exchange that enforces its limits and never has to."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from benchmarks.limits import START, Crowd, crowd
from core import clock
from credentials.models import ExchangeAccount
from exchanges.simulators.binance.limits import Limits
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


def test_accounts_together_stay_under_the_limits_of_their_address_and_are_all_read() -> None:
    with crowd(6, limits=Limits(api=700, sapi_ip=1_400, fapi=280)) as people:
        while people.due():
            people.work(until=people.now() + timedelta(minutes=1))

        assert people.refused == 0
        assert 300 < people.busiest("api") <= 600
        assert people.now() - START > timedelta(minutes=2)  # there was more to ask for than one minute allows
        for account in people.accounts:
            world = world_of(people, account)
            assert of_history(stored_fills(world)) == of_history(true_fills(world))
            assert of_history(stored_orders(world)).keys() == of_history(true_orders(world)).keys()


def of_history(facts: Facts) -> Facts:
    """What had happened when the reading began: the market goes on meanwhile."""
    return {key: fact for key, fact in facts.items() if fact["time"] <= clock.to_ms(START)}
