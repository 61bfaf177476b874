"""Connecting an exchange account, having its key checked, and asking for its first sync, as one act."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts import users
from core.django import tenancy
from credentials import accounts
from credentials.accounts import ConnectedAccount
from pipeline import runs
from pipeline.models import Trigger

_LOOK_SECONDS: Final = 0.2


@sensitive_variables("key")
def connect(*, user_id: UUID, at: datetime, **key: Any) -> ConnectedAccount:
    """`credentials.accounts.connect`, with a run requested in the same transaction: its first step is the key's
    check. Raises Invalid, LabelTaken."""
    with tenancy.acting_as(user_id):
        account = accounts.connect(user_id=user_id, **key)
        users.require_living(user_id)  # now that the new row holds the user's: closing waits, or is seen here
        _check(account.id, user_id=user_id, at=at)
        return accounts.show(user_id=user_id, account_id=account.id)


@sensitive_variables("changes")
def update(
    *,
    user_id: UUID,
    account_id: UUID,
    at: datetime,
    allow_key: Callable[[], None] = lambda: None,
    **changes: Any,
) -> ConnectedAccount:
    """`credentials.accounts.update`; a changed key is checked at once. Raises NotFound, Invalid, LabelTaken.

    `allow_key` raises when this request may not touch keys; then nothing changes.
    """
    with tenancy.acting_as(user_id):
        if accounts.update(user_id=user_id, account_id=account_id, **changes):
            allow_key()
            _check(account_id, user_id=user_id, at=at)
        return accounts.show(user_id=user_id, account_id=account_id)


def settled(*, user_id: UUID, connected: ConnectedAccount) -> ConnectedAccount:
    """The account once its key was checked, or as it is after KEY_CHECK_SECONDS; the check goes on by itself.

    Outside any door: each look is a transaction of its own. Raises NotFound if the account was closed meanwhile.
    """
    deadline = time.monotonic() + settings.KEY_CHECK_SECONDS
    while connected.is_waiting and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        connected = accounts.show(user_id=user_id, account_id=connected.account.id)
    return connected


def _check(account_id: UUID, *, user_id: UUID, at: datetime) -> None:
    if accounts.syncable().filter(id=account_id).exists():
        runs.request(user_id=user_id, account_ids=[account_id], trigger=Trigger.CONNECT, at=at)
