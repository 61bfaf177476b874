"""BitcoinTax, Trading > Download: trades of many exchanges, priced without their fee; times with their zone."""

from functools import partial
from typing import Final

from core.money import CONTEXT, parse, quantize
from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Kind, Record
from exchanges.histories.tables import Line
from exchanges.reading import UnreadableRow

NAME: Final = "bitcoin-tax"
_TIMES: Final = ("%Y-%m-%d %H:%M:%S %z",)


def _record(line: Line) -> Record:
    action = line.cells["Action"].upper()
    if action not in ("BUY", "SELL"):
        raise UnreadableRow(f"Action {action!r:.40} is not known")
    coin, money = cells.asset(line, "Symbol"), cells.asset(line, "Currency")
    volume = cells.positive(line, "Volume")
    worth = parse(quantize(CONTEXT.multiply(volume, cells.positive(line, "Price"))))
    fee = cells.not_negative(line, "Fee")
    got, spent = ((volume, coin), (worth, money)) if action == "BUY" else ((worth, money), (volume, coin))
    return Record(
        Kind.TRADE,
        cells.moment(line, "Date", _TIMES),
        *got,
        *spent,
        fee,
        cells.asset(line, "FeeCurrency") if fee else "",
        line.cells["ExchangeId"],
    )


FORMAT: Final = Format(
    NAME,
    "BitcoinTax trades",
    "",
    frozenset(
        {"Date", "Action", "Symbol", "Account", "Volume", "Price", "Currency", "FeeCurrency", "ExchangeId"}
    ),
    partial(records.read, name=NAME, record=_record, place="Account"),
)
