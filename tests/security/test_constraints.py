"""Every rule of the database, read from its catalogue, is broken on purpose by raw SQL, and refused by that very rule.

A rule that nothing here knows how to break fails the run.
"""

import re
from typing import Any, Final

import pytest

from tests.conftest import NOW
from tests.security import catalogue, specimens
from tests.security.catalogue import Constraint
from tests.security.specimens import KNOWN_VALUES, Specimens, execute, insert, refusal, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_table_owner")]

# CHECKs that are more than a list of known values or comparisons with a number: rows that break them, and only them.
BROKEN: Final[dict[str, list[dict[str, Any]]]] = {
    "api_token_ends_after_it_began": [{"expires_at": NOW, "created_at": NOW}],
    "book_pool_is_of_coins": [{"pool": "live", "market_type": "futures"}],
    "coverage_gap_lasts": [{"until": NOW}],
    "excursion_from_zero": [
        {"max_drawdown": -1},
        {"max_drawdown": 1, "max_runup": 1},
        {"max_drawdown": -1, "max_runup": -1},
    ],
    "fill_of_contract_says_which": [
        {"position_side": "LONG"},
        {"settle_asset": "USDT"},
        {"market_type": "futures", "position_side": "LONG"},
        {"market_type": "futures", "settle_asset": "USDT"},
    ],
    "fee_funding_is_told_apart": [{"fee_type": "FUNDING"}],
    "fee_of_one_fact": [{"fill_id": None, "transfer_id": None}, {"fill_id": 1, "transfer_id": 1}],
    "order_not_overfilled": [{"quantity": 1, "executed_quantity": 2}],
    "order_quantities_not_negative": [
        {"quantity": -1, "executed_quantity": -1},
        {"executed_quantity": -1},
    ],
    "position_opened_by_one_fact": [{"opening_fill_id": None}, {"opening_transfer_id": 1}],
    "position_open_xor_closed": [
        {"status": "OPEN", "closed_at": NOW},
        {"status": "OPEN", "quantity": 0},
        {"status": "CLOSED", "closed_at": None, "quantity": 0},
        {"status": "LIQUIDATED", "closed_at": NOW, "quantity": 1},
    ],
    "position_status_known": [{"status": "?", "closed_at": NOW, "quantity": 0}],
    "reconciliation_difference_adds_up": [{"difference": 1}],
    "reconciliation_open_xor_resolved": [{"resolved_at": NOW}, {"state": "dismissed"}],
    "reconciliation_state_known": [{"state": "?", "resolved_at": NOW}],
    "strategy_prefix_not_empty": [{"prefix": ""}],
    "trade_gross_adds_up": [{"gross_pnl": 1, "net_pnl": -1}],
    "trade_net_adds_up": [{"net_pnl": 0}, {"funding": 1}],
    "trade_of_spot_is_long": [{"side": "SHORT"}],
}
# Unique rules that hold for some rows only, where the specimen is none of them.
CONCERNED: Final[dict[str, dict[str, Any]]] = {
    "book_once_per_pool": {"pool": "live"},
    "own_transfer_arrives_once": {"state": "confirmed"},
    "own_transfer_leaves_once": {"state": "confirmed"},
    "position_once_per_opening_transfer": {
        "opening_fill_id": None,
        "opening_transfer_id": 1,
        "status": "CLOSED",
        "closed_at": NOW,
        "quantity": 0,
    },
    "portfolio_fee_funding_id_key": {"fill_id": None, "funding_id": 1, "fee_type": "FUNDING"},
    "portfolio_fee_transfer_id_key": {"fill_id": None, "transfer_id": 1},
}
_COMPARISON: Final = re.compile(r"\((\w+) (>=?) \(?(\d+)\)?(?:::numeric)?\)")


def test_there_is_a_specimen_of_every_table() -> None:
    for table in catalogue.read().tables:
        with undone() as one:
            assert one.of(table), table


def test_every_not_null_is_kept() -> None:
    accepted = []
    for rule in catalogue.read().ours("n"):
        with undone() as one:
            row = one.row(rule.table) | {rule.columns[0]: None}
            if refusal(insert, rule.table, row) not in (rule.name, rule.columns[0]):
                accepted.append(rule.name)

    assert accepted == []


def test_every_check_is_kept() -> None:
    accepted = []
    for rule in catalogue.read().ours("c"):
        ways = broken(rule)
        assert ways, f"{rule.name}: say in BROKEN how to break {rule.definition}"
        for way in ways:
            with undone() as one:
                if refusal(insert, rule.table, one.row(rule.table) | way) != rule.name:
                    accepted.append((rule.name, way))

    assert accepted == []


