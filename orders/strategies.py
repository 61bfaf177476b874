"""Which strategy orders belong to, and what their owner notes on them. Works inside the owner's open door.

The user's own word on an order stands above everything; below it whoever placed it, then the user's prefixes of client
order ids. Orders alone carry it: fills, positions and trades follow their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from accounts import audit
from core.django.redaction import HIDDEN
from core.errors import Invalid, NotFound
from orders.models import Order, StrategyPrefix, StrategySource

MOST_TAGS: Final = 20
MOST_PREFIXES: Final = 100

# The longest prefix wins; an order that a conditional one placed has the name of that one, too. What a prefix no longer
# says is taken back; what was said otherwise stays.
_APPLY: Final = """
WITH ruled AS (
  SELECT o.id, coalesce((
      SELECT rule.strategy FROM orders_strategyprefix rule
      WHERE rule.user_id = %(user)s
        AND (starts_with(o.client_order_id, rule.prefix) OR starts_with(fired.client_order_id, rule.prefix))
      ORDER BY starts_with(o.client_order_id, rule.prefix) DESC, length(rule.prefix) DESC LIMIT 1), '') AS strategy
  FROM orders_order o
  LEFT JOIN orders_order fired
    ON fired.user_id = %(user)s AND NOT fired.placed_order_id = '' AND fired.account_id = o.account_id
    AND fired.market_type = o.market_type AND fired.symbol = o.symbol AND fired.placed_order_id = o.exchange_order_id
  WHERE o.user_id = %(user)s AND {which} AND (o.strategy_by = 'prefix' OR o.strategy = '' AND o.strategy_by = '')
)
UPDATE orders_order o
SET strategy = ruled.strategy, strategy_by = CASE ruled.strategy WHEN '' THEN '' ELSE 'prefix' END, updated_at = now()
FROM ruled WHERE o.id = ruled.id AND o.strategy <> ruled.strategy
RETURNING o.account_id
"""
# Nearly everybody has no rules, and orders come by the thousand.
_SOME: Final = (
    "o.id = ANY(%(orders)s) AND EXISTS (SELECT FROM orders_strategyprefix WHERE user_id = %(user)s)"
)


@dataclass(frozen=True, slots=True)
class PrefixRule:
    """Orders whose client order id begins with `prefix` belong to `strategy`."""

    id: int
    prefix: str
    strategy: str


def rules() -> list[PrefixRule]:
    """The owner's, by prefix."""
    return [
        PrefixRule(*row)
        for row in StrategyPrefix.objects.order_by("prefix").values_list("id", "prefix", "strategy")
    ]


def set_rule(*, user_id: UUID, prefix: str, strategy: str) -> tuple[PrefixRule, set[UUID]]:
    """Make or change a rule, and let orders follow; answers it, and the accounts that have such orders.

    Raises Invalid beyond MOST_PREFIXES rules.
    """
    if not StrategyPrefix.objects.filter(prefix=prefix).exists() and len(rules()) >= MOST_PREFIXES:
        detail = f"There are {MOST_PREFIXES} prefixes already: remove one first."
        raise Invalid(detail, errors=[{"pointer": "/prefix", "code": "too_many", "detail": detail}])
    row, _ = StrategyPrefix.objects.update_or_create(
        user_id=user_id, prefix=prefix, defaults={"strategy": strategy}
    )
    return PrefixRule(row.pk, row.prefix, row.strategy), apply_rules(user_id=user_id)


def remove_rule(*, user_id: UUID, rule_id: int) -> set[UUID]:
    """Its orders fall to the next rule or to none; answers the accounts that have such. Raises NotFound."""
    deleted, _ = StrategyPrefix.objects.filter(id=rule_id).delete()
    if not deleted:
        raise NotFound("There is no such prefix.")
    return apply_rules(user_id=user_id)


def apply_rules(*, user_id: UUID, order_ids: Sequence[int] | None = None) -> set[UUID]:
    """Give orders (None: all of the owner's) the strategy of their prefix; answers whose accounts changed."""
    which = "true" if order_ids is None else _SOME
    with connection.cursor() as cursor:
        cursor.execute(_APPLY.format(which=which), {"user": user_id, "orders": list(order_ids or ())})
        return {account_id for (account_id,) in cursor.fetchall()}


def annotate(
    *,
    order_id: int,
    strategy: str | None = None,
    note: str | None = None,
    tags: Sequence[str] | None = None,
) -> Order:
    """What the owner says about an order; what is None stays. An empty strategy gives the word back to the rules.

    The change stands in the audit trail, the text of notes left out. Raises NotFound.
    """
    order = Order.objects.select_for_update().select_related("account__user").filter(id=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    given: dict[str, Any] = {"strategy": strategy, "note": note}
    given = {name: value for name, value in given.items() if value is not None}
    if tags is not None:
        given["tags"] = list(dict.fromkeys(tags))
    changed = {name: value for name, value in given.items() if getattr(order, name) != value}
    if strategy is not None:
        given["strategy_by"] = StrategySource.USER if strategy else ""
    if not changed and given.get("strategy_by", order.strategy_by) == order.strategy_by:
        return order
    before = {name: getattr(order, name) for name in changed}
    Order.objects.filter(id=order.pk).update(**given, updated_at=Now())
    audit.record(
        audit.Action.ORDER_ANNOTATED,
        user_id=order.user_id,
        table=Order._meta.db_table,
        record_id=str(order.pk),
        before=_without_text(before),
        after=_without_text(changed),
    )
    if strategy == "":
        apply_rules(user_id=order.user_id, order_ids=[order.pk])
    order.refresh_from_db(fields=["strategy", "strategy_by", "note", "tags", "updated_at"])
    return order


def _without_text(said: dict[str, Any]) -> dict[str, Any]:
    """Whatever people write to themselves: the trail is for ever."""
    return {name: HIDDEN if name == "note" and value else value for name, value in said.items()}
