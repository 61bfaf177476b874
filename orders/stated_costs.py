"""What users say their deposits cost. Works inside the owner's open door."""

from decimal import Decimal

from core.errors import Invalid, NotFound
from orders import own_transfers
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
    _require_unknown(transfer)
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


def _require_unknown(transfer: Transfer) -> None:
    """Where a transfer says what it cost, a statement would change nothing, and mislead."""
    if own_transfers.confirmed().filter(incoming=transfer).exists():
        raise Invalid(
            "These coins came from another account of yours, at what they cost there: state the cost of the deposit"
            " there, or say that this is no transfer between your accounts."
        )
