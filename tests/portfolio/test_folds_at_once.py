"""Several workers fold the same books at once, while facts arrive: what stands in the end is what a rebuild gives."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from decimal import Decimal
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from orders import own_transfers
from orders.models import Fill, Transfer
from portfolio import moved_lots
from portfolio.models import Trade
from tests.accounts.threads import at_once
from tests.portfolio.books import touch, transfer
from tests.portfolio.pooled import Pool, at
from web import profiles

pytestmark = pytest.mark.django_db(transaction=True)


def history(pool: Pool) -> list[list[Any]]:
    """Not stored yet, and by an order of arrival that is none of time: coins bought and sold at both accounts, and
    sent from one to the other."""
    groups: list[list[Any]] = [
        [
            pool.fill("here", "BUY", "2", "100", minute, fee_amount=Decimal("0.001"), fee_currency="BTC"),
            pool.fill("there", "BUY", "1", "107", minute + 1),
            pool.fill("there", "SELL", "1.7", "120", minute + 2, fee_amount=Decimal("0.1")),
            pool.fill("here", "SELL", "0.9", "95", minute + 3),
        ]
        for minute in (200, 0, 100)
    ]
    way = {"tx_id": "one", "fee_amount": Decimal("0.01")}
    groups.append([pool.sent("0.5", 150, **way), pool.came("0.5", 170, tx_id="one")])
    with tenancy.acting_as(pool.user.id):
        Fill.objects.all().delete()
        Transfer.objects.all().delete()
    return groups


def arrive(pool: Pool, facts: Sequence[Fill | Transfer]) -> None:
    """As a sync stores them: with the marks of the books they touch, in one transaction."""
    with tenancy.acting_as(pool.user.id):
        for fact in facts:
            fact.save(force_insert=True)
        for account in (pool.here, pool.there):
            touch(account, [fact for fact in facts if fact.account_id == account.id])


def assert_rebuilt(pool: Pool) -> None:
    """The rows are those of a rebuild, of all the facts."""
    pool.settle()
    kept = pool.picture()
    for name in ("here", "there"):
        pool.rebuild(name, from_zero=True)
    pool.settle()
    assert len(kept["Trade"]) == 6
    assert pool.picture() == kept


def test_two_accounts_of_a_pool_are_folded_at_once() -> None:
    pool = Pool(cost_method="fifo")
    groups = history(pool)

    def work(number: int) -> None:
        arrive(pool, groups[number])
        pool.rebuild("here" if number % 2 else "there")

    at_once(len(groups), work)
    assert_rebuilt(pool)


def test_the_scope_changes_while_books_are_folded() -> None:
    pool = Pool(cost_method="fifo", cost_scope="account")
    groups = history(pool)

    def work(number: int) -> None:
        scope = "account" if number % 2 else "all"
        profiles.update(user=User.objects.get(id=pool.user.id), at=at(0), cost_scope=scope)
        arrive(pool, groups[number])
        pool.rebuild("here" if number % 2 else "there")

    at_once(len(groups), work)
    assert_rebuilt(pool)


def test_workers_fold_the_books_of_one_account_at_once() -> None:
    pool = Pool(cost_method="fifo", cost_scope="account")
    groups = history(pool)

    def work(number: int) -> None:
        arrive(pool, groups[number])
        pool.rebuild("here")

    at_once(len(groups), work)
    assert_rebuilt(pool)


def test_books_that_send_coins_to_each_other_are_folded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds its own book when it is to mark the other's: one of them is told to begin again."""
    pool = Pool(cost_method="fifo", cost_scope="account")
    facts: list[Any] = [
        pool.fill("here", "BUY", "2", "100", 0),
        pool.fill("there", "BUY", "2", "200", 0),
        *(pool.sent("1", 10, tx_id="there"), pool.came("1", 20, tx_id="there")),
        transfer(
            pool.there, kind="WITHDRAWAL", asset="BTC", amount=Decimal(1), occurred_at=at(30), tx_id="here"
        ),
        transfer(pool.here, asset="BTC", amount=Decimal(1), occurred_at=at(40), tx_id="here"),
        pool.fill("here", "SELL", "1", "300", 50),
        pool.fill("there", "SELL", "1", "300", 50),
    ]
    pool.fold()
    with tenancy.acting_as(pool.user.id):
        for account in (pool.here, pool.there):
            own_transfers.match(account=account, since=at(0))
    for account in (pool.here, pool.there):
        touch(account, [fact for fact in facts if fact.account_id == account.id])
    both_hold_theirs, carry_on = Barrier(2), moved_lots.carry_on

    def meet(changed: Collection[int]) -> None:
        with suppress(BrokenBarrierError):
            both_hold_theirs.wait(timeout=10)
            both_hold_theirs.abort()
        carry_on(changed)

    monkeypatch.setattr(moved_lots, "carry_on", lambda changed: meet(changed) if changed else None)
    results = at_once(2, lambda number: pool.rebuild("there" if number else "here"))

    assert [result.books for result in results] == [1, 1]
    pool.settle()
    assert sorted(pool.told(Trade, "account__exchange", "net_pnl")) == [("binance", 200), ("mexc", 100)]
