from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.exchanges.conformance.house import START, House, World
from tests.exchanges.conformance.houses import HOUSES


@pytest.fixture(scope="module", params=HOUSES, ids=lambda house: house.name)
def house(request: pytest.FixtureRequest) -> House:
    found: House = request.param
    return found


@pytest.fixture(autouse=True)
def _opened_lately(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happened long before: many empty windows less to walk in every test."""
    for setting in house.opened:
        monkeypatch.setattr(setting, START - timedelta(days=200))


@pytest.fixture
def world(house: House) -> Iterator[World]:
    """One of its own: to spoil, or to let time pass."""
    with house.running() as world:
        yield world


@pytest.fixture(scope="module")
def still(house: House) -> Iterator[World]:
    """One for all who only read."""
    with house.running(profiles=house.history or house.people) as world:
        yield world
