"""Trees add up from their leaves, or say where they do not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from portfolio.selectors.trees import node
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree, Rule


def leaf(name: str, value: str | None, sign: int = 1) -> ExplanationNode:
    return ExplanationNode(name, name, None if value is None else Decimal(value), "USDT", sign=sign)


def inner(value: str | None, rule: str, *children: ExplanationNode) -> ExplanationNode:
    known = None if value is None else Decimal(value)
    return ExplanationNode("sum", "Sum", known, "USDT", rule, "in words", children=list(children))


def explained(root: ExplanationNode) -> ExplanationTree:
    return node.tree(kind="trade", row_id="1", title="A trade", currency="USDT", root=root)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        (Rule.SUM, ("1e-18", "1e18"), "1000000000000000000.000000000000000001"),
        (Rule.PRODUCT, ("0.000000000000000001", "0.5"), "0"),
        (Rule.PRODUCT_HALF_UP, ("0.000000000000000001", "0.5"), "0.000000000000000001"),
        (Rule.QUOTIENT, ("2", "3"), "0.666666666666666667"),
        (Rule.RATIO, ("2", "3"), "0.6667"),
        (Rule.PERCENT, ("2", "3"), "66.6667"),
    ],
)
def test_a_node_follows_its_rule(rule: Rule, values: tuple[str, str], expected: str) -> None:
    root = inner(expected, rule, *(leaf(str(place), value) for place, value in enumerate(values)))

    assert explained(root).adds_up


def test_signs_decide_what_counts() -> None:
    root = inner("7", Rule.SUM, leaf("in", "10"), leaf("fee", "3", sign=-1), leaf("beside", "99", sign=0))

    assert [(check.name, check.equal) for check in explained(root).checks] == [("sum", True)]


def test_a_wrong_sum_is_named_with_both_numbers() -> None:
    root = inner("10", Rule.SUM, leaf("in", "10"), leaf("more", "0.000000000000000001"))
    (check,) = explained(root).checks

    assert (check.equal, check.stored, check.computed) == (False, "10", "10.000000000000000001")
    assert explained(root).adds_up is False


def test_an_error_below_is_carried_up_from_the_leaves() -> None:
    wrong = replace(inner("5", Rule.SUM, leaf("a", "4")), name="below")
    root = inner("5", Rule.SUM, wrong)

    assert [(check.name, check.equal) for check in explained(root).checks] == [
        ("sum", False),
        ("sum/below", False),
    ]


@pytest.mark.parametrize("children", [(leaf("a", "1"), leaf("b", None)), (leaf("a", "1"), leaf("b", "0"))])
def test_what_cannot_be_computed_is_said_to_be_so(children: tuple[ExplanationNode, ...]) -> None:
    (check,) = explained(inner("1", Rule.QUOTIENT, *children)).checks

    assert (check.equal, check.note) == (None, "A number below it is not known.")


def test_the_checksum_changes_with_any_leaf() -> None:
    one, other = (explained(inner("1", Rule.SUM, leaf("a", value))) for value in ("1", "1.0"))
    changed = explained(inner("1", Rule.SUM, leaf("a", "1.000000000000000001")))

    assert one.checksum == other.checksum != changed.checksum
