"""Open orders are asked for as far as they can have changed: the list is the dearest question of every few minutes."""

from collections.abc import Callable, Sequence

import pytest

from core import clock
from exchanges.binance.account import BinanceAccount
from exchanges.rows import OrderRow, Page
from pipeline.models import RunStatus, Stream, SyncCursor, Trigger
from pipeline.quiet import OPEN, WHOLE_AGAIN, is_fresh
from pipeline.schedule import USUAL
from tests.pipeline.facts import stored_orders, true_orders
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time the list of open orders is asked for, or that of some symbols."""
    calls: list[str] = []
    ask, ask_some = BinanceAccount.open_orders, BinanceAccount.open_orders_of

    def counted(account: BinanceAccount) -> Page[OrderRow]:
        calls.append("all")
        return ask(account)

    def counted_some(account: BinanceAccount, symbols: Sequence[str]) -> Page[OrderRow]:
        calls.append(" ".join(symbols))
        return ask_some(account, symbols)

    monkeypatch.setattr(BinanceAccount, "open_orders", counted)
    monkeypatch.setattr(BinanceAccount, "open_orders_of", counted_some)
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


def test_while_the_same_is_locked_only_symbols_with_open_orders_are_asked_and_now_and_then_all(
    make_world: Callable[..., World], asked: list[str]
) -> None:
    """A trader who goes on trading all the time: what is stored is true after each look."""
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    looks = []
    for _ in range(6):
        world.wait(minutes=3)
        asked.clear()
        before = open_symbols(world)
        world.sync()
        assert stored_orders(world) == true_orders(world)
        looks.append(asked == [before])
        assert asked in ([before], ["all"], [before, "all"])
    assert looks.count(True) >= 3
    assert looks.count(False) >= 1  # a quarter of an hour passed


def open_symbols(world: World) -> str:
    """Of the orders known to be open."""
    rows = stored_orders(world).items()
    return " ".join(sorted({key[0] for key, row in rows if row["status"] in OPEN}))


@pytest.mark.parametrize(
    ("position", "is_enough"),
    [("", False), ("sign:{now}", True), ("other:{now}", False), ("sign:{old}", False)],
)
def test_a_list_of_all_is_needed_when_something_else_is_locked_or_the_last_one_is_old(
    position: str, is_enough: bool
) -> None:
    cursor = SyncCursor(
        position=position.format(now=clock.to_ms(START), old=clock.to_ms(START - WHOLE_AGAIN))
    )
    assert is_fresh(cursor, "sign", now=START, pace=USUAL) is is_enough
