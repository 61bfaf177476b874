"""Dust turned into MX: the only coins changed outside the order book that MEXC tells. Its other conversions show as
differences."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from core import clock
from exchanges import reading
from exchanges.mexc import walks
from exchanges.rows import ConversionRow, Page, Raw
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import Span, Window, WindowWalk, ceil_ms, covered_to

REACH: Final = timedelta(days=2 * 365)  # MEXC sets no end
PAGE: Final = 1000
_COIN: Final = "MX"
_WALK: Final = WindowWalk(page=1, longest=timedelta(days=30), overlap=timedelta(days=3))


def conversions(client: CcxtClient, position: str, until: datetime) -> Page[ConversionRow]:
    """Before `until`, window by window, each with all its pages."""
    span = Span.reaching(REACH, now=client.now(), until=ceil_ms(until))
    window, floor = _WALK.at(position, span), clock.from_ms(span.floor)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    raws = _all(client, window)
    rows, bad = reading.rows(raws, conversion)
    onward, has_more = _WALK.after(window, 0, span)
    told_to = covered_to(onward)
    return Page(rows, bad, onward, has_more, raw_count=len(raws), floor=floor, covered_to=told_to)


def conversion(raw: Raw) -> ConversionRow:
    """A coin of a sweep. In MEXC's example the fee is two hundredths of `convert`, which therefore is before it."""
    return ConversionRow(
        conversion_id=reading.text(raw, "id"),
        from_asset=reading.text(raw, "asset"),
        from_amount=reading.positive(raw, "amount"),
        to_asset=_COIN,
        to_amount=reading.positive(raw, "convert"),
        fee_amount=reading.not_negative(raw, "fee"),
        fee_currency=_COIN,
        occurred_at=reading.moment_ms(raw, "time"),
        raw=raw,
    )


def _all(client: CcxtClient, window: Window) -> list[Any]:
    found: list[Any] = []
    for number in range(1, walks.MOST_PAGES + 1):
        asked = {**window.query, "page": number, "limit": PAGE}
        sweeps = client.record("spot_private_get_capital_convert", asked).get("data") or []
        if not isinstance(sweeps, list):
            raise unreadable("data is no array")
        found += [raw for sweep in sweeps for raw in _coins(sweep)]
        if len(sweeps) < PAGE:
            return found
    raise unreadable("dust without an end")


def _coins(sweep: object) -> list[Any]:
    """The coins of a sweep; one without them is told as it is, to be set aside."""
    coins = sweep.get("convertDetails") if isinstance(sweep, Mapping) else None
    return coins if isinstance(coins, list) else [sweep]
