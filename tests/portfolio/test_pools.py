"""Coins of all accounts in one pool: a sale consumes what any of them bought."""

import random
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from core.django import tenancy
from core.errors import Invalid
from orders.models import Fill, OwnTransfer, Transfer
from portfolio import books, statements
from portfolio.exports import lots
from portfolio.exports.sections import Selection
from portfolio.models import Allocation, Book, BookDay, Fee, MovedLot, Position, Trade
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import fill, fold, touch, transfer
from tests.portfolio.pooled import Pool, at
from web import profiles

pytestmark = pytest.mark.django_db

METHODS = ["average", "fifo", "lifo", "hifo"]


@pytest.mark.parametrize(
    ("method", "scope", "cost", "gross"),
    [
        ("fifo", "all", 100, 150),
        ("lifo", "all", 300, -50),
        ("average", "all", 200, 50),
        ("fifo", "account", 300, -50),
    ],
)
def test_the_documented_example(method: str, scope: str, cost: int, gross: int) -> None:
    """1 bought here at 100 and 1 there at 300; 1 sold there at 250."""
    pool = Pool(cost_method=method, cost_scope=scope)
    pool.fold(
        pool.fill("here", "BUY", "1", "100", 1),
        pool.fill("there", "BUY", "1", "300", 2),
        pool.fill("there", "SELL", "1", "250", 3),
    )
    pool.rebuild("there")

    assert pool.told(Trade, "account", "exchange", "cost", "gross_pnl") == [
        (pool.there.id, "mexc", cost, gross)
    ]


def test_rows_hang_on_the_account_of_their_fill() -> None:
    pool = Pool(cost_method="fifo")
    bought = pool.fill("here", "BUY", "1", "100", 1)

    pool.fold(bought, pool.fill("there", "SELL", "1", "250", 3), at_account="there")

    assert pool.told(Position, "account", "symbol", "status") == [(pool.here.id, "BTCUSDT", "CLOSED")]
    assert pool.told(Allocation, "account", "entry_fill", "cost") == [(pool.there.id, bought.id, 100)]
    assert pool.told(Book, "account", "pool", "engine_version") == [
        (pool.here.id, "", 0),
        (pool.here.id, "live", 4),
        (pool.there.id, "", 0),
    ]


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["here", "there"]),
        st.sampled_from(["BUY", "BUY", "SELL", "SEND"]),
        st.integers(1, 300).map(lambda number: str(Decimal(number) / 100)),
        st.integers(90, 110).map(str),
        st.sampled_from(["USDT", "BTC"]),
    ),
    min_size=3,
    max_size=9,
)
_SLOW: Any = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@given(acts=_ACTS, method=st.sampled_from(METHODS))
@settings(max_examples=5, **_SLOW)
def test_a_pool_is_one_account_that_holds_the_facts_of_all(acts: list[Any], method: str) -> None:
    """Of what went from one account to the other only the network's fee leaves."""
    with transaction.atomic():
        pool, alone = Pool(cost_method=method), AccountFactory.create(user__cost_method=method)
        facts: list[Any] = []
        merged: list[Any] = []
        for number, (where, what, size, price, coin) in enumerate(acts):
            minute = number * 200
            if what == "SEND":
                facts += _way(pool, where, size, minute)
                merged.append(
                    transfer(
                        alone, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.01"), occurred_at=at(minute)
                    )
                )
                continue
            more = {"fee_amount": Decimal("0.001"), "fee_currency": coin}
            facts.append(pool.fill(where, what, size, price, minute, **more))
            merged.append(fill(alone, what, size, price, executed_at=at(minute), **more))
        pool.fold(*facts)
        fold(alone, *merged)
        theirs, ours = _figures(alone.user), _figures(pool.user)
        owners = pool.told(Trade, "account", "first_exit_fill__account")
        transaction.set_rollback(True)

    assert ours == theirs
    assert all(account == of_fill for account, of_fill in owners)


def _way(pool: Pool, where: str, size: str, minute: int) -> list[Transfer]:
    here, there = (pool.here, pool.there) if where == "here" else (pool.there, pool.here)
    common: dict[str, Any] = {"asset": "BTC", "amount": Decimal(size), "tx_id": f"tx{minute}"}
    return [
        transfer(here, kind="WITHDRAWAL", fee_amount=Decimal("0.01"), occurred_at=at(minute), **common),
        transfer(there, occurred_at=at(minute + 100), **common),
    ]


_TRADE = (
    "entry_time", "exit_time", "exit_quantity", "cost", "proceeds", "entry_fees", "exit_fees", "net_pnl", "kind",
    "unknown_quantity", "exit_type",
)  # fmt: skip
_POSITION = (
    "opened_at",
    "closed_at",
    "quantity",
    "total_cost",
    "entered_cost",
    "moved_cost",
    "net_pnl",
    "fees_paid",
)
_DAY = ("day", "quantity", "cost", "unknown_quantity", "gross_pnl", "fees", "moved_quantity", "moved_cost")


