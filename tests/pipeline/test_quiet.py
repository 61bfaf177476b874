"""Open orders are not asked for where nothing is locked: the list is the dearest question asked every few minutes."""

from collections.abc import Callable

import pytest

from exchanges.binance.account import BinanceAccount
from exchanges.rows import OrderRow, Page
from pipeline.models import RunStatus, Stream, Trigger
from tests.pipeline.facts import stored_orders, true_orders
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time the list of open orders is asked for."""
    calls: list[str] = []
    ask = BinanceAccount.open_orders

    def counted(account: BinanceAccount) -> Page[OrderRow]:
        calls.append("open orders")
        return ask(account)

    monkeypatch.setattr(BinanceAccount, "open_orders", counted)
    return calls


def locked(world: World) -> bool:
    return any(float(row["locked"]) for row in world.truth()["balances"].values())


@pytest.mark.parametrize("label", ["quiet", "holes", "demo"])
def test_open_orders_are_asked_for_exactly_where_something_is_locked(
    make_world: Callable[..., World], asked: list[str], label: str
) -> None:
    world = make_world(label)
    run = world.sync(Trigger.CONNECT)
    assert run.status == RunStatus.OK
    assert bool(asked) is locked(world)
    assert stored_orders(world) == true_orders(world)
    assert world.cursor(Stream.OPEN_ORDERS).last_ok_at == world.now()
