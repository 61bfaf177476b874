"""Which accounts a reader asks about: one, all of an exchange, or all of a mode. Modes are never summed."""

from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from core.django import prepared, tenancy
from core.errors import Invalid, NotFound
from credentials.models import DATA_SOURCES, Exchange, Mode
from exchanges import registry

ALL: Final = "all"

# Every answer begins with it, so it is prepared: see `core.django.prepared`.
_ACCOUNTS: Final = """
SELECT id, exchange, label, is_active, mode FROM credentials_exchangeaccount
WHERE user_id = %s ORDER BY created_at, id
"""


class _Account(NamedTuple):
    id: UUID
    exchange: str
    label: str
    is_active: bool
    mode: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Accounts, closed ones included: their history stays; data sources have none. `exchange_name` is `all` where
    the scope may span."""

    account_ids: tuple[UUID, ...]
    exchange_name: str
    is_every_live: bool
    """All live accounts without a choice: what stored metrics without an account cover."""
    living_ids: tuple[UUID, ...]
    """Those still connected to an exchange we speak to: their data should be fresh."""


def resolve(*, exchange: str | None = None, account: str | None = None, mode: str | None = None) -> Scope:
    """The scope of `?exchange=`, `?account=` (id or label) and `?mode=`; needs an open door.

    Without a mode: live accounts, or whatever mode a named account has. Raises Invalid for an exchange or mode
    nobody knows, NotFound for an account that is not there, not the user's, or not of that exchange and mode.
    """
    _require_known("exchange", exchange, Exchange.values)
    _require_known("mode", mode, Mode.values)
    accounts = [row for row in _accounts(tenancy.current_owner()) if not exchange or row.exchange == exchange]
    if mode or not account:
        accounts = [row for row in accounts if row.mode == (mode or Mode.LIVE)]
    if account:
        accounts = [_named(accounts, account)]
    single = accounts[0].exchange if len(accounts) == 1 else ALL
    return Scope(
        account_ids=tuple(row.id for row in accounts),
        exchange_name=exchange or single,
        is_every_live=not exchange and not account and (mode or Mode.LIVE) == Mode.LIVE,
        living_ids=tuple(
            row.id for row in accounts if row.is_active and row.exchange in registry.supported()
        ),
    )


def _accounts(user_id: UUID) -> list[_Account]:
    """The owner's, closed ones included, the oldest first."""
    with prepared.cursor() as cursor:
        cursor.execute(_ACCOUNTS, [user_id])
        rows = [_Account(*row) for row in cursor.fetchall()]
    return [row for row in rows if row.exchange not in DATA_SOURCES]


def _named(accounts: list[_Account], name: str) -> _Account:
    """By id, else by label: the living one, else the one closed last."""
    found = [row for row in accounts if str(row.id) == name.lower()] or sorted(
        (row for row in accounts if row.label == name), key=lambda row: row.is_active
    )
    if not found:
        raise NotFound("There is no such account.")
    return found[-1]


def _require_known(name: str, value: str | None, known: list[str]) -> None:
    if value is not None and value not in known:
        detail = f"Unknown {name}. Known: {', '.join(known)}."
        raise Invalid(detail, errors=[{"pointer": f"/{name}", "code": "unknown_value", "detail": detail}])
