"""What may see past one owner is listed here; whatever else does fails these tests until somebody has looked at it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.django.tenancy import SYSTEM_PLACES

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = (
    "accounts", "config", "core", "credentials", "marketdata", "orders", "pipeline", "portfolio", "web",
)  # fmt: skip
OWNED_ROOMS: Final = ("credentials", "orders", "pipeline", "portfolio", "web")

DOORS: Final = {
    "credentials/rotation.py": "key-rotation",
    "pipeline/dispatch.py": "dispatch-due-work",
    "pipeline/invariants/examine.py": "verify-invariants",
    "pipeline/market.py": "market-data-needs",
    "web/middleware.py": "admin",
}
# SQL over owned tables that is no queryset, and so knows of the owner only what it is given: these functions take
# the owner, one of the owner's accounts, or a row that was found as the owner's.
OWNERS: Final = frozenset({"user_id", "account_id", "account", "book"})
BOUND_SQL: Final = frozenset(
    {
        "credentials/scope.py: _accounts",
        "orders/facts.py: book_transfers",
        "orders/facts.py: asset_changes",
        "orders/facts.py: changes_after",
        "orders/facts.py: _stream",
        "orders/ingest.py: store_fills",
        "orders/ingest.py: store_orders",
        "orders/movements.py: store_funding",
        "orders/movements.py: store_transfers",
        "orders/linking.py: _write",
        "orders/linking.py: _set_parents",
        "orders/strategies.py: apply_rules",
        "pipeline/cursors.py: claim",
        "portfolio/annotations.py: refresh",
        "portfolio/books.py: _mark_coins",
        "portfolio/books.py: mark_pools",
        "portfolio/books.py: _mark_contracts",
        "portfolio/contract_days.py: read_books",
        "portfolio/day_sums.py: legs",
        "portfolio/day_sums.py: open_counts",
        "portfolio/day_sums.py: passed",
        "portfolio/fees.py: refresh",
        "portfolio/imports/storing.py: link_orders",
        "portfolio/leverage.py: refresh",
        "portfolio/marks.py: fees_wait",
        "portfolio/marks.py: folded",
        "portfolio/marks.py: heard",
        "portfolio/store.py: Rows.__init__",
        "portfolio/trade_days.py: sum_days",
        "portfolio/valuations.py: needed_hours",
        "portfolio/verification.py: _first",
        "portfolio/verification.py: _keep",
    }
)
# These belong to one of the above, which hands them a scope, or run inside the system door.
INNER_SQL: Final = frozenset(
    {
        "portfolio/annotations.py: _refresh_some",
        "portfolio/annotations.py: _refresh_some.ids",
        "portfolio/leverage.py: restore",  # of rows that were found as the owner's
        "portfolio/store.py: Rows.commit",
        "portfolio/store.py: Rows._flush",
        "portfolio/store.py: _run",
        "portfolio/trade_days.py: _ask",
        "portfolio/selectors/standing.py: read",  # of a scope, whose accounts were found as the owner's
        "orders/legacy_rows.py: read_table",  # of another system's database
        "pipeline/dispatch.py: claim_due_accounts",
        "pipeline/dispatch.py: find_paces",
        "pipeline/dispatch.py: _rows",
        "pipeline/invariants/examine.py: _examine",
        "pipeline/invariants/examine.py: _owned",
        "credentials/rotation.py: _old_rows",
        "credentials/rotation.py: _replace",
        "credentials/rotation.py: _count_left",
        "credentials/rotation.py: _values_by_key",
        "web/admin/base.py: EstimatingPaginator.count",
    }
)


def sources(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def calls(tree: ast.AST, scope: tuple[ast.AST, ...] = ()) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    """Every call with the classes and functions around it."""
    for node in ast.iter_child_nodes(tree):
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(node, ast.Call):
            yield node, scope
        yield from calls(node, (*scope, node) if inner else scope)


def speaks_sql(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name) and call.func.id == "RawSQL"
    owner, name = ast.unparse(call.func.value), call.func.attr
    return (
        (name in {"execute", "executemany", "copy"} and ("cursor" in owner or "connection" in owner))
        or name in {"raw", "extra"}
        or (owner == "bulk" and name in {"upsert", "update"})
    )


def raw_sql(*rooms: str) -> dict[str, set[str]]:
    """`file: function` of raw SQL, with the function's parameters."""
    found: dict[str, set[str]] = {}
    for path, tree in sources(*rooms):
        for call, scope in calls(tree):
            if speaks_sql(call):
                name = ".".join(getattr(node, "name", "") for node in scope)
                arguments = scope[-1].args if scope and isinstance(scope[-1], ast.FunctionDef) else None
                names = [*arguments.args, *arguments.kwonlyargs] if arguments else []
                found[f"{path}: {name}"] = {argument.arg for argument in names}
    return found


def test_the_system_door_is_opened_in_the_listed_places_only() -> None:
    opened: dict[str, str] = {}
    for path, tree in sources(*ROOMS):
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Constant)
            for target in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
            if isinstance(target, ast.Name)
        }
        for call, _ in calls(tree):
            if ast.unparse(call.func).endswith("as_system"):
                place = call.args[0]
                value = place.value if isinstance(place, ast.Constant) else constants[ast.unparse(place)]
                opened[path] = str(value)

    assert opened == DOORS
    assert set(opened.values()) == SYSTEM_PLACES


def test_nothing_reads_past_the_owners_manager() -> None:
    names = {"unscoped", "_base_manager"}
    found = {
        path
        for path, tree in sources(*ROOMS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in names
    }

    assert found <= {"core/django/checks.py"}


def test_raw_sql_over_owned_tables_is_listed() -> None:
    assert set(raw_sql(*OWNED_ROOMS)) == BOUND_SQL | INNER_SQL


def test_listed_raw_sql_is_given_its_owner() -> None:
    found = raw_sql(*OWNED_ROOMS)

    assert {name for name in BOUND_SQL if not found[name] & OWNERS} == set()


def test_roles_are_taken_by_the_doors_and_by_the_owners_commands_only() -> None:
    found = {
        path
        for path, tree in sources(*ROOMS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and "SET ROLE " in node.value.upper().replace("LOCAL ", "")
    }  # fmt: skip

    assert found <= {"accounts/management/commands/_as_owner.py", "core/django/roles.py"}
