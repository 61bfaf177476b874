"""What accounts of one user sent each other: flows of each of them, and none of all together."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from core import clock
from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from marketdata import prices
from orders import own_transfers


def inside(*, account_ids: Collection[UUID]) -> dict[date, Decimal]:
    """By UTC day what left one of these accounts and came into another, at the day's close. Needs an open door.

    What was on the way overnight is left out: it is in no account then, and the flows of both days keep it neutral.
    """
    if len(account_ids) < 2:
        return {}
    pairs = own_transfers.inside(account_ids=account_ids)
    columns = ("incoming__asset", "outgoing__amount", "incoming__amount")
    moved = [
        (asset, clock.utc_day(came), min(sent, arrived))
        for asset, sent, arrived, left, came in pairs.values_list(
            *columns, "outgoing__occurred_at", "incoming__occurred_at"
        )
        if clock.utc_day(left) == clock.utc_day(came)
    ]
    if not moved:
        return {}
    account = ExchangeAccount.objects.select_related("user").get(id=next(iter(account_ids)))
    days = [day for _, day, _ in moved]
    closes = prices.daily_closes(
        assets={asset for asset, _, _ in moved},
        currency=account.user.reporting_currency,
        first=min(days),
        last=max(days),
        also=[account.exchange],
    )
    worth: dict[date, Decimal] = defaultdict(Decimal)
    for asset, day, amount in moved:
        point = closes.get((asset, day))
        worth[day] += quantize(amount * point.price) if point else ZERO
    return dict(worth)


def external(
    paid_in: Decimal, paid_out: Decimal, day: date, sent: Mapping[date, Decimal]
) -> tuple[Decimal, Decimal]:
    """A day's flows into and out of several accounts without what they sent each other (`inside`)."""
    both = min(sent.get(day, ZERO), paid_in, paid_out)
    return paid_in - both, paid_out - both
