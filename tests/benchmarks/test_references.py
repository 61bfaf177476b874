from decimal import Decimal

from benchmarks.engine import SHAPES, book_events, make_fills
from benchmarks.references import decimal_fifo_with_fees
from core.money import ZERO, from_units
from portfolio.accounting.results import Trade
from tests.portfolio.accounting.books import fold


def test_the_full_loop_shares_fees_by_quantity() -> None:
    one = Decimal(1)
    buy, more = ("a", True, one, Decimal(100), Decimal("0.2")), ("b", True, one, Decimal(200), Decimal("0.4"))
    sale = ("c", False, Decimal("1.5"), Decimal(300), Decimal("0.9"))

    realised, parts = decimal_fifo_with_fees([buy, more, sale])

    assert realised == [Decimal("248.7")]
    assert parts == [
        ("a", "c", one, Decimal(100), Decimal(300), Decimal("0.8")),
        ("b", "c", Decimal("0.5"), Decimal(100), Decimal(150), Decimal("0.5")),
    ]


def test_the_full_loop_and_the_engine_agree_but_for_the_loops_rounding() -> None:
    fills = list(make_fills(400, 3, SHAPES[1]))
    plain = [
        (f.fill_id, f.side == "BUY", from_units(f.quantity), from_units(f.price), from_units(f.fee_amount))
        for f in fills
    ]

    realised, _ = decimal_fifo_with_fees(plain)

    trades: list[Trade] = fold(list(book_events(fills)), method="fifo").trades
    difference = sum(realised, ZERO) - sum((from_units(trade.net) for trade in trades), ZERO)
    assert abs(difference) < Decimal("1e-12")
