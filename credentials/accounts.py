"""The life of an exchange account: connected, changed, closed. Each function opens its owner's door itself.

What the exchange says of the key is noted by `note_key_check`, `note_auth_success` and `note_auth_failure`.
"""

from dataclasses import dataclass
from itertools import count
from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from core.django import tenancy
from core.errors import Conflict, Invalid, NotFound
from credentials import keys
from credentials.checks import (
    KeyReplaced,
    note_auth_failure,
    note_auth_success,
    note_key_check,
    note_unasked,
    warnings_of,
)
from credentials.models import DATA_SOURCES, Exchange, ExchangeAccount, KeyState, Mode
from exchanges import registry

__all__ = [
    "ConnectedAccount",
    "KeyReplaced",
    "LabelTaken",
    "close",
    "configured_exchanges",
    "connect",
    "free_label",
    "list_for",
    "list_synced",
    "note_auth_failure",
    "note_auth_success",
    "note_key_check",
    "note_unasked",
    "open_without_key",
    "show",
    "syncable",
    "update",
]
_LABEL_RULE: Final = "account_label_unique_among_the_living"


class LabelTaken(Conflict):
    """Another living account of the user has this label."""

    code = "label_taken"


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """A living account and how its key is shown ("" once the key was refused and destroyed)."""

    account: ExchangeAccount
    masked_key: str

    @property
    def key_warnings(self) -> list[str]:
        """What the key may do beyond what is needed."""
        return warnings_of(self.account)

    @property
    def is_waiting(self) -> bool:
        """The key's check is under way, and nothing is known yet."""
        return self.account.key_state == KeyState.UNCHECKED and not self.account.key_note


@sensitive_variables("api_key", "secret_key", "passphrase")
def connect(
    *,
    user_id: UUID,
    exchange: str,
    api_key: str,
    secret_key: str = "",
    passphrase: str = "",
    label: str = "",
    mode: str = Mode.LIVE,
) -> ExchangeAccount:
    """A new account with its sealed key, still unchecked. Raises Invalid, LabelTaken.

    Without a label it is called after the exchange, numbered when that is taken. Whose key it is, the key check
    learns: it may turn out to be an account that was closed (`note_key_check`).
    """
    if exchange not in registry.supported() and exchange not in DATA_SOURCES:
        names = ", ".join((*registry.supported(), *sorted(DATA_SOURCES)))
        detail = f"This exchange is not supported yet; supported now: {names}."
        raise keys.invalid("/exchange", "exchange_not_supported", detail)
    with tenancy.acting_as(user_id):
        label = label or free_label(_title(exchange))
        account = ExchangeAccount(user_id=user_id, exchange=exchange, mode=Mode(mode), label=label)
        _save(account)
        keys.replace(account, api_key=api_key, secret_key=secret_key, passphrase=passphrase)
    return account


def open_without_key(
    *,
    user_id: UUID,
    label: str,
    exchange: str = Exchange.FILES,
    mode: str = Mode.LIVE,
    exchange_uid: str = "",
    account_id: UUID | None = None,
) -> ExchangeAccount:
    """A new account whose history comes from files. Of a place that we do not speak to it lives, and takes more files.
    Of an exchange it rests like a closed one, never asked for anything, until a key of the same owner goes on with it
    (`exchange_uid`). Raises Invalid, LabelTaken.
    """
    if exchange not in Exchange.values or exchange in DATA_SOURCES:
        raise Invalid(f"{exchange!r:.40} is no exchange that can be imported.")
    with tenancy.acting_as(user_id):
        same = ExchangeAccount.objects.filter(exchange=exchange, mode=mode, exchange_uid=exchange_uid)
        account = ExchangeAccount(
            id=account_id or uuid4(),
            user_id=user_id,
            exchange=exchange,
            mode=Mode(mode),
            label=label,
            exchange_uid="" if same.exists() else exchange_uid,
            is_active=exchange == Exchange.FILES,
            key_note="Known from files; it has no key.",
        )
        _save(account)
    return account


