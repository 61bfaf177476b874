"""Contract books of simulated accounts: synced over HTTP, our results are the exchange's, and every day adds up."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from core.money import ZERO, quantize
from exchanges.simulators import profiles
from pipeline.models import RunStatus, Trigger
from portfolio import rebuild
from portfolio.models import Book, BookDay, PortfolioSnapshot, Position, ReportedPosition, Trade
from portfolio.selectors import explain
from tests.pipeline.venues import Open
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db

PEOPLE = tuple(
    replace(each.shortened(14), symbols=("BTCUSDT", "ETHUSDT", "BTCUSDC"), ideas_per_100_days=250)
    for each in (profiles.LEVERAGED, profiles.HEDGED)
)
GATEIO_PEOPLE = [each.shortened(12) for each in profiles.CONTRACTS]
ROUNDING = Decimal("1e-8")
"""What the exchange settles of a fill is rounded to eight decimals."""


@pytest.fixture
def make_world(open_world: Open) -> Callable[..., World]:
    """A trader at Binance, read once."""

    def make(label: str = "leveraged", method: str = "average") -> World:
        world = open_world("binance", label, PEOPLE, method=method)
        assert world.sync(Trigger.CONNECT).status == RunStatus.OK
        return world

    return make


def true_results(world: World) -> dict[str, tuple[Decimal, Decimal, int]]:
    """Realised profit, funding and number of fills by contract."""
    told = world.truth()["futures"]["pnl"]
    return {
        name: (Decimal(row["realized"]), Decimal(row["funding"]), row["fills"]) for name, row in told.items()
    }


def our_results(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    """Profit and funding of our books. Funding by days: in hedge mode the exchange does not tell whose it was."""
    found: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    with world.door():
        books = Book.objects.exclude(market_type="spot")
        for name, settled in books.annotate(sum=Sum("positions__settled_pnl")).values_list("asset", "sum"):
            found[name][0] += settled or ZERO
        for name, funding in books.annotate(sum=Sum("days__funding")).values_list("asset", "sum"):
            found[name][1] += funding or ZERO
    return {name: (settled, funding) for name, (settled, funding) in found.items()}


def check_results(world: World) -> None:
    """Of every contract: profit within the rounding of its fills, funding valued in the reporting currency."""
    ours, true = our_results(world), true_results(world)
    assert ours.keys() == true.keys()
    for name, (settled, funding, fills) in true.items():
        assert abs(ours[name][0] - settled) <= ROUNDING * fills, name
        if name.endswith("USDT"):
            assert ours[name][1] == funding, name


def check_positions(world: World) -> None:
    """What our books hold is what the exchange holds, at its entry price."""
    true = {
        (row["contract"], row["side"]): (Decimal(row["quantity"]), Decimal(row["entry_price"]))
        for row in world.truth()["futures"]["positions"]
    }
    with world.door():
        rows = Position.objects.filter(market_type="futures", status="OPEN")
        held = {
            (row.symbol, row.side): (row.quantity, quantize(row.total_cost / row.quantity, 8)) for row in rows
        }
        reported = ReportedPosition.objects.filter(quantity__gt=0)
        leverages = {(row.symbol, row.side): row.leverage for row in reported}
        assert {(row.symbol, row.side): row.leverage for row in rows} == leverages
    assert held.keys() == true.keys()
    for key, (quantity, price) in true.items():
        assert held[key][0] == quantity
        assert abs(held[key][1] - price) <= ROUNDING


def check_days(world: World) -> None:
    """Facts explain everything: no residual, nothing unexplained, every price known."""
    with world.door():
        days = PortfolioSnapshot.objects.order_by("snapshot_date")
        assert [row.snapshot_date for row in days if row.residual or row.unexplained] == []
        assert [row.grade_reason for row in days if "unpriced" in row.grade_reason] == []
        assert any(row.funding for row in days)


def check_explanations(world: World) -> None:
    with world.door():
        ids = Trade.objects.filter(market_type="futures").values_list("id", flat=True)
        trees = [explain.explain(trade_id=trade_id) for trade_id in ids]
    assert len(trees) > 10
    assert [tree.checks for tree in trees if not tree.adds_up] == []


@pytest.mark.parametrize("label", ["leveraged", "hedged"])
def test_books_of_contracts_are_the_truth(make_world: Callable[..., World], label: str) -> None:
    world = make_world(label)
    check_results(world)
    check_positions(world)
    check_days(world)
    check_explanations(world)
    with world.door():
        assert Position.objects.filter(status="LIQUIDATED").count() == 1
        assert Trade.objects.filter(exit_type="LIQUIDATION").count() == 1


def test_coin_margined_books_are_the_truth_too(open_world: Open) -> None:
    world = open_world("gateio", "hedged", GATEIO_PEOPLE)
    world.sync(Trigger.CONNECT)
    check_results(world)
    check_days(world)
    check_explanations(world)
    with world.door():
        assert Trade.objects.filter(is_inverse=True, settle_asset="BTC").exists()


def test_fifo_that_goes_on_is_fifo_from_the_beginning(make_world: Callable[..., World]) -> None:
    world = make_world(method="fifo")
    world.wait(hours=30)
    world.sync()
    check_days(world)
    before = rows(world)
    rebuild.rebuild_account(
        user_id=world.user.id, account_id=world.account.id, at=world.now(), from_zero=True
    )
    assert rows(world) == before


def rows(world: World) -> list[Any]:
    """Derived rows, but for when they were written."""
    left_out = {"last_updated", "state"}
    with world.door():
        return [
            [
                tuple(value for name, value in row.items() if name not in left_out)
                for row in model.objects.filter(account=world.account).order_by("id").values()
            ]
            for model in (Position, Trade, BookDay)
        ]
