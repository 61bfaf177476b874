"""BittyTax's transaction records: of many exchanges and wallets, times in UTC."""

from functools import partial
from typing import Final

from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Columns, Kind, Record
from exchanges.histories.tables import Line

NAME: Final = "bittytax"
_COLUMNS: Final = Columns(
    "Buy Quantity", "Buy Asset", "Sell Quantity", "Sell Asset", "Fee Quantity", "Fee Asset"
)
_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S %Z")
_KINDS: Final = {
    "trade": Kind.TRADE,
    "deposit": Kind.DEPOSIT,
    **dict.fromkeys(
        ("withdrawal", "spend", "gift-sent", "gift-spouse", "charity-sent", "lost"), Kind.WITHDRAWAL
    ),
    **dict.fromkeys(("income", "gift-received", "airdrop", "fork", "cashback", "referral"), Kind.GIFT),
    **dict.fromkeys(("mining", "interest", "staking", "staking-reward", "dividend"), Kind.INTEREST),
    "fee-rebate": Kind.REBATE,
}


def _record(line: Line) -> Record:
    kind = records.kind_of(line, "Type", _KINDS)
    return records.sides(line, _COLUMNS, kind=kind, at=cells.moment(line, "Timestamp", _TIMES))


FORMAT: Final = Format(
    NAME,
    "BittyTax records",
    "",
    frozenset({"Type", "Buy Quantity", "Buy Asset", "Sell Quantity", "Sell Asset", "Wallet", "Timestamp"}),
    partial(records.read, name=NAME, record=_record, place="Wallet"),
)
