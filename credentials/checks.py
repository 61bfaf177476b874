"""What an exchange said of a key. Inside the open door of the account's owner; the door commits the verdict.

A verdict is a state, not an error: it must outlast the run that met it.
"""

from datetime import datetime
from typing import Final

from accounts import mail
from core.errors import Conflict
from credentials import keys, vault
from credentials.models import ExchangeAccount, KeyState
from credentials.vault import KeyVersion
from exchanges.rows import AccountInfo

_NOTE_LENGTH: Final = 300
_DETAIL_LENGTH: Final = 120
_CAN_WITHDRAW: Final = (
    "This key may withdraw, so it was refused and destroyed."
    " Create a key without withdrawal rights and save it here."
)
_CANNOT_READ: Final = (
    "This key may not read the account. Allow reading at the exchange, then save the key again."
)
_OTHER_ACCOUNT: Final = (
    "This key belongs to another account at the exchange."
    " Connect that one separately, and give this one its own key."
)
_MAY_TRADE: Final = (
    "The key may trade. Reading needs no trading rights: take them away unless you want to trade with it."
)
_ANYWHERE: Final = (
    "The key works from any address. To be safer, restrict it at the exchange to the address of this server."
)
_WITHDRAWAL_UNTOLD: Final = (
    "This exchange does not tell whether a key may withdraw: make sure there that this one may not."
)
_CONTRACTS_UNSEEN: Final = (
    "This key may not see contracts (futures): their positions and money are missing here. Allow reading them at the"
    " exchange if you have any."
)
_CONTRACTS: Final = frozenset({"futures", "derivatives"})  # what is untold then
_NOT_ASKED: Final = "The exchange could not be asked about the key yet; it is tried again by itself."
_REFUSED_ONCE: Final = (
    "The exchange refused the key ({said}). It is asked once more before the key is disabled."
)
_REFUSED_TWICE: Final = (
    "The exchange refused the key twice ({said})."
    " Check there that it exists and allows this server's address, then save the key again."
)


class KeyReplaced(Conflict):
    """The key was saved anew, or destroyed, while the exchange was asked about the old one."""

    code = "key_replaced"


def note_key_check(
    *, account: ExchangeAccount, info: AccountInfo, at: datetime, version: KeyVersion | None = None
) -> ExchangeAccount:
    """Write down what the key may do; answers the account that has the key now.

    The answer is another account than the one given when the key belongs to an account of this user that was
    closed, or whose own key was disabled: that one is opened again with this key and label, so that its history
    is never fetched twice, and the given one is closed; go on with the answer. A key that must not be used
    (withdrawal rights, no reading, a different or an already connected account) leaves the account DISABLED.
    `version` is that of the key that was checked: raises KeyReplaced when the account has another by now.
    """
    account = _locked(account)
    if _is_replaced(account, version):
        raise KeyReplaced("The key was replaced while it was checked; the new one is checked next.")
    if info.can_withdraw:
        keys.shred(account)
        return _disable(account, _CAN_WITHDRAW, at)
    if not info.can_read:
        return _disable(account, _CANNOT_READ, at)
    if account.exchange_uid and info.uid and account.exchange_uid != info.uid:
        return _disable(account, _OTHER_ACCOUNT, at)
    earlier = _earlier(account, info.uid)
    if earlier and earlier.is_active and earlier.key_state != KeyState.DISABLED:
        return _disable(account, f"This account is connected already, as “{earlier.label}”.", at)
    if earlier:
        account = _continue(earlier, account)
    return _approve(account, info, at)


def note_auth_success(*, account: ExchangeAccount) -> None:
    """The key was accepted: only refusals in a row count."""
    rows = ExchangeAccount.objects.filter(id=account.id, key_state=KeyState.FAILING)
    if rows.update(key_state=KeyState.GOOD, key_note=""):
        account.key_state, account.key_note = KeyState.GOOD, ""


