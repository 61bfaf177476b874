"""What a key may do, as far as Gate.io tells.

Its list of keys tells rights by name, and whether each is for reading only. The right to withdraw is not among
the names Gate.io documents: that a key may not withdraw is certain only where every right is for reading only.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.rows import AccountInfo, Raw

_TRADING: Final = frozenset({"spot", "margin", "unified"})
_WITHDRAWING: Final = frozenset({"withdraw", "withdrawal", "withdrawals"})
_MODES: Final = {1: "classic", 2: "unified"}

Rights = Mapping[str, bool]  # by name; True for writing too


def account_info(detail: Raw, fees: Raw, own_key: Raw | None, *, sees_contracts: bool) -> AccountInfo:
    """`own_key` is the key's row in the list of keys, None where that list is closed to it."""
    rights = None if own_key is None else _rights(own_key)
    untold = () if rights is not None else ("can_trade",)
    untold = untold if sees_contracts else (*untold, "derivatives")
    can_withdraw, is_told = _may_withdraw(rights)
    addresses = detail.get("ip_whitelist")
    if not isinstance(addresses, list) and own_key is not None:
        addresses = own_key.get("ip_whitelist")
    mode = detail.get("key")
    return AccountInfo(
        uid=reading.text(detail if detail.get("user_id") is not None else fees, "user_id"),
        can_read=rights is None or not rights.keys().isdisjoint(_TRADING),
        can_trade=rights is None or any(rights.get(name, False) for name in _TRADING),
        can_withdraw=can_withdraw,
        ip_restricted=isinstance(addresses, list) and bool(addresses),
        maker_commission=_share(fees, "maker_fee"),
        taker_commission=_share(fees, "taker_fee"),
        permissions=tuple(
            f"{name}:{'write' if writes else 'read'}" for name, writes in (rights or {}).items()
        ),
        account_type=_MODES.get(mode.get("mode", 0), "") if isinstance(mode, Mapping) else "",
        untold=untold if is_told else (*untold, "can_withdraw"),
        raw={"detail": detail, "fees": fees, "key": own_key},
    )


def find(keys: Iterable[object], key: str) -> Raw | None:
    """The row of the list of keys that is about this one; they are masked: `c5dcfbf1f3a7*****`.

    None where none, or more than one, may be meant.
    """
    found = [each for each in keys if isinstance(each, Mapping) and _is_meant(each.get("key"), key)]
    return found[0] if len(found) == 1 else None


def _is_meant(masked: object, key: str) -> bool:
    if not isinstance(masked, str) or "*" not in masked:
        return masked == key
    head, _, rest = masked.partition("*")
    return bool(head) and key.startswith(head) and key.endswith(rest.rpartition("*")[2])


def _rights(own_key: Raw) -> Rights:
    told = own_key.get("perms")
    rows = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    return {
        str(row["name"]): row.get("read_only") is not True
        for row in rows
        if isinstance(row, Mapping) and row.get("name")
    }


def _may_withdraw(rights: Rights | None) -> tuple[bool, bool]:
    """(whether it may, whether that is told)."""
    if rights is None:
        return False, False
    if any(rights.get(name, False) for name in _WITHDRAWING):
        return True, True
    return False, not any(rights.values())


def _share(fees: Raw, key: str) -> Decimal | None:
    return None if fees.get(key) in (None, "") else reading.amount(fees, key, ZERO)
