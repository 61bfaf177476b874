"""Rows and answers of Binance's protocol and of those modelled on it. Readers raise UnreadableRow or
InvalidAmount for a row they cannot read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from core import money
from exchanges import reading
from exchanges.reading import UnreadableRow
from exchanges.rows import BadRow, BalanceRow, CandleRow, PriceRow, Raw, Side

_SIDES: Final[Mapping[str, Side]] = {side.value: side for side in Side}


def read_error(answer: object) -> tuple[str, str]:
    """(code, message) of `{"code": -1121, "msg": "Invalid symbol."}`; both empty for anything else."""
    if not isinstance(answer, Mapping):
        return "", ""
    code, message = answer.get("code"), answer.get("msg")
    is_code = isinstance(code, int | str) and not isinstance(code, bool)
    return (str(code)[:20] if is_code else "", message if isinstance(message, str) else "")


def read_time(answer: object) -> datetime:
    """The exchange's clock, from the answer of GET /api/v3/time."""
    return reading.moment_ms(answer if isinstance(answer, Mapping) else {}, "serverTime")


def balance(raw: Raw) -> BalanceRow | None:
    """One asset of the account; None when there is none of it."""
    available, locked = reading.amount(raw, "free"), reading.amount(raw, "locked")
    if not available and not locked:
        return None
    return BalanceRow(asset=reading.text(raw, "asset"), available=available, locked=locked, raw=raw)


def price(raw: Raw) -> PriceRow | None:
    """A row of ticker/price; None for a symbol that never traded."""
    value = reading.amount(raw, "price")
    return PriceRow(symbol=reading.text(raw, "symbol"), price=value) if value > 0 else None


def candle(raw: Sequence[Any], symbol: str, timeframe: str) -> CandleRow:
    """A row of klines: [open time, open, high, low, close, volume, …]."""
    named = dict(zip(("opened_at", "open", "high", "low", "close", "volume"), raw, strict=False))
    row = CandleRow(
        symbol=symbol,
        timeframe=timeframe,
        opened_at=reading.moment_ms(named, "opened_at"),
        open=reading.positive(named, "open"),
        high=reading.positive(named, "high"),
        low=reading.positive(named, "low"),
        close=reading.positive(named, "close"),
        volume=reading.not_negative(named, "volume"),
    )
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        raise UnreadableRow("open and close do not lie between low and high")
    return row


def candles(
    raws: Iterable[object], symbol: str, timeframe: str
) -> tuple[tuple[CandleRow, ...], tuple[BadRow, ...]]:
    """Candles are arrays, not objects."""
    good: list[CandleRow] = []
    bad: list[BadRow] = []
    for raw in raws:
        try:
            if not isinstance(raw, list):
                raise UnreadableRow(f"expected an array, not {type(raw).__name__}")
            good.append(candle(raw, symbol, timeframe))
        except UnreadableRow as error:
            bad.append(BadRow({"row": raw}, str(error)))
    return tuple(good), tuple(bad)


def quote_quantity(raw: Raw, price: Decimal, quantity: Decimal) -> Decimal:
    """What a fill was worth; price × quantity where the row does not say."""
    if raw.get("quoteQty") is None:
        return money.parse(money.CONTEXT.multiply(price, quantity))
    return reading.amount(raw, "quoteQty")


def transfer_id(raw: Raw, asset: str, amount: Decimal) -> str:
    """The transfer's own `id`, else what the chain calls it."""
    own, tx_id = reading.text(raw, "id", ""), reading.text(raw, "txId", "")
    if own:
        return own
    if not tx_id:
        raise UnreadableRow("neither id nor txId names this transfer")
    return f"tx:{tx_id}:{asset}:{money.text(amount)}"


def side(raw: Raw) -> Side:
    return reading.one_of(raw, "side", _SIDES)
