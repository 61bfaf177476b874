"""Raw SQL is scoped by nobody: all of it is listed here, and takes the owner as its first argument or says why not."""

import ast
from pathlib import Path
from typing import Final

ROOMS: Final = ("accounts", "credentials", "marketdata", "orders", "portfolio", "pipeline", "web")
OWNERS: Final = {"user_id", "account_id", "account", "book"}
ROOT: Final = Path(__file__).resolve().parents[2]

OWNED: Final = {
    "orders.facts.asset_changes",
    "orders.facts.book_transfers",
    "orders.facts.changes_after",
    "orders.facts.planned_exits",
    "orders.facts.roles_in_use",
    "orders.linking._set_parents",
    "pipeline.cursors.claim",
    "portfolio.annotations.refresh",
    "portfolio.books.mark_stale",
    "portfolio.day_sums.open_counts",
    "portfolio.day_sums.passed",
    "portfolio.fees.refresh",
    "portfolio.fees.waiting_since",
    "portfolio.store.__init__",
    "portfolio.valuations.needed_hours",
}
OTHERS: Final = {
    "accounts.attempts._give_back": "counters of log-in attempts, by exact key",
    "accounts.attempts._take": "counters of log-in attempts, by exact key",
    "accounts.usage.note": "one row, by its key",
    "credentials.rotation._count_left": "all keys, through the system door",
    "credentials.rotation._old_rows": "all keys, through the system door",
    "credentials.rotation._replace": "all keys, through the system door",
    "credentials.rotation._values_by_key": "all keys, through the system door",
    "marketdata.prices._opens": "market data is nobody's",
    "orders.facts._stream": "the SQL of functions of this list, by account",
    "pipeline.dispatch._owned": "due work of all accounts, through the system door",
    "pipeline.dispatch.claim_due_accounts": "due work of all accounts, through the system door",
    "portfolio.store._flush": "into a table of its own transaction",
    "portfolio.store.commit": "of the book it was made with",
    "web.admin.base.count": "the planner's estimate of a table's size",
}


def _found() -> dict[str, str]:
    """Functions that open a cursor or build a raw queryset, with the name of their first argument."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not {"migrations", "management"} & set(path.parts):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found |= {f"{module}.{name}": first for name, first in _in(ast.parse(path.read_text()))}
    return found


def _in(tree: ast.Module) -> list[tuple[str, str]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [(function.name, _first(function)) for function in functions if _runs_sql(function)]


def _runs_sql(function: ast.FunctionDef) -> bool:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in ("cursor", "raw") for call in calls)


def _first(function: ast.FunctionDef) -> str:
    names = [argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]]
    return next((name for name in names if name != "self"), "")


def test_all_raw_sql_is_known() -> None:
    assert set(_found()) == OWNED | set(OTHERS)


def test_raw_sql_takes_the_owner_first() -> None:
    found = _found()

    assert {name: found.get(name) for name in OWNED if found.get(name) not in OWNERS} == {}
