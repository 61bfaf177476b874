"""A number and the numbers it is made of: nodes, the checks that add them up again, and a checksum over all.

A tree is as large as what it explains is complicated, not as its history is long: of more than `LIMIT` children the
rest stands as one node with its count and sum, and with a link to a tree of its own.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import reduce
from typing import Final

from core import money
from core.django.answers import plain
from core.money import CONTEXT, ZERO
from portfolio.accounting.measure import RATIO_PLACES
from portfolio.selectors.check import Check, check, not_checked

LIMIT: Final = 200
"""Children of a node; what is more is summed up in one."""


class Rule(StrEnum):
    """How a node's value follows from those of its children that count (`sign` is not 0)."""

    FACT = "fact"
    """It does not: it is what was reported, or what a row says that is explained elsewhere (`link`)."""
    SUM = "sum"
    """Each child times its sign."""
    PRODUCT = "product"
    """Of all children, rounded half-even to 18 decimals."""
    PRODUCT_EXACT = "product_exact"
    """Of all children, not rounded; it is shown to 18 decimals and counts with all of them, as does a sum of such."""
    PRODUCT_HALF_UP = "product_half_up"
    """Of all children, rounded to 18 decimals as the database does, half away from zero."""
    QUOTIENT = "quotient"
    """The first by the second, rounded half-even to 18 decimals."""
    QUOTIENT_EXACT = "quotient_exact"
    """The first by the second to 80 digits, shown and counted as an exact product."""
    SUM_ROUNDED = "sum_rounded"
    """Each child times its sign, rounded half-even to 18 decimals once all are added."""
    RATIO = "ratio"
    """The first by the second, rounded half-even to four decimals."""
    PERCENT = "percent"
    """The first by the second, in percent, rounded half-even to four decimals."""


@dataclass(frozen=True, slots=True)
class ExplanationNode:
    """A number. `sign` says how it counts in its parent: 1, -1, or 0 for what only stands beside it."""

    name: str
    title: str
    value: Decimal | None
    """None where it is not known."""
    unit: str
    """A coin or currency, `%`, or nothing."""
    rule: str = Rule.FACT
    formula: str = ""
    """The rule in words; empty for a fact."""
    sign: int = 1
    count: int = 1
    """Rows it stands for."""
    details: dict[str, str] = field(default_factory=dict)
    """What else the row says: ids, moments, a price's source."""
    link: str | None = None
    """Where it is explained further."""
    children: "list[ExplanationNode]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExplanationTree:
    """`checks` compute every inner node again from the leaves below it. `checksum` is the SHA-256 of this object
    without it, as JSON with sorted keys and without spaces."""

    kind: str
    id: str
    title: str
    currency: str
    details: dict[str, str]
    root: ExplanationNode
    checks: list[Check]
    adds_up: bool
    """No check differs."""
    checksum: str


def tree(
    *,
    kind: str,
    row_id: str,
    title: str,
    currency: str,
    root: ExplanationNode,
    details: dict[str, str] | None = None,
    checks: Sequence[Check] = (),
) -> ExplanationTree:
    """The answer for a root; `checks` are more than what its own nodes give."""
    made = [*_checks(root, root.name), *checks]
    whole = ExplanationTree(
        kind=kind,
        id=row_id,
        title=title,
        currency=currency,
        details=details or {},
        root=root,
        checks=made,
        adds_up=all(each.equal is not False for each in made),
        checksum="",
    )
    return replace(whole, checksum=checksum(whole))


def checksum(whole: ExplanationTree) -> str:
    """SHA-256 over the canonical JSON of everything but the checksum itself."""
    content = plain(whole, amounts="text")
    del content["checksum"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def total(nodes: Sequence[ExplanationNode]) -> Decimal:
    """Of what is known, each with its sign."""
    return sum((node.sign * node.value for node in nodes if node.value is not None), ZERO)


def summed(
    name: str, title: str, unit: str, formula: str, children: list[ExplanationNode], *, sign: int = 1
) -> ExplanationNode:
    """A sum that no row stores: its children make it."""
    return ExplanationNode(name, title, total(children), unit, Rule.SUM, formula, sign, children=children)


def texts(**values: object) -> dict[str, str]:
    """Details, without what is empty."""
    written = ((name, value) for name, value in values.items() if value is not None and value != "")
    return {name: str(plain(value, amounts="text")) for name, value in written}


def computed(node: ExplanationNode) -> Decimal | None:
    """A node's value from the leaves below it; None where one of them is not known."""
    if node.rule == Rule.FACT:
        return node.value
    parts = [(child.sign, computed(child)) for child in node.children if child.sign]
    known = [CONTEXT.multiply(sign, value) for sign, value in parts if value is not None]
    return _apply(Rule(node.rule), known) if len(known) == len(parts) else None


def _apply(rule: Rule, values: Sequence[Decimal]) -> Decimal | None:
    if rule in (Rule.SUM, Rule.SUM_ROUNDED):
        result = reduce(CONTEXT.add, values, ZERO)
    elif rule in (Rule.PRODUCT, Rule.PRODUCT_EXACT, Rule.PRODUCT_HALF_UP):
        result = reduce(CONTEXT.multiply, values, Decimal(1))
    elif not values[1]:
        return None
    else:
        result = CONTEXT.divide(values[0], values[1])
    return _ROUNDED.get(rule, _as_it_is)(result)


def _as_it_is(value: Decimal) -> Decimal:
    return value


def half_up(value: Decimal) -> Decimal:
    """As the database rounds: to 18 decimals, half away from zero."""
    return value.quantize(Decimal(1).scaleb(-money.PLACES), rounding=ROUND_HALF_UP, context=CONTEXT)


_ROUNDED: Final[Mapping[Rule, Callable[[Decimal], Decimal]]] = {
    Rule.SUM_ROUNDED: money.quantize,
    Rule.PRODUCT: money.quantize,
    Rule.PRODUCT_HALF_UP: half_up,
    Rule.QUOTIENT: money.quantize,
    Rule.RATIO: lambda value: money.quantize(value, RATIO_PLACES),
    Rule.PERCENT: lambda value: money.quantize(value * 100, RATIO_PLACES),
}


def made(node: ExplanationNode) -> ExplanationNode:
    """The same with the value that its children give, as it is shown."""
    value = computed(node)
    return replace(node, value=None if value is None else money.quantize(value))


_SHOWN_ROUNDED: Final = (Rule.SUM, Rule.PRODUCT_EXACT, Rule.QUOTIENT_EXACT)


def _checks(node: ExplanationNode, path: str) -> Iterator[Check]:
    """Of every inner node, the root first."""
    if node.rule != Rule.FACT:
        value = computed(node)
        if value is None:
            yield not_checked(path, "leaves", node.formula, node.value, "A number below it is not known.")
        else:
            shown = money.quantize(value) if node.rule in _SHOWN_ROUNDED else value
            yield check(path, "leaves", node.formula, node.value, shown)
    for child in node.children:
        yield from _checks(child, f"{path}/{child.name}")
