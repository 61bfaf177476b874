from collections.abc import Sequence

import pytest

from core.money import UNIT
from portfolio.accounting import engine
from portfolio.accounting.events import Event, Fill
from portfolio.accounting.results import AmountOverflow, Collector, storable
from tests.portfolio.accounting.books import booked, fill

LARGEST = 10**38 - 1


def fold_to_store(book: Sequence[Event]) -> Collector:
    rows = Collector()
    engine.fold(engine.new_state(), book, storable(rows.sink))
    return rows


def large(number: int, side: str, *, quantity: int, paid: int) -> Fill:
    return fill(number, side, "1", "1")._replace(quantity=quantity, quote_quantity=paid)


def test_the_largest_amount_there_is_passes() -> None:
    fills = [
        large(1, "BUY", quantity=LARGEST, paid=LARGEST),
        large(2, "SELL", quantity=LARGEST, paid=LARGEST),
    ]
    rows = fold_to_store(booked(fills))
    assert [row.proceeds for row in rows.positions] == [row.proceeds for row in rows.trades] == [LARGEST]
    assert (len(rows.allocations), len(rows.marks)) == (1, 1)


def test_a_sum_beyond_38_digits_names_the_fill_that_opened_the_position() -> None:
    fills = [large(1, "BUY", quantity=UNIT, paid=LARGEST), large(2, "BUY", quantity=UNIT, paid=1)]
    with pytest.raises(AmountOverflow, match="fill 1 of ETHUSDT") as caught:
        fold_to_store(booked(fills))
    assert caught.value.details == {"fill_id": "1", "symbol": "ETHUSDT"}


def test_a_price_beyond_38_digits_names_the_fill_that_began_the_trade() -> None:
    fills = [fill(1, "BUY", "2", "1"), large(2, "SELL", quantity=1, paid=10**21)]
    with pytest.raises(AmountOverflow, match="fill 2 of ETHUSDT"):
        fold_to_store(booked(fills))


def test_a_day_whose_sums_have_more_than_38_digits_is_refused() -> None:
    fills = [
        large(number, side, quantity=UNIT, paid=paid)
        for number, (side, paid) in enumerate([("BUY", 0), ("SELL", LARGEST)] * 2)
    ]
    with pytest.raises(AmountOverflow, match="1970-01-01"):
        fold_to_store(booked(fills))
