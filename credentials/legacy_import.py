"""Bringing legacy credentials in: each row becomes an account of its user with a key sealed anew, once.

An imported account has the id its row had (an id that is no UUID gives one that is always the same), so a second
run finds it and leaves it alone, whatever became of it since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.models import User
from core.django import tenancy
from core.errors import Invalid
from credentials import accounts, keys
from credentials.legacy import DoesNotDecrypt, LegacyCipher
from credentials.legacy_rows import LegacyRow
from credentials.models import DATA_SOURCES, Exchange, ExchangeAccount
from exchanges import registry

_NAMESPACE: Final = UUID("0b9f3d3e-6a0e-5c53-9d0a-2f6f0c6f7a11")  # of account ids made from legacy ids
_LABEL_LENGTH: Final = 100
_NO_ADAPTER: Final = (
    "This exchange is not supported yet: the key is kept sealed, and nothing is read with it."
)
_CLOSED: Final = "It was switched off where it came from; its key was left there."


class _NotTaken(Exception):
    """Why a row is set aside."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not imported. Holds no secret and no e-mail address."""

    row: int
    id: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """`waiting`: of those imported, the ones at exchanges we do not speak to yet; `closed`: those without a key."""

    imported: int = 0
    waiting: int = 0
    closed: int = 0
    known: int = 0
    """Rows that an earlier run imported."""
    set_aside: list[SetAside] = field(default_factory=list)


class _DryRun(Exception):
    """Undoes what a dry run wrote."""


def import_rows(
    rows: list[LegacyRow], *, cipher: LegacyCipher, emails: Mapping[str, str], is_dry: bool
) -> Outcome:
    """Import what can be imported, each row by itself; `emails` by legacy user id. Opens its own doors."""
    outcome = Outcome()
    for row in rows:
        try:
            user = _user_of(row, emails)
            account = _import(row, user=user, cipher=cipher, is_dry=is_dry)
        except _NotTaken as reason:
            outcome.set_aside.append(SetAside(row.number, row.id[:64], str(reason)))
            continue
        outcome.known += account is None
        if account is not None:
            outcome.imported += 1
            outcome.closed += not account.is_active
            outcome.waiting += account.exchange not in {*registry.supported(), *DATA_SOURCES}
    return outcome


def _user_of(row: LegacyRow, emails: Mapping[str, str]) -> User:
    """By the id if it is one of ours, else by the e-mail address of the map or the row."""
    user_id = _as_uuid(row.user_id)
    known = User.objects.filter(id=user_id, is_deleted=False).first() if user_id else None
    email = emails.get(row.user_id) or row.email
    if known is None and email:
        known = User.objects.filter(is_deleted=False, email__iexact=email).first()
    if known is None:
        raise _NotTaken("its user is not known here")
    return known


@sensitive_variables("opened")
def _import(row: LegacyRow, *, user: User, cipher: LegacyCipher, is_dry: bool) -> ExchangeAccount | None:
    """The new account; None for a row imported before. Raises _NotTaken."""
    if row.exchange.lower() not in Exchange.values:
        raise _NotTaken("its exchange is not known here")
    if not row.id:
        raise _NotTaken("it has no id")
    opened = _open(row, cipher)
    account: ExchangeAccount | None = None
    try:
        with tenancy.acting_as(user.id):
            account_id = _as_uuid(row.id) or uuid5(_NAMESPACE, row.id)
            if ExchangeAccount.objects.filter(id=account_id).exists():
                return None
            account = _store(row, user_id=user.id, account_id=account_id, opened=opened)
            if is_dry:
                raise _DryRun
    except _DryRun:
        pass
    except Invalid as error:
        raise _NotTaken(f"its key cannot be one: {error.message}") from None
    return account


@sensitive_variables()
def _open(row: LegacyRow, cipher: LegacyCipher) -> dict[str, str]:
    """The secrets; an empty one stands for none, but an account has at least an API key. Raises _NotTaken."""
    sealed = {name: getattr(row, name) for name in ("api_key", "secret_key", "passphrase")}
    try:
        opened = {name: cipher.open(text) if text else "" for name, text in sealed.items()}
    except DoesNotDecrypt as error:
        raise _NotTaken(str(error)) from None
    if not opened["api_key"]:
        raise _NotTaken(str(DoesNotDecrypt()))
    return opened


@sensitive_variables("opened")
def _store(row: LegacyRow, *, user_id: UUID, account_id: UUID, opened: Mapping[str, str]) -> ExchangeAccount:
    """Account, key and audit entry in the open door. Raises _NotTaken, Invalid."""
    exchange = Exchange(row.exchange.lower())
    account = ExchangeAccount(
        id=account_id,
        user_id=user_id,
        exchange=exchange,
        label=accounts.free_label(row.label[:_LABEL_LENGTH] or exchange.label),
        is_active=row.is_active,
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise _NotTaken("its id is taken by another account") from None
    note = _CLOSED
    if row.is_active:
        keys.replace(account, **opened)
        note = "" if exchange in registry.supported() else account.key_note or _NO_ADAPTER
    account.key_note = note
    account.save(update_fields=["key_note", "updated_at"])
    audit.record(
        audit.Action.IMPORT,
        user_id=user_id,
        table=ExchangeAccount._meta.db_table,
        record_id=str(account_id),
        source="legacy credentials",
        exchange=exchange.value,
        key=row.is_active,
    )
    return account


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
