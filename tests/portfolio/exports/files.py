"""A user's export, read back."""

import json
from typing import Any

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.scope import resolve
from portfolio.exports import kinds
from portfolio.exports.sections import Selection
from portfolio.exports.tables import Counts


def export(user: User, kind: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows without header and end."""
    return [json.loads(line) for line in raw(user, kind, **asked).splitlines()[1:-1]]


def raw(user: User, kind: str, *, account: str | None = None, since: Any = None, until: Any = None) -> bytes:
    with tenancy.acting_as(user.id):
        selection = Selection(resolve(account=account).account_ids, since, until, user.reporting_currency)
        file = kinds.write(
            kind=kind, file_format="jsonl", user=user, selection=selection, at=clock.now(), counts=Counts({})
        )
        return b"".join(file)


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]
