"""The record of outages: when an exchange, or all of them, could not be asked, and why."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import DatabaseError

from pipeline.models import Outage

logger = logging.getLogger(__name__)
EVERYTHING: Final = ""  # in place of an exchange's name


def begin(exchange: str, *, reason: str, at: datetime) -> None:
    """Once for each outage. The state in Redis counts; a record that cannot be written now is only missed."""
    try:
        Outage.objects.bulk_create(
            [Outage(exchange=exchange, reason=reason[:300], began_at=at)], ignore_conflicts=True
        )
    except DatabaseError as error:
        logger.warning("The outage of %s is not recorded: %s", exchange or "everything", type(error).__name__)


def end(exchange: str, *, at: datetime) -> None:
    try:
        Outage.objects.filter(exchange=exchange, ended_at=None).update(ended_at=at)
    except DatabaseError as error:
        logger.warning("The end of an outage is not recorded: %s", type(error).__name__)


def end_others(exchanges: Collection[str], *, at: datetime) -> None:
    """End the records of all but these: their state was lost."""
    Outage.objects.filter(ended_at=None).exclude(exchange__in=exchanges).update(ended_at=at)
