"""The keys of exchange accounts, sealed in and out. `open_keys` is the only place a secret is decrypted.

It is called by workers and commands for a stated purpose, never while a request is answered (a test holds who
may import it). Nothing decrypted is kept.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.conf import settings

from core.errors import Conflict
from core.vault import KeyRing, Place
from credentials.models import ApiCredential
from exchanges.base import ApiKeys

logger = logging.getLogger(__name__)
FIELDS: Final = ("api_key", "secret_key", "passphrase")  # in the order of ApiKeys
_HINT_LENGTH: Final = 4
_SHORTEST_HINTED: Final = 16  # the last four of a shorter key would tell too much of it


class Purpose(StrEnum):
    """Why a key is opened; it is written to the log with the account."""

    SYNC = "sync"
    KEY_CHECK = "key check"


class NoKeys(Conflict):
    """The account has no key: it is closed, or its key was refused and destroyed."""

    code = "no_keys"


@contextmanager
def open_keys(*, account_id: UUID, purpose: Purpose) -> Iterator[ApiKeys]:
    """The account's decrypted keys, to make one client of. Inside an open door.

    Raises NoKeys; VaultError if the stored text does not open in its place.
    """
    credential = ApiCredential.objects.filter(account_id=account_id).first()
    if credential is None:
        raise NoKeys("This account has no API key: save one first.")
    logger.info("Keys of account %s opened for: %s", account_id, purpose.value)
    yield ApiKeys(*(_ring().open(getattr(credential, name), _place(credential, name)) for name in FIELDS))


def seal(credential: ApiCredential, **plaintexts: str) -> None:
    """Set sealed texts (of `FIELDS`), and the hint, of a credential that has its id and user; it is not saved here.

    Empty texts are sealed like others, so that no secret can be taken away unnoticed either.
    """
    for name, text in plaintexts.items():
        if name not in FIELDS:
            raise TypeError(f"{name!r} is no sealed field.")
        setattr(credential, name, _ring().seal(text, _place(credential, name)))
    if "api_key" in plaintexts:
        key = plaintexts["api_key"]
        credential.api_key_hint = key[-_HINT_LENGTH:] if len(key) >= _SHORTEST_HINTED else ""


def mask(hint: str) -> str:
    """How a key is shown, and sent back when it is unchanged."""
    return f"****{hint}"


def _ring() -> KeyRing:
    ring: KeyRing = settings.VAULT
    return ring


def _place(credential: ApiCredential, name: str) -> Place:
    """The account is no part of it: a credential may move to the account its key turns out to belong to."""
    return Place(
        table=ApiCredential._meta.db_table, row=str(credential.id), user=str(credential.user_id), field=name
    )
