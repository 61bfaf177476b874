"""Coins that came or were changed outside the order book: dividends, converted dust, conversions.

Readers raise UnreadableRow or InvalidAmount for a row they cannot read.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from core import clock, money
from core.money import ZERO
from exchanges import reading
from exchanges.binance import walks
from exchanges.binance.mapping import identity
from exchanges.rows import BadRow, ConversionRow, Page, Raw, TransferKind, TransferRow, TransferStatus
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import MILLISECOND, Span, Window, WindowWalk, ceil_ms, covered_to

# Binance sets no end; a month of conversions costs a sixtieth of what an account may ask in a minute.
CHANGES_REACH: Final = timedelta(days=3 * 365)
_DIVIDENDS: Final = WindowWalk(page=500, longest=timedelta(days=179), overlap=timedelta(days=3))
_DUST_PAGE: Final = 100  # no answer has more
_FLOW_PAGE: Final = 1_000
_FLOW_MS: Final = timedelta(days=30) // MILLISECOND  # the longest window of conversions
# One window of dust, which may be as long as one likes, and those of conversions within it.
_CHANGES: Final = WindowWalk(page=_DUST_PAGE, longest=timedelta(days=360), overlap=timedelta(days=3))
_DUST_COIN: Final = "BNB"
_DONE: Final = "SUCCESS"
# Words of what was paid for lending coins out or locking them up; everything else was given away.
_EARNED: Final = (
    *("interest", "earn", "saving", "staking", "lending", "locked", "flexible", "launchpool"),
    *("vault", "liquidity", "dual investment", "eth 2.0", "pool"),
)
_GIVEN: Final = ("airdrop", "distribution", "voucher", "reward hub", "referral", "rebate")


def dividends(client: CcxtClient, position: str, until: datetime) -> Page[TransferRow]:
    """Airdrops and interest before `until`, both by one walk."""
    span = Span(clock.to_ms(walks.OPENED), ceil_ms(until))
    window = _DIVIDENDS.at(position, span)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0)
    answer = client.record("sapi_get_asset_assetdividend", {**window.query, "limit": _DIVIDENDS.page})
    raws = _list(answer, "rows")
    rows, bad = reading.rows(raws, dividend)
    onward, has_more = _onward(_DIVIDENDS, window, len(raws), span)
    return Page(rows, (*bad, *_too_full(window, raws, _DIVIDENDS.page)), onward, has_more, len(raws))


def conversions(client: CcxtClient, position: str, until: datetime) -> Page[ConversionRow]:
    """Conversions and converted dust before `until`."""
    reach = Span.reaching(CHANGES_REACH, now=client.now(), until=ceil_ms(until))
    span = Span(max(reach.floor, clock.to_ms(walks.OPENED)), reach.until)
    window, floor = _CHANGES.at(position, span), clock.from_ms(span.floor)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    told = _list(client.record("sapi_get_asset_dribblet", window.query), "userAssetDribblets")
    is_full = len(told) >= _DUST_PAGE
    raws = [raw for group in told for raw in _details(group)]
    rows, bad = reading.rows(raws, dust)
    for part in _parts(window) if not is_full or window.length == 1 else ():
        flow, has_rest = _flow(client, part)
        good, worse = reading.rows(flow, conversion)
        rows, bad, raws = (*rows, *good), (*bad, *worse), [*raws, *flow]
        is_full = is_full or has_rest
    if is_full and window.length == 1:
        bad = (*bad, *_too_full(window, told, 0))
    onward, has_more = _onward(_CHANGES, window, _DUST_PAGE if is_full else 0, span)
    return Page(rows, bad, onward, has_more, len(raws), floor=floor, covered_to=covered_to(onward))


def dividend(raw: Raw) -> TransferRow:
    """A row of assetDividend: it came into the spot wallet; only `enInfo` says for what."""
    words = reading.text(raw, "enInfo", "").lower()
    earned = any(each in words for each in _EARNED) and not any(each in words for each in _GIVEN)
    return TransferRow(
        kind=TransferKind.INTEREST if earned else TransferKind.AIRDROP,
        transfer_id=identity(raw, "id"),
        asset=reading.text(raw, "asset"),
        amount=reading.positive(raw, "amount"),
        status=TransferStatus.SUCCESS,
        occurred_at=reading.moment_ms(raw, "divTime"),
        raw=raw,
        to_wallet="spot",
    )


def dust(raw: Raw) -> ConversionRow:
    """One coin of a dribblet; what it tells as transferred is what was left after the charge."""
    coin, source = reading.text(raw, "targetAsset", _DUST_COIN), reading.text(raw, "fromAsset")
    charge = reading.not_negative(raw, "serviceChargeAmount", ZERO)
    came = money.parse(money.CONTEXT.add(reading.not_negative(raw, "transferedAmount"), charge))
    return ConversionRow(
        conversion_id=f"dust-{identity(raw, 'transId')}-{source}",
        from_asset=source,
        from_amount=reading.positive(raw, "amount"),
        to_asset=coin,
        to_amount=came,
        fee_amount=charge,
        fee_currency=coin,
        occurred_at=reading.moment_ms(raw, "operateTime"),
        raw=raw,
    )


def conversion(raw: Raw) -> ConversionRow | None:
    """A row of tradeFlow; None for one that did not come about, or not yet. Its price holds the charge."""
    if reading.text(raw, "orderStatus") != _DONE:
        return None
    coin = reading.text(raw, "toAsset")
    return ConversionRow(
        conversion_id=identity(raw, "orderId"),
        from_asset=reading.text(raw, "fromAsset"),
        from_amount=reading.positive(raw, "fromAmount"),
        to_asset=coin,
        to_amount=reading.positive(raw, "toAmount"),
        fee_amount=ZERO,
        fee_currency=coin,
        occurred_at=reading.moment_ms(raw, "createTime"),
        raw=raw,
    )


def _onward(walk: WindowWalk, window: Window, count: int, span: Span) -> tuple[str, bool]:
    """Like `WindowWalk.after`, but the last window, which is long, is not read again as a whole."""
    onward, has_more = walk.after(window, count, span)
    return (onward if has_more else str(max(span.until - walk.overlap // MILLISECOND, span.floor))), has_more


def _parts(window: Window) -> Iterator[Window]:
    for start in range(window.start, window.end, _FLOW_MS):
        yield Window(start, min(start + _FLOW_MS, window.end))


def _flow(client: CcxtClient, window: Window) -> tuple[list[Any], bool]:
    """(rows, whether there are more than fit)."""
    answer = client.record("sapi_get_convert_tradeflow", {**window.query, "limit": _FLOW_PAGE})
    raws = _list(answer, "list")
    return raws, answer.get("moreData") is True or len(raws) >= _FLOW_PAGE


def _details(group: object) -> list[Any]:
    """The coins of a dribblet; one without them is told as it is, to be set aside."""
    details = group.get("userAssetDribbletDetails") if isinstance(group, dict) else None
    return details if isinstance(details, list) else [group]


def _list(answer: Raw, key: str) -> list[Any]:
    """Answers without rows may leave the array out."""
    raws = answer.get(key) or []
    if not isinstance(raws, list):
        raise unreadable(f"{key} is no array")
    return raws


def _too_full(window: Window, raws: list[Any], page: int) -> tuple[BadRow, ...]:
    if len(raws) < page or window.length > 1:
        return ()
    words = "More rows in this millisecond than an answer holds: some may be missing"
    return (BadRow({"time": window.start}, words),)
