"""Reading the members that many of Bitget's rows share. Every reader raises UnreadableRow or InvalidAmount."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from core.money import ZERO
from exchanges import reading
from exchanges.reading import UnreadableRow
from exchanges.rows import OrderStatus, Raw, Side

T = TypeVar("T")
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
SCOPES: Final = {"maker": True, "taker": False}
STATUSES: Final[Mapping[str, OrderStatus]] = {
    **dict.fromkeys(("init", "new", "live"), OrderStatus.NEW),
    **dict.fromkeys(("partially_filled", "partial_fill"), OrderStatus.PARTIALLY_FILLED),
    **dict.fromkeys(("filled", "full_fill"), OrderStatus.FILLED),
    **dict.fromkeys(("cancelled", "canceled"), OrderStatus.CANCELED),
    **dict.fromkeys(("rejected", "fail"), OrderStatus.REJECTED),
}
PLAN_STATUSES: Final[Mapping[str, OrderStatus]] = {
    **dict.fromkeys(("not_trigger", "live", "pending", "executing"), OrderStatus.NEW),
    # It fired: what it placed is an order of its own, which has the fills.
    **dict.fromkeys(("executed", "triggered", "success"), OrderStatus.EXPIRED),
    **dict.fromkeys(("cancelled", "canceled", "cancel"), OrderStatus.CANCELED),
    **dict.fromkeys(("fail_trigger", "fail_execute", "fail", "failed"), OrderStatus.REJECTED),
}
_TYPES: Final = {"limit": "LIMIT", "market": "MARKET"}
_COIN: Final = "BGB"
_SECONDS_BELOW: Final = 10**10
_SECONDS_DIGITS: Final = 11  # none has more
_IDS_END: Final = 10**30


def identity(raw: Raw, key: str) -> str:
    """A whole number, as text."""
    return reading.identity(raw, key, below=_IDS_END)


def moment(raw: Raw, *keys: str) -> datetime:
    """The first of the keys that is told, in milliseconds. The documents show seconds in places; both are read."""
    for key in keys:
        value = raw.get(key)
        if value is not None and value != "":
            break
    if isinstance(value, str) and len(value) > _SECONDS_DIGITS:
        return reading.moment(value, key)
    seconds = reading.whole(value, below=_SECONDS_BELOW, default=-1)
    return reading.moment(seconds * 1000 if seconds >= 0 else value, key)


def symbol(raw: Raw) -> str:
    return reading.text(raw, "symbol").upper()


def coin(raw: Raw, key: str = "coin") -> str:
    return reading.text(raw, key).upper()


def kind(raw: Raw, key: str = "orderType") -> str:
    return reading.one_of(raw, key, _TYPES)


def force(raw: Raw, key: str = "force") -> tuple[str, bool]:
    """(time in force, whether it may only make)."""
    words = reading.text(raw, key, "").upper()
    return ("GTC", True) if words == "POST_ONLY" else (words, False)


def classic_fee(raw: Raw) -> tuple[Decimal, str]:
    """(fee, its currency) of a fill of a classic account: below zero on the wire is a cost.

    A fee deducted in BGB is told as such beside the fee it stands for.
    """
    part = _fee_detail(raw)
    fee = -reading.amount(part, "totalFee", ZERO)
    if reading.text(part, "deduction", "no") == "yes":
        deducted = reading.amount(part, "totalDeductionFee", ZERO)
        if deducted:
            return -deducted, _COIN
    return fee, coin(part, "feeCoin") if fee else reading.text(part, "feeCoin", "").upper()


def unified_fee(raw: Raw) -> tuple[Decimal, str]:
    """(fee, its currency) of a fill of a unified account: above zero on the wire is a cost."""
    part = _fee_detail(raw)
    fee = reading.amount(part, "fee", ZERO)
    return fee, coin(part, "feeCoin") if fee else reading.text(part, "feeCoin", "").upper()


def _fee_detail(raw: Raw) -> Raw:
    """One object, or an array with one of them that says something."""
    detail: Any = raw.get("feeDetail")
    if isinstance(detail, dict):
        return detail
    parts = detail if isinstance(detail, list) else [detail]
    told = [part for part in parts if isinstance(part, Mapping)]
    if len(told) != len(parts) or not told:
        raise UnreadableRow("feeDetail is unreadable")
    paid = [part for part in told if _amount(part)]
    if len(paid) > 1:
        raise UnreadableRow("a fee in several currencies")
    return (paid or told)[0]


def _amount(part: Raw) -> Decimal:
    return reading.amount(part, "totalFee", ZERO) or reading.amount(part, "fee", ZERO)
