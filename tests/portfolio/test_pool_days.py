"""Days, explanations and checks of accounts whose coins are pooled."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from core import clock
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from core.money import text
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from pipeline import derive, market
from pipeline.invariants.examine import examine
from portfolio import metrics, verification
from portfolio.models import BookDay, PortfolioSnapshot, Trade
from tests.clients import JsonClient
from tests.portfolio.books import fill, fold, touch, transfer
from tests.portfolio.days import close, closes, line, list_pairs, moment, refresh, report
from tests.portfolio.pooled import Pool
from tests.portfolio.test_day_identity import PAIRS, PRICES, UNITS, History, _fills, _identity, _moves

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(alice: User) -> Pool:
    """Bought here, 2 at 100 and there, 1 at 130; 1 sent there for a fee of 0.1; 1.5 sold there at 150."""
    alice.cost_scope, alice.cost_method = "all", "fifo"
    alice.save()
    pool = Pool(alice)
    closes("BTCUSDT", "100", "130", "150")
    facts: dict[ExchangeAccount, list[Fill | Transfer]] = {
        pool.here: [
                transfer(pool.here, occurred_at=moment(0, 8)),
                fill(pool.here, "BUY", "2", "100", fee_amount=Decimal(1), executed_at=moment(0)),
                transfer(
                    pool.here, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.9"), fee_amount=Decimal("0.1"),
                    occurred_at=moment(1), tx_id="way",
                ),
            ],
        pool.there: [
                transfer(pool.there, occurred_at=moment(0, 8)),
                transfer(pool.there, asset="BTC", amount=Decimal("0.9"), occurred_at=moment(1, 11), tx_id="way"),
                fill(pool.there, "BUY", "1", "130", executed_at=moment(1, 12)),
                fill(pool.there, "SELL", "1.5", "150", fee_amount=Decimal(2), executed_at=moment(2)),
            ],
    }  # fmt: skip
    for account, made in facts.items():
        fold(account, *made)
    report(pool.here, moment(2, 23), USDT="799", BTC="1")
    report(pool.there, moment(2, 23), USDT="1093", BTC="0.4")
    for account in (pool.here, pool.there):
        refresh(account)
    return pool


def test_what_the_pool_realised_is_the_account_of_the_exits(pool: Pool) -> None:
    """1.5 at 150 consume 1.5 of the 1.9 bought at 100."""
    columns = ("gross_pnl", "realized_pnl", "residual")

    assert line(pool.here, *columns) == [(0, 0, 0)] * 3
    assert line(pool.there, *columns)[2] == (75, Decimal("72.25"), 0)


def test_what_it_holds_is_each_accounts_by_what_that_holds(pool: Pool) -> None:
    """1.9 and 1 cost 320 at a close of 130; 1.4 cost 170 at one of 150."""
    here, there = line(pool.here, "unrealized_pnl"), line(pool.there, "unrealized_pnl")

    assert [one + other for one, other in zip(here, there, strict=True)] == [0, 57, 40]
    assert [round(one, 6) for one in here] == [0, Decimal("19.655172"), Decimal("28.571429")]
    assert line(pool.here, "total_positions_value")[1:] == [130, 150]


def test_a_quiet_look_at_everything_finds_it_right(pool: Pool) -> None:
    found = [
        verification.verify(user_id=pool.user.id, account_id=account.id, at=clock.now())
        for account in (pool.here, pool.there)
    ]

    assert [(one.mismatch, one.waiting) for one in found] == [(None, [])] * 2
    assert [one.rows["trade"] for one in found] == [0, 1]
    with actors.acting(Actor(kind=ActorKind.COMMAND)):
        assert {one.name: one.broken for one in examine() if not one.holds} == {}


def test_explanations_add_up(pool: Pool, as_alice: JsonClient) -> None:
    [trade] = pool.told(Trade, "id")
    paths = [f"trade/{trade}", f"position/{pool.told(Trade, 'position')[0]}"] + [
        f"day/2026-02-0{day}?account={account.id}" for day in (2, 3) for account in (pool.here, pool.there)
    ]

    trees = [as_alice.get(f"/api/explain/{path}").json() for path in paths]

    assert [tree["adds_up"] for tree in trees] == [True] * len(paths)
    checks = as_alice.get(f"/api/trades/{trade}/explain").json()["checks"]
    assert {(check["basis"], check["equal"]) for check in checks} == {
        (basis, True) for basis in ("allocations", "fills", "order", "facts")
    }


def test_a_fact_of_one_account_redraws_the_days_of_the_others(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 more bought here at 50, of which the way took 0.1: 1.5 sold there cost 45 + 60."""
    monkeypatch.setattr(derive, "_needs", lambda **_: [])
    monkeypatch.setattr(market, "freshen_prices", lambda **_: None)
    monkeypatch.setattr(metrics, "refresh", lambda **_: 0)
    late = fill(pool.here, "BUY", "1", "50", executed_at=moment(0, 9))
    touch(pool.here, [late])

    derive.bring_up_to_date(user_id=pool.user.id, account_id=pool.here.id, at=moment(3))

    assert line(pool.there, "gross_pnl")[2] == 120


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["here", "there"]), _moves | _fills, st.sampled_from(["base", "BNB", "EUR", ""]),
        st.integers(0, 2),
    ),
    min_size=4,
    max_size=12,
)  # fmt: skip


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS, method=st.sampled_from(["average", "fifo"]))
def test_every_day_of_every_account_adds_up_and_together_they_are_the_pool(
    steps: list[tuple[str, tuple[str, str, int], str, int]], method: str
) -> None:
    with transaction.atomic():
        list_pairs(*PRICES, *PAIRS)
        for symbol, prices in PRICES.items():
            for number, (opened, price) in enumerate(pairwise((prices[0], *prices))):
                close(symbol, number, price, opened=opened)
        pool = Pool(cost_method=method)
        accounts = {name: History(pool.account(name)) for name in ("here", "there")}
        for minute, history in enumerate(accounts.values()):
            for asset in UNITS:
                history.step(("DEPOSIT", asset, 9), "", moment(0, 1, minute))
        for number in range(3):
            for place, (where, what, fee, on) in enumerate(steps):
                if on == number:
                    accounts[where].step(what, fee, moment(number, 2) + timedelta(minutes=61 * place))
            for history in accounts.values():
                held = {asset: text(amount) for asset, amount in history.held.items()}
                report(history.account, moment(number, 23), None, **held)
        pool.fold(*accounts["here"].facts, *accounts["there"].facts)
        for history in accounts.values():
            refresh(history.account)
        with tenancy.acting_as(pool.user.id):
            rows = [
                list(PortfolioSnapshot.objects.filter(account=history.account).order_by("snapshot_date"))
                for history in accounts.values()
            ]
            made: dict[Any, Decimal] = {}
            for day, gross in BookDay.objects.values_list("day", "gross_pnl"):
                made[day] = made.get(day, Decimal(0)) + gross
        transaction.set_rollback(True)

    for days in rows:
        befores: list[PortfolioSnapshot | None] = [None, *days]
        assert [_identity(before, row) for before, row in zip(befores, days, strict=False)] == [0] * 3
        assert max(abs(row.residual) for row in days) <= Decimal("1e-15")
    together = [here.gross_pnl + there.gross_pnl for here, there in zip(*rows, strict=True)]
    assert together == [made.get(row.snapshot_date, 0) for row in rows[0]]
