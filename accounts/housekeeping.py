"""Throwing away what opens nothing any more and proves nothing: the audit trail keeps what happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.sessions.models import Session as Cookie
from django.db.models import Q

from accounts import attempts, two_factor
from accounts.models import Session, TwoFactor
from core.django import actors

KEPT: Final = timedelta(days=30)  # ended sessions, for who asks what happened
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows went, by kind."""

    sessions: int
    cookies: int
    attempts: int
    set_ups: int


def sweep(*, at: datetime) -> Swept:
    """Delete sessions that ended long ago with their tokens, cookies that are over, counts of attempts that were
    quiet, and second factors that were never confirmed."""
    ended = Q(expires_at__lt=at - KEPT) | Q(revoked_at__lt=at - KEPT)
    ids = list(Session.objects.filter(ended).values_list("id", flat=True)[:_BATCH])
    forgotten = TwoFactor.objects.filter(
        confirmed_at__isnull=True, created_at__lt=at - two_factor.SET_UP_TIME
    )
    with actors.stamped():
        set_ups = forgotten.delete()[0]
    Session.objects.filter(id__in=ids).delete()
    return Swept(
        sessions=len(ids),
        cookies=Cookie.objects.filter(expire_date__lt=at).delete()[0],
        attempts=attempts.forget(before=at),
        set_ups=set_ups,
    )
