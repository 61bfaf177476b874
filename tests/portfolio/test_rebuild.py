from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import Allocation, Book, Fee, Position, Trade, Valuation
from tests.factories import AccountFactory, OrderFactory
from tests.portfolio.books import START, fill, fold, transfer
from tests.portfolio.pictures import picture, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def test_a_round_trip_becomes_one_closed_position_and_one_trade(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "2", "100", fee_amount=Decimal("0.2")),
        fill(account, "SELL", "2", "110", fee_amount=Decimal("0.22")),
    )

    assert rows(account, Position, "status", "entry_price", "gross_pnl", "net_pnl") == [
        ("CLOSED", Decimal(100), Decimal(20), Decimal("19.58"))
    ]
    assert rows(account, Trade, "exit_type", "exit_price", "net_pnl", "pnl_percentage", "hold_duration") == [
        ("MANUAL", Decimal(110), Decimal("19.58"), Decimal("9.79"), timedelta(minutes=1))
    ]


def test_allocations_tie_exits_to_entries_and_sum_to_the_trade(account: ExchangeAccount) -> None:
    entry = fill(account, "BUY", "2", "100")
    sale = fill(account, "SELL", "0.5", "110")
    fold(account, entry, sale)

    assert rows(account, Allocation, "entry_fill_id", "exit_fill_id", "quantity", "cost", "proceeds") == [
        (entry.id, sale.id, Decimal("0.5"), Decimal(50), Decimal(55))
    ]


def test_new_fills_go_on_from_the_books_tail(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "BUY", "1", "200"))

    result = fold(account, fill(account, "SELL", "1", "250"))

    assert result.facts == 1
    assert rows(account, Trade, "gross_pnl") == [(Decimal(100),)]


def test_folding_again_without_new_facts_does_nothing(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"))

    assert fold(account).books == 0


def test_a_rebuild_from_zero_keeps_ids_and_digits(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "3", "100"), fill(account, "SELL", "1", "110"))
    fold(account, fill(account, "SELL", "2", "90"))

    def seen() -> list[Any]:
        return [picture(account), *(rows(account, model, "id") for model in (Position, Trade, Allocation))]

    before = seen()

    fold(account, from_zero=True)

    assert seen() == before


def test_a_trade_cannot_hang_on_the_position_of_another_account(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "SELL", "1", "110"))
    other = AccountFactory.create(user=account.user)

    with pytest.raises(IntegrityError, match="account_fk"), tenancy.acting_as(account.user_id):
        Trade.objects.update(account=other)


def test_a_late_fill_recomputes_from_the_flat_point_before_it(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "1", "100"),
        fill(account, "SELL", "1", "110"),
        fill(account, "BUY", "1", "100", executed_at=START + timedelta(hours=2)),
        fill(account, "SELL", "1", "130", executed_at=START + timedelta(hours=4)),
    )
    first_position = rows(account, Position, "id")[0]

    fold(account, fill(account, "BUY", "1", "120", executed_at=START + timedelta(hours=3)))

    assert rows(account, Position, "id")[0] == first_position
    assert [gross for (gross,) in rows(account, Trade, "gross_pnl")] == [Decimal(10), Decimal(20)]
    assert rows(account, Position, "status", "quantity")[1] == ("OPEN", Decimal(1))


def test_a_late_fill_that_opens_earlier_replaces_the_position(account: ExchangeAccount) -> None:
    later = fill(account, "BUY", "1", "100", executed_at=START + timedelta(hours=2))
    fold(account, later)
    earlier = fill(account, "BUY", "1", "50", executed_at=START)

    fold(account, earlier)

    assert rows(account, Position, "opening_fill_id", "total_cost") == [(earlier.id, Decimal(150))]


def test_coins_never_seen_bought_are_flagged_and_in_no_pnl(account: ExchangeAccount) -> None:
    fold(account, fill(account, "SELL", "1", "100"))

    assert rows(account, Position, "status", "entry_price", "unknown_quantity", "net_pnl") == [
        ("CLOSED", None, Decimal(1), Decimal(0))
    ]
    assert rows(account, Trade, "entry_price", "unknown_proceeds", "gross_pnl", "pnl_percentage") == [
        (None, Decimal(100), Decimal(0), None)
    ]


