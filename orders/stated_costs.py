"""What users say their deposits cost. Works inside the owner's open door."""

from decimal import Decimal

from core.errors import Invalid, NotFound
from orders.models import StatedCost, Transfer, TransferKind


def state_cost(*, transfer_id: int, cost: Decimal | None, note: str = "") -> Transfer:
    """The cost of a whole deposit in the reporting currency; None: it is unknown again. Raises NotFound, Invalid."""
    transfer = Transfer.objects.select_related("account__user").filter(id=transfer_id).first()
    if transfer is None:
        raise NotFound("There is no such transfer.")
    if transfer.kind != TransferKind.DEPOSIT:
        raise Invalid("Only of a deposit a cost can be stated: other transfers have one, or need none.")
    if cost is None:
        StatedCost.objects.filter(transfer=transfer).delete()
        return transfer
    StatedCost.objects.update_or_create(
        transfer=transfer,
        defaults={
            "user_id": transfer.user_id,
            "account_id": transfer.account_id,
            "cost": cost,
            "note": note,
        },
    )
    return transfer
