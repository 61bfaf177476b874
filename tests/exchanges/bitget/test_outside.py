"""What moved a spot wallet outside the order book: what each row of the ledger stands for, and conversions."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.bitget import outside
from exchanges.bitget.account import BitgetAccount
from exchanges.reading import UnreadableRow
from exchanges.rows import REPORTED_WALLETS, TransferKind
from tests.exchanges.bitget.conftest import NOW
from tests.exchanges.stub import Asked, Script, Stub

Json = dict[str, Any]
# The row of ccxt's parse_ledger_entry.
ROW: Json = {
    "billId": "1111506298997215233",
    "coin": "USDT",
    "groupType": "transfer",
    "businessType": "transfer_out",
    "size": "-11.64958799",
    "balance": "0.00000000",
    "fees": "0.00000000",
    "cTime": "1700729673028",
}
# As Bitget's documents show them ("Get Convert History", "Get BGB Convert History"), ids and times made readable.
CONVERSION: Json = {
    "id": "1",
    "ts": "1688527512229",
    "cnvtPrice": "0.00052268",
    "fee": "0",
    "fromCoinSize": "100",
    "fromCoin": "USDT",
    "toCoinSize": "0.23206967",
    "toCoin": "ETH",
}
DUST: Json = {
    "orderId": "7",
    "fromCoin": "ROOT",
    "fromAmount": "64.99837000",
    "fromCoinPrice": "0.02954000",
    "toCoin": "BGB",
    "toAmount": "3.55072001",
    "toCoinPrice": "0.54075000",
    "feeDetail": [{"feeCoin": "BGB", "fee": "0.07101441"}],
    "status": "success",
    "ctime": "1700837066186",
}


def row(group: str, kind: str, size: str = "5", **more: str) -> Json:
    return {**ROW, "groupType": group, "businessType": kind, "size": size, **more}


@pytest.mark.parametrize(
    ("group", "kind", "size", "expected"),
    [
        ("other", "AIRDROP_REWARDS", "5", ("AIRDROP", "", "spot")),
        ("transaction", "rebate rewards", "5", ("REBATE", "", "spot")),
        ("other", "REBATE_REWARDS", "-5", ("CHARGE", "spot", "")),
        ("financial", "batch_interest_user_in", "5", ("INTEREST", "", "spot")),
        ("loan", "INTEREST_OUT", "-5", ("CHARGE", "spot", "")),
        ("financial", "financial_lock_out", "-5", ("INTERNAL", "spot", "earn")),
        ("financial", "financial_rede_in", "5", ("INTERNAL", "earn", "spot")),
        ("c2c", "BUY", "5", ("INTERNAL", "persons", "spot")),
        ("fait", "DEPOSIT", "5", ("INTERNAL", "fiat", "spot")),
        ("strategy", "STRATEGY_TRANSFER_IN", "-5", ("INTERNAL", "spot", "bots")),
    ],
)
def test_what_a_row_stands_for(group: str, kind: str, size: str, expected: tuple[str, str, str]) -> None:
    found = outside.bill(row(group, kind, size))
    assert found is not None
    assert (found.kind.value, found.from_wallet, found.to_wallet) == expected
    assert (found.transfer_id, found.amount) == ("bill-1111506298997215233", Decimal(5))


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("transfer", "transfer_out"), ("transaction", "BUY"), ("transaction", "DEDUCTION_HANDLING_FEE"),
        ("deposit", "transfer-in"), ("withdraw", "WITHDRAW"), ("convert", "ORDER_EXCHANGE_IN"),
        ("other", "SMALL_EXCHANGE_USER_IN"), ("other", "USER_LOCK"),
    ],
)  # fmt: skip
def test_what_is_told_elsewhere_or_moves_nothing_is_left_out(group: str, kind: str) -> None:
    assert outside.bill(row(group, kind)) is None


def test_where_nothing_moved_nothing_is_told() -> None:
    assert outside.bill(row("other", "AIRDROP_REWARDS", "0")) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (row("other", "BRAND_NEW"), "group 'other', type 'brand_new' are unknown"),
        (row("other", "TRANSFER_IN"), "group 'other', type 'transfer_in' are unknown"),
        (row("financial", "financial_rede_in", fees="-0.1"), "a fee of -0.1 beside 'financial_rede_in'"),
    ],
)
def test_what_nobody_knows_is_set_aside(raw: Json, reason: str) -> None:
    with pytest.raises(UnreadableRow, match=reason):
        outside.bill(raw)


def test_no_other_wallet_is_one_whose_balance_is_reported() -> None:
    names = {found.to_wallet for group in ("financial", "loan", "fait", "c2c", "pre_c2c", "on_chain", "strategy")
             if (found := outside.bill(row(group, "x", "-1"))) is not None}  # fmt: skip
    assert names == {"earn", "loan", "fiat", "persons", "on-chain", "bots"}
    assert names.isdisjoint(REPORTED_WALLETS)


def test_a_conversion_is_one_row() -> None:
    found = outside.conversion(CONVERSION)
    assert (found.conversion_id, found.from_asset, found.from_amount) == ("1", "USDT", Decimal(100))
    assert (found.to_asset, found.to_amount, found.fee_amount) == ("ETH", Decimal("0.23206967"), Decimal(0))


def test_a_fee_whose_coin_is_not_told_is_set_aside() -> None:
    with pytest.raises(UnreadableRow, match="coin is not told"):
        outside.conversion({**CONVERSION, "fee": "0.1"})


def test_dust_pays_its_fee_out_of_what_came() -> None:
    found = outside.dust(DUST)
    assert found is not None
    assert (found.conversion_id, found.from_asset, found.from_amount) == (
        "bgb-7",
        "ROOT",
        Decimal("64.99837"),
    )
    assert (found.to_amount, found.fee_amount, found.fee_currency) == (
        Decimal("3.55072001"),
        Decimal("0.07101441"),
        "BGB",
    )


def test_dust_that_was_not_turned_is_left_out() -> None:
    assert outside.dust({**DUST, "status": "fail"}) is None


def test_the_ledger_is_asked_for_in_large_pages_as_long_as_it_is_told(
    account: Callable[[Script], tuple[Stub, BitgetAccount]],
) -> None:
    asked: list[Json] = []

    def answer(question: Asked) -> Any:
        asked.append(dict(question.query))
        return []

    _, reader = account(answer)
    page = reader.transfers(TransferKind.AIRDROP, "", NOW)

    assert (page.rows, page.has_more) == ((), True)
    assert {(each["limit"], int(each["endTime"]) - int(each["startTime"])) for each in asked} == {
        ("500", 30 * 86_400_000)
    }
