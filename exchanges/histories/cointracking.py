"""CoinTracking, Enter Coins > Export: trades, deposits, withdrawals and income of many exchanges.

Times are as the user set them there: read as UTC. What was bought or sold stands with its fee taken off or added
already, and a fee in a third coin stands once more in a line of its own (Other Fee).
"""

from functools import partial
from typing import Final

from core.money import ZERO
from exchanges.histories import cells, records
from exchanges.histories.history import Format
from exchanges.histories.records import Columns, Kind, Record
from exchanges.histories.tables import Line

NAME: Final = "cointracking"
_COLUMNS: Final = Columns("Buy", "Cur.", "Sell", "Cur.#2", "Fee", "Cur.#3")
_TIMES: Final = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")
_KINDS: Final = {
    "trade": Kind.TRADE,
    "deposit": Kind.DEPOSIT,
    "withdrawal": Kind.WITHDRAWAL,
    "spend": Kind.WITHDRAWAL,
    "donation": Kind.WITHDRAWAL,
    "gift": Kind.WITHDRAWAL,
    **dict.fromkeys(("gift/tip", "airdrop", "reward / bonus", "income"), Kind.GIFT),
    **dict.fromkeys(("staking", "mining", "interest income", "lending income", "masternode"), Kind.INTEREST),
    "other fee": Kind.CHARGE,
}


def _record(line: Line) -> Record:
    kind = records.kind_of(line, "Type", _KINDS)
    told = records.sides(line, _COLUMNS, kind=kind, at=cells.moment(line, "Date", _TIMES))
    if told.fee_coin and told.fee_coin == told.spent_coin:
        return told._replace(spent=told.spent - told.fee)
    if told.fee_coin and told.fee_coin == told.got_coin:
        return told._replace(got=told.got + told.fee)
    return told._replace(fee=ZERO, fee_coin="")


FORMAT: Final = Format(
    NAME,
    "CoinTracking trade list",
    "",
    frozenset({"Type", "Buy", "Sell", "Fee", "Exchange", "Group", "Comment", "Date"}),
    partial(records.read, name=NAME, record=_record, place="Exchange"),
)
