"""Symbols traded for the first time after all were asked, and differences between two searches."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.django import tenancy
from orders.models import Fill
from pipeline import cursors, discovery
from pipeline.models import Stream, SyncCursor, Trigger
from portfolio import comparison
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db(transaction=True)


def look(world: World) -> dict[str, Decimal]:
    """Three minutes later balances are due; what differs then from what the exchange tells."""
    world.wait(minutes=3)
    with tenancy.acting_as(world.user.id):
        cursors.make_due(account_id=world.account.id, streams=[Stream.BALANCES], at=world.now())
    assert world.work() is not None
    with tenancy.acting_as(world.user.id):
        rows = comparison.side_by_side(account_ids=[world.account.id])
    return {row.asset: row.difference for row in rows if row.difference}


def traded(world: World, symbol: str) -> list[str]:
    with tenancy.acting_as(world.user.id):
        fills = Fill.objects.filter(account=world.account, symbol=symbol).order_by("executed_at")
        return [f"{fill.side} {fill.executed_at:%H:%M}" for fill in fills]


def read_now(world: World) -> set[str]:
    with tenancy.acting_as(world.user.id):
        rows = SyncCursor.objects.filter(account=world.account, stream=Stream.FILLS, last_ok_at=world.now())
        return set(rows.values_list("scope", flat=True))


def test_a_symbol_that_a_search_asked_in_vain_is_read_at_the_look_after_its_first_trade(
    make_world: Callable[..., World],
) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)
    look(world)  # all symbols were asked
    assert not traded(world, "DOGEUSDT")
    assert look(world) == {}
    assert traded(world, "DOGEUSDT") == ["BUY 12:05", "BUY 12:06"]


def test_between_two_searches_another_difference_has_the_symbols_traded_last_asked_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a round trip leaves one: only profit and fees moved a balance."""
    world.sync(Trigger.CONNECT)
    with tenancy.acting_as(world.user.id):
        searched = SyncCursor.objects.filter(account=world.account, stream=Stream.DISCOVERY)
        tomorrow = world.now() + timedelta(days=1)
        searched.update(position=f"another:{clock.to_ms(world.now())}", due_at=tomorrow)
        symbols = set(Fill.objects.filter(account=world.account).values_list("symbol", flat=True))
    monkeypatch.setattr(discovery, "_unexplained", lambda *_: {"USDT": Decimal("0.05")})
    asked = []
    for _ in range(2):
        with tenancy.acting_as(world.user.id):  # none of them is due by itself
            fills = SyncCursor.objects.filter(account=world.account, stream=Stream.FILLS)
            fills.update(due_at=tomorrow)
        look(world)
        asked.append(read_now(world))
    assert asked == [symbols, set()]
