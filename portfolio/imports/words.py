"""What the user said that hangs on no fact: rules for strategies, differences that were dismissed. Inside the owner's
open door; what was said here stands."""

from collections.abc import Sequence

from accounts.models import User
from core import money
from credentials.models import ExchangeAccount
from orders import strategies
from orders.touched import Touched
from portfolio.exports.records import DismissalRecord, StrategyPrefixRecord
from portfolio.models import ItemState, ReconciliationItem


def store_prefixes(user: User, rows: Sequence[StrategyPrefixRecord]) -> Touched:
    """Rules by client order id; what they say of orders comes with the orders. Raises Invalid for too many."""
    known = {rule.prefix for rule in strategies.rules()}
    new = [row for row in rows if row.prefix not in known]
    for row in new:
        strategies.set_rule(user_id=user.id, prefix=row.prefix, strategy=row.strategy)
    return Touched(stored=len(new))


def store_dismissals(account: ExchangeAccount, rows: Sequence[DismissalRecord]) -> Touched:
    """Differences that the user accepted: they stay so while they are what they were."""
    standing = ReconciliationItem.objects.filter(account=account).exclude(state=ItemState.EXPLAINED)
    known = set(standing.values_list("kind", "subject", "side"))
    new = [
        ReconciliationItem(
            user_id=account.user_id,
            account=account,
            state=ItemState.DISMISSED,
            reported=(reported := money.parse(row.reported)),
            computed=(computed := money.parse(row.computed)),
            difference=reported - computed,
            value=None if row.value is None else money.parse(row.value),
            kind=row.kind,
            subject=row.subject,
            side=row.side,
            reported_at=row.reported_at,
            diverged_from=row.diverged_from,
            diverged_to=row.diverged_to,
            cause=row.cause,
            evidence=row.evidence,
            reason=row.reason,
            opened_at=row.opened_at,
            changed_at=row.changed_at,
            resolved_at=row.resolved_at,
        )
        for row in rows
        if (row.kind, row.subject, row.side) not in known
    ]
    ReconciliationItem.objects.bulk_create(new)
    return Touched(stored=len(new))
