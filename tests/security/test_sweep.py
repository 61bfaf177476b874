"""Every operation of the OpenAPI document by three people with what is the others': nothing seen, nothing changed.

Three times: as it is; with querysets that filter nothing, so that row-level security stands alone; and with the
policies off, so that querysets and raw SQL stand alone. More foreign values: see tests.security.sweep.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from django.db import connection, models

from core.django import tenancy
from tests.security import catalogue
from tests.security.operations import Operation, operations
from tests.security.people import Person, as_table_owner, undone
from tests.security.recipes import RECIPES
from tests.security.sweep import Sweep

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sweep(people: list[Person]) -> Sweep:
    """One world for all; each request in it is undone."""
    return Sweep(people)


@contextmanager
def _unscoped_querysets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tenancy.OwnedManager, "get_queryset", models.Manager.get_queryset)
        yield


@contextmanager
def _no_policies() -> Iterator[None]:
    with undone():
        with as_table_owner(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in sorted(catalogue.read().walled):
                cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        yield


WALLS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "both walls": nullcontext,
    "policies alone": _unscoped_querysets,
    "querysets alone": _no_policies,
}


def test_every_operation_has_a_recipe() -> None:
    assert {str(operation) for operation in operations()} == set(RECIPES)


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize("operation", [one for one in operations() if str(one) in RECIPES], ids=str)
def test_nothing_of_another_is_seen_or_changed(operation: Operation, walls: str, sweep: Sweep) -> None:
    with WALLS[walls]():
        faults = sweep.of(operation, undocumented=walls == "both walls")

    assert faults == []


@pytest.mark.parametrize(
    "path", ["/api/strategies/prefixes", "/api/trades/{trade_id}", "/api-credentials/{account_id}"]
)
def test_without_any_wall_the_sweep_finds_foreign_values(path: str, sweep: Sweep) -> None:
    with _unscoped_querysets(), _no_policies():
        faults = [fault for one in operations() if one.path == path for fault in sweep.of(one)]

    assert any("tells robert's" in fault and "by alice" in fault for fault in faults)
    assert path != "/api-credentials/{account_id}" or any("changed robert's" in fault for fault in faults)


@pytest.mark.parametrize("name", ["alice", "robert"])
def test_a_foreign_value_would_be_noticed(name: str, sweep: Sweep) -> None:
    """The sweep is only as good as its marks: amounts, ids, labels, addresses and keys of each owner."""
    harvest = sweep.harvests[name]

    assert len(harvest.marks) > 200
    assert {f"{name}-main", f"{name}@{name}.example", f"{name}-wallet-address"} <= harvest.marks
    assert all(len(harvest.values[kind]) > 5 for kind in ("uuid", "integer", "text"))
