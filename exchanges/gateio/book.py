"""The ledger of a futures wallet: what changed it, by kind. Funding and rebates.

What came from spot and went there stands in the spot wallet's, too, and is told by that.
"""

from decimal import Decimal
from typing import Final

from core.money import ZERO
from exchanges import reading
from exchanges.gateio.contracts import WALLET, moment, pair
from exchanges.rows import FundingRow, PositionSide, Raw, TransferKind, TransferRow, TransferStatus

PNL: Final = "pnl"
FUNDING: Final = "fund"
REBATES: Final = "refr"


def funding(raw: Raw, settle: str) -> FundingRow:
    """Neither rate nor position are told, so in dual mode not which of both positions it was, either."""
    name = reading.text(raw, "contract", "") or reading.text(raw, "text").partition(":")[0]
    pair(name)
    change = reading.amount(raw, "change")
    return FundingRow(
        symbol=name,
        payment_id=_id(raw, change, name),
        asset=settle.upper(),
        amount=change,
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=moment(raw, "time"),
        raw=raw,
    )


def rebate(raw: Raw, settle: str) -> TransferRow | None:
    """A part of fees given back to the one who referred; None for nothing."""
    change = reading.amount(raw, "change")
    if change <= 0:
        return None
    return TransferRow(
        kind=TransferKind.REBATE,
        transfer_id=f"{settle}-{_id(raw, change, settle)}",
        asset=settle.upper(),
        amount=change,
        status=TransferStatus.SUCCESS,
        occurred_at=moment(raw, "time"),
        raw=raw,
        to_wallet=WALLET,
    )


def profits(raws: list[object]) -> dict[str, Decimal]:
    """Realised profit by the id of the fill, of rows of the kind `pnl` that tell it; a row that comes twice counts
    once."""
    found: dict[str, Decimal] = {}
    seen: set[str] = set()

    def add(raw: Raw) -> None:
        key = reading.text(raw, "trade_id", "")
        change = reading.amount(raw, "change")
        row = _id(raw, change, key)
        if key not in ("", "0") and row not in seen:
            seen.add(row)
            found[key] = found.get(key, ZERO) + change

    reading.rows(raws, add)
    return found


def _id(raw: Raw, change: Decimal, of: str) -> str:
    """The row's own id where it has one; its fields otherwise, unique but for twins in a microsecond."""
    return reading.text(raw, "id", "") or f"{of}:{reading.text(raw, 'time')}:{change}"
