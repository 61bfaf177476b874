"""Pionex, account statement: trades, and deposits and withdrawals; months first, times to the minute in UTC.

A coin may carry its network in its name (BUSDBEP20): what the network column says is taken off.
"""

from functools import partial
from typing import Final

from core.money import ZERO
from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Columns, Kind, Record
from exchanges.histories.tables import Line

_TRADES: Final = "pionex-trades"
_TRANSFERS: Final = "pionex-transfers"
_TIMES: Final = ("%m/%d/%Y %H:%M",)
_COLUMNS: Final = Columns(
    "Received Quantity", "Received Currency", "Sent Quantity", "Sent Currency", "Fee Amount", "Fee Currency"
)
_KINDS: Final = {"deposit": Kind.DEPOSIT, "withdraw": Kind.WITHDRAWAL}


def _trade(line: Line) -> Record:
    return records.sides(line, _COLUMNS, kind=Kind.TRADE, at=cells.moment(line, "Date", _TIMES))


def _transfer(line: Line) -> Record:
    kind, at = records.kind_of(line, "tx_type", _KINDS), cells.moment(line, "date(UTC+0)", _TIMES)
    amount, fee = cells.positive(line, "amount"), cells.not_negative(line, "fee")
    coin, network = cells.asset(line, "coin"), line.cells["network"].upper()
    coin = coin.removesuffix(network) or coin
    came = kind is Kind.DEPOSIT
    return Record(
        kind, at, got=amount if came else ZERO, got_coin=coin if came else "",
        spent=ZERO if came else amount, spent_coin="" if came else coin, fee=fee, fee_coin=coin,
        reference=line.cells["txid"],
    )  # fmt: skip


FORMATS: Final = (
    Format(
        _TRADES,
        "Pionex trades",
        "files",
        frozenset(
            {"Date", "Received Quantity", "Received Currency", "Sent Quantity", "Sent Currency", "Tag"}
        ),
        partial(records.read, name=_TRADES, record=_trade),
    ),
    Format(
        _TRANSFERS,
        "Pionex deposits and withdrawals",
        "files",
        frozenset({"date(UTC+0)", "tx_type", "amount", "coin", "network", "txid", "fee"}),
        partial(records.read, name=_TRANSFERS, record=_transfer),
    ),
)
