"""What a difference most likely comes from, in words, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from portfolio.accounting.causes import Cause


@dataclass(frozen=True, slots=True)
class Advice:
    """`words`: a sentence. `page`: the route where something can be done, with the words of its link; `again`: whether
    reading the account again may bring the fact."""

    words: str
    advice: str
    page: str = ""
    label: str = ""
    again: bool = True


_COVERAGE: Final = ("web:coverage", "What is known of your history")
_TRANSFERS: Final = ("web:transfers", "Say what your deposits cost")
_FILES: Final = "what it no longer tells can come only from a file it offers for download"

CAUSES: Final[Mapping[str, Advice]] = {
    Cause.MISSING_WINDOW: Advice(
        "Most likely a time of the history that was not read.",
        f"Have it read again: {_FILES}.",
        *_COVERAGE,
    ),
    Cause.OLDER_THAN_KEPT: Advice(
        "Most likely history that is older than the exchange keeps.",
        f"The exchange has forgotten it: {_FILES}.",
        *_COVERAGE,
        again=False,
    ),
    Cause.CONVERSION: Advice(
        "Most likely a conversion of one coin into another.",
        "Have conversions and trades of the coin read again.",
    ),
    Cause.FUNDING: Advice("Most likely funding of contracts.", "Have funding read again."),
    Cause.EARNED: Advice(
        "Most likely an airdrop, interest or a rebate.",
        "Have them read again; if the exchange does not tell this one, dismiss it with a note.",
    ),
    Cause.MISSING_DEPOSIT: Advice(
        "Most likely a deposit that is missing.",
        "Have deposits read again; once it is there, say what its coins cost.",
        *_TRANSFERS,
    ),
    Cause.MISSING_WITHDRAWAL: Advice(
        "Most likely a withdrawal that is missing.",
        "Have withdrawals and transfers between wallets read again.",
    ),
    Cause.MISSING_FILLS: Advice(
        "Most likely fills that are missing.", "Have the contract's fills read again."
    ),
    Cause.MISSING_PRICE: Advice(
        "Most likely a price that is missing.",
        "Prices are asked for by themselves; nothing is to be done.",
        again=False,
    ),
    Cause.UNKNOWN: Advice(
        "Where it comes from is not known.",
        "Have everything that moves the coin read again. If you know where it comes from, dismiss it with a note.",
        *_COVERAGE,
    ),
}