def note_auth_failure(
    *, account: ExchangeAccount, detail: str, at: datetime, version: KeyVersion | None = None
) -> ExchangeAccount:
    """The exchange refused the key: FAILING the first time, DISABLED the second in a row. `detail` is scrubbed.

    What is said of a key that was replaced since (see `version`) counts for nothing.
    """
    account = _locked(account)
    if _is_replaced(account, version):
        return account
    said = detail.strip()[:_DETAIL_LENGTH]
    if account.key_state in (KeyState.FAILING, KeyState.DISABLED):
        return _disable(account, _REFUSED_TWICE.format(said=said), at)
    return _judge(account, KeyState.FAILING, _REFUSED_ONCE.format(said=said), at)


def note_unasked(*, account: ExchangeAccount) -> None:
    """The exchange did not answer: a key that was never checked goes on waiting, and its user is told why."""
    rows = ExchangeAccount.objects.filter(id=account.id, key_state=KeyState.UNCHECKED)
    rows.update(key_note=_NOT_ASKED)


def warnings_of(account: ExchangeAccount) -> list[str]:
    """What a checked key may do beyond what is needed."""
    told = [(account.can_trade is True, _MAY_TRADE), (account.ip_restricted is False, _ANYWHERE)]
    return [text for applies, text in told if applies]


def _is_replaced(account: ExchangeAccount, version: KeyVersion | None) -> bool:
    return version is not None and vault.version(account.id) != version


def _locked(account: ExchangeAccount) -> ExchangeAccount:
    return ExchangeAccount.objects.select_for_update().get(id=account.id)


def _earlier(account: ExchangeAccount, uid: str) -> ExchangeAccount | None:
    """Another row of this user for the same account at the exchange."""
    if not uid or account.exchange_uid:
        return None
    same = ExchangeAccount.objects.filter(exchange=account.exchange, mode=account.mode, exchange_uid=uid)
    return same.exclude(id=account.id).select_for_update().first()


def _continue(earlier: ExchangeAccount, newcomer: ExchangeAccount) -> ExchangeAccount:
    """Open `earlier` again with the key and the label of `newcomer`, which closes (and frees its label) first."""
    newcomer.is_active = False
    newcomer.key_note = f"This account was connected before; it goes on as {earlier.id}."
    newcomer.moved_to = earlier
    newcomer.save(update_fields=["is_active", "key_note", "moved_to", "updated_at"])
    keys.move(source=newcomer, target=earlier)
    earlier.is_active, earlier.label = True, newcomer.label
    earlier.save(update_fields=["is_active", "label", "updated_at"])
    return earlier


def _approve(account: ExchangeAccount, info: AccountInfo, at: datetime) -> ExchangeAccount:
    account.exchange_uid = account.exchange_uid or info.uid
    account.can_trade, account.ip_restricted = info.can_trade, info.ip_restricted
    account.maker_commission, account.taker_commission = info.maker_commission, info.taker_commission
    account.permissions, account.account_type = list(info.permissions), info.account_type[:40]
    fields = ["exchange_uid", "can_trade", "ip_restricted", "maker_commission", "taker_commission"]
    account.save(update_fields=[*fields, "permissions", "account_type", "updated_at"])
    notes = [
        _WITHDRAWAL_UNTOLD if "can_withdraw" in info.untold else "",
        _CONTRACTS_UNSEEN if _CONTRACTS & set(info.untold) else "",
        _ANYWHERE if not info.ip_restricted and "ip_restricted" not in info.untold else "",
    ]
    return _judge(account, KeyState.GOOD, " ".join(filter(None, notes)), at)


def _disable(account: ExchangeAccount, note: str, at: datetime) -> ExchangeAccount:
    """The key is used no more. Who used it until now is told by mail, once; a new key's user looks at the verdict."""
    was_used = account.key_state in (KeyState.GOOD, KeyState.FAILING)
    account = _judge(account, KeyState.DISABLED, note, at)
    if was_used:
        mail.send(
            "key_disabled",
            to=account.user.email,
            subject=f"The key of “{account.label}” was disabled",
            label=account.label,
            note=account.key_note,
        )
    return account


def _judge(account: ExchangeAccount, state: KeyState, note: str, at: datetime) -> ExchangeAccount:
    account.key_state, account.key_note, account.checked_at = state, note[:_NOTE_LENGTH], at
    account.save(update_fields=["key_state", "key_note", "checked_at", "updated_at"])
    return account
