"""Which withdrawals are deposits into another account of the same user. Works inside the owner's open door.

Sure: the same transaction on the chain; or the only pair of one asset whose amounts agree, fee taken off or not, within
`WINDOW`. Several that would fit are proposed and wait for the user. Coins arrive strictly later than they left: so what
a book carries on never depends on itself, and accounts that send coins back and forth come to rest.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from core.errors import Conflict, Invalid, NotFound
from credentials.models import ExchangeAccount
from orders.models import OwnTransfer, Transfer, TransferKind
from orders.movements import counts

WINDOW: Final = timedelta(days=3)
TOLERANCE: Final = Decimal("0.00000001")  # exchanges cut amounts to eight places, each its own way

_CONFIRMED: Final = OwnTransfer.State.CONFIRMED
_MOST_UNMATCHED: Final = 500
_COUNTS: Final = Q(kind=TransferKind.DEPOSIT, status="success") | (
    Q(kind=TransferKind.WITHDRAWAL) & ~Q(status="failed")
)


class Move(NamedTuple):
    """A withdrawal or deposit, as matching sees it."""

    id: int
    account_id: UUID
    kind: str
    asset: str
    amount: Decimal
    fee_amount: Decimal
    tx_id: str
    occurred_at: datetime


class Match(NamedTuple):
    outgoing: int
    incoming: int
    matched_by: str
    is_sure: bool


class _Fits(Protocol):
    """A rule by which two ends are one transfer."""

    def __call__(self, left: Move, came: Move) -> bool: ...


def match(*, account: ExchangeAccount, since: datetime) -> list[OwnTransfer]:
    """Store what the account's transfers since a moment match; answers what was confirmed."""
    earliest = since - WINDOW
    of_kind = Transfer.objects.filter(_COUNTS, account__mode=account.mode, occurred_at__gte=earliest)
    if not of_kind.filter(account=account).exists():
        return []
    known = OwnTransfer.objects.values_list("outgoing_id", "incoming_id", "state")
    taken = {
        end for outgoing, incoming, state in known if state == _CONFIRMED for end in (outgoing, incoming)
    }
    moves = [Move._make(row) for row in of_kind.order_by("occurred_at", "id").values_list(*Move._fields)]
    found = pairs([move for move in moves if move.id not in taken])
    stored = {(outgoing, incoming) for outgoing, incoming, _ in known}
    new = [
        OwnTransfer(
            user_id=account.user_id,
            outgoing_id=one.outgoing,
            incoming_id=one.incoming,
            state=_CONFIRMED if one.is_sure else OwnTransfer.State.PROPOSED,
            matched_by=one.matched_by,
        )
        for one in found
        if (one.outgoing, one.incoming) not in stored
    ]
    OwnTransfer.objects.bulk_create(new, ignore_conflicts=True)  # the other account may be at it, too
    return [one for one in new if one.state == _CONFIRMED]


def pairs(moves: Iterable[Move]) -> list[Match]:
    """Withdrawals and the deposits they are, by asset; each is in one sure pair at most, or in proposed ones."""
    rows = list(moves)
    outgoing = [row for row in rows if row.kind == TransferKind.WITHDRAWAL]
    incoming = [row for row in rows if row.kind == TransferKind.DEPOSIT]
    found: list[Match] = []
    for rule, name, is_sure in _RULES:
        chosen = _choose(outgoing, incoming, rule, name)
        found += [one for one in chosen if one.is_sure or not is_sure]
        used = {end for one in found for end in one[:2]}
        outgoing = [row for row in outgoing if row.id not in used]
        incoming = [row for row in incoming if row.id not in used]
    return found


def confirm(*, own_transfer_id: int) -> OwnTransfer:
    """The user says that a pair is one transfer. Raises NotFound, Conflict (an end of it is in another pair)."""
    own = _get(own_transfer_id)
    if own.state != _CONFIRMED:
        _require_free(own.outgoing, own.incoming)
        own.state = _CONFIRMED
        own.save(update_fields=["state", "updated_at"])
    return own


def reject(*, own_transfer_id: int) -> OwnTransfer:
    """The user says that it is none: it is never matched again. Raises NotFound."""
    own = _get(own_transfer_id)
    own.state = OwnTransfer.State.REJECTED
    own.save(update_fields=["state", "updated_at"])
    return own


def declare(*, outgoing_id: int, incoming_id: int, note: str = "") -> OwnTransfer:
    """A pair by hand, whatever its amounts. Raises NotFound, Invalid, Conflict."""
    ends = Transfer.objects.select_related("account").in_bulk([outgoing_id, incoming_id])
    outgoing, incoming = ends.get(outgoing_id), ends.get(incoming_id)
    if outgoing is None or incoming is None:
        raise NotFound("There is no such transfer.")
    _require_pair(outgoing, incoming)
    _require_free(outgoing, incoming)
    own, _ = OwnTransfer.objects.update_or_create(
        user_id=outgoing.user_id,
        outgoing=outgoing,
        incoming=incoming,
        defaults={"state": _CONFIRMED, "matched_by": OwnTransfer.MatchedBy.HAND, "note": note},
    )
    return own


