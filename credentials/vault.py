"""The keys of exchange accounts, sealed in and out. `open_keys` is the only place a secret is decrypted.

It works in workers and commands only, for a stated purpose, and leaves a row in the audit trail. Nothing decrypted
is kept.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from accounts import audit
from core.django import actors, sealing, tenancy
from core.django.actors import ActorKind
from core.errors import Conflict
from credentials.models import ApiCredential
from exchanges.base import ApiKeys

logger = logging.getLogger(__name__)
FIELDS: Final = ApiCredential.SEALED  # in the order of ApiKeys
_OPENERS: Final = (ActorKind.WORKER, ActorKind.COMMAND)
_HINT_LENGTH: Final = 4
_SHORTEST_HINTED: Final = 16  # the last four of a shorter key would tell too much of it


class Purpose(StrEnum):
    """Why a key is opened; the audit trail tells it."""

    SYNC = "sync"
    KEY_CHECK = "key check"
    LIVE = "live read"


class NoKeys(Conflict):
    """The account has no key: it is closed, or its key was refused and destroyed."""

    code = "no_keys"


class WrongProcess(RuntimeError):
    """Keys are opened by workers and commands, never where requests are answered: a bug, never an answer."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """Tells a key from the one saved after it: what an exchange says of the one is no word on the other."""

    credential_id: UUID
    saved_at: datetime


def version(account_id: UUID) -> KeyVersion | None:
    """The version of the account's key; None without one. Inside an open door."""
    row = ApiCredential.objects.filter(account_id=account_id).values_list("id", "updated_at").first()
    return KeyVersion(*row) if row else None


@contextmanager
@sensitive_variables("keys")
def open_keys(*, user_id: UUID, account_id: UUID, purpose: Purpose) -> Iterator[tuple[ApiKeys, KeyVersion]]:
    """The account's decrypted keys, to make one client of; they are wiped at the end. Outside any door: the audit
    row must outlast whatever fails next.

    Raises NoKeys; VaultError if the stored text does not open in its place; WrongProcess.
    """
    if actors.current().kind not in _OPENERS:
        raise WrongProcess("Keys are opened only by workers and manage.py commands.")
    with tenancy.acting_as(user_id):
        credential = ApiCredential.objects.filter(account_id=account_id).first()
        if credential is None:
            raise NoKeys("This account has no API key: save one first.")
        audit.record(
            audit.Action.DECRYPT,
            user_id=user_id,
            table=ApiCredential._meta.db_table,
            record_id=str(credential.id),
            account=str(account_id),
            purpose=purpose.value,
        )
    logger.info("Keys of account %s opened for: %s", account_id, purpose.value)
    keys = ApiKeys(*(sealing.unseal(credential, name) for name in FIELDS))
    try:
        yield keys, KeyVersion(credential.id, credential.updated_at)
    finally:
        keys.wipe()


@sensitive_variables("plaintexts", "key")
def seal(credential: ApiCredential, **plaintexts: str) -> None:
    """Set sealed texts (of `FIELDS`), and the hint, of a credential that has its id and user; it is not saved here."""
    sealing.seal(credential, **plaintexts)
    if "api_key" in plaintexts:
        key = plaintexts["api_key"]
        credential.api_key_hint = key[-_HINT_LENGTH:] if len(key) >= _SHORTEST_HINTED else ""


def mask(hint: str) -> str:
    """How a key is shown, and sent back when it is unchanged."""
    return f"****{hint}"
