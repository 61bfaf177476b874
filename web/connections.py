"""Connecting an exchange account and asking for its first sync, as one act."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.django import tenancy
from credentials import accounts
from credentials.accounts import ConnectedAccount
from pipeline import runs
from pipeline.models import Trigger


def connect(*, user_id: UUID, at: datetime, **key: Any) -> ConnectedAccount:
    """`credentials.accounts.connect`, with a run requested in the same transaction. Raises Invalid, LabelTaken."""
    with tenancy.acting_as(user_id):
        account = accounts.connect(user_id=user_id, **key)
        runs.request(user_id=user_id, account_ids=[account.id], trigger=Trigger.CONNECT, at=at)
        return accounts.show(user_id=user_id, account_id=account.id)


def update(*, user_id: UUID, account_id: UUID, at: datetime, **changes: Any) -> ConnectedAccount:
    """`credentials.accounts.update`; a changed key is tried at once. Raises NotFound, Invalid, LabelTaken."""
    with tenancy.acting_as(user_id):
        if accounts.update(user_id=user_id, account_id=account_id, **changes):
            runs.request(user_id=user_id, account_ids=[account_id], trigger=Trigger.CONNECT, at=at)
        return accounts.show(user_id=user_id, account_id=account_id)
