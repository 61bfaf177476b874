"""Differences between report and facts as they stand in the inbox."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.accounting.causes import Cause
from portfolio.models import ItemKind, ReconciliationItem


def differ(account: ExchangeAccount, subject: str = "USDT", **columns: Any) -> ReconciliationItem:
    """50 more of it are reported than facts give."""
    at: datetime = columns.pop("at", clock.now())
    usual: dict[str, Any] = {
        "kind": ItemKind.BALANCE,
        "reported": Decimal(1050),
        "computed": Decimal(1000),
        "difference": Decimal(50),
        "value": Decimal(50),
        "cause": Cause.MISSING_DEPOSIT,
        "evidence": [f"More {subject} is reported than facts give."],
        "diverged_from": at - timedelta(days=2),
        "diverged_to": at - timedelta(days=1),
    }
    moments = {"reported_at": at, "opened_at": at, "changed_at": at}
    with tenancy.acting_as(account.user_id):
        return ReconciliationItem.objects.create(
            user_id=account.user_id, account=account, subject=subject, **(usual | moments | columns)
        )
