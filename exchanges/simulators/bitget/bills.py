"""The ledger of the spot wallet of classic accounts, every change of it; and the lists of conversions.

Ids are made of the moment, so they count up, and a late row changes no other's.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from exchanges.simulators.account import Account
from exchanges.simulators.bitget import ledger, names
from exchanges.simulators.bitget.context import Answer, Context, Rows, SignedEndpoint
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.bitget.wire import encode, short
from exchanges.simulators.facts import Conversion, Dividend, Fill
from exchanges.simulators.following import follows
from exchanges.simulators.symbols import SYMBOLS

_DAYS: Final = 90
_MOST: Final = 500
_INTEREST, _AIRDROP = ("financial", "BATCH_INTEREST_USER_IN"), ("other", "AIRDROP_REWARDS")
_DUST: Final = "SMALL_EXCHANGE_USER"
_CONVERTED: Final = "ORDER_EXCHANGE"


class Bill(NamedTuple):
    bill_id: int
    at: int
    group: str
    kind: str
    asset: str
    change: int
    fee: int = 0

    def told(self) -> dict[str, Any]:
        return {
            "cTime": str(self.at),
            "coin": self.asset,
            "groupType": self.group,
            "businessType": self.kind,
            "size": short(self.change),
            "balance": "0",
            "fees": short(-self.fee) if self.fee else "0",
            "billId": str(self.bill_id),
        }


def bills(context: Context, parameters: Parameters) -> Answer:
    """Newest first."""
    span = parameters.span(context.now_ms, days=_DAYS)
    limit, below = parameters.limit(most=_MOST), parameters.below()
    coin, group = parameters.text("coin").upper(), parameters.text("groupType")
    rows = (
        row
        for row in _ledger(context.account)
        if row.at in span and row.bill_id < below and coin in ("", row.asset) and group in ("", row.group)
    )
    return Rows([encode(row.told()) for row in islice(rows, limit)])


def conversions(context: Context, parameters: Parameters) -> Answer:
    """Newest first, dust left out; both times must be told."""
    page = _changes(context, parameters, is_dust=False)
    rows = [
        {
            "id": str(told_id),
            "ts": str(row.happened_at),
            "cnvtPrice": "0",
            "fee": "0",
            "fromCoinSize": short(row.from_amount),
            "fromCoin": row.from_asset,
            "toCoinSize": short(row.to_amount),
            "toCoin": row.to_asset,
        }
        for told_id, row in page
    ]
    end = str(page[-1][0]) if page else ""
    return Rows([encode(row) for row in rows], "dataList", (("endId", end),))


def dust(context: Context, parameters: Parameters) -> Answer:
    """Coins turned into BGB, newest first; the fee is part of what came."""
    rows = [
        {
            "orderId": str(told_id),
            "fromCoin": row.from_asset,
            "fromAmount": short(row.from_amount),
            "fromCoinPrice": "0",
            "toCoin": row.to_asset,
            "toAmount": short(row.to_amount),
            "toCoinPrice": "0",
            "feeDetail": [{"feeCoin": row.to_asset, "fee": short(row.fee)}],
            "status": "success",
            "ctime": str(row.happened_at),
        }
        for told_id, row in _changes(context, parameters, is_dust=True)
    ]
    return Rows([encode(row) for row in rows])


def dividend_ids(account: Account) -> list[int]:
    return [_given(number, row).bill_id for number, row in enumerate(account.dividends)]


def conversion_ids(account: Account) -> list[int]:
    return [_change_id(number, row) for number, row in enumerate(account.conversions)]


def _changes(context: Context, parameters: Parameters, *, is_dust: bool) -> list[tuple[int, Conversion]]:
    if not is_dust:
        parameters.required("startTime"), parameters.required("endTime")
    span = parameters.span(context.now_ms, days=_DAYS)
    limit, below = parameters.limit(usual=20), parameters.below()
    told = zip(conversion_ids(context.account), context.account.conversions, strict=True)
    rows = [
        (told_id, row)
        for told_id, row in told
        if row.is_dust is is_dust and row.happened_at in span and told_id < below
    ]
    return sorted(rows, key=lambda row: row[0], reverse=True)[:limit]


def _facts(account: Account) -> tuple[int, ...]:
    return (
        *(account.updated_at, sum(map(len, account.fills.values()))),
        *(len(account.deposits), len(account.withdrawals), len(account.dividends), len(account.conversions)),
        len(ledger.transfers(account)),
    )


@follows(_facts)
def _ledger(account: Account) -> list[Bill]:
    """Newest first."""
    return sorted((row for row in _rows(account) if row.change or row.fee), reverse=True)


def _rows(account: Account) -> Iterator[Bill]:
    for name, fills in account.fills.items():
        for fill in fills:
            yield from _traded(name, fill)
    for group, sign, transfers in (("deposit", 1, account.deposits), ("withdraw", -1, account.withdrawals)):
        for row in transfers:
            if row.moves_balance:
                told_id = names.transfer_id(row)
                yield Bill(
                    told_id, row.applied_at, group, group.upper(), row.asset, sign * row.amount, row.fee
                )
    for moved in ledger.transfers(account):
        if "spot" in (moved.from_wallet, moved.to_wallet):
            comes = moved.to_wallet == "spot"
            told_id = names.bill_id("transfer", moved.moved_at, moved.transfer_id)
            kind, change = ("TRANSFER_IN", moved.amount) if comes else ("TRANSFER_OUT", -moved.amount)
            yield Bill(told_id, moved.moved_at, "transfer", kind, moved.asset, change)
    for number, given in enumerate(account.dividends):
        yield _given(number, given)
    for number, changed in enumerate(account.conversions):
        yield from _converted(number, changed)


def _traded(name: str, fill: Fill) -> Iterator[Bill]:
    symbol, at = SYMBOLS[name], fill.executed_at
    kind, sign = ("BUY", 1) if fill.is_buyer else ("SELL", -1)
    legs = [(symbol.base, sign * fill.quantity), (symbol.quote, -sign * fill.quote_quantity)]
    for leg, (asset, change) in enumerate(legs):
        fee = fill.fee if asset == fill.fee_asset else 0
        yield Bill(names.leg_id(fill, leg), at, "transaction", kind, asset, change, fee)
    if fill.fee_asset not in (symbol.base, symbol.quote):
        deducted = "DEDUCTION_HANDLING_FEE"
        yield Bill(names.leg_id(fill, 2), at, "transaction", deducted, fill.fee_asset, -fill.fee)


def _given(number: int, row: Dividend) -> Bill:
    group, kind = _INTEREST if row.words == "Flexible" else _AIRDROP
    told_id = names.bill_id("dividend", row.paid_at, number)
    return Bill(told_id, row.paid_at, group, kind, row.asset, row.amount)


def _converted(number: int, row: Conversion) -> Iterator[Bill]:
    words, at = _DUST if row.is_dust else _CONVERTED, row.happened_at
    left, came = names.bill_id("left", at, number), names.bill_id("came", at, number)
    yield Bill(left, at, "convert", f"{words}_OUT", row.from_asset, -row.from_amount)
    yield Bill(came, at, "convert", f"{words}_IN", row.to_asset, row.to_amount - row.fee)


def _change_id(number: int, row: Conversion) -> int:
    return names.bill_id("dust" if row.is_dust else "conversion", row.happened_at, number)


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v2/spot/account/bills"): bills,
    ("GET", "/api/v2/convert/convert-record"): conversions,
    ("GET", "/api/v2/convert/bgb-convert-records"): dust,
}
