"""What moved the spot wallet of a classic account outside the order book: conversions by lists of their own, everything
else by the wallet's ledger.

Readers raise UnreadableRow or InvalidAmount for a row they cannot read.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from core import clock
from core.money import ZERO
from exchanges import reading
from exchanges.bitget import client as wire
from exchanges.bitget import fields, walks
from exchanges.bitget.client import Listed
from exchanges.bitget.walks import Window, below
from exchanges.reading import UnreadableRow
from exchanges.rows import ConversionRow, Page, Raw, TransferKind, TransferRow, TransferStatus
from exchanges.transport import CcxtClient

_BILLS: Final = "private_spot_get_v2_spot_account_bills"
_CONVERSIONS: Final = "private_convert_get_v2_convert_convert_record"
_DUST: Final = "private_convert_get_v2_convert_bgb_convert_records"
_BILLS_PAGE: Final = 500
_SPOT: Final = "spot"
BILL: Final = "bill-"  # their ids are those of one ledger among several
DUST: Final = "bgb-"
_DONE: Final = "success"

# Groups whose rows fills, deposits, withdrawals, transfers between wallets and conversions tell. `BUY` and `DEPOSIT`
# stand in other groups, too (purchases from persons, money from a bank), and are told by nothing else there.
_TOLD_GROUPS: Final = frozenset({"deposit", "withdraw", "transaction", "transfer", "convert"})
# The same whatever the group, and what only freezes coins.
_TOLD_TYPES: Final = frozenset(
    {
        *("deduction_handling_fee", "small_exchange_user_in", "small_exchange_user_out"),
        *("system_lock", "user_lock"),
    }
)
_GIVEN: Final[Mapping[str, TransferKind]] = {
    **dict.fromkeys(("rebate_rewards", "rebate_reward"), TransferKind.REBATE),
    **dict.fromkeys(
        (
            *("airdrop_rewards", "airdrop_reward", "activity_asset_reward_user_in"),
            *("usdt_contract_rewards", "mix_contract_rewards"),
        ),
        TransferKind.AIRDROP,
    ),
}
_INTEREST: Final = "interest"
# Groups whose money goes to a product or to somebody, and comes back: the wallet's name.
_WALLETS: Final[Mapping[str, str]] = {
    "financial": "earn",
    "loan": "loan",
    "fait": "fiat",
    "fiat": "fiat",
    "c2c": "persons",
    "pre_c2c": "persons",
    "on_chain": "on-chain",
    "strategy": "bots",
}


def bills(client: CcxtClient, position: str, until: datetime) -> Page[TransferRow]:
    """Rewards, interest and rebates, charges, and what went to products and persons, before `until`."""

    def ask(window: Window) -> Listed:
        asked = {**window.times, **below(window.cursor)}
        return wire.page_below(client, _BILLS, asked, by="billId", limit=_BILLS_PAGE)

    span = walks.reaching(client.now(), until)
    page = walks.read_page(walks.MONTHLY, position, span, ask, bill)
    return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)


def conversions(client: CcxtClient, position: str, until: datetime) -> Page[ConversionRow]:
    """Conversions, and dust turned into BGB, before `until`."""
    span = walks.reaching(client.now(), until)
    page = walks.read_page(walks.SPOT, position, span, partial(_changes, client), _change)
    return walks.within(page, clock.EPOCH, until, lambda row: row.occurred_at)


def bill(raw: Raw) -> TransferRow | None:
    """A row of the ledger; None for what is told elsewhere, and where nothing moved."""
    words = _words(raw, "businessType")
    found = _meaning(_words(raw, "groupType"), words)
    if found is None:
        return None
    change = reading.amount(raw, "size")
    if reading.amount(raw, "fees", ZERO):
        raise UnreadableRow(f"a fee of {raw['fees']!s:.40} beside {words!r:.40}")
    if not change:
        return None
    came = change > 0
    kind, other = (found, "") if isinstance(found, TransferKind) else (TransferKind.INTERNAL, found)
    return TransferRow(
        kind=kind if came or other else TransferKind.CHARGE,  # taken back, or asked for
        transfer_id=BILL + fields.identity(raw, "billId"),
        asset=fields.coin(raw),
        amount=abs(change),
        status=TransferStatus.SUCCESS,
        occurred_at=fields.moment(raw, "cTime"),
        raw=raw,
        from_wallet=other if came else _SPOT,
        to_wallet=_SPOT if came else other,
    )


def conversion(raw: Raw) -> ConversionRow:
    """A row of convert-record."""
    if reading.amount(raw, "fee", ZERO):
        raise UnreadableRow("a fee whose coin is not told")
    target = fields.coin(raw, "toCoin")
    return ConversionRow(
        conversion_id=fields.identity(raw, "id"),
        from_asset=fields.coin(raw, "fromCoin"),
        from_amount=reading.positive(raw, "fromCoinSize"),
        to_asset=target,
        to_amount=reading.positive(raw, "toCoinSize"),
        fee_amount=ZERO,
        fee_currency=target,
        occurred_at=fields.moment(raw, "ts"),
        raw=raw,
    )


def dust(raw: Raw) -> ConversionRow | None:
    """A row of bgb-convert-records, whose fee is taken out of what came; None for one that did not succeed."""
    if reading.text(raw, "status").lower() != _DONE:
        return None
    target = fields.coin(raw, "toCoin")
    came, fee = reading.positive(raw, "toAmount"), _dust_fee(raw, target)
    if fee > came:
        raise UnreadableRow(f"a fee of {fee} is no part of {came}")
    return ConversionRow(
        conversion_id=DUST + fields.identity(raw, "orderId"),
        from_asset=fields.coin(raw, "fromCoin"),
        from_amount=reading.positive(raw, "fromAmount"),
        to_asset=target,
        to_amount=came,
        fee_amount=fee,
        fee_currency=target,
        occurred_at=fields.moment(raw, "cTime", "ctime", "ts"),
        raw=raw,
    )


def _changes(client: CcxtClient, window: Window) -> Listed:
    """The rows of both lists."""

    def conversions(part: Window) -> Listed:
        asked = {**part.times, **below(part.cursor)}
        return wire.page_with_end(client, _CONVERSIONS, asked, member="dataList")

    def dust(part: Window) -> Listed:
        return wire.page_below(client, _DUST, {**part.times, **below(part.cursor)}, by="orderId")

    span = walks.span_of(window)
    found = [*walks.collect(walks.SPOT, span, conversions), *walks.collect(walks.SPOT, span, dust)]
    return Listed(found, "")


def _change(raw: Raw) -> ConversionRow | None:
    return dust(raw) if "fromAmount" in raw else conversion(raw)


def _meaning(group: str, kind: str) -> TransferKind | str | None:
    """What a row stands for: a kind, or the name of another wallet; None for what is told elsewhere."""
    if kind in _TOLD_TYPES:
        return None
    if kind in _GIVEN:
        return _GIVEN[kind]
    if _INTEREST in kind:
        return TransferKind.INTEREST
    if group in _TOLD_GROUPS:
        return None
    if group not in _WALLETS:
        # It may stand beside a fill or a deposit: booked, it could be counted twice.
        raise UnreadableRow(f"group {group!r:.40}, type {kind!r:.40} are unknown")
    return _WALLETS[group]


def _words(raw: Raw, key: str) -> str:
    """The documents write `TRANSFER_IN`, and `transfer-in` and `rebate rewards` in places."""
    return reading.text(raw, key, "").lower().replace("-", "_").replace(" ", "_")


def _dust_fee(raw: Raw, target: str) -> Decimal:
    told: Any = raw.get("feeDetail") or []
    parts = [told] if isinstance(told, Mapping) else told
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise UnreadableRow("feeDetail is unreadable")
    fees = [(fields.coin(part, "feeCoin"), abs(reading.amount(part, "fee"))) for part in parts]
    if any(fee and coin != target for coin, fee in fees):
        raise UnreadableRow("a fee in another coin than came")
    return sum((fee for _, fee in fees), ZERO)
