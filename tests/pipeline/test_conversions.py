"""Accounts that are given coins and change some: what is stored explains their balances to the last place."""

from decimal import Decimal

import pytest

from exchanges.simulators.profiles import COLLECTOR
from orders.models import Fill, Transfer
from pipeline.models import RunStatus, Stream, Trigger
from portfolio.comparison import side_by_side
from tests.pipeline.venues import Open
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db
PEOPLE = (COLLECTOR.shortened(20),)
GIVEN = {"Flexible": "INTEREST", "ADA distribution": "AIRDROP"}


@pytest.fixture(params=["binance", "bitget", "gateio"])
def world(open_world: Open, request: pytest.FixtureRequest) -> World:
    return open_world(request.param, "collector", PEOPLE)


def given(world: World) -> dict[str, tuple[str, str, Decimal]]:
    with world.door():
        rows = Transfer.objects.filter(account=world.account, kind__in=GIVEN.values())
        told = ((row.exchange_transfer_id.removeprefix("bill-"), row) for row in rows)
        return {told_id: (row.kind, row.asset, row.amount) for told_id, row in told}


def truly_given(world: World) -> dict[str, tuple[str, str, Decimal]]:
    return {
        str(row["id"]): (GIVEN[row["words"]], row["asset"], Decimal(row["amount"]))
        for row in world.truth()["dividends"]
    }


def changed(world: World) -> list[tuple[str, str, Decimal, Decimal]]:
    """(from, to, what was given, what came before its fee)."""
    with world.door():
        rows = Fill.objects.filter(account=world.account, is_conversion=True)
        return sorted(
            (row.quote_asset, row.base_asset, row.quote_quantity, row.quantity)
            if row.side == "BUY"
            else (row.base_asset, row.quote_asset, row.quantity, row.quote_quantity)
            for row in rows
        )


def truly_changed(world: World) -> list[tuple[str, str, Decimal, Decimal]]:
    return sorted(
        (row["from_asset"], row["to_asset"], Decimal(row["from_amount"]), Decimal(row["to_amount"]))
        for row in world.truth()["conversions"]
    )


def differences(world: World) -> dict[str, Decimal]:
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    return {row.asset: row.difference for row in rows if row.difference}


def test_what_came_outside_the_order_book_explains_the_balances(world: World) -> None:
    assert world.sync(Trigger.CONNECT).status == RunStatus.OK
    assert given(world) == truly_given(world) != {}
    assert changed(world) == truly_changed(world) != []
    assert differences(world) == {}
    world.wait(days=8)
    world.sync()
    assert (given(world), changed(world)) == (truly_given(world), truly_changed(world))
    assert differences(world) == {}


def test_the_next_look_is_at_the_last_days_only(open_world: Open) -> None:
    world = open_world("binance", "collector", PEOPLE)
    world.sync(Trigger.CONNECT)
    before = world.cursor(Stream.CONVERSIONS)
    world.wait(days=2)
    world.sync()
    after = world.cursor(Stream.CONVERSIONS)
    assert int(after.position) - int(before.position) == 2 * 86_400_000
    assert (before.state, before.known_from is not None) == ("incremental", True)
