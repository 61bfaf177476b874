"""A whole simulated account stored page by page: what must hold of any account's orders and fills."""

import json
import random
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from django.db.models import F, Q

from core.django import tenancy
from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.binance import listings, mapping
from exchanges.rows import FillRow, OrderRow
from exchanges.simulators.binance import wire
from exchanges.simulators.clock import FixedClock
from exchanges.simulators.profiles import DEMO
from exchanges.simulators.world import World
from orders import ingest
from orders.models import Fill, Order
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
T = TypeVar("T")


@pytest.fixture(scope="module")
def history() -> tuple[list[OrderRow], list[FillRow]]:
    """Sixty days of a trader who uses every style of linked orders, as the adapter reads it."""
    profile = DEMO.shortened(60)
    world = World(seed=1, clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)), profiles=[profile])
    account = world.accounts[profile.label]
    orders = [mapping.order(_read(wire.order(each))) for rows in account.orders.values() for each in rows]
    fills = [
        mapping.fill(_read(wire.fill(each)), lambda symbol: listings.assets(symbol, {}))
        for rows in account.fills.values()
        for each in rows
    ]
    return orders, fills


def _read(text: bytes) -> Any:
    return json.loads(text, parse_float=str)


def _pages(rows: list[T], *, seed: int | None) -> list[list[T]]:
    """In the exchange's order, or, with a seed, mixed up."""
    mixed = rows if seed is None else random.Random(seed).sample(rows, len(rows))
    return [mixed[start : start + 60] for start in range(0, len(mixed), 60)]


def _store(history: tuple[list[OrderRow], list[FillRow]], *, seed: int | None) -> ExchangeAccount:
    orders, fills = history
    account: ExchangeAccount = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        for page in _pages(fills, seed=seed):
            stored = ingest.store_fills(account=account, rows=page, source="sync", run_id=None)
            assert stored.conflicts == []
        for orders_page in _pages(orders, seed=seed):
            ingest.store_orders(account=account, rows=orders_page, source="sync", run_id=None)
    return account


def _links(account: ExchangeAccount) -> dict[tuple[str, str], tuple[Any, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = Order.objects.filter(account=account).values_list(
            "symbol", "exchange_order_id", "role", "group_id", "linked_by", "parent__exchange_order_id"
        )
        return {(symbol, order_id): tuple(link) for symbol, order_id, *link in rows}


def test_links_do_not_depend_on_the_order_pages_come_in(
    history: tuple[list[OrderRow], list[FillRow]],
) -> None:
    links = _links(_store(history, seed=None))

    assert {how for _, _, how, parent in links.values() if parent} == {"client_id", "exchange", "inferred"}
    for seed in (1, 2):
        assert _links(_store(history, seed=seed)) == links


def test_every_order_executed_the_sum_of_its_fills(history: tuple[list[OrderRow], list[FillRow]]) -> None:
    account = _store(history, seed=3)

    with tenancy.acting_as(account.user_id):
        executed = dict.fromkeys(Order.objects.values_list("symbol", "exchange_order_id"), ZERO)
        for symbol, order_id, quantity in Fill.objects.values_list("symbol", "exchange_order_id", "quantity"):
            executed[symbol, order_id] += quantity
        reported = Order.objects.values_list("symbol", "exchange_order_id", "executed_quantity")
        assert {(symbol, order_id): amount for symbol, order_id, amount in reported} == executed


def test_legs_share_account_symbol_and_group_with_their_entry(
    history: tuple[list[OrderRow], list[FillRow]],
) -> None:
    account = _store(history, seed=4)

    with tenancy.acting_as(account.user_id):
        legs = Order.objects.filter(parent__isnull=False)
        wrong = legs.filter(
            ~Q(parent__role="ENTRY")
            | ~Q(parent__account=F("account"))
            | ~Q(parent__symbol=F("symbol"))
            | ~Q(parent__group_id=F("group_id"))
            | Q(parent__side=F("side"))
            | Q(parent__parent__isnull=False)
        )
        assert (legs.count() > 50, wrong.count()) == (True, 0)


def test_the_whole_history_again_changes_nothing(history: tuple[list[OrderRow], list[FillRow]]) -> None:
    orders, fills = history
    account = _store(history, seed=None)

    with tenancy.acting_as(account.user_id):
        again = ingest.store_fills(account=account, rows=fills, source="sync", run_id=None)
        again.merge(ingest.store_orders(account=account, rows=orders, source="sync", run_id=None))

    assert (again.stored, again.changed, again.assets, again.conflicts) == (0, 0, {}, [])
