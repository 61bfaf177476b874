"""Stored books against a rebuild of which nothing stays."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import books, metrics, verification
from portfolio.models import (
    Allocation,
    AssetDay,
    AssetSnapshot,
    Book,
    BookDay,
    Fee,
    PerformanceMetric,
    PortfolioSnapshot,
    Position,
    Trade,
    TradeDay,
)
from portfolio.verification import Verified
from tests.factories import AccountFactory
from tests.portfolio import contracts, days
from tests.portfolio.books import START, fill, fold, touch, transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """A coin bought with a fee, sold in two parts, and a contract."""
    stored: ExchangeAccount = AccountFactory.create()
    fold(
        stored,
        transfer(stored),
        fill(stored, "BUY", "2", "100", fee_amount=Decimal(1)),
        fill(stored, "SELL", "1", "110"),
        fill(stored, "SELL", "0.5", "120"),
    )
    contracts.fold(
        stored,
        *[contracts.fill(stored, side, "1", price) for side, price in (("BUY", "100"), ("SELL", "90"))],
    )
    return stored


@pytest.fixture
def valued() -> ExchangeAccount:
    """Two days of a coin that was bought and sold, and their metrics."""
    stored: ExchangeAccount = AccountFactory.create()
    days.closes("BTCUSDT", "100", "120", "130")
    fold(
        stored,
        transfer(stored, occurred_at=days.moment(0, 8)),
        fill(stored, "BUY", "2", "100", executed_at=days.moment(0)),
        fill(stored, "SELL", "1", "110", executed_at=days.moment(1)),
    )
    days.report(stored, days.moment(2, 23), USDT="910", BTC="1")
    days.refresh(stored)
    metrics.refresh(user_id=stored.user_id, at=days.LAST)
    return stored


def verify(account: ExchangeAccount) -> Verified:
    return verification.verify(user_id=account.user_id, account_id=account.id, at=clock.now())


def spoil(account: ExchangeAccount, model: Any, **changes: Any) -> int:
    """Change the account's first row of a model; answers its id."""
    with tenancy.acting_as(account.user_id):
        row = model.objects.filter(account=account).order_by("id").first()
        model.objects.filter(id=row.id).update(**changes)
        return int(row.id)


def test_books_that_are_right_are_found_right(account: ExchangeAccount) -> None:
    found = verify(account)

    assert (found.books, found.facts, found.waiting, found.mismatch) == (2, 5, [], None)
    assert found.rows == {
        "position": 2, "trade": 3, "allocation": 3, "day of a book": 2, "fee": 1, "book": 2, "day of an asset": 3,
        "snapshot": 0, "asset of a snapshot": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Position, {"entry_price": Decimal("100.000000000000000001")}),
        (Trade, {"exit_price": Decimal(7)}),
        (Allocation, {"cost": Decimal(7)}),
        (BookDay, {"gross_pnl": Decimal(7)}),
        (Fee, {"value": Decimal(7)}),
        (Book, {"engine_version": 3}),
        (AssetDay, {"traded": Decimal(7)}),
    ],
)
def test_a_row_that_is_wrong_is_named_and_stays(
    account: ExchangeAccount, model: Any, change: dict[str, Any]
) -> None:
    row_id = spoil(account, model, **change)

    found = verify(account).mismatch

    assert found is not None
    assert found.stored is not None
    assert {name: Decimal(value) for name, value in found.stored.items()} == change
    with tenancy.acting_as(account.user_id):
        assert model.objects.values_list(*change).get(id=row_id) == tuple(change.values())


