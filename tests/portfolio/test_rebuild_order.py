"""In whatever order facts arrive, the books end like a rebuild from zero."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import ingest
from orders.models import Fill
from portfolio import books
from portfolio.models import Book, Position, Trade
from tests.factories import AccountFactory
from tests.orders import rows as rows_of
from tests.portfolio.books import START, fill, fold, touch
from tests.portfolio.pictures import picture, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


_amounts = st.integers(1, 400).map(lambda number: str(Decimal(number) / 100))
_histories = st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), _amounts, _amounts), min_size=2, max_size=9)


@pytest.mark.parametrize("method", ["average", "fifo"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_histories, seed=st.randoms(use_true_random=False))
def test_any_arrival_order_ends_like_a_rebuild_from_zero(
    method: str, history: list[tuple[str, str, str]], seed: random.Random
) -> None:
    with transaction.atomic():
        account = AccountFactory.create(user__cost_method=method)
        facts = [fill(account, *row, fee_amount=Decimal("0.01")) for row in history]
        seed.shuffle(facts)
        with tenancy.acting_as(account.user_id):
            Fill.objects.filter(account=account).delete()
        for fact in facts:
            with tenancy.acting_as(account.user_id):
                fact.save(force_insert=True)
            fold(account, fact)
        incremental = picture(account)
        fold(account, from_zero=True)
        again = picture(account)
        transaction.set_rollback(True)

    assert incremental == again


_MOMENTS = st.integers(0, 3).map(lambda place: START + timedelta(milliseconds=place))
_CLOSE_CALLS = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.sampled_from(["1", "2"]), _amounts, _MOMENTS),
    min_size=3,
    max_size=10,
)


@pytest.mark.parametrize("method", ["average", "fifo"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_CLOSE_CALLS, seed=st.randoms(use_true_random=False), pieces=st.integers(1, 3))
def test_any_arrival_order_ends_like_a_rebuild_from_zero_within_a_few_milliseconds(
    method: str, history: list[tuple[str, str, str, datetime]], seed: random.Random, pieces: int
) -> None:
    with transaction.atomic():
        account = AccountFactory.create(user__cost_method=method)
        facts = [
            fill(account, side, quantity, price, executed_at=at, fee_amount=Decimal("0.01"))
            for side, quantity, price, at in history
        ]
        seed.shuffle(facts)
        with tenancy.acting_as(account.user_id):
            Fill.objects.filter(account=account).delete()
        while facts:
            arrived, facts = facts[:pieces], facts[pieces:]
            with tenancy.acting_as(account.user_id):
                for fact in arrived:
                    fact.save(force_insert=True)
            fold(account, *arrived)
        incremental = picture(account)
        fold(account, from_zero=True)
        again = picture(account)
        transaction.set_rollback(True)

    assert incremental == again


@pytest.mark.parametrize("late", [timedelta(milliseconds=1), timedelta(0), timedelta(milliseconds=-1)])
def test_two_positions_of_one_millisecond_survive_a_late_fill_after_at_or_before_it(
    account: ExchangeAccount, late: timedelta
) -> None:
    sides = [("BUY", "100"), ("SELL", "110"), ("BUY", "100"), ("SELL", "120")]
    together = [fill(account, side, "1", price, executed_at=START) for side, price in sides]
    fold(account, *together, fill(account, "BUY", "1", "130", executed_at=START + timedelta(hours=1)))
    first = rows(account, Position, "id")[0]

    fold(account, fill(account, "BUY", "1", "90", executed_at=START + late))

    stored = rows(account, Position, "status", "gross_pnl")
    kept = picture(account)
    fold(account, from_zero=True)
    assert picture(account) == kept
    if late >= timedelta(0):
        assert rows(account, Position, "id")[0] == first
        assert stored == [("CLOSED", Decimal(10)), ("CLOSED", Decimal(20)), ("OPEN", Decimal(0))]


def test_facts_told_finer_than_a_millisecond_are_folded_whenever_they_come(account: ExchangeAccount) -> None:
    """Files and older systems tell microseconds; the order of a book knows none: within a millisecond ids decide."""
    told = [("9", "BUY", 100, 900), ("3", "BUY", 200, 950), ("2", "SELL", 300, 990)]
    for fill_id, side, price, microsecond in told:
        row = rows_of.fill(
            fill_id=fill_id, order_id=fill_id, side=side, price=Decimal(price), quote_quantity=Decimal(price),
            fee_amount=Decimal(0), executed_at=START.replace(microsecond=microsecond),
        )  # fmt: skip
        with tenancy.acting_as(account.user_id):
            touched = ingest.store_fills(account=account, rows=[row], source="test", run_id=None)
            books.mark_stale(account=account, touched=touched)
        result = fold(account)
        assert result.blocked == {}

    kept = picture(account)
    fold(account, from_zero=True)
    assert picture(account) == kept
    assert rows(account, Trade, "unknown_quantity") == [(Decimal(1),)]


def test_touching_makes_books_stale_only_from_the_earliest_fact(account: ExchangeAccount) -> None:
    first, second = fill(account, "BUY", "1", "100"), fill(account, "BUY", "1", "100")
    touch(account, [second])
    touch(account, [first])

    assert rows(account, Book, "asset", "stale_from") == [("BTC", first.executed_at)]
