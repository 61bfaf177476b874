"""What an exchange does not tell at first: found as a difference, its cause proposed, read again, and explained."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credentials.scope import resolve
from exchanges.simulators import profiles
from orders.models import Fill, FundingPayment, Transfer
from pipeline import rereading
from pipeline.models import Trigger
from portfolio.models import ReconciliationItem
from portfolio.selectors.confidence import confidence
from tests.pipeline.venues import Open
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db

# Deposits, airdrops and contracts in few days.
TRADER = replace(
    profiles.LEVERAGED.shortened(4), symbols=("BTCUSDT",), collects=True, saves=False, contract_days=2
)
SAVER = replace(profiles.QUIET.shortened(3), symbols=("BTCUSDT",))


def found(world: World, *columns: str) -> dict[str, Any]:
    """By asset; days that do not add up follow from the same."""
    with world.door():
        rows = ReconciliationItem.objects.filter(account=world.account).exclude(kind="residual")
        return {row[0]: row[1:] for row in rows.values_list("subject", *columns)}


def grade(world: World) -> tuple[str, set[str]]:
    with world.door():
        told = confidence(scope=resolve(), at=world.now())
    return told.grade, {str(reason) for reason in told.reasons}


def were_there(world: World) -> None:
    """The facts so far were stored when the exchange's clock says, not ours."""
    before = world.now() - timedelta(seconds=1)
    with world.door():
        Fill.objects.update(created_at=before)
        FundingPayment.objects.update(created_at=before)
        Transfer.objects.update(updated_at=before)


def read_again(world: World) -> None:
    with world.door():
        ids = list(ReconciliationItem.objects.filter(state="open").values_list("id", flat=True))
    for item_id in ids:
        rereading.read_again(user_id=world.user.id, item_id=item_id, at=world.now())
    world.work()


def _moment(row: Any) -> int:
    return int(row.applied_at if hasattr(row, "applied_at") else row.paid_at)


def test_a_deposit_an_airdrop_and_funding_that_came_late(open_world: Open) -> None:
    world = open_world("binance", "leveraged", (TRADER,))
    them = world.simulator.accounts["leveraged"]
    assert them.margin is not None
    hidden: list[tuple[list[Any], Any]] = [
        (them.deposits, next(row for row in them.deposits if row.asset == "BTC")),
        (them.dividends, next(row for row in them.dividends if row.asset == "ADA")),
        (them.margin.funding, them.margin.funding[0]),
    ]
    for rows, row in hidden:
        rows.remove(row)
    world.sync(Trigger.CONNECT)

    causes = {"BTC": ("missing_deposit",), "ADA": ("earned",), "USDT": ("funding",)}
    assert found(world, "cause") == causes
    assert grade(world)[1] >= {f"difference:balance:{asset}" for asset in causes}

    were_there(world)
    for rows, row in hidden:
        rows.append(row)
        rows.sort(key=_moment)
    read_again(world)

    explained = found(world, "state", "explanation")
    assert {state for state, _ in explained.values()} == {"explained"}
    words = {asset: text.split(" of ")[0] for asset, (_, text) in explained.items()}
    came = "Came in since it was found: 1"
    assert words == {"BTC": f"{came} deposit", "ADA": f"{came} airdrop", "USDT": f"{came} funding payment"}


def test_a_time_that_could_not_be_read(open_world: Open) -> None:
    world = open_world("binance", "quiet", (SAVER,))
    world.fault("unreadable_row", path="/sapi/v1/capital/deposit/hisrec", field="amount")
    world.sync(Trigger.CONNECT)
    world.wait(minutes=2)
    world.sync()

    assert found(world, "cause", "state") == {"USDT": ("missing_window", "open")}
    assert grade(world) == ("unreliable", {"unreadable:deposits", "difference:balance:USDT"})

    world.simulator.faults.clear()
    read_again(world)
    assert found(world, "state") == {"USDT": ("explained",)}
    assert grade(world) == ("complete", set())
