"""`?live=true` over HTTP: a worker asks the simulated exchange, and what is stored answers when it cannot."""

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from core.django import actors
from core.django.actors import Actor, ActorKind
from pipeline import broker, live, live_reads, tasks
from pipeline.models import Trigger
from tests.clients import JsonClient, client_of, problem
from tests.factories import UserFactory
from tests.pipeline import conftest
from tests.pipeline.venues import FirstSyncs, Open, Read, Reopen
from tests.pipeline.worlds import PROFILES, World
from tests.web.exchange_routes.frontend import body

pytestmark = pytest.mark.django_db

open_world, first_syncs, reopen = conftest.open_world, conftest.first_syncs, conftest.reopen
ROUTES = (
    *("account-info", "user-assets", "open-orders", "order-history", "account-snapshot", "deposit-history"),
    *("withdraw-history", "transfer-history", "trade-fills", "tickers"),
)


class Worker:
    """Works in the thread of whoever asks, by the simulated clock; counts."""

    def __init__(self, world: World) -> None:
        self.world, self.works, self.taken = world, True, 0

    def hint(self, task: str, arguments: Sequence[Any], *, queue: str, **more: Any) -> bool:
        assert queue == broker.INTERACTIVE
        if task != broker.LIVE_TASK:
            return True
        words, token = json.loads(json.dumps(arguments))  # as it travels
        self.taken += 1
        if self.works:
            with actors.acting(Actor(kind=ActorKind.WORKER)):
                tasks.read_live(words, token)
        return True


def employ(world: World, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Everything was synced: a day went by, and a worker waits."""
    world.wait(days=1)
    worker = Worker(world)
    monkeypatch.setattr(broker, "hint", worker.hint)
    monkeypatch.setattr(live_reads, "perform", partial(live_reads.perform, clock=world.now))
    monkeypatch.setattr("web.exchange_routes.endpoint.clock", SimpleNamespace(now=world.now))
    return worker


@pytest.fixture(autouse=True)
def _waiting(settings: Settings) -> None:
    settings.LIVE_READ_SECONDS = 10


@pytest.fixture(scope="module")
def first(first_syncs: FirstSyncs) -> Read:
    return first_syncs.read("binance", "demo", PROFILES)


@pytest.fixture
def world(first: Read, reopen: Reopen) -> World:
    return reopen(first)


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> Worker:
    return employ(world, monkeypatch)


@pytest.fixture
def trader(world: World) -> JsonClient:
    return client_of(world.user)


def held(answer: Any) -> dict[str, tuple[Decimal, Decimal]]:
    return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in body(answer)}


def true(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    return {
        asset: (Decimal(row["free"]), Decimal(row["locked"]))
        for asset, row in world.truth()["balances"].items()
    }


def age(answer: Any) -> tuple[str, str | None]:
    return answer.headers["X-Data-Stale"], answer.headers.get("X-Data-Stale-Reason")


def test_stored_data_stay_as_they_are_until_somebody_asks(worker: Worker, trader: JsonClient) -> None:
    answer = trader.get("/binance/user-assets")

    assert (age(answer), worker.taken) == (("true", "old"), 0)
    assert held(answer) != true(worker.world)


def test_live_data_are_those_of_this_moment(worker: Worker, trader: JsonClient) -> None:
    answer = trader.get("/binance/user-assets?live=true")

    assert (age(answer), worker.taken) == (("false", None), 1)
    assert held(answer) == true(worker.world)
    assert answer.headers["X-Data-As-Of"] == worker.world.now().isoformat().replace("+00:00", "Z")
    assert held(trader.get("/binance/user-assets")) == true(worker.world)  # it is stored


def test_gateio_answers_live_too(open_world: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    world = open_world("gateio", "demo", PROFILES)
    world.sync(Trigger.CONNECT)
    employ(world, monkeypatch)

    answer = client_of(world.user).get("/gateio/user-assets?live=true")

    assert (age(answer), held(answer)) == (("false", None), true(world))


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_can_be_asked_live(route: str, worker: Worker, trader: JsonClient) -> None:
    answer = trader.get(f"/binance/{route}?live=true")

    assert (answer.status_code, worker.taken) == (200, 1)
    assert route in ("account-snapshot", "tickers") or age(answer) == ("false", None)


def test_a_dead_exchange_leaves_what_is_stored(worker: Worker, trader: JsonClient) -> None:
    stored = trader.get("/binance/user-assets")
    worker.world.simulator.stop()

    answer = trader.get("/binance/user-assets?live=true")

    assert age(answer) == ("true", "network")
    assert (body(answer), answer.headers["X-Data-As-Of"]) == (body(stored), stored.headers["X-Data-As-Of"])


def test_a_worker_that_does_not_come_leaves_what_is_stored(
    worker: Worker, trader: JsonClient, settings: Settings
) -> None:
    worker.works, settings.LIVE_READ_SECONDS = False, 0.2

    answer = trader.get("/binance/open-orders?live=true")

    assert (answer.status_code, age(answer)) == (200, ("true", "timeout"))


def test_a_failure_is_told_even_while_what_is_stored_is_fresh(worker: Worker, trader: JsonClient) -> None:
    trader.get("/binance/user-assets?live=true")
    worker.world.wait(seconds=30)
    live.tell(
        live.Reading(live.What.BALANCES, "binance", worker.world.user.id, worker.world.account.id),
        "x",
        "down",
    )

    assert age(trader.get("/binance/user-assets?live=true")) == ("true", "down")
    assert age(trader.get("/binance/user-assets")) == ("false", None)


def test_nobody_asks_with_anothers_keys(worker: Worker) -> None:
    as_bob = client_of(UserFactory.create())

    answers = [
        as_bob.get("/binance/user-assets", {"live": "true", "account": str(worker.world.account.id)}),
        as_bob.get("/binance/user-assets", {"live": "true"}),
    ]

    assert [problem(answer)[0] for answer in answers] == [404, 404]
    assert worker.taken == 0