def _figures(user: User) -> list[list[Any]]:
    with tenancy.acting_as(user.id):
        return [
            sorted(model.objects.values_list(*columns), key=str)
            for model, columns in ((Trade, _TRADE), (Position, _POSITION), (BookDay, _DAY))
        ]


@given(acts=_ACTS, method=st.sampled_from(METHODS), seed=st.randoms(use_true_random=False))
@settings(max_examples=3, **_SLOW)
def test_in_whatever_order_facts_arrive_and_scopes_change_the_rows_are_those_of_a_rebuild(
    acts: list[Any], method: str, seed: random.Random
) -> None:
    with transaction.atomic():
        pool = Pool(cost_method=method)
        groups: list[list[Any]] = []
        for number, (where, what, size, price, _) in enumerate(acts):
            minute = number // 2 * 200  # two at a time
            is_way = what == "SEND"
            groups.append(
                _way(pool, where, size, minute + 1)
                if is_way
                else [pool.fill(where, what, size, price, minute)]
            )
        seed.shuffle(groups)
        with tenancy.acting_as(pool.user.id):
            Fill.objects.all().delete()
            Transfer.objects.all().delete()
        for group in groups:
            with tenancy.acting_as(pool.user.id):
                for fact in group:
                    fact.save(force_insert=True)
            pool.fold(*group, at_account=seed.choice(["here", "there"]))
        pooled = pool.picture()
        pool.rebuild("there", from_zero=True)
        again = pool.picture()
        pool.keep(cost_scope="account")
        single = pool.picture()
        pool.keep(cost_scope="all")
        back = pool.picture()
        pool.keep(cost_scope="account")
        there = pool.picture()
        transaction.set_rollback(True)

    assert again == pooled == back
    assert there == single != pooled


def test_a_late_fact_of_another_account_is_folded_by_either_once() -> None:
    pool = Pool(cost_method="fifo")
    pool.fold(pool.fill("here", "BUY", "1", "100", 5), pool.fill("here", "SELL", "1", "130", 9))
    late = pool.fill("there", "BUY", "1", "60", 1)
    touch(pool.there, [late])

    assert pool.told(Book, "pool", "stale_from", stale_from__isnull=False) == [("live", at(1))]
    runs = [pool.rebuild(name) for name in ("here", "there")]

    assert [(run.books, run.facts, len(run.others)) for run in runs] == [(1, 3, 1), (0, 0, 0)]
    assert pool.told(Trade, "account", "cost") == [(pool.here.id, 60)]
    assert pool.told(Position, "account") == [pool.there.id]


def test_fees_of_every_account_are_kept_whoever_folds_the_pool() -> None:
    pool = Pool()
    bought = pool.fill("there", "BUY", "1", "100", 1, fee_amount=Decimal(1))

    pool.fold(bought, at_account="here")

    assert pool.told(Fee, "account", "fill", "value") == [(pool.there.id, bought.id, 1)]


def test_a_way_between_two_accounts_changes_nothing_but_for_the_networks_fee() -> None:
    pool = Pool(cost_method="fifo")
    sent = pool.sent("1.5", 5, fee_amount=Decimal("0.5"))
    pool.fold(pool.fill("here", "BUY", "2", "100", 1), sent)
    assert pool.told(Position, "status", "moved_quantity") == [("CLOSED", 2)]
    came = pool.came("1.4", 9)
    pool.fold(came)
    assert pool.told(BookDay, "quantity", "unknown_quantity") == [(0, Decimal("1.4"))]

    own = statements.declare(user_id=pool.user.id, outgoing_id=sent.id, incoming_id=came.id)
    pool.rebuild("there")

    assert pool.told(Position, "status", "quantity", "total_cost") == [("OPEN", Decimal("1.4"), 140)]
    assert pool.told(MovedLot, "transfer", "quantity", "cost") == [(sent.id, Decimal("0.6"), 60)]
    pool.fold(pool.fill("there", "SELL", "1.4", "130", 20))
    assert pool.told(Trade, "account", "gross_pnl", "unknown_quantity") == [(pool.there.id, 42, 0)]
    with tenancy.acting_as(pool.user.id):
        OwnTransfer.objects.filter(id=own.id).update(state="proposed")
    statements.decide(user_id=pool.user.id, pair_id=own.id, is_one=False)
    pool.rebuild()
    assert pool.told(Trade, "gross_pnl", "unknown_quantity") == [(0, Decimal("1.4"))]


