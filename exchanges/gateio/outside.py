"""What moved the spot wallet outside trades, deposits and withdrawals, by its ledger.

A conversion is several rows: what left, what came, and for dust a fee. They are put together by what they are and when;
rows that do not fit together are told as money that left and came, so that nothing is lost and no share is guessed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from core import clock
from core.money import ZERO
from exchanges import reading
from exchanges.gateio.meanings import CONTRACTS, Change, Told, Wallet, meaning
from exchanges.reading import UnreadableRow
from exchanges.rows import BadRow, ConversionRow, Raw, TransferKind, TransferRow, TransferStatus

SPOT: Final = "spot"
UNSEEN: Final = "contracts"  # in place of the wallet of contracts to keys that may not see it
# Rows of one conversion are booked at once; between two of the same coins people take longer.
TOGETHER: Final = timedelta(seconds=1)
_CONVERTED: Final = Wallet("converted")
_Known = TransferKind | Change | Wallet


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that changed the wallet: `change` > 0 came, < 0 left."""

    entry_id: str
    asset: str
    change: Decimal
    stands_for: _Known
    at_ms: int
    raw: Raw


@dataclass(frozen=True, slots=True)
class Outside:
    """What some of the ledger tells, in the order of its rows."""

    transfers: tuple[TransferRow, ...]
    conversions: tuple[ConversionRow, ...]
    bad: tuple[BadRow, ...]


def entry(raw: Raw) -> Entry | None:
    """None for what is told elsewhere, and where nothing moved."""
    kind, code = reading.text(raw, "type", ""), reading.text(raw, "code", "")
    found = meaning(kind, code)
    if isinstance(found, Told):
        return None
    change = reading.amount(raw, "change")
    if not change:
        return None
    if found is None:
        # It may stand beside a fill or a deposit: booked, it could be counted twice.
        raise UnreadableRow(f"type {kind!r:.40}, code {code!r:.20} are unknown")
    at_ms = clock.to_ms(reading.moment_ms(raw, "time"))
    return Entry(reading.text(raw, "id"), reading.text(raw, "currency").upper(), change, found, at_ms, raw)


def told(raws: Iterable[object], *, start: int, end: int, sees_contracts: bool) -> Outside:
    """What began in [start, end) (ms); `raws` reach further on both sides, so that conversions are whole."""
    found, bad = reading.rows(raws, entry)
    entries = {each.entry_id: each for each in found}.values()
    within = [each for each in entries if start <= each.at_ms < end]
    transfers = [transfer(each, sees_contracts) for each in within if not isinstance(each.stands_for, Change)]
    conversions: list[ConversionRow] = []
    for together in _groups(entries):
        if start <= together[0].at_ms < end:
            whole = _conversions(together)
            conversions += whole or []
            if whole is None:
                transfers += [transfer(each, sees_contracts) for each in together]
    return Outside(tuple(transfers), tuple(conversions), bad)


def transfer(row: Entry, sees_contracts: bool) -> TransferRow:
    kind, came = row.stands_for, row.change > 0
    other = ""
    if isinstance(kind, Change):
        kind = _CONVERTED
    if isinstance(kind, Wallet):
        other = UNSEEN if kind is CONTRACTS and not sees_contracts else kind.name
        kind = TransferKind.INTERNAL
    elif kind is TransferKind.CHARGE:
        kind = TransferKind.REBATE if came else kind  # taken back
    elif not came:
        kind = TransferKind.CHARGE
    return TransferRow(
        kind=kind,
        transfer_id=row.entry_id,
        asset=row.asset,
        amount=abs(row.change),
        status=TransferStatus.SUCCESS,
        occurred_at=clock.from_ms(row.at_ms),
        raw=row.raw,
        from_wallet=other if came else SPOT,
        to_wallet=SPOT if came else other,
    )


def _groups(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """Rows of one sort that follow each other closely, by time and id."""
    for sorts in ((Change.SWAP,), (Change.DUST, Change.DUST_FEE)):
        rows = sorted(
            (each for each in entries if each.stands_for in sorts),
            key=lambda each: (each.at_ms, len(each.entry_id), each.entry_id),
        )
        together: list[Entry] = []
        for row in rows:
            if together and row.at_ms - together[-1].at_ms > TOGETHER // timedelta(milliseconds=1):
                yield together
                together = []
            together.append(row)
        if together:
            yield together


def _conversions(together: Sequence[Entry]) -> list[ConversionRow] | None:
    """As many came as left, in that order, each with its fee or none with any; None for anything else."""
    fees = [each for each in together if each.stands_for is Change.DUST_FEE]
    moved = [each for each in together if each.stands_for is not Change.DUST_FEE]
    left = [each for each in moved if each.change < 0]
    came = [each for each in moved if each.change > 0]
    if len(left) != len(came) or len(fees) not in (0, len(left)):
        return None
    rows = []
    for number, (source, target) in enumerate(zip(left, came, strict=True)):
        fee = -fees[number].change if fees else ZERO
        if source.asset == target.asset or not 0 <= fee <= target.change:
            return None
        if fees and fees[number].asset != target.asset:
            return None
        rows.append(_conversion(source, target, fee))
    return rows


def _conversion(source: Entry, target: Entry, fee: Decimal) -> ConversionRow:
    return ConversionRow(
        conversion_id=source.entry_id,
        from_asset=source.asset,
        from_amount=-source.change,
        to_asset=target.asset,
        to_amount=target.change,
        fee_amount=fee,
        fee_currency=target.asset,
        occurred_at=clock.from_ms(source.at_ms),
        raw={"left": source.raw, "came": target.raw},
    )
