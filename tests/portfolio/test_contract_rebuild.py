"""Contract facts folded into positions and trades, in the database."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import Allocation, Book, BookDay, Position, Trade
from tests.factories import AccountFactory
from tests.portfolio import books as spot
from tests.portfolio.api_books import candle
from tests.portfolio.books import START
from tests.portfolio.contracts import fill, fold, funding, positions, trades
from tests.portfolio.days import list_pairs, moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def test_a_short_is_stored_with_its_side_and_funding(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "SELL", "2", "100", fee_amount=Decimal("0.1")),
        funding(account, "0.5"),
        fill(account, "BUY", "2", "90", realized_pnl=Decimal(20), executed_at=START + timedelta(hours=2)),
    )

    columns = ("side", "cost", "proceeds", "gross_pnl", "funding", "net_pnl", "exchange_pnl", "market_type")
    assert trades(account, *columns) == [
        ("SHORT", 200, 180, 20, Decimal("0.5"), Decimal("20.4"), 20, "futures")
    ]


def test_a_flip_closes_one_position_and_opens_the_other(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "SELL", "3", "110"))

    assert positions(account, "side", "status", "quantity") == [("LONG", "CLOSED", 0), ("SHORT", "OPEN", 2)]


def test_a_liquidation_is_the_exit_type(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "1", "100"),
        fill(account, "SELL", "1", "90", realized_pnl=Decimal(-10), is_liquidation=True),
    )

    assert trades(account, "exit_type") == ["LIQUIDATION"]
    assert positions(account, "status") == ["LIQUIDATED"]


def test_hedged_sides_have_books_of_their_own(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "1", "100", position_side="LONG"),
        fill(account, "SELL", "2", "100", position_side="SHORT"),
    )

    assert positions(account, "side", "quantity") == [("LONG", 1), ("SHORT", 2)]


def test_an_inverse_profit_is_worth_the_coin_at_the_exit(account: ExchangeAccount) -> None:
    list_pairs("BTCUSDT")
    for hour, price in ((10, "50000"), (12, "62500")):
        candle("BTCUSDT", moment(0, hour), price)
    inverse: dict[str, Any] = {
        "symbol": "BTCUSD_PERP",
        "quote_asset": "USD",
        "is_inverse": True,
        "fee_currency": "BTC",
    }
    fold(
        account,
        fill(account, "BUY", "10000", "50000", executed_at=moment(0, 10, 5), **inverse),
        fill(
            account, "SELL", "10000", "62500", executed_at=moment(0, 12, 5), realized_pnl=Decimal("0.04"), **inverse
        ),
    )  # fmt: skip

    assert trades(account, "settled_pnl", "exchange_pnl", "gross_pnl", "is_inverse") == [
        (Decimal("0.04"), Decimal("0.04"), 2500, True)
    ]


def test_what_the_leverage_is_nobody_guesses(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "SELL", "1", "110"))

    assert trades(account, "leverage", "roi_percentage", "pnl_percentage") == [(None, None, 10)]


def test_a_spot_sale_is_no_short(account: ExchangeAccount) -> None:
    spot.fold(account, spot.fill(account, "SELL", "1", "100"))

    assert positions(account, "side", "unknown_quantity") == [("LONG", 1)]
    with tenancy.acting_as(account.user_id), pytest.raises(IntegrityError), transaction.atomic():
        Trade.objects.filter(account=account).update(side="SHORT")


def test_a_contract_touches_no_coins_book(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"))

    with tenancy.acting_as(account.user_id):
        assert list(Book.objects.values_list("market_type", "asset", "side")) == [
            ("futures", "BTCUSDT", "BOTH")
        ]


def test_a_fee_in_bnb_leaves_the_book_of_bnb(account: ExchangeAccount) -> None:
    list_pairs("BNBUSDT")
    candle("BNBUSDT", moment(0, 10), "600")
    spot.fold(account, spot.fill(account, "BUY", "1", "500", symbol="BNBUSDT", base_asset="BNB"))
    fold(
        account,
        fill(account, "BUY", "1", "100", fee_amount=Decimal("0.001"), fee_currency="BNB"),
        fill(account, "SELL", "1", "110", realized_pnl=Decimal(10)),
    )

    assert trades(account, "kind", "gross_pnl", "net_pnl") == [
        ("FEE", Decimal("0.1"), Decimal("0.1")),
        ("TRADE", 10, Decimal("9.4")),
    ]


def test_a_late_fill_gives_what_a_rebuild_from_zero_gives(account: ExchangeAccount) -> None:
    later = [
        fill(account, side, "3", price, exchange_fill_id=f"1{n}") for n, (side, price) in enumerate(_WAYS)
    ]
    fold(account, *later, funding(account, "-0.7"))
    early = fill(account, "SELL", "1", "97", executed_at=START + timedelta(minutes=3, seconds=30))
    fold(account, early)
    incremental = everything(account)

    fold(account, from_zero=True)
    assert everything(account) == incremental


def test_one_by_one_gives_what_all_at_once_gives(account: ExchangeAccount) -> None:
    for side, price in _WAYS:
        fold(account, fill(account, side, "3", price))
    fold(account, funding(account, "-0.7"))
    incremental = everything(account)

    fold(account, from_zero=True)
    assert everything(account) == incremental


def test_rows_keep_their_ids_when_a_late_fill_changes_them(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "2", "100"), fill(account, "SELL", "1", "110"))
    before = positions(account, "id")
    fold(account, fill(account, "BUY", "1", "104", executed_at=START + timedelta(minutes=1, seconds=30)))

    assert positions(account, "id") == before
    assert trades(account, "gross_pnl") == [Decimal("8.666666666666666667")]


_WAYS = (("BUY", "100"), ("SELL", "101"), ("SELL", "102"), ("BUY", "99"), ("BUY", "98"), ("BUY", "97"))


def everything(account: ExchangeAccount) -> list[Any]:
    """All derived rows but for their ids and the moments they were written."""
    with tenancy.acting_as(account.user_id):
        left_out = {"id", "last_updated", "trade_id", "position_id", "state"}
        return [
            sorted(
                str([(name, value) for name, value in row.items() if name not in left_out])
                for row in model.objects.filter(account=account).values()
            )
            for model in (Position, Trade, Allocation, BookDay)
        ]
