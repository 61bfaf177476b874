"""Why a trade ended: the exit type people read."""

from enum import StrEnum


class ExitType(StrEnum):
    LIQUIDATION = "LIQUIDATION"
    TP = "TP"
    SL = "SL"
    MANUAL = "MANUAL"
    PARTIAL = "PARTIAL"


def exit_type(*, role: str | None, closes_position: bool, is_liquidation: bool = False) -> ExitType:
    """Liquidation first, then the exit order's role (`TP`, `TP1`…, `SL`); without one, whether it closes."""
    if is_liquidation:
        return ExitType.LIQUIDATION
    if role is not None and role.startswith("TP"):
        return ExitType.TP
    if role == "SL":
        return ExitType.SL
    return ExitType.MANUAL if closes_position else ExitType.PARTIAL
