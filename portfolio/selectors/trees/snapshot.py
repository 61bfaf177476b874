"""A snapshot's tree: what it held at which prices."""

import re
from datetime import date
from typing import Any, Final
from uuid import UUID

from core.errors import NotFound
from portfolio.models import PortfolioSnapshot
from portfolio.selectors.trees import composition, day, facts, node
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree
from portfolio.selectors.trees.step import Step

_MAX_ID: Final = 2**63 - 1
_ROW: Final = re.compile(r"[0-9]{1,19}", re.ASCII).fullmatch


def snapshot_tree(*, snapshot_id: str, part: str = "", after: int = 0) -> ExplanationTree:
    """By row id, or by account id and day as `{account}:{day}`. Raises NotFound, for neither too."""
    row = PortfolioSnapshot.objects.filter(**_wanted(snapshot_id)).select_related("account__user").first()
    if row is None or part or after:
        raise NotFound("There is no such snapshot, or no such part of it.")
    [end] = composition.day_ends(Step(row, None))
    root = composition.equity(end, name="total_balance", title="Equity at the day's end", sign=1)
    change = ExplanationNode(
        "change",
        "How it changed since the day before",
        None,
        row.currency,
        sign=0,
        link=f"{facts.path_of('day', row.snapshot_date)}?account={row.account_id}",
    )
    root.children.append(change)
    return node.tree(
        kind="snapshot",
        row_id=str(row.pk),
        title=f"Snapshot {row.snapshot_date} · {row.account.label}",
        currency=row.currency,
        root=root,
        details=day.details(row),
    )


def _wanted(text: str) -> dict[str, Any]:
    if _ROW(text):
        return {"id": min(int(text), _MAX_ID)}
    account, _, written = text.partition(":")
    try:
        return {"account_id": UUID(account), "snapshot_date": date.fromisoformat(written)}
    except ValueError:
        raise NotFound(
            "Give a snapshot's id, or an account's id and a day: `{account}:2026-01-31`."
        ) from None
