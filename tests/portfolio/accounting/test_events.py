import pytest

from core.money import UNIT
from portfolio.accounting import events
from portfolio.accounting.events import InvalidFact, MissingPrice
from tests.portfolio.accounting.books import CASH, booked, fill, shown, units

Seen = tuple[str, str | None, str | None, str | None]


def seen(book: list[events.Event]) -> list[Seen]:
    """Kind, quantity, value and fee of each event."""
    return [
        (
            event.kind.name,
            shown(event.quantity),
            shown(event.value // event.scale),
            shown(event.fee // event.scale),
        )
        for event in book
    ]


def test_a_buy_is_an_entry_at_its_quote_quantity() -> None:
    assert seen(booked([fill(1, "BUY", "2", "10", fee="0.02")])) == [("ENTRY", "2", "20", "0.02")]


def test_a_value_in_the_reporting_currency_is_the_quote_quantity_to_the_last_digit() -> None:
    odd = fill(1, "BUY", "1", "1")._replace(quote_quantity=33_333_333_333_333_333_333)
    [entry] = booked([odd])
    assert (entry.value, entry.scale) == (33_333_333_333_333_333_333, 1)


def test_a_product_with_a_price_keeps_every_digit() -> None:
    odd = fill(1, "BUY", "1", "1", pair="ETH/BTC")._replace(quote_quantity=33_333_333_333_333_333_333)
    [entry] = booked([odd], quote_price="0.1")
    assert (entry.value, entry.scale) == (33_333_333_333_333_333_333 * units("0.1"), UNIT)


def test_a_base_coin_fee_on_a_buy_stands_once_as_a_fee() -> None:
    book = booked([fill(1, "BUY", "2", "10", fee="0.002", fee_in="ETH")])
    assert seen(book) == [("ENTRY", "1.998", "19.98", "0.02")]


def test_a_base_coin_fee_on_a_sell_leaves_the_inventory_too() -> None:
    book = booked([fill(1, "SELL", "2", "10", fee="0.002", fee_in="ETH")])
    assert seen(book) == [("EXIT", "2.002", "20.02", "0.02")]


def test_a_rebate_is_a_negative_fee() -> None:
    in_quote = booked([fill(1, "SELL", "2", "10", fee="-0.01")])
    in_base = booked([fill(1, "BUY", "2", "10", fee="-0.002", fee_in="ETH")])
    assert seen(in_quote) == [("EXIT", "2", "20", "-0.01")]
    assert seen(in_base) == [("ENTRY", "2.002", "20.02", "-0.02")]


def test_a_fee_in_a_third_coin_is_valued_and_leaves_that_coins_book() -> None:
    paid_in_bnb = [fill(1, "BUY", "2", "10", fee="0.001", fee_in="BNB")]
    assert seen(booked(paid_in_bnb, fee_price="300")) == [("ENTRY", "2", "20", "0.3")]
    assert seen(booked(paid_in_bnb, asset="BNB", fee_price="300")) == [("FEE", "0.001", "0.3", "0")]


def test_a_rebate_in_a_third_coin_enters_that_coins_book() -> None:
    paid_in_bnb = [fill(1, "BUY", "2", "10", fee="-0.001", fee_in="BNB")]
    assert seen(booked(paid_in_bnb, asset="BNB", fee_price="300")) == [("REBATE", "0.001", "0.3", "0")]


def test_a_fee_in_a_third_coin_needs_its_price() -> None:
    with pytest.raises(MissingPrice):
        booked([fill(1, "BUY", "2", "10", fee="0.001", fee_in="BNB")])


def test_paying_with_a_coin_is_an_exit_of_that_coin_without_fee() -> None:
    bought = [fill(1, "BUY", "100", "0.00001", pair="ADA/BTC", fee="0.1", fee_in="ADA")]
    assert seen(booked(bought, asset="ADA", quote_price="50000")) == [("ENTRY", "99.9", "49.95", "0.05")]
    assert seen(booked(bought, asset="BTC", quote_price="50000")) == [("EXIT", "0.001", "50", "0")]


def test_selling_for_a_coin_is_an_entry_of_that_coin_and_its_fee_an_exit() -> None:
    sold = [fill(1, "SELL", "2", "0.05", pair="ETH/BTC", fee="0.0001", fee_in="BTC")]
    assert seen(booked(sold, quote_price="50000")) == [("EXIT", "2", "5000", "5")]
    expected = [("ENTRY", "0.1", "5000", "0"), ("FEE", "0.0001", "5", "0")]
    assert seen(booked(sold, asset="BTC", quote_price="50000")) == expected


def test_where_the_base_is_cash_the_quotes_book_bears_the_fee() -> None:
    sold_euros = [fill(1, "SELL", "1000", "0.00002", pair="EUR/BTC", fee="0.00002", fee_in="BTC")]
    assert seen(booked(sold_euros, asset="BTC", quote_price="50000")) == [("ENTRY", "0.01998", "999", "1")]


def test_cash_has_no_book() -> None:
    bought = fill(1, "BUY", "2", "10", fee="0.001", fee_in="BNB")
    assert events.touched_assets(bought, cash=CASH) == ["ETH", "BNB"]
    assert booked([bought], asset="USDT", fee_price="300") == []


def test_an_order_without_an_id_is_not_another_orders_trade() -> None:
    bare = [fill(n, "SELL", "1", "1")._replace(order_id="") for n in (1, 2)]
    assert [event.order_id for event in booked(bare)] == ["1", "2"]


@pytest.mark.parametrize(("quantity", "fee"), [("0", "0"), ("1", "1"), ("1", "2")])
def test_a_fill_that_brings_nothing_is_refused(quantity: str, fee: str) -> None:
    with pytest.raises(InvalidFact):
        booked([fill(1, "BUY", quantity, "10", fee=fee, fee_in="ETH")])


def test_a_transfer_without_quantity_is_refused() -> None:
    for transfer in (events.deposit, events.withdrawal):
        with pytest.raises(InvalidFact):
            transfer(transfer_id="t", time_ms=1, quantity=0)


def test_fold_order_is_time_then_age_of_the_id_then_symbol() -> None:
    late = fill(9, "BUY", "1", "1", minute=1)
    later = fill(10, "BUY", "1", "1", minute=1)
    elsewhere = fill(9, "BUY", "1", "1", minute=1, pair="ETH/EUR")
    ordered = sorted(booked([later, late, elsewhere]), key=events.fold_key)
    assert [(event.symbol, event.event_id) for event in ordered] == [
        ("ETHEUR", "9"), ("ETHUSDT", "9"), ("ETHUSDT", "10"),
    ]  # fmt: skip


def test_the_price_of_a_base_coin_fee_is_the_fills_own_in_reporting_currency() -> None:
    bought = [fill(1, "BUY", "2", "0.05", pair="ETH/BTC", fee="0.01", fee_in="ETH")]
    [entry] = booked(bought, quote_price="50000.5")
    assert shown(entry.fee) == "25.00025"
