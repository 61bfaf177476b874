"""Facts of files go once the exchange itself tells the same: nothing counts twice, whichever came first.

What of a file is the same as what the exchange tells is said in `orders.told`. Of transfers that the user spoke of, the
words go to the exchange's own; where it has none that fits, the file's stays. Inside the owner's open door.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from core.clock import utc_day
from credentials.models import ExchangeAccount
from exchanges.rows import FillRow, MarketType
from orders.models import Fill, OwnTransfer, StatedCost, Transfer
from orders.told import Told, is_of_file
from orders.touched import Touched

_APART: Final = timedelta(days=1)
"""Between the moments that a file and an exchange tell of one transfer."""
_FILL: Final = (
    "id", "base_asset", "quote_asset", "fee_currency", "settle_asset", "symbol", "position_side", "is_conversion",
    "executed_at", "exchange_fill_id",
)  # fmt: skip


@dataclass(slots=True)
class Gone:
    """Facts that are no more, and what that touches."""

    fills: list[int] = field(default_factory=list)
    transfers: list[int] = field(default_factory=list)
    touched: Touched = field(default_factory=Touched)


def has_any(account: ExchangeAccount) -> bool:
    """Whether facts of files are among the account's."""
    return _of_files(Fill, account).exists() or _of_files(Transfer, account).exists()


def to_executions(account: ExchangeAccount, rows: Iterable[FillRow]) -> Gone:
    """Executions of contracts have the exchange's ids in files, too: told by itself, they are complete."""
    told = {(row.symbol, row.fill_id) for row in rows if row.contract is not None}
    standing = _of_files(Fill, account).filter(exchange_fill_id__in={name for _, name in told})
    fills = standing.exclude(market_type=MarketType.SPOT).only(*_FILL)
    gone = Gone()
    _drop_fills(gone, [fill for fill in fills if (fill.symbol, fill.exchange_fill_id) in told])
    return gone


def to_told(account: ExchangeAccount) -> Gone:
    """Fills of a pair, and moves of a coin, from the first that the exchange told on."""
    gone, theirs = Gone(), Told(account)
    _drop_fills(gone, list(_told_fills(account, theirs)))
    moves = _of_files(Transfer, account).defer("raw")
    told = [move for move in moves if _is_told_move(move, theirs)]
    kept = _hand_over(account, told)
    _drop_transfers(gone, [move for move in told if move.pk not in kept])
    return gone


def _of_files(model: Any, account: ExchangeAccount) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(account=account, raw__has_key="lines")
    return rows


def _told_fills(account: ExchangeAccount, theirs: Told) -> Iterator[Fill]:
    standing = _of_files(Fill, account).filter(market_type=MarketType.SPOT)
    pairs = standing.order_by().values_list("base_asset", "quote_asset", "is_conversion").distinct()
    for base, quote, is_conversion in pairs:
        since = theirs.fills(base, quote, is_conversion=is_conversion)
        if since is not None:
            of_pair = {"base_asset": base, "quote_asset": quote, "is_conversion": is_conversion}
            fills = standing.filter(**of_pair, executed_at__gte=since[1]).only(*_FILL)
            yield from (fill for fill in fills if is_of_file(fill.exchange_fill_id))


def _is_told_move(move: Transfer, theirs: Told) -> bool:
    since = theirs.moves(move.kind, move.asset, source=move.from_wallet, target=move.to_wallet)
    return is_of_file(move.exchange_transfer_id) and since is not None and move.occurred_at >= since[1]


def _drop_fills(gone: Gone, fills: Sequence[Fill]) -> None:
    """What was folded from them goes with the next fold, by the moment noted."""
    for fill in fills:
        gone.fills.append(fill.pk)
        assets = {fill.fee_currency, fill.settle_asset or fill.base_asset}
        if fill.settle_asset:
            gone.touched.note_contract(fill.symbol, fill.position_side, fill.executed_at)
        else:
            assets.add(fill.quote_asset)
        for asset in assets:
            gone.touched.note(asset, fill.executed_at)
            gone.touched.days.add((asset, utc_day(fill.executed_at)))
    gone.touched.changed += len(fills)
    doomed = Fill.objects.filter(id__in=gone.fills)
    doomed._raw_delete(doomed.db)


def _drop_transfers(gone: Gone, moves: Sequence[Transfer]) -> None:
    for move in moves:
        gone.transfers.append(move.pk)
        gone.touched.note(move.asset, move.occurred_at)
        gone.touched.days.add((move.asset, utc_day(move.occurred_at)))
    gone.touched.changed += len(moves)
    _pairs_of(gone.transfers).delete()
    doomed = Transfer.objects.filter(id__in=gone.transfers)
    doomed._raw_delete(doomed.db)


def _pairs_of(transfers: Collection[int]) -> QuerySet[OwnTransfer]:
    return OwnTransfer.objects.filter(Q(outgoing__in=transfers) | Q(incoming__in=transfers))


def _hand_over(account: ExchangeAccount, moves: Sequence[Transfer]) -> set[int]:
    """What the user said of these goes to the exchange's own; answers those that have none and keep it."""
    by_id = {move.pk: move for move in moves}
    costs = list(StatedCost.objects.filter(transfer__in=by_id))
    pairs = list(_pairs_of(by_id).exclude(state=OwnTransfer.State.PROPOSED))
    spoken = {cost.transfer_id for cost in costs}
    spoken |= {end for pair in pairs for end in (pair.outgoing_id, pair.incoming_id) if end in by_id}
    twins = {move: twin for move in spoken if (twin := _twin(account, by_id[move])) is not None}
    for cost in costs:
        twin = twins.get(cost.transfer_id)
        if twin is not None and not StatedCost.objects.filter(transfer=twin).exists():
            StatedCost.objects.filter(pk=cost.pk).update(transfer=twin)
        elif twin is not None:
            cost.delete()
    for pair in pairs:
        _move_ends(pair, twins)
    return spoken - twins.keys()


def _twin(account: ExchangeAccount, move: Transfer) -> int | None:
    """The exchange's own of that amount, with its fee or without, the nearest in time."""
    near = Transfer.objects.filter(
        account=account, kind=move.kind, asset=move.asset,
        occurred_at__range=(move.occurred_at - _APART, move.occurred_at + _APART),
    ).exclude(raw__has_key="lines")  # fmt: skip
    sums = {move.amount, move.amount + move.fee_amount}
    fitting = [one for one in near.defer("raw") if sums & {one.amount, one.amount + one.fee_amount}]
    nearest = min(fitting, key=lambda one: (abs(one.occurred_at - move.occurred_at), one.pk), default=None)
    return None if nearest is None else nearest.pk


def _move_ends(pair: OwnTransfer, twins: dict[int, int]) -> None:
    """What is said of the exchange's own already stands."""
    outgoing = twins.get(pair.outgoing_id, pair.outgoing_id)
    incoming = twins.get(pair.incoming_id, pair.incoming_id)
    if (outgoing, incoming) == (pair.outgoing_id, pair.incoming_id):
        return
    others = OwnTransfer.objects.exclude(pk=pair.pk)
    same = Q(outgoing=outgoing, incoming=incoming)
    taken = Q(state=OwnTransfer.State.CONFIRMED) & (Q(outgoing=outgoing) | Q(incoming=incoming))
    clashes = same | taken if pair.state == OwnTransfer.State.CONFIRMED else same
    if others.filter(clashes).exists():
        pair.delete()
    else:
        OwnTransfer.objects.filter(pk=pair.pk).update(outgoing=outgoing, incoming=incoming)