def test_a_row_that_is_missing_is_named(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        lost = Trade.objects.filter(account=account, market_type="spot").order_by("id").first()
        assert lost is not None
        Allocation.objects.filter(trade=lost).delete()
        lost.delete()

    found = verify(account).mismatch

    assert found is not None
    assert (found.what, found.place, found.stored) == ("trade", "BTCUSDT of order 2", None)


def test_a_day_of_an_asset_that_is_missing_is_named_and_counted_again(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        lost = AssetDay.objects.filter(account=account, asset="BTC").get()
        lost.delete()
    found = verify(account).mismatch
    assert found is not None
    assert (found.what, found.place, found.stored) == ("day of an asset", f"BTC on {lost.day}", None)

    with tenancy.acting_as(account.user_id):
        AssetDay.objects.filter(account=account).update(traded=7)
        books.recount_days(account=account)
    assert verify(account).mismatch is None


def test_a_row_that_no_fact_gives_is_named(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        day = BookDay.objects.filter(account=account).order_by("id").first()
        assert day is not None
        day.pk, day.day = None, clock.utc_day(START + clock.DAY)
        day.save()

    found = verify(account).mismatch

    assert found is not None
    assert (found.what, found.place, found.rebuilt) == ("day of a book", "2026-02-02", None)


def test_a_book_that_waits_is_left_out(account: ExchangeAccount) -> None:
    touch(account, [fill(account, "SELL", "0.1", "130")])

    found = verify(account)

    assert (found.waiting, found.mismatch) == (["BTC"], None)


def test_days_and_metrics_that_are_right_are_found_right(valued: ExchangeAccount) -> None:
    found, measured = verify(valued), verification.verify_metrics(user_id=valued.user_id)

    assert (found.rows["snapshot"], found.rows["asset of a snapshot"], found.mismatch) == (3, 6, None)
    assert (measured.rows["day of trades"], measured.waiting, measured.mismatch) == (1, [], None)
    assert measured.rows["metric"] > 2


@pytest.mark.parametrize(
    ("model", "change"),
    [(PortfolioSnapshot, {"revaluation": Decimal(7)}), (AssetSnapshot, {"quantity": Decimal(7)})],
)
def test_a_day_that_is_wrong_is_named_and_stays(
    valued: ExchangeAccount, model: Any, change: dict[str, Any]
) -> None:
    row_id = spoil(valued, model, **change)

    found = verify(valued).mismatch

    assert found is not None
    assert found.stored is not None
    assert {name: Decimal(value) for name, value in found.stored.items()} == change
    assert verification.verify_metrics(user_id=valued.user_id).waiting == (
        ["2026-02-01"] if model is PortfolioSnapshot else []
    )
    with tenancy.acting_as(valued.user_id):
        assert model.objects.values_list(*change).get(id=row_id) == tuple(change.values())


def test_the_newest_day_is_left_out_as_its_prices_may_still_come(valued: ExchangeAccount) -> None:
    with tenancy.acting_as(valued.user_id):
        PortfolioSnapshot.objects.filter(snapshot_date=days.day(2)).update(fees=Decimal(7))

    assert verify(valued).mismatch is None


@pytest.mark.parametrize(
    ("model", "change"),
    [(TradeDay, {"profit": Decimal(7)}), (PerformanceMetric, {"gross_profit": Decimal(7)})],
)
def test_a_metric_that_is_wrong_is_named(valued: ExchangeAccount, model: Any, change: dict[str, Any]) -> None:
    spoil(valued, model, **change)

    found = verification.verify_metrics(user_id=valued.user_id).mismatch

    assert found is not None
    assert found.stored is not None
    assert {name: Decimal(value) for name, value in found.stored.items()} == change


def test_the_command_tells_wrong_metrics(valued: ExchangeAccount, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(valued, PerformanceMetric, gross_profit=Decimal(7))

    with pytest.raises(
        CommandError, match=r"^The metrics of 1 user\(s\) are not what their trades give: rebuild"
    ):
        call_command("verify_books", user=valued.user.email)
    assert "gross_profit is 7.0000000000000000" in capsys.readouterr().out


def test_the_command_ends_well_or_tells_the_first_difference(
    account: ExchangeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_books", user=account.user.email)
    assert "5 facts folded" in capsys.readouterr().out

    spoil(account, Position, gross_pnl=Decimal(7))
    with pytest.raises(CommandError, match=r"The books of 1 account\(s\) are not what their facts give"):
        call_command("verify_books", "--all")
    assert (
        f"First difference: position BTCUSDT opened {START:%Y-%m-%d} 10:01:00+00: gross_pnl is 7"
        in capsys.readouterr().out
    )
