"""Blockpit, Transactions > Export: of many exchanges and wallets; times to the minute, read as UTC."""

from functools import partial
from typing import Final

from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Columns, Kind, Record
from exchanges.histories.tables import Line

NAME: Final = "blockpit"
_COLUMNS: Final = Columns(
    "Incoming Amount", "Incoming Asset", "Outgoing Amount", "Outgoing Asset", "Fee Amount", "Fee Asset"
)
_KINDS: Final = {
    "trade": Kind.TRADE,
    "deposit": Kind.DEPOSIT,
    "nontaxablein": Kind.DEPOSIT,
    "withdrawal": Kind.WITHDRAWAL,
    "nontaxableout": Kind.WITHDRAWAL,
    "gift": Kind.WITHDRAWAL,
    "payment": Kind.WITHDRAWAL,
    **dict.fromkeys(("bounties", "airdrop", "gift received"), Kind.GIFT),
    **dict.fromkeys(("staking", "lending", "mining", "masternode"), Kind.INTEREST),
    "margin_trading_profit": Kind.REBATE,
    "margin_trading_loss": Kind.CHARGE,
    "fee": Kind.CHARGE,
}


def _record(line: Line) -> Record:
    kind = records.kind_of(line, "Transaction Type", _KINDS)
    return records.sides(line, _COLUMNS, kind=kind, at=cells.moment(line, "Timestamp", ("%d.%m.%Y %H:%M",)))


FORMAT: Final = Format(
    NAME,
    "Blockpit transactions",
    "",
    frozenset(
        {"Blockpit ID", "Timestamp", "Source Name", "Transaction Type", "Outgoing Asset", "Incoming Asset"}
    ),
    partial(records.read, name=NAME, record=_record, place="Source Name"),
)
