"""What a key may do, as far as Bitget tells: classic accounts list authorities, unified ones permissions."""

from collections.abc import Sequence
from typing import Final

from exchanges import reading
from exchanges.rows import AccountInfo, Raw

CLASSIC: Final = "classic"
UNIFIED: Final = "unified"
# Four letters: two for what, one for reading or writing at the end (`stor`, `stow`: spot trading).
_READING: Final = frozenset(
    {"readonly", "stor", "coor", "cpor", "smor", "wtor", "ttor", "taxr", "p2pr", "wwor"}
)
_TRADING: Final = frozenset({"trade", "stow", "coow", "cpow", "smow", "ttow"})
_MOVING: Final = frozenset({"transfer", "wtow"})
_WITHDRAWING: Final = frozenset({"withdraw", "wwow"})
_UNIFIED_READING: Final = frozenset({"uta_mgt", "uta_trade"})


def classic(data: Raw) -> AccountInfo:
    """From /api/v2/spot/account/info."""
    told = _words(data.get("authorities"))
    known = told <= _READING | _TRADING | _MOVING | _WITHDRAWING
    return AccountInfo(
        uid=reading.text(data, "userId"),
        can_read=bool(told),
        can_trade=bool(told & _TRADING),
        can_withdraw=bool(told & _WITHDRAWING),
        ip_restricted=_is_restricted(data),
        maker_commission=None,
        taker_commission=None,
        permissions=tuple(sorted(told)),
        account_type=CLASSIC,
        # A word we do not know may be the right to withdraw.
        untold=() if known or told & _WITHDRAWING else ("can_withdraw",),
        raw=data,
    )


def unified(data: Raw) -> AccountInfo:
    """From /api/v3/account/info."""
    told = _words(data.get("permissions"))
    writes = reading.text(data, "permType", "") != "read-only"
    return AccountInfo(
        uid=reading.text(data, "userId"),
        can_read=bool(told & _UNIFIED_READING),
        can_trade=writes and "uta_trade" in told,
        can_withdraw=writes and bool(told & _WITHDRAWING),
        ip_restricted=_is_restricted(data),
        maker_commission=None,
        taker_commission=None,
        permissions=tuple(sorted(told)),
        account_type=UNIFIED,
        raw=data,
    )


def _words(value: object) -> frozenset[str]:
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return frozenset(each for each in listed if isinstance(each, str) and each)


def _is_restricted(data: Raw) -> bool:
    return bool(reading.text(data, "ips", "").strip(" ,"))
