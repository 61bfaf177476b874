"""The replaceable key of an account: stored sealed, shown masked, destroyed. Inside an open door."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from core.errors import Invalid
from credentials import vault
from credentials.models import ApiCredential, Exchange, ExchangeAccount, KeyState
from exchanges import registry

_USED_LATER = "It is not checked before: it is used when these data are fetched."


@sensitive_variables("api_key", "secret_key", "passphrase")
def replace(account: ExchangeAccount, *, api_key: str, secret_key: str, passphrase: str) -> None:
    """Store a whole new key. Raises Invalid for a mask, for a place that is never asked, and for a key without what
    belongs to it: a secret, which data sources have not, and a passphrase where the exchange asks for one."""
    if account.exchange == Exchange.FILES:
        detail = "This account is known from files: connect its exchange as an account of its own."
        raise invalid("/apiKey", "exchange_not_supported", detail)
    if api_key.startswith(vault.mask("")):
        raise invalid(
            "/apiKey", "masked_key", "This is not the mask of the stored key: send the whole API key."
        )
    if not api_key or not (secret_key or account.is_data_source):
        pointer = "/secretKey" if api_key else "/apiKey"
        raise invalid(pointer, "key_incomplete", "A key is stored whole: send API key and secret.")
    known = registry.supported().get(account.exchange)
    if known is not None and known.needs_passphrase and not passphrase:
        raise invalid(
            "/passphrase", "key_incomplete", f"A key of {known.title} has a passphrase: send it, too."
        )
    shred(account)
    credential = ApiCredential(user_id=account.user_id, account_id=account.id)
    vault.seal(credential, api_key=api_key, secret_key=secret_key, passphrase=passphrase)
    credential.save(force_insert=True)
    _forget_check(account)


@sensitive_variables("secret_key", "passphrase", "given")
def amend(account: ExchangeAccount, *, secret_key: str, passphrase: str) -> None:
    """Store a new secret or passphrase beside the stored key; an empty one stays. Raises Invalid without a key."""
    credential = ApiCredential.objects.select_for_update().filter(account_id=account.id).first()
    if credential is None:
        raise invalid("/apiKey", "key_incomplete", "This account has no key any more: send the whole key.")
    given = {name: text for name, text in (("secret_key", secret_key), ("passphrase", passphrase)) if text}
    vault.seal(credential, **given)
    credential.save(update_fields=[*given, "updated_at"])
    _forget_check(account)


def move(*, source: ExchangeAccount, target: ExchangeAccount) -> None:
    """Give the key of `source` to `target`, whose own is destroyed."""
    shred(target)
    ApiCredential.objects.filter(account_id=source.id).update(account_id=target.id)


def shred(account: ExchangeAccount) -> None:
    """Destroy the account's key, if it has one."""
    ApiCredential.objects.filter(account_id=account.id).delete()


def masks(accounts: Iterable[ExchangeAccount]) -> Mapping[UUID, str]:
    """How each account's key is shown; an account without a key is not in it."""
    rows = ApiCredential.objects.filter(account_id__in=[account.id for account in accounts])
    return {account: vault.mask(hint) for account, hint in rows.values_list("account_id", "api_key_hint")}


def invalid(pointer: str, code: str, detail: str) -> Invalid:
    """A refused member of the request, told by its pointer."""
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])


def _forget_check(account: ExchangeAccount) -> None:
    """What was known of the old key says nothing of the new one."""
    account.key_state, account.checked_at = KeyState.UNCHECKED, None
    account.key_note = _USED_LATER if account.is_data_source else ""
    account.can_trade = account.ip_restricted = None
    account.permissions, account.account_type = [], ""
    fields = ["key_state", "key_note", "checked_at", "can_trade", "ip_restricted", "permissions"]
    account.save(update_fields=[*fields, "account_type", "updated_at"])
