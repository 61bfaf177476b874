"""Assets of which facts give less than nothing, where no exchange reports what is held: at least as much came in
that no fact tells. By the ends of days. Needs an open door."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from portfolio import comparison, marks
from portfolio.comparison import Compared
from portfolio.models import ItemKind
from portfolio.reports import read_facts


def compare(account: ExchangeAccount) -> list[Compared]:
    """Every asset with facts: nothing, the least that can be held, against the lowest that facts give. As of the day on
    which that went below nothing first."""
    if account.id in marks.heard_at(account_ids=[account.id]):
        return []
    changes: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for day, amounts in sorted(read_facts(account).changes.items()):
        for asset, amount in amounts.items():
            changes[asset].append((day, amount))
    step = comparison.steps(account.id)
    return [_compared(asset, moves, step[asset]) for asset, moves in sorted(changes.items())]


def _compared(asset: str, moves: list[tuple[date, Decimal]], step: Decimal) -> Compared:
    held = lowest = ZERO
    since = moves[-1][0]
    for day, amount in moves:
        held += amount
        if held < lowest:
            since = since if lowest < -step else day
            lowest = held
    return Compared(ItemKind.SHORTFALL, asset, "", ZERO, lowest, clock.day_end(since), step)
