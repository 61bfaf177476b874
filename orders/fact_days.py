"""On which days facts changed what an account holds, asset by asset. Inside an open door."""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import TruncDate

from orders.models import Fill, FundingPayment, Transfer

_ASSETS: Final = ("base_asset", "quote_asset", "settle_asset", "fee_currency")


def pairs(*, account_id: UUID) -> set[tuple[str, date]]:
    """Every (asset, UTC day) that a fact names; some of them may have changed nothing."""
    return {(asset, day) for rows in _named(account_id) for asset, day in rows if asset}


def _named(account_id: UUID) -> Iterator[Any]:
    fills = Fill.objects.filter(account_id=account_id)
    for name in _ASSETS:
        yield _days(fills, name, "executed_at")
    yield _days(Transfer.objects.filter(account_id=account_id), "asset", "occurred_at")
    yield _days(FundingPayment.objects.filter(account_id=account_id), "asset", "paid_at")


def _days(rows: QuerySet[Any], asset: str, moment: str) -> Any:
    day = TruncDate(moment, tzinfo=UTC)
    return rows.order_by().annotate(day=day).values_list(asset, "day").distinct()
