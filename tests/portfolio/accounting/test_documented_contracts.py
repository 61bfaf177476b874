"""The worked examples of contracts in docs/accounting.md, number by number."""

from portfolio.accounting.contracts import BookSide, ContractStatus
from tests.portfolio.accounting.books import shown
from tests.portfolio.accounting.contracts import column, fill, fold, funding


def test_a_long_and_a_short() -> None:
    rows = fold(
        [
            fill(1, "BUY", "2", "100", fee="0.1"),
            fill(2, "SELL", "2", "110", fee="0.11"),
            fill(3, "SELL", "2", "110", fee="0.11"),
            fill(4, "BUY", "2", "90", fee="0.09"),
        ]
    )

    assert column(rows.trades, "gross") == ["20", "40"]
    assert column(rows.trades, "net") == ["19.79", "39.8"]


def test_a_flip() -> None:
    rows = fold(
        [
            fill(1, "BUY", "1", "100"),
            fill(2, "SELL", "3", "110", fee="0.3"),
            fill(3, "BUY", "2", "100"),
        ]
    )

    assert [row.side for row in rows.trades] == [BookSide.LONG, BookSide.SHORT]
    assert column(rows.trades, "gross") == ["10", "20"]
    assert column(rows.trades, "exit_fees") == ["0.1", "0"]
    assert column(rows.trades, "entry_fees") == ["0", "0.2"]


def test_hedge_mode() -> None:
    longs = fold([fill(1, "BUY", "1", "100"), fill(3, "SELL", "1", "110")], side="LONG")
    shorts = fold([fill(2, "SELL", "2", "100"), fill(4, "BUY", "2", "110")], side="SHORT")

    assert column(longs.trades, "gross") + column(shorts.trades, "gross") == ["10", "-20"]


def test_an_inverse_contract() -> None:
    fills = [
        fill(1, "BUY", "10000", "50000", inverse=True, settle_price="50000"),
        fill(2, "SELL", "10000", "62500", inverse=True, settle_price="62500"),
    ]

    [trade] = fold(fills, inverse=True).trades
    assert (shown(trade.settled_gross), shown(trade.gross)) == ("0.04", "2500")


def test_funding() -> None:
    rows = fold(
        [
            fill(1, "BUY", "3", "100"),
            funding(2, "-0.9"),
            fill(3, "SELL", "1", "110"),
            funding(4, "-0.2"),
            fill(5, "SELL", "2", "120"),
        ]
    )

    assert column(rows.trades, "funding") == ["-0.3", "-0.8"]
    assert column(rows.trades, "net") == ["9.7", "39.2"]


def test_a_liquidation() -> None:
    rows = fold([fill(1, "BUY", "1", "100"), fill(2, "SELL", "1", "91", fee="0.5", liquidation=True)])

    assert rows.positions[0].status is ContractStatus.LIQUIDATED
    assert column(rows.trades, "net") + column(rows.trades, "pnl_percent") == ["-9.5", "-9.5"]


def test_a_fee_in_bnb() -> None:
    rows = fold([fill(1, "BUY", "1", "100", fee="0.001", fee_price="600"), fill(2, "SELL", "1", "110")])

    assert column(rows.trades, "entry_fees") == ["0.6"]
