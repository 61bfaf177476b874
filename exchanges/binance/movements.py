"""What moves money outside fills: funding, rebates and charges of the income history, and transfers between wallets."""

from collections.abc import Mapping
from typing import Final

from exchanges import reading
from exchanges.binance.contracts import WALLET
from exchanges.binance.mapping import identity
from exchanges.reading import UnreadableRow
from exchanges.rows import FundingRow, PositionSide, Raw, TransferKind, TransferRow, TransferStatus

FUNDING: Final = "FUNDING_FEE"
FEES: Final = "COMMISSION"  # one for every fill: tells which contracts were traded
# By what is mostly paid or taken; the sign of a row decides.
INCOMES: Final[Mapping[TransferKind, tuple[str, ...]]] = {
    TransferKind.REBATE: (
        "REFERRAL_KICKBACK",
        "COMMISSION_REBATE",
        "API_REBATE",
        "CONTEST_REWARD",
        "WELCOME_BONUS",
        "FEE_RETURN",
    ),
    TransferKind.CHARGE: ("INSURANCE_CLEAR", "POSITION_LIMIT_INCREASE_FEE"),
}
# Both ends of each type of /sapi asset/transfer; wallets whose balances are not read have names of their own.
_WALLETS: Final = {
    "MAIN": "spot",
    "UMFUTURE": WALLET,
    "CMFUTURE": "coin-futures",
    "MARGIN": "margin",
    "FUNDING": "other",
    "OPTION": "options",
}
_PAIRS: Final = (
    *(("MAIN", name) for name in _WALLETS if name != "MAIN"),
    *(("UMFUTURE", name) for name in ("MARGIN", "FUNDING", "OPTION")),
)
TYPES: Final = tuple(f"{a}_{b}" for pair in _PAIRS for a, b in (pair, pair[::-1]))
_STATUS: Final = {
    "CONFIRMED": TransferStatus.SUCCESS,
    "PENDING": TransferStatus.PENDING,
    "FAILED": TransferStatus.FAILED,
}


def funding(raw: Raw) -> FundingRow:
    """A row of income. It tells neither the rate nor the position, and no side in hedge mode."""
    return FundingRow(
        symbol=reading.text(raw, "symbol"),
        payment_id=identity(raw, "tranId"),
        asset=reading.text(raw, "asset"),
        amount=reading.amount(raw, "income"),
        rate=None,
        quantity=None,
        position_side=PositionSide.BOTH,
        paid_at=reading.moment_ms(raw, "time"),
        raw=raw,
    )


def income(raw: Raw) -> TransferRow | None:
    """A rebate (> 0) or a charge; `tranId` is unique within its type only. None where nothing moved."""
    amount, kind = reading.amount(raw, "income"), reading.text(raw, "incomeType")
    if not amount:
        return None
    taken = amount < 0
    return TransferRow(
        kind=TransferKind.CHARGE if taken else TransferKind.REBATE,
        transfer_id=f"{kind}:{identity(raw, 'tranId')}",
        asset=reading.text(raw, "asset"),
        amount=abs(amount),
        status=TransferStatus.SUCCESS,
        occurred_at=reading.moment_ms(raw, "time"),
        raw=raw,
        from_wallet=WALLET if taken else "",
        to_wallet="" if taken else WALLET,
    )


def internal(raw: Raw) -> TransferRow:
    """A row of asset/transfer."""
    kind = reading.text(raw, "type")
    if kind not in TYPES:
        raise UnreadableRow(f"type {kind!r:.40} is unknown")
    source, _, target = kind.partition("_")
    return TransferRow(
        kind=TransferKind.INTERNAL,
        transfer_id=identity(raw, "tranId"),
        asset=reading.text(raw, "asset"),
        amount=reading.not_negative(raw, "amount"),
        status=_STATUS.get(reading.text(raw, "status", ""), TransferStatus.UNKNOWN),
        occurred_at=reading.moment_ms(raw, "timestamp"),
        raw=raw,
        from_wallet=_WALLETS[source],
        to_wallet=_WALLETS[target],
    )