@sensitive_variables("api_key", "secret_key", "passphrase")
def update(
    *,
    user_id: UUID,
    account_id: UUID,
    api_key: str = "",
    secret_key: str = "",
    passphrase: str = "",
    label: str = "",
) -> bool:
    """Change label or key; answers whether the key changed. Raises NotFound, Invalid, LabelTaken.

    Empty texts, and an API key that is the stored one's mask, keep what is stored; nothing is decrypted to compare.
    """
    with tenancy.acting_as(user_id):
        account = _find(account_id, lock=True)
        if label and label != account.label:
            account.label = label
            _save(account, "label", "updated_at")
        if api_key not in ("", keys.masks([account]).get(account.id, "")):
            keys.replace(account, api_key=api_key, secret_key=secret_key, passphrase=passphrase)
            return True
        if secret_key or passphrase:
            keys.amend(account, secret_key=secret_key, passphrase=passphrase)
            return True
    return False


def close(*, user_id: UUID, account_id: UUID) -> None:
    """Destroy the key and put the account to rest; its history stays. Raises NotFound."""
    with tenancy.acting_as(user_id):
        account = _find(account_id, lock=True)
        keys.shred(account)
        account.is_active = False
        account.key_state, account.key_note = KeyState.UNCHECKED, "Closed; its key was destroyed."
        account.save(update_fields=["is_active", "key_state", "key_note", "updated_at"])


def show(*, user_id: UUID, account_id: UUID) -> ConnectedAccount:
    """One living account; in place of one whose key turned out to belong to another, that other. Raises NotFound,
    also for a foreign or closed one."""
    with tenancy.acting_as(user_id):
        moved_to = ExchangeAccount.objects.filter(id=account_id, is_active=False).values_list("moved_to_id")
        account = _find(next((target for (target,) in moved_to if target), account_id))
        return ConnectedAccount(account, keys.masks([account]).get(account.id, ""))


def list_for(*, user_id: UUID) -> list[ConnectedAccount]:
    """The user's living accounts, oldest first."""
    with tenancy.acting_as(user_id):
        accounts = list(ExchangeAccount.objects.filter(is_active=True).order_by("created_at", "id"))
        masks = keys.masks(accounts)
    return [ConnectedAccount(account, masks.get(account.id, "")) for account in accounts]


def list_synced(*, user_id: UUID) -> list[ExchangeAccount]:
    """The user's `syncable` accounts, oldest first."""
    with tenancy.acting_as(user_id):
        return list(syncable().order_by("created_at", "id"))


def configured_exchanges(*, user_id: UUID) -> list[str]:
    """The exchanges the user has living accounts at, by name; data sources are none."""
    with tenancy.acting_as(user_id):
        living = ExchangeAccount.objects.filter(is_active=True).exclude(exchange__in=DATA_SOURCES)
        return list(living.order_by("exchange").values_list("exchange", flat=True).distinct())


def syncable() -> QuerySet[ExchangeAccount]:
    """Living accounts of exchanges we speak to: no data sources, no exchange without an adapter. Inside an open
    door."""
    return ExchangeAccount.objects.filter(is_active=True, exchange__in=registry.supported())


def _find(account_id: UUID, *, lock: bool = False) -> ExchangeAccount:
    rows = ExchangeAccount.objects.select_for_update() if lock else ExchangeAccount.objects
    account = rows.filter(id=account_id, is_active=True).first()
    if account is None:
        raise NotFound("There is no such account.")
    return account


def _save(account: ExchangeAccount, *fields: str) -> None:
    """Insert, or save `fields`. Raises LabelTaken."""
    try:
        with transaction.atomic():
            account.save(force_insert=not fields, update_fields=fields or None)
    except IntegrityError as error:
        if _LABEL_RULE not in str(error):
            raise
        raise LabelTaken("Another of your accounts has this label.") from None


def _title(exchange: str) -> str:
    known = registry.supported().get(exchange)
    return known.title if known else Exchange(exchange).label


def free_label(title: str) -> str:
    """The title, numbered when a living account of the user has it. Inside an open door."""
    taken = set(ExchangeAccount.objects.filter(is_active=True).values_list("label", flat=True))
    names = (title if number == 1 else f"{title[:95]} {number}" for number in count(1))
    return next(name for name in names if name not in taken)
