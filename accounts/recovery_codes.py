"""Recovery codes: ten, random, shown once, stored as hashes; each stands in for the authenticator app once."""

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts import audit, mail
from accounts.audit import Action
from accounts.models import RecoveryCode, User
from core.django import actors

COUNT: Final = 10
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are taken for each other
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4  # 16 letters of 32: 80 bits, so a plain hash is enough


def renew(*, user_id: UUID) -> list[str]:
    """New codes in place of the old ones, as people read them: four groups of four letters."""
    codes = [_new() for _ in range(COUNT)]
    with actors.stamped():
        destroy(user_id=user_id)
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user_id=user_id, code_hash=_hash(code)) for code in codes
        )
        audit.record(Action.RECOVERY_CODES_RENEWED, user_id=user_id)
    return codes


def redeem(*, user_id: UUID, code: str, at: datetime) -> bool:
    """Use a code up, by one guarded UPDATE; answers whether it was one."""
    with actors.stamped():
        won = RecoveryCode.objects.filter(
            user_id=user_id, code_hash=_hash(code), used_at__isnull=True
        ).update(used_at=at)
        if won:
            audit.record(Action.RECOVERY_CODE_USED, user_id=user_id, left=left(user_id=user_id))
            _tell_used(user_id)
    return won == 1


def left(*, user_id: UUID) -> int:
    return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def destroy(*, user_id: UUID) -> None:
    RecoveryCode.objects.filter(user_id=user_id).delete()


def _tell_used(user_id: UUID) -> None:
    mail.tell_access_changed(
        to=User.objects.values_list("email", flat=True).get(id=user_id),
        subject="A recovery code was used",
        what=f"It stood in for your authenticator app. {left(user_id=user_id)} codes are left.",
    )


def _new() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash(code: str) -> bytes:
    """Of the code's letters alone, however they were typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()
