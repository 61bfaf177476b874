"""What moved between spot and contracts as spot tells it: for keys that may not see contracts, whose ledger tells it
otherwise, under the same ids and from the beginning.

Positions carry a mark: a key that sees more, or less, than the one before reads everything again, as its other wallet
is one whose balance is reported, or is none.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from core import clock
from exchanges import reading
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc import walks
from exchanges.reading import UnreadableRow
from exchanges.rows import Page, Raw, TransferKind, TransferRow, TransferStatus
from exchanges.transport import CcxtClient, unreadable
from exchanges.windows import Span, Window, ceil_ms, covered_to

MARK: Final = "spot|"
UNSEEN: Final = "contracts"  # a wallet whose balance is not reported
# MEXC says six months; a start too old by the time it arrives costs the whole walk.
REACH: Final = timedelta(days=180) - timedelta(hours=1)
PAGE: Final = 100
_ENDPOINT: Final = "spot_private_get_capital_transfer"
_WAYS: Final = (("SPOT", "FUTURES"), ("FUTURES", "SPOT"))
_WALLETS: Final = {"SPOT": "spot", "FUTURES": UNSEEN, "FUTURE": UNSEEN}  # answers spell it either way
_STATUS: Final = {
    "SUCCESS": TransferStatus.SUCCESS,
    "WAIT": TransferStatus.PENDING,
    "FAILED": TransferStatus.FAILED,
}


def may_see(client: CcxtClient) -> bool:
    """Whether the key has the right to transfers, which is one of its own."""
    now = clock.to_ms(client.now())
    try:
        _ask(client, _WAYS[0], Window(now - 1, now), page=1)
    except ExchangeError as error:
        if error.kind is ErrorKind.PERMISSION:
            return False
        raise
    return True


def page(client: CcxtClient, position: str, until: datetime) -> Page[TransferRow]:
    """A window of both ways, all its pages."""
    span = Span.reaching(REACH, now=client.now(), until=ceil_ms(until))
    at = position.removeprefix(MARK) if position.startswith(MARK) else ""
    window, floor = walks.MOVES.at(at, span), clock.from_ms(span.floor)
    if window.length <= 0:
        return Page((), (), position, has_more=False, raw_count=0, floor=floor)
    raws = [raw for way in _WAYS for raw in _all(client, way, window)]
    rows, bad = reading.rows(raws, internal)
    onward, has_more = walks.MOVES.after(window, 0, span)
    told_to = covered_to(onward)
    return Page(rows, bad, MARK + onward, has_more, raw_count=len(raws), floor=floor, covered_to=told_to)


def internal(raw: Raw) -> TransferRow:
    """A row of capital/transfer."""
    ends = [_wallet(raw, key) for key in ("fromAccountType", "toAccountType")]
    return TransferRow(
        kind=TransferKind.INTERNAL,
        transfer_id=reading.text(raw, "tranId"),
        asset=reading.text(raw, "asset"),
        amount=reading.not_negative(raw, "amount"),
        status=_STATUS.get(reading.text(raw, "status", ""), TransferStatus.UNKNOWN),
        occurred_at=reading.moment_ms(raw, "timestamp"),
        raw=raw,
        from_wallet=ends[0],
        to_wallet=ends[1],
    )


def _wallet(raw: Raw, key: str) -> str:
    words = reading.text(raw, key)
    if words not in _WALLETS:
        raise UnreadableRow(f"{key} {words!r:.40} is unknown")
    return _WALLETS[words]


def _all(client: CcxtClient, way: tuple[str, str], window: Window) -> list[Any]:
    found: list[Any] = []
    for number in range(1, walks.MOST_PAGES + 1):
        rows = _ask(client, way, window, page=number)
        found += rows
        if len(rows) < PAGE:
            return found
    raise unreadable("transfers without an end")


def _ask(client: CcxtClient, way: tuple[str, str], window: Window, *, page: int) -> list[Any]:
    """Its documents put the answer into a list, clients got it bare."""
    asked = {"fromAccountType": way[0], "toAccountType": way[1], "page": page, "size": PAGE}
    told = client.value(_ENDPOINT, {**asked, **window.query})
    if isinstance(told, list) and len(told) == 1:
        told = told[0]
    rows = (told.get("rows") or []) if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise unreadable("transfers without rows")
    return rows
