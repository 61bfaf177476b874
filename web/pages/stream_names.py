"""What the streams of an account are called on the pages."""

from collections.abc import Mapping
from typing import Final

from pipeline.models import Stream

STREAM_NAMES: Final[Mapping[str, str]] = {
    Stream.FILLS: "Fills",
    Stream.ORDERS: "Orders",
    Stream.DEPOSITS: "Deposits",
    Stream.WITHDRAWALS: "Withdrawals",
    Stream.TRANSFERS: "Transfers between wallets",
    Stream.REBATES: "Rebates",
    Stream.CHARGES: "Charges",
    Stream.DIVIDENDS: "Airdrops and interest",
    Stream.CONVERSIONS: "Conversions",
    Stream.CONTRACT_FILLS: "Fills of contracts",
    Stream.CONTRACT_ORDERS: "Orders of contracts",
    Stream.FUNDING: "Funding",
}
