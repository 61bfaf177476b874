"""One coin for another, as a fill of the pair in which its value is known best."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.money import CONTEXT, ZERO, quantize
from exchanges.histories.tables import Line, identity
from exchanges.rows import FillRow, MarketType, Side

_HUBS: Final = ("BTC", "ETH", "BNB")
"""Coins that others are quoted in, beside cash."""


class Swap(NamedTuple):
    """`fee` ≥ 0 comes on top of both amounts."""

    spent: Decimal
    spent_coin: str
    got: Decimal
    got_coin: str
    fee: Decimal
    fee_coin: str
    at: datetime
    lines: Sequence[Line]


def fill(swap: Swap, *, name: str, order: str = "", symbol: str = "", cash: Collection[str]) -> FillRow:
    """Quoted in cash, else in the first hub; else what was spent is sold for what came."""
    hubs = [*sorted({swap.spent_coin, swap.got_coin} & set(cash)), *_HUBS]
    quote = next((hub for hub in hubs if hub in (swap.spent_coin, swap.got_coin)), swap.got_coin)
    if {swap.spent_coin, swap.got_coin} <= set(cash):
        quote = swap.spent_coin
    is_buy = quote == swap.spent_coin
    base, quantity, paid = (
        (swap.got_coin, swap.got, swap.spent) if is_buy else (swap.spent_coin, swap.spent, swap.got)
    )
    return FillRow(
        market_type=MarketType.SPOT,
        symbol=symbol or f"{base}{quote}",
        base_asset=base,
        quote_asset=quote,
        fill_id=name,
        order_id=order or name,
        side=Side.BUY if is_buy else Side.SELL,
        price=quantize(CONTEXT.divide(paid, quantity)),
        quantity=quantity,
        quote_quantity=paid,
        fee_amount=swap.fee,
        fee_currency=swap.fee_coin or quote,
        is_maker=False,
        executed_at=swap.at,
        raw=raw(swap.lines),
    )


def split(
    swap: Swap, fees: Sequence[tuple[Decimal, str]], *, parts: Sequence[object]
) -> list[tuple[str, Swap]]:
    """A named part for every coin that fees were paid in: parts of one price have the totals of the whole."""
    paid = list(fees) or [(ZERO, "")]
    named = []
    left = swap
    for number, (fee, coin) in enumerate(paid):
        last = number == len(paid) - 1
        spent = left.spent if last else quantize(CONTEXT.divide(swap.spent, Decimal(len(paid))))
        got = left.got if last else quantize(CONTEXT.divide(swap.got, Decimal(len(paid))))
        named.append((identity(*parts, number), left._replace(spent=spent, got=got, fee=fee, fee_coin=coin)))
        left = left._replace(spent=left.spent - spent, got=left.got - got)
    return named


def raw(lines: Sequence[Line]) -> dict[str, Any]:
    """What a fact keeps of the lines it was read from."""
    return {"lines": [line.text for line in lines]}
