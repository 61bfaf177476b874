from datetime import datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import ListingRow, MarketType
from marketdata import listings
from orders.touched import Touched
from portfolio import books
from portfolio.models import AssetDay, Book
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, touch, transfer
from tests.portfolio.days import LAST, day, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def list_step(symbol: str, base: str, quote: str, step: str) -> None:
    row = ListingRow(MarketType.SPOT, symbol, base, quote, "TRADING", True, None, Decimal(step), None, None)
    listings.store(exchange="binance", rows=[row], at=LAST)


def made(account: ExchangeAccount, *columns: str) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        return list(Book.objects.filter(account=account).order_by("asset").values_list(*columns))


def days(account: ExchangeAccount, asset: str) -> list[tuple[object, ...]]:
    with tenancy.acting_as(account.user_id):
        rows = AssetDay.objects.filter(account=account, asset=asset).order_by("day")
        return list(rows.values_list("day", "traded", "deposited", "withdrawn", "withdrawal_fees"))


def mark(account: ExchangeAccount, asset: str, at: datetime) -> None:
    touched = Touched()
    touched.note(asset, at)
    with tenancy.acting_as(account.user_id):
        books.mark_stale(account=account, touched=touched)


def test_a_book_pins_the_finest_step_its_asset_trades_in(account: ExchangeAccount) -> None:
    list_step("BTCUSDT", "BTC", "USDT", "0.001")
    list_step("BTCEUR", "BTC", "EUR", "0.0001")

    mark(account, "BTC", moment(0))

    assert made(account, "asset", "step", "currency", "method") == [
        ("BTC", Decimal("0.0001"), "USDT", "average")
    ]


def test_a_pinned_step_stays_when_the_exchange_changes_its_filters(account: ExchangeAccount) -> None:
    list_step("BTCUSDT", "BTC", "USDT", "0.001")
    mark(account, "BTC", moment(0))
    list_step("BTCUSDT", "BTC", "USDT", "0.1")

    mark(account, "BTC", moment(1))

    assert made(account, "step") == [(Decimal("0.001"),)]


def test_an_unlisted_coin_takes_the_finest_step_there_is(account: ExchangeAccount) -> None:
    mark(account, "LUNA", moment(0))

    assert made(account, "step") == [(books.FINEST_STEP,)]


def test_cash_has_no_book(account: ExchangeAccount) -> None:
    touch(account, [fill(account, "BUY", "1", "1.1", symbol="EURUSDT", base_asset="EUR")])

    assert made(account, "asset") == []


def test_a_book_is_stale_from_its_earliest_unfolded_fact(account: ExchangeAccount) -> None:
    mark(account, "BTC", moment(2))
    mark(account, "BTC", moment(1))
    mark(account, "BTC", moment(3))

    assert made(account, "stale_from") == [(moment(1),)]


def test_a_rebuild_from_zero_starts_before_the_account_was_connected(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100", executed_at=moment(0)))
    with tenancy.acting_as(account.user_id):
        assert books.mark_all_stale(account=account) == 1

    (stale_from,) = made(account, "stale_from")[0]
    assert isinstance(stale_from, datetime)
    assert stale_from < moment(0)


def test_an_asset_day_counts_fills_fees_and_transfers_apart(account: ExchangeAccount) -> None:
    touch(
        account,
        [
            transfer(account, occurred_at=moment(0, 8)),
            fill(account, "BUY", "2", "100", fee_amount=Decimal("0.2"), executed_at=moment(0)),
            transfer(
                account, kind="WITHDRAWAL", amount=Decimal(50), fee_amount=Decimal(1), occurred_at=moment(0, 12)
            ),
        ],
    )  # fmt: skip

    assert days(account, "USDT") == [(day(0), Decimal("-200.2"), 1000, 50, 1)]
    assert days(account, "BTC") == [(day(0), 2, 0, 0, 0)]


def test_a_day_ends_at_midnight_utc(account: ExchangeAccount) -> None:
    touch(
        account,
        [transfer(account, occurred_at=moment(0, 23, 59)), transfer(account, occurred_at=moment(1, 0))],
    )

    assert [row[0] for row in days(account, "USDT")] == [day(0), day(1)]


def test_a_late_fact_recounts_its_own_day_only(account: ExchangeAccount) -> None:
    touch(account, [transfer(account, occurred_at=moment(0)), transfer(account, occurred_at=moment(1))])

    touch(account, [transfer(account, occurred_at=moment(0, 5), amount=Decimal(7))])

    assert [row[2] for row in days(account, "USDT")] == [1007, 1000]


def test_counting_again_changes_nothing(account: ExchangeAccount) -> None:
    fact = fill(account, "BUY", "2", "100", executed_at=moment(0))
    touch(account, [fact])
    touch(account, [fact])

    assert days(account, "BTC") == [(day(0), 2, 0, 0, 0)]


def test_a_days_sum_too_large_to_store_is_set_aside_with_a_reason(account: ExchangeAccount) -> None:
    most = Decimal(9 * 10**19)
    first = transfer(account, asset="ADA", amount=most, occurred_at=moment(0))
    touch(account, [first])
    second = transfer(account, asset="ADA", amount=most, occurred_at=moment(0, 11))
    other = transfer(account, occurred_at=moment(0))

    touch(account, [second, other])

    reason = f"The sums of ADA on {day(0)} have more digits than can be stored."
    assert made(account, "asset", "blocked_reason") == [("ADA", reason)]
    assert (days(account, "ADA"), days(account, "USDT")) == ([], [(day(0), 0, 1000, 0, 0)])


def test_cash_with_a_days_sum_too_large_to_store_does_not_stop_the_other_coins(
    account: ExchangeAccount, caplog: pytest.LogCaptureFixture
) -> None:
    most = Decimal(9 * 10**19)
    touch(
        account,
        [
            transfer(account, amount=most, occurred_at=moment(0)),
            transfer(account, amount=most, occurred_at=moment(0, 11)),
            transfer(account, asset="ADA", occurred_at=moment(0)),
        ],
    )

    assert (days(account, "USDT"), len(days(account, "ADA"))) == ([], 1)
    assert "The sums of USDT on" in caplog.text


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("DEPOSIT", "pending", (0, 0, 0)),
        ("DEPOSIT", "success", (1000, 0, 0)),
        ("DEPOSIT", "failed", (0, 0, 0)),
        ("WITHDRAWAL", "pending", (0, 1000, 2)),
        ("WITHDRAWAL", "success", (0, 1000, 2)),
        ("WITHDRAWAL", "failed", (0, 0, 0)),
    ],
)
def test_a_transfer_counts_by_its_present_state(
    account: ExchangeAccount, kind: str, state: str, expected: tuple[int, int, int]
) -> None:
    """A withdrawal leaves the balance when it is asked for, a deposit comes in when it is done."""
    cost = Decimal(2 if kind == "WITHDRAWAL" else 0)
    fact = transfer(account, kind=kind, status="pending", fee_amount=cost, occurred_at=moment(0))
    touch(account, [fact])
    with tenancy.acting_as(account.user_id):
        fact.status = state
        fact.save()

    touch(account, [fact])

    assert [row[2:] for row in days(account, "USDT")] == [expected]