def listed(*, state: str | None = None, after: int = 0, limit: int = 50) -> list[OwnTransfer]:
    """A page of the owner's, oldest first."""
    rows = OwnTransfer.objects.select_related("outgoing", "incoming").filter(id__gt=after)
    return list((rows.filter(state=state) if state else rows).order_by("id")[:limit])


def newest_confirmed(*, limit: int) -> list[OwnTransfer]:
    """With their accounts."""
    rows = confirmed().select_related("outgoing__account", "incoming__account")
    return list(rows.order_by("-incoming__occurred_at", "-id")[:limit])


def unmatched_withdrawals(*, assets: Collection[str]) -> list[Transfer]:
    """Those that are no transfer between own accounts yet, the latest first, with their accounts."""
    rows = Transfer.objects.filter(_COUNTS, kind=TransferKind.WITHDRAWAL, asset__in=assets)
    rows = rows.exclude(id__in=confirmed().values("outgoing_id")).select_related("account").defer("raw")
    return list(rows.order_by("-occurred_at", "-id")[:_MOST_UNMATCHED])


def may_be_one(*, outgoing: Transfer, incoming: Transfer) -> bool:
    """Whether a pair by hand would be taken."""
    try:
        _require_pair(outgoing, incoming)
    except Invalid:
        return False
    return True


def confirmed() -> QuerySet[OwnTransfer]:
    return OwnTransfer.objects.filter(state=_CONFIRMED)


def inside(*, account_ids: Collection[UUID]) -> QuerySet[OwnTransfer]:
    """Confirmed pairs with both ends in these accounts."""
    return confirmed().filter(outgoing__account_id__in=account_ids, incoming__account_id__in=account_ids)


def _choose(outgoing: Sequence[Move], incoming: Sequence[Move], fits: _Fits, matched_by: str) -> list[Match]:
    arrived: dict[str, list[Move]] = defaultdict(list)
    for came in incoming:
        arrived[came.asset].append(came)
    fitting = [
        (left, came)
        for left in outgoing
        for came in arrived[left.asset]
        if _could_be(left, came) and fits(left, came)
    ]
    fits_of = Counter(end.id for pair in fitting for end in pair)
    return [
        Match(left.id, came.id, matched_by, fits_of[left.id] == fits_of[came.id] == 1)
        for left, came in fitting
    ]


def _could_be(left: Move, came: Move) -> bool:
    return (
        left.asset == came.asset
        and left.account_id != came.account_id
        and came.occurred_at > left.occurred_at
        and came.amount <= left.amount + left.fee_amount
    )


def _is_same_transaction(left: Move, came: Move) -> bool:
    return bool(left.tx_id) and left.tx_id.lower() == came.tx_id.lower()


def _is_same_part(left: Move, came: Move) -> bool:
    """Exchanges send what several asked for in one transaction."""
    return _is_same_transaction(left, came) and _agrees(left, came)


def _is_same_amount(left: Move, came: Move) -> bool:
    if came.occurred_at - left.occurred_at > WINDOW or (left.tx_id and came.tx_id):
        return False
    return _agrees(left, came)


def _agrees(left: Move, came: Move) -> bool:
    return any(
        abs(came.amount - expected) <= TOLERANCE for expected in (left.amount, left.amount - left.fee_amount)
    )


# The surest first, with the name each goes by, and whether only what it is sure of counts.
_RULES: Final[Sequence[tuple[_Fits, str, bool]]] = (
    (_is_same_part, OwnTransfer.MatchedBy.TX_ID, True),
    (_is_same_transaction, OwnTransfer.MatchedBy.TX_ID, False),
    (_is_same_amount, OwnTransfer.MatchedBy.AMOUNT, False),
)


def _get(own_transfer_id: int) -> OwnTransfer:
    own = OwnTransfer.objects.select_related("outgoing__account", "incoming__account__user").filter(
        id=own_transfer_id
    )
    found = own.first()
    if found is None:
        raise NotFound("There is no such pair of transfers.")
    return found


def _require_pair(outgoing: Transfer, incoming: Transfer) -> None:
    if outgoing.kind != TransferKind.WITHDRAWAL or incoming.kind != TransferKind.DEPOSIT:
        raise Invalid("A withdrawal and a deposit make a transfer between accounts.")
    if outgoing.asset != incoming.asset or outgoing.account_id == incoming.account_id:
        raise Invalid("Both ends are of one asset and of two accounts.")
    if outgoing.account.mode != incoming.account.mode:
        raise Invalid("Coins do not move between demo and live accounts.")
    if incoming.occurred_at <= outgoing.occurred_at:
        raise Invalid("Coins arrive after they left.")
    if not all(counts(kind=end.kind, status=end.status) for end in (outgoing, incoming)):
        raise Invalid("One end of it failed, or has not arrived yet.")


def _require_free(outgoing: Transfer, incoming: Transfer) -> None:
    taken = confirmed().filter(Q(outgoing=outgoing) | Q(incoming=incoming))
    if taken.exclude(outgoing=outgoing, incoming=incoming).exists():
        raise Conflict("One end of it is in another pair already.")
