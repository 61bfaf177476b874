"""Excursions in the background: an account's trades a batch at a time, with the candles they need."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline import market
from portfolio import excursions

BATCHES: Final = 4  # at a time: others wait too


def measure_excursions(
    *, user_id: UUID, account_id: UUID, at: datetime, now: Callable[[], datetime] = clock.now
) -> int:
    """Answers how many trades were looked at. Opens its own doors; candles are fetched between them. Raises
    ExchangeError, and then nothing is said of trades whose candles did not come."""
    looked = 0
    for _ in range(BATCHES):
        with tenancy.acting_as(user_id):
            account = ExchangeAccount.objects.select_related("user").get(id=account_id)
            trades = excursions.due(account=account, at=at)
            needs = excursions.price_needs(trades, account=account)
        if needs:
            market.fetch_candles(needs, now=now)
        with tenancy.acting_as(user_id):
            excursions.store(trades, account=account, at=at)
        looked += len(trades)
        if not trades:
            break
    return looked