def test_a_base_coin_fee_shrinks_the_inventory_and_stands_once(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100", fee_amount=Decimal("0.001"), fee_currency="BTC"))
    fold(account, fill(account, "SELL", "0.999", "110"))

    assert rows(account, Trade, "exit_quantity", "gross_pnl", "net_pnl") == [
        (Decimal("0.999"), Decimal("9.99"), Decimal("9.89"))
    ]
    assert rows(account, Fee, "fee_amount", "value", "price", "price_source") == [
        (Decimal("0.001"), Decimal("0.1"), Decimal(100), "fill")
    ]


def test_a_third_coin_fee_waits_for_its_price_and_then_leaves_its_book(account: ExchangeAccount) -> None:
    bnb = {"symbol": "BNBUSDT", "base_asset": "BNB"}
    facts = [
        fill(account, "BUY", "1", "250", **bnb),
        fill(account, "BUY", "1", "100", fee_amount=Decimal("0.01"), fee_currency="BNB"),
    ]
    blocked = fold(account, *facts).blocked
    with tenancy.acting_as(account.user_id):
        Valuation.objects.create(
            user_id=account.user_id, asset="BNB", currency="USDT", at=START, price=300, source="test", source_at=START
        )  # fmt: skip

    result = fold(account)

    assert blocked == dict.fromkeys(("BNB", "BTC"), "No price of BNB in USDT for 2026-02-01 10:00 UTC yet.")
    assert result.blocked == {}
    assert rows(account, Position, "symbol", "fees_paid", "quantity") == [
        ("BNBUSDT", Decimal(0), Decimal("0.99")),
        ("BTCUSDT", Decimal(3), Decimal(1)),
    ]
    assert rows(account, Trade, "kind", "symbol", "proceeds", "gross_pnl") == [
        ("FEE", "BTCUSDT", Decimal(3), Decimal("0.5"))
    ]


def test_a_book_that_cannot_be_folded_says_why_and_the_others_go_on(account: ExchangeAccount) -> None:
    """ADA bought for more than NUMERIC(38,18) holds; BTC, bought before and sold after, is folded."""
    ada = {"symbol": "ADAUSDT", "base_asset": "ADA"}
    most = str(10**19 * 9)
    facts = [
        fill(account, "BUY", "1", "100"),
        fill(account, "BUY", "1", most, **ada),
        fill(account, "BUY", "1", most, executed_at=START + timedelta(days=1), **ada),
        fill(account, "SELL", "1", "110", executed_at=START + timedelta(days=2)),
    ]

    result = fold(account, *facts)

    reason = (
        "The position opened by fill 2 of ADAUSDT has an amount or price of more digits than can be stored."
    )
    assert result.blocked == {"ADA": reason}
    stored = rows(account, Book, "asset", "blocked_reason", "fact_count")
    assert sorted(stored) == [("ADA", reason, 0), ("BTC", "", 2)]
    assert rows(account, Trade, "symbol", "gross_pnl") == [("BTCUSDT", Decimal(10))]


def test_paying_with_a_coin_is_an_exit_of_its_book(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        Valuation.objects.create(
            user_id=account.user_id, asset="BTC", currency="USDT", at=START, price=200, source="test", source_at=START
        )  # fmt: skip
    fold(
        account,
        fill(account, "BUY", "1", "100"),
        fill(account, "BUY", "10", "0.05", symbol="ADABTC", base_asset="ADA", quote_asset="BTC"),
    )

    assert rows(account, Trade, "symbol", "exit_quantity", "gross_pnl") == [
        ("ADABTC", Decimal("0.5"), Decimal(50))
    ]
    assert rows(account, Position, "symbol", "total_cost") == [
        ("ADABTC", Decimal(100)),
        ("BTCUSDT", Decimal(50)),
    ]


def test_a_rebate_in_the_coin_paid_with_joins_the_position_its_fill_opened(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        Valuation.objects.create(
            user_id=account.user_id, asset="BTC", currency="USDT", at=START, price=200, source="test", source_at=START
        )  # fmt: skip
    pair = {"symbol": "ADABTC", "base_asset": "ADA", "quote_asset": "BTC", "fee_currency": "BTC"}
    fact = fill(account, "BUY", "10", "0.05", fee_amount=Decimal("-0.001"), **pair)

    fold(account, fact)

    stored = rows(account, Position, "book__asset", "status", "quantity", "unknown_quantity")
    assert sorted(stored) == [
        ("ADA", "OPEN", 10, 0),
        ("BTC", "OPEN", Decimal("0.001"), Decimal("0.5")),
    ]


def test_a_withdrawal_leaves_without_a_trade(account: ExchangeAccount) -> None:
    fold(
        account,
        fill(account, "BUY", "2", "100"),
        transfer(
            account,
            kind="WITHDRAWAL",
            asset="BTC",
            amount=Decimal("0.5"),
            occurred_at=START + timedelta(days=1),
        ),
    )

    assert rows(account, Position, "quantity", "total_cost", "moved_quantity") == [
        (Decimal("1.5"), Decimal(150), Decimal("0.5"))
    ]
    assert rows(account, Trade, "id") == []


def test_each_take_profit_books_its_own_quantity(account: ExchangeAccount) -> None:
    """Trap: one exit quantity booked in full by every leg, at the limit instead of the fills' price."""
    for number, role in (("2", "TP1"), ("3", "TP2"), ("4", "SL")):
        OrderFactory.create(
            account=account, exchange_order_id=number, role=role, side="SELL", price=Decimal(500)
        )
    fold(
        account,
        fill(account, "BUY", "1", "100"),
        fill(account, "SELL", "0.5", "110"),
        fill(account, "SELL", "0.3", "120"),
        fill(account, "SELL", "0.2", "95"),
    )

    assert rows(account, Trade, "exit_type", "exit_quantity", "exit_price", "gross_pnl") == [
        ("TP", Decimal("0.5"), Decimal(110), Decimal(5)),
        ("TP", Decimal("0.3"), Decimal(120), Decimal(6)),
        ("SL", Decimal("0.2"), Decimal(95), Decimal(-1)),
    ]


def test_a_role_learnt_later_changes_the_exit_type(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "1", "100"), fill(account, "SELL", "1", "110"))
    OrderFactory.create(account=account, exchange_order_id="2", role="TP1", side="SELL")

    fold(account)

    assert rows(account, Trade, "exit_type") == [("TP",)]


def test_the_positions_of_another_user_are_untouched(account: ExchangeAccount) -> None:
    other = AccountFactory.create()
    fold(other, fill(other, "BUY", "1", "100"))
    before = picture(other)

    fold(account, fill(account, "BUY", "1", "100", exchange_fill_id="1"))

    assert picture(other) == before


def test_eighteen_decimals_survive(account: ExchangeAccount) -> None:
    quantity = Decimal("99999999999999999.000000000000000001")
    fold(account, fill(account, "BUY", str(quantity), "1"))

    assert rows(account, Position, "quantity", "total_cost") == [(quantity, quantity)]