def broken(rule: Constraint) -> list[dict[str, Any]]:
    """Changes to a specimen, each of which breaks the CHECK."""
    if rule.name in BROKEN:
        return BROKEN[rule.name]
    if KNOWN_VALUES.search(rule.definition) and len(rule.columns) == 1:
        return [{rule.columns[0]: "?"}]
    compared = {name: (sign, int(number)) for name, sign, number in _COMPARISON.findall(rule.definition)}
    if set(compared) == set(rule.columns) and " OR " not in rule.definition:
        return [{name: number - (sign == ">=")} for name, (sign, number) in compared.items()]
    return []


def test_every_unique_rule_is_kept() -> None:
    accepted = []
    for rule in catalogue.read().ours("pu"):
        with undone() as one:
            first = _first(one, rule)
            second = _otherwise_different(one, rule, first)
            refused = refusal(insert, rule.table, second)
            if refused not in _implied(rule):
                accepted.append((rule.name, refused))

    assert accepted == []


def _first(one: Specimens, rule: Constraint) -> dict[str, Any]:
    """A stored row that the rule concerns: what may be null in it is not."""
    row = one.row(rule.table, **CONCERNED.get(rule.name, {}))
    for name in rule.columns:
        column = one.catalogue.column(rule.table, name)
        if (
            row.get(name) is None
            and not column.is_required
            and rule.kind == "u"
            and "WHERE" not in rule.definition
        ):
            key = next(
                (k for k in one.catalogue.of_table[rule.table] if k.kind == "f" and name in k.columns), None
            )
            row[name] = one.of(key.parent)["id"] if key else specimens.fresh(column)
    return insert(rule.table, row)


def _otherwise_different(one: Specimens, rule: Constraint, first: dict[str, Any]) -> dict[str, Any]:
    """The same in what the rule names, new in what any other unique rule names."""
    row = one.row(rule.table, **CONCERNED.get(rule.name, {}))
    others = {name for other in _unique(rule.table) if other != rule for name in other.columns}
    limited = {
        name for other in one.catalogue.of_table[rule.table] if other.kind == "c" for name in other.columns
    }
    for name in others - set(rule.columns) - limited:
        if name in row:
            row[name] = specimens.fresh(one.catalogue.column(rule.table, name))
    return row | {name: first[name] for name in rule.columns}


def _unique(table: str) -> list[Constraint]:
    return [one for one in catalogue.read().of_table[table] if one.kind in "pu"]


def _implied(rule: Constraint) -> set[str]:
    """The rule, and stronger ones that it follows from."""
    return {one.name for one in _unique(rule.table) if set(one.columns) <= set(rule.columns)}


def test_every_foreign_key_is_kept() -> None:
    accepted = []
    for rule in catalogue.read().ours("f"):
        with undone() as one:
            names = _least_shared(rule)
            row = one.row(rule.table)
            row |= {name: specimens.fresh(one.catalogue.column(rule.table, name)) for name in names}
            refused = refusal(insert, rule.table, row)
            if refused != rule.name:
                accepted.append((rule.name, refused))

    assert accepted == []


def _least_shared(rule: Constraint) -> list[str]:
    """The key's columns, without those that other keys of the table also name, if any are left."""
    keys = [one for one in catalogue.read().of_table[rule.table] if one.kind == "f" and one != rule]
    shared = {name for key in keys for name in key.columns}
    return [name for name in rule.columns if name not in shared] or list(rule.columns)


def test_no_row_can_hang_on_another_owners_parent() -> None:
    """Composite keys: whoever's the row is, so is the parent."""
    accepted = []
    for rule in catalogue.read().ours("f"):
        if "user_id" not in rule.columns or len(rule.columns) == 1:
            continue
        with undone() as mine:
            theirs = Specimens()
            theirs.of("accounts_user")
            row = _child(mine, rule) | {"user_id": theirs.owner}
            if not refusal(insert, rule.table, row):
                accepted.append(rule.name)

    assert accepted == []


def test_nothing_that_rows_refer_to_can_be_deleted() -> None:
    accepted = []
    for rule in catalogue.read().ours("f"):
        with undone() as one:
            parent = one.of(rule.parent)
            insert(rule.table, _child(one, rule))
            condition = " AND ".join(f"{name} = %s" for name in rule.parent_columns)
            values = [parent[name] for name in rule.parent_columns]
            if not refusal(execute, f"DELETE FROM {rule.parent} WHERE {condition}", *values):
                accepted.append(rule.name)

    assert accepted == []


def _child(one: Specimens, rule: Constraint) -> dict[str, Any]:
    """A row that refers to a parent by this key, also where it need not."""
    parent = one.of(rule.parent)
    keys = {name: parent[theirs] for name, theirs in zip(rule.columns, rule.parent_columns, strict=True)}
    return one.row(rule.table) | keys