def test_coins_that_arrive_beyond_what_left_are_of_unknown_cost() -> None:
    pool = Pool()
    sent, came = pool.sent("1", 5), pool.came("3", 9)
    pool.fold(pool.fill("here", "BUY", "1", "100", 1), sent, came)
    statements.declare(user_id=pool.user.id, outgoing_id=sent.id, incoming_id=came.id)

    pool.rebuild()

    assert pool.told(BookDay, "quantity", "cost", "unknown_quantity") == [(1, 100, 2)]


def test_coins_that_did_not_arrive_are_no_transfer_and_leave_the_pool() -> None:
    pool = Pool()
    sent, came = pool.sent("1", 5), pool.came("1", 9, status="failed")
    pool.fold(pool.fill("here", "BUY", "1", "100", 1), sent, came)

    with pytest.raises(Invalid, match="has not arrived yet"):
        statements.declare(user_id=pool.user.id, outgoing_id=sent.id, incoming_id=came.id)

    pool.rebuild()
    assert pool.told(BookDay, "quantity", "moved_quantity") == [(0, 1)]


def test_demo_accounts_have_a_pool_of_their_own() -> None:
    pool = Pool(cost_method="fifo")
    demo = AccountFactory.create(user=pool.user, mode="demo")
    pool.fold(pool.fill("here", "BUY", "1", "100", 1))

    fold(
        demo,
        fill(demo, "BUY", "1", "50", executed_at=at(0)),
        fill(demo, "SELL", "1", "60", executed_at=at(2)),
    )

    assert pool.told(Trade, "account", "cost") == [(demo.id, 50)]
    assert sorted(pool.told(Book, "pool")) == ["", "", "demo", "live"]


def test_an_account_that_is_connected_later_joins_the_pool() -> None:
    user = UserFactory.create(cost_scope="all", cost_method="fifo")
    old = AccountFactory.create(user=user)
    fold(
        old, fill(old, "BUY", "1", "100", executed_at=at(1)), fill(old, "SELL", "1", "150", executed_at=at(5))
    )
    new = AccountFactory.create(user=user)

    fold(new, fill(new, "BUY", "1", "120", executed_at=at(0)))

    with tenancy.acting_as(user.id):
        trade = Trade.objects.get()
        assert (trade.account_id, trade.cost) == (old.id, Decimal(120))


@pytest.mark.parametrize("scope", ["all", "account"])
def test_facts_marked_by_a_run_that_began_before_the_scope_changed_are_not_lost(scope: str) -> None:
    """It marks the kind of book that is not wanted any more; folding that hands the facts over."""
    pool = Pool(cost_scope="account" if scope == "all" else "all", cost_method="fifo")
    begun = [pool.here, pool.there]
    assert all(account.user.cost_scope != scope for account in begun)
    pool.fold(pool.fill("here", "BUY", "1", "100", 2))
    pool.user = User.objects.get(id=pool.user.id)
    pool.keep(cost_scope=scope)
    late = pool.fill("here", "BUY", "1", "50", 1)
    other = pool.fill("there", "BUY", "1", "7", 3, symbol="ADAUSDT", base_asset="ADA")

    with tenancy.acting_as(pool.user.id):
        old = UserFactory.build(id=pool.user.id, cost_scope="account" if scope == "all" else "all")
        for account, fact in ((pool.here, late), (pool.there, other)):
            account.user = old
            touch(account, [fact])
    pool.settle()

    assert sorted(pool.told(Position, "total_cost")) == [7, 150]
    assert {bool(one) for one in pool.told(Position, "book__pool")} == {scope == "all"}
    kept = pool.picture()
    pool.rebuild(from_zero=True)
    pool.settle()
    assert pool.picture() == kept


def test_what_is_held_is_exported_for_the_account_that_bought_it() -> None:
    pool = Pool(cost_method="fifo")
    pool.fold(pool.fill("here", "BUY", "1", "100", 1), pool.fill("there", "BUY", "2", "300", 2))

    with tenancy.acting_as(pool.user.id):
        told = {
            account.label: [
                dict(zip(lots.LOTS.table.names, row, strict=True))["cost"]
                for row in lots.lots(Selection((account.id,), None, None, "USDT"))
            ]
            for account in (pool.here, pool.there)
        }

    assert told == {pool.here.label: ["100"], pool.there.label: ["600"]}


def test_another_scope_has_every_book_folded_anew_and_counts_no_coin_twice() -> None:
    pool = Pool(cost_scope="account")
    pool.fold(pool.fill("here", "BUY", "1", "100", 1), pool.fill("there", "BUY", "1", "100", 2))
    pool.settle()

    changed = profiles.update(user=pool.user, at=at(9999), cost_scope="all")
    assert (changed.books_to_recompute, pool.told(Position, "entered_quantity")) == (3, [1, 1])

    pool.rebuild("there")
    assert (books.left_to_recompute(user_id=pool.user.id), pool.told(Position, "entered_quantity")) == (
        0,
        [2],
    )
