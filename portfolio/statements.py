"""What users say about coins that came in: their cost, and whose they were. Each call opens its own door.

A statement stands at once; the books it concerns are marked, and folded anew in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from core.django import tenancy
from orders import own_transfers, stated_costs, strategies
from orders.models import Order, OwnTransfer, StatedCost, Transfer, TransferKind
from portfolio import annotations, moved_lots
from portfolio.models import ReconciliationItem

MOST: Final = 100
_MOST_SENDERS: Final = 20


@dataclass(frozen=True, slots=True)
class Statements:
    """What a page asks its user about: deposits of coins, newest first, pairs that may be one transfer, and those that
    are."""

    deposits: list[Transfer]
    """With `stated_cost`, None where none is stated. Cash has no cost, and what was carried brings its own."""
    proposed: list[OwnTransfer]
    confirmed: list[OwnTransfer]
    senders: dict[int, list[Transfer]]
    """By deposit: withdrawals from other accounts of its owner that it may have been, the latest first."""


def asked(*, user_id: UUID) -> Statements:
    """At most MOST of each."""
    with tenancy.acting_as(user_id):
        carried = own_transfers.confirmed().values("incoming_id")
        deposits = (
            Transfer.objects.filter(kind=TransferKind.DEPOSIT, status="success")
            .exclude(asset__in=settings.CASH_ASSETS)
            .exclude(id__in=carried)
            .select_related("account", "stated_cost")
            .order_by("-occurred_at", "-id")
        )
        came = list(deposits[:MOST])
        return Statements(
            deposits=came,
            proposed=own_transfers.listed(state=OwnTransfer.State.PROPOSED, limit=MOST),
            confirmed=own_transfers.newest_confirmed(limit=MOST),
            senders=_senders(came),
        )


def _senders(deposits: Sequence[Transfer]) -> dict[int, list[Transfer]]:
    left = own_transfers.unmatched_withdrawals(assets={each.asset for each in deposits})
    found = {
        came.pk: [each for each in left if own_transfers.may_be_one(outgoing=each, incoming=came)]
        for came in deposits
    }
    return {number: rows[:_MOST_SENDERS] for number, rows in found.items() if rows}


def annotate(*, user_id: UUID, order_id: int, **said: Any) -> None:
    """Strategy, note or tags of an order, as `strategies.annotate` takes them; its fills, position and trades follow at
    once, sums by strategy in the background. Raises NotFound."""
    with tenancy.acting_as(user_id):
        order = strategies.annotate(order_id=order_id, **said)
        annotations.follow([order.account_id])


def state_cost(
    *, user_id: UUID, transfer_id: int, cost: Decimal | None, note: str = ""
) -> tuple[Transfer, StatedCost | None]:
    """What a deposit cost, or that nobody knows. Raises NotFound, Invalid."""
    with tenancy.acting_as(user_id):
        transfer = stated_costs.state_cost(transfer_id=transfer_id, cost=cost, note=note)
        moved_lots.mark_entry(transfer)
        return transfer, StatedCost.objects.filter(transfer=transfer).first()


def forget_notes(*, user_id: UUID) -> None:
    """Empty whatever a person wrote in words of their own, who leaves for good; what they said of costs, strategies and
    whose transfers were whose stays, as the books stand on it. Inside the owner's open door."""
    Order.objects.exclude(note="").update(note="")
    Order.objects.exclude(tags=[]).update(tags=[])
    for rows in (StatedCost.objects, OwnTransfer.objects):
        rows.filter(user_id=user_id).exclude(note="").update(note="")
    ReconciliationItem.objects.exclude(reason="").update(reason="")


def declare(*, user_id: UUID, outgoing_id: int, incoming_id: int, note: str = "") -> OwnTransfer:
    """A withdrawal and a deposit are one transfer. Raises NotFound, Invalid, Conflict."""
    with tenancy.acting_as(user_id):
        return _followed(own_transfers.declare(outgoing_id=outgoing_id, incoming_id=incoming_id, note=note))


def decide(*, user_id: UUID, pair_id: int, is_one: bool) -> OwnTransfer:
    """A proposed pair is one transfer, or none. Raises NotFound, Conflict."""
    with tenancy.acting_as(user_id):
        decision = own_transfers.confirm if is_one else own_transfers.reject
        return _followed(decision(own_transfer_id=pair_id))


def _followed(own: OwnTransfer) -> OwnTransfer:
    moved_lots.mark_receivers(OwnTransfer.objects.filter(id=own.id))
    return own
