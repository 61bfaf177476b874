"""What made a difference go away, in words: facts that came since it was found, or a report that says otherwise."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Min, Q

from core.money import text
from orders.models import Fill, FundingPayment, Transfer
from portfolio.comparison import Compared
from portfolio.models import ItemKind, ReconciliationItem
from portfolio.reports import IN_FLIGHT

_LENGTH: Final = ReconciliationItem._meta.get_field("explanation").max_length


def explain(item: ReconciliationItem, now: Compared | None) -> str:
    """Of an item that agrees now. Needs an open door."""
    if item.kind == ItemKind.RESIDUAL:
        return "The day adds up since it was drawn again, or another difference stands for it."
    came = list(_came(item))
    if came:
        return f"Came in since it was found: {', '.join(came)}."[:_LENGTH]
    if item.kind == ItemKind.SHORTFALL:
        return "Facts give less than nothing no more, or the exchange reports what is held."
    told = "" if now is None else f" of {now.at:%Y-%m-%d %H:%M} says {text(now.reported)}, and"
    return f"The exchange's report{told} agrees with the facts."


def _came(item: ReconciliationItem) -> Iterator[str]:
    """Facts of the interval in which it diverged that were stored after it was found."""
    if item.kind == ItemKind.POSITION:
        yield from _counted("fill", Fill.objects.filter(symbol=item.subject), item, "executed_at")
        return
    asset = item.subject
    moves = Q(base_asset=asset) | Q(quote_asset=asset) | Q(fee_currency=asset) | Q(settle_asset=asset)
    yield from _counted("fill", Fill.objects.filter(moves), item, "executed_at")
    yield from _counted("funding payment", FundingPayment.objects.filter(asset=asset), item, "paid_at")
    kinds = Transfer.objects.filter(account_id=item.account_id, asset=asset, updated_at__gte=item.opened_at)
    for kind in kinds.order_by("kind").values_list("kind", flat=True).distinct():
        of_kind = Transfer.objects.filter(asset=asset, kind=kind)
        yield from _counted(kind.lower(), of_kind, item, "occurred_at", stored="updated_at")


def _counted(
    name: str, rows: Any, item: ReconciliationItem, moment: str, *, stored: str = "created_at"
) -> Iterator[str]:
    rows = rows.filter(**{"account_id": item.account_id, f"{stored}__gte": item.opened_at})
    if item.diverged_from is not None:
        rows = rows.filter(**{f"{moment}__gte": item.diverged_from - IN_FLIGHT})
    if item.diverged_to is not None:
        rows = rows.filter(**{f"{moment}__lte": item.diverged_to + IN_FLIGHT})
    found = rows.aggregate(count=Count("id"), first=Min(moment))
    if found["count"]:
        yield _in_words(name, found["count"], found["first"])


def _in_words(name: str, count: int, first: datetime) -> str:
    plural = "s" if count > 1 else ""
    since = "from" if count > 1 else "of"
    return f"{count} {name}{plural} {since} {first:%Y-%m-%d %H:%M}"
