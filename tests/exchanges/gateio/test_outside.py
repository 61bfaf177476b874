"""The spot wallet's ledger: what each row stands for, and which rows are one conversion."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from exchanges.gateio import meanings, outside
from exchanges.gateio.spot_ledger import SpotLedger
from exchanges.rows import REPORTED_WALLETS, ConversionRow, TransferKind
from exchanges.transport import CcxtClient
from tests.exchanges.gateio.conftest import NOW

Json = dict[str, Any]
# As Gate.io's documents show it (its Python SDK's page of SpotAccountBook).
ROW: Json = {
    "id": "123456",
    "time": 1547633726123,
    "currency": "BTC",
    "change": "1.03",
    "balance": "4.59316525194",
    "type": "margin_in",
    "text": "3815099",
}
AT = 1547633726123
SECOND = 1000


def told(*rows: Json, sees_contracts: bool = True) -> outside.Outside:
    return outside.told(rows, start=AT - SECOND, end=AT + 60 * SECOND, sees_contracts=sees_contracts)


def row(
    kind: str, change: str, *, asset: str = "USDT", number: int = 1, later: int = 0, code: str = ""
) -> Json:
    named = {"currency": asset, "change": change, "type": kind, "code": code}
    return ROW | named | {"id": str(number), "time": AT + later}


def conversions(rows: tuple[ConversionRow, ...]) -> list[tuple[Any, ...]]:
    return [
        (
            each.conversion_id,
            each.from_asset,
            each.from_amount,
            each.to_asset,
            each.to_amount,
            each.fee_amount,
        )
        for each in rows
    ]


def test_money_from_another_wallet() -> None:
    [found] = told(ROW).transfers
    assert (found.kind, found.transfer_id, found.asset) == (TransferKind.INTERNAL, "123456", "BTC")
    assert (found.amount, found.from_wallet, found.to_wallet) == (Decimal("1.03"), "margin", "spot")
    assert found.occurred_at == datetime(2019, 1, 16, 10, 15, 26, 123_000, UTC)


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("airdrop", "5", ("AIRDROP", "", "spot")),
        ("hodl_int", "5", ("INTEREST", "", "spot")),
        ("hodl_int", "-5", ("CHARGE", "spot", "")),
        ("referral_rebate", "5", ("REBATE", "", "spot")),
        ("sec_rebate_out", "-5", ("CHARGE", "spot", "")),
        ("interest_out", "-5", ("CHARGE", "spot", "")),
        ("fct_fee_refund", "5", ("REBATE", "", "spot")),
        ("perp_in", "-5", ("INTERNAL", "spot", "futures")),
        ("perp_out", "5", ("INTERNAL", "futures", "spot")),
        ("lend", "-5", ("INTERNAL", "spot", "earn")),
        ("points_purchase", "-5", ("INTERNAL", "spot", "points")),
        ("subaccount_trf", "-5", ("INTERNAL", "spot", "sub-account")),
    ],
)
def test_what_a_type_stands_for(kind: str, change: str, expected: tuple[str, ...]) -> None:
    [found] = told(row(kind, change)).transfers
    assert (found.kind.value, found.from_wallet, found.to_wallet) == expected
    assert found.amount == 5


@pytest.mark.parametrize("kind", ["new_order", "order_fill", "order_fee", "deposit", "withdraw", "login"])
def test_what_is_told_elsewhere_is_not_told_again(kind: str) -> None:
    assert told(row(kind, "-5")) == outside.Outside((), (), ())


@pytest.mark.parametrize("kind", ["", "unknown"])
def test_a_row_whose_type_says_nothing_is_known_by_its_code(kind: str) -> None:
    found = told(row(kind, "2", code="2614"), row(kind, "-7", code="102", number=2))
    assert [each.kind for each in found.transfers] == [TransferKind.AIRDROP]


def test_what_nobody_knows_is_set_aside() -> None:
    found = told(row("brand_new", "5", code="99999"), row("airdrop", "0", number=2))
    assert (found.transfers, [each.reason for each in found.bad]) == (
        (),
        ["type 'brand_new', code '99999' are unknown"],
    )


def test_no_wallet_of_the_lists_is_one_whose_balance_is_reported() -> None:
    every = {*meanings.TYPES.values(), *meanings.CODES.values()}
    names = {each.name for each in every if isinstance(each, meanings.Wallet)}
    assert names & {*REPORTED_WALLETS} == {"futures"}
    assert all(len(name) <= 20 for name in names)


def test_contracts_are_another_wallet_to_a_key_that_may_not_see_them() -> None:
    [found] = told(row("perp_in", "-5"), sees_contracts=False).transfers
    assert (found.from_wallet, found.to_wallet) == ("spot", "contracts")


def test_what_left_and_what_came_are_one_conversion() -> None:
    rows = [row("cv_sell", "-100"), row("cv_buy", "0.04", asset="ETH", number=2, later=900)]
    assert conversions(told(*rows).conversions) == [("1", "USDT", 100, "ETH", Decimal("0.04"), 0)]
    assert told(*rows, rows[0]).transfers == ()


def test_dust_of_several_coins_has_a_fee_each() -> None:
    rows = [
        row("dust_swap_dctd", "-3", asset="ADA"),
        row("dust_swap_gt_add", "0.5", asset="GT", number=2),
        row("dust_swap_fee", "-0.01", asset="GT", number=3),
        row("", "-0.2", asset="SOL", number=4, code="1310"),
        row("dust_swap_gt_add", "0.4", asset="GT", number=5),
        row("dust_swap_fee", "-0.02", asset="GT", number=6),
    ]
    assert conversions(told(*rows[::-1]).conversions) == [
        ("1", "ADA", 3, "GT", Decimal("0.5"), Decimal("0.01")),
        ("4", "SOL", Decimal("0.2"), "GT", Decimal("0.4"), Decimal("0.02")),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [row("dust_swap_dctd", "-3", asset="ADA"), row("dust_swap_dctd", "-1", asset="SOL", number=2),
         row("dust_swap_gt_add", "0.5", asset="GT", number=3)],
        [row("cv_sell", "-100")],
        [row("cv_sell", "-100"), row("cv_buy", "1", asset="ETH", number=2, later=2 * SECOND)],
        [row("cv_sell", "-100"), row("cv_buy", "99", number=2)],
    ],
    ids=["two into one", "nothing came", "too late", "the same coin"],
)  # fmt: skip
def test_rows_that_are_no_conversion_lose_nothing(rows: list[Json]) -> None:
    found = told(*rows)
    moved = {(each.asset, each.amount, each.to_wallet) for each in found.transfers}
    assert moved == {
        (each["currency"], abs(Decimal(each["change"])), "converted" if each["change"][0] == "-" else "spot")
        for each in rows
    }
    assert (found.conversions, {each.kind for each in found.transfers}) == ((), {TransferKind.INTERNAL})


def test_a_conversion_across_the_edge_of_a_window_is_told_once() -> None:
    rows = [row("cv_sell", "-100", later=-200), row("cv_buy", "1", asset="ETH", number=2, later=300)]
    before = outside.told(rows, start=AT - SECOND, end=AT, sees_contracts=True)
    after = outside.told(rows, start=AT, end=AT + SECOND, sees_contracts=True)
    assert (len(before.conversions), after) == (1, outside.Outside((), (), ()))


class Book:
    """Answers as Gate.io pages its ledger, and remembers the pages it was asked for."""

    def __init__(self, rows: list[Json]) -> None:
        self.rows = rows
        self.pages: list[int] = []

    def records(self, endpoint: str, asked: dict[str, int]) -> list[Json]:
        assert endpoint == "private_spot_get_account_book"
        self.pages.append(asked["page"])
        within = [each for each in self.rows if asked["from"] <= each["time"] // SECOND <= asked["to"]]
        return within[::-1][asked["limit"] * (asked["page"] - 1) : asked["limit"] * asked["page"]]


def walked(book: Book) -> list[str]:
    """The ids told, oldest first."""
    reader = SpotLedger(cast(CcxtClient, book), sees_contracts=True)
    ids, position, has_more = list[str](), "", True
    while has_more:
        page = reader.transfers(position, NOW)
        ids += [each.transfer_id for each in page.rows]
        position, has_more = page.next_position, page.has_more
    return ids


def test_a_window_with_more_rows_than_may_be_asked_for_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten fills an hour for four days, and an airdrop every day."""
    monkeypatch.setattr("exchanges.gateio.spot_ledger.MOST_ROWS", 200)
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", NOW - timedelta(days=10))
    first = int(NOW.timestamp()) - 4 * 86_400
    book = [row("order_fill", "1", number=n) | {"time": (first + 360 * n) * SECOND} for n in range(960)]
    for each in book[77::240]:
        each["type"] = "airdrop"
    asked = Book(book)
    assert walked(asked) == ["77", "317", "557", "797"]
    assert max(asked.pages) == 3


def test_nothing_after_a_busy_window_is_believed_when_it_is_told_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exchanges.gateio.walks.OPENED", NOW - timedelta(days=80))
    moment = (int(NOW.timestamp()) - 79 * 86_400) * SECOND
    asked = Book([row("airdrop", "1") | {"time": moment}])
    assert (walked(asked), len(asked.pages)) == (["1"], 4)
