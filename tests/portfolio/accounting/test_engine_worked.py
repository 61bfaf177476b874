"""Worked cases of other programs, where their conventions are ours too. Numbers only; the source stands at each.

Fees at a rate are paid in the quote coin on both legs, so `net` is their profit including fees.
"""

from decimal import Decimal

import pytest

from portfolio.accounting.events import Fill
from portfolio.accounting.results import PositionStatus
from tests.portfolio.accounting.books import booked, fill, fold, gross, net, only, shown

Leg = tuple[str, str, str]


def fills_of(legs: list[Leg], rate: str = "0", pair: str = "ETH/USDT") -> list[Fill]:
    return [
        fill(
            number,
            side,
            quantity,
            price,
            fee=str(Decimal(quantity) * Decimal(price) * Decimal(rate)),
            pair=pair,
        )
        for number, (side, quantity, price) in enumerate(legs, 1)
    ]


# freqtrade tests/persistence/test_persistence.py test_recalc_trade_from_orders_dca, cases 0, 2 and 3.
@pytest.mark.parametrize(
    ("rate", "legs", "expected"),
    [
        (
            "0",
            [
                ("BUY", "100", "10"), ("BUY", "100", "15"),
                ("SELL", "50", "12"), ("SELL", "100", "20"), ("SELL", "50", "5"),
            ],
            ["-25", "750", "-375"],
        ),
        (
            "0.0025",
            [
                ("BUY", "100", "3"), ("BUY", "100", "7"), ("SELL", "100", "11"),
                ("BUY", "150", "15"), ("SELL", "100", "19"), ("SELL", "150", "23"),
            ],
            ["596", "792.5", "1787.25"],
        ),
        (
            "0",
            [
                ("BUY", "100", "3"), ("BUY", "100", "7"), ("SELL", "100", "11"),
                ("BUY", "150", "15"), ("SELL", "100", "19"), ("SELL", "150", "23"),
            ],
            ["600", "800", "1800"],
        ),
    ],
)  # fmt: skip
def test_averaging_into_a_position(rate: str, legs: list[Leg], expected: list[str]) -> None:
    assert net(fold(booked(fills_of(legs, rate))).trades) == expected


# freqtrade test_persistence.py test_calc_profit, rows 0 and 12, 8 and 20 (margin, nothing borrowed); jesse
# estimate_PNL, rows 3 and 4.
@pytest.mark.parametrize(
    ("quantity", "entry", "exit_", "rate", "profit"),
    [
        ("30", "2", "2.1", "0.0025", "2.6925"),
        ("30", "2", "2.2", "0.0025", "5.685"),
        ("2", "60", "50", "0", "-20"),
        ("1", "10", "20", "0.002", "9.94"),
    ],
)
def test_one_round_trip(quantity: str, entry: str, exit_: str, rate: str, profit: str) -> None:
    legs = [("BUY", quantity, entry), ("SELL", quantity, exit_)]
    assert net(fold(booked(fills_of(legs, rate))).trades) == [profit]


# freqtrade test_calc_profit, row 25: another rate on the exit; its -3.3209999 is cut short.
def test_a_dearer_exit() -> None:
    legs = [fill(1, "BUY", "30", "2", fee="0.15"), fill(2, "SELL", "30", "1.9", fee="0.171")]
    assert net(fold(booked(legs)).trades) == ["-3.321"]


# jesse tests/test_position.py test_increase_a_long_position.
def test_a_position_grows_to_an_average_entry() -> None:
    position = only(fold(booked(fills_of([("BUY", "2", "50"), ("BUY", "2", "100")]))).positions)
    assert [shown(position.open_quantity), shown(position.entry_price)] == ["4", "75"]


# jesse ClosedTrade: quantity 20, average entry 150, average exit 350.
def test_prices_of_a_position_are_averages_of_its_fills() -> None:
    legs = [("BUY", "10", "100"), ("BUY", "10", "200"), ("SELL", "10", "300"), ("SELL", "10", "400")]
    position = only(fold(booked(fills_of(legs))).positions)
    seen = [shown(n) for n in (position.entry_quantity, position.entry_price, position.exit_price)]
    assert seen == ["20", "150", "350"]


# freqtrade, KuCoin FLOKI: 8e-9 coins stay behind and the position is closed; their profit 3.90069871 (float).
def test_a_residue_below_the_step_does_not_keep_a_position_open() -> None:
    legs = [
        ("BUY", "11511963.8634448908", "0.000029901"),
        ("BUY", "11750101.7743937783", "0.000029295"),
        ("SELL", "23262065.6378386617", "0.000029822"),
    ]
    rows = fold(booked(fills_of(legs, "0.001", "FLOKI/USDT"), asset="FLOKI"), step="0.0001")
    position = only(rows.positions)
    assert (position.status, shown(position.dust_out_quantity)) == (PositionStatus.CLOSED, "0.0000000074")
    assert abs(Decimal(shown(position.realised_net) or "") - Decimal("3.90069871")) < Decimal("0.00001")


# rotki test_cost_basis.py, average cost basis in eleven steps. Two sales there exceed what is held (by 0.1 and 0.5)
# and count that part's whole price as profit; here it stands apart: -2.5 + 0.5 = -2, and 0 + 2.5 = 2.5.
def test_average_cost_over_eleven_steps() -> None:
    legs = [
        ("BUY", "2", "10"), ("SELL", "1", "15"), ("BUY", "1", "30"), ("SELL", "1.5", "10"), ("BUY", "3", "20"),
        ("SELL", "2", "30"), ("SELL", "1.5", "10"), ("BUY", "1", "10"), ("SELL", "0.5", "5"), ("SELL", "0.6", "5"),
        ("SELL", "0.5", "5"),
    ]  # fmt: skip
    trades = fold(booked(fills_of(legs))).trades
    assert gross(trades) == ["5", "-15", "20", "-15", "-2.5", "-2.5", "0"]
    assert [shown(trade.unknown_proceeds) for trade in trades[-2:]] == ["0.5", "2.5"]


# rotki test_cost_basis.py: 8 of 23 bitcoin, oldest first; two sells of one lot; a sell of more than was bought.
@pytest.mark.parametrize(
    ("legs", "costs", "missing"),
    [
        (
            [("BUY", "5", "268.1"), ("BUY", "15", "612.45"), ("BUY", "3", "603.415"), ("SELL", "8", "700")],
            ["1340.5", "1837.35"],
            "0",
        ),
        ([("BUY", "5", "268.1"), ("SELL", "3", "300"), ("SELL", "2", "300")], ["804.3", "536.2"], "0"),
        (
            [("BUY", "1", "268.1"), ("BUY", "1", "612.45"), ("SELL", "3", "700")],
            ["268.1", "612.45", "0"],
            "1",
        ),
    ],
)
def test_oldest_lots_first(legs: list[Leg], costs: list[str], missing: str) -> None:
    rows = fold(booked(fills_of(legs)), method="fifo")
    assert [shown(part.cost) for part in rows.allocations] == costs
    assert shown(rows.trades[-1].unknown_quantity) == missing


# rotki test_cost_basis.py test_accounting_hifo_order: two of the last are sold while one is held.
def test_costliest_lots_first() -> None:
    legs = [
        ("BUY", "2", "3"), ("BUY", "5", "1"), ("SELL", "1", "1"), ("BUY", "1", "2"), ("SELL", "6", "1"),
        ("BUY", "1", "1"), ("SELL", "2", "1"), ("BUY", "1", "1"), ("SELL", "2", "1"),
    ]  # fmt: skip
    rows = fold(booked(fills_of(legs)), method="hifo")
    taken = [(part.exit_fill_id, part.entry_fill_id, shown(part.quantity)) for part in rows.allocations]
    assert taken == [
        ("3", "1", "1"), ("5", "1", "1"), ("5", "4", "1"), ("5", "2", "4"), ("7", "2", "1"), ("7", "6", "1"),
        ("9", "8", "1"), ("9", None, "1"),
    ]  # fmt: skip


# rotki test_basic.py test_buy_event_creation, the buy whose fee is money: its cost holds the fee, 578.50524 each.
def test_cost_and_fee_of_a_buy() -> None:
    bought = fill(1, "BUY", "5", "578.505", fee="0.0012", fee_in="EUR", pair="BTC/EUR")
    position = only(fold(booked([bought], asset="BTC")).positions)
    assert shown(position.open_cost + position.entry_fees) == str(Decimal("578.50524") * 5).rstrip("0")


# rotki test_basic.py test_no_corresponding_buy_for_sell: all of it is profit there; here the same money stands apart.
def test_what_was_never_bought() -> None:
    sold = fill(1, "SELL", "1", "2519.62", fee="0.02", fee_in="EUR", pair="BTC/EUR")
    trade = only(fold(booked([sold], asset="BTC"), method="fifo").trades)
    assert [shown(n) for n in (trade.unknown_proceeds, trade.gross, trade.exit_fees)] == [
        "2519.62",
        "0",
        "0.02",
    ]


# rotki test_cost_basis.py test_fees (their issue 5561): fees apart from cost, four fees of 10.
def test_fees_stand_apart_from_cost() -> None:
    fills = [
        fill(1, "BUY", "100", "50", fee="10"), fill(2, "SELL", "50", "120", fee="10"),
        fill(3, "BUY", "50", "130", fee="10"), fill(4, "SELL", "40", "90", fee="10"),
    ]  # fmt: skip
    rows = fold(booked(fills), method="fifo")
    position = only(rows.positions)
    assert gross(rows.trades) == ["3500", "1600"]
    assert shown(position.entry_fees + position.exit_fees) == "40"


# rotki test_basic.py test_selling_crypto_bought_with_crypto, fees apart: 0.3853125 BTC leave at 386.175 for 375 XMR,
# of which 45 are sold; both gains together 74.4107983124540625.
def test_buying_a_coin_with_another_realises_the_others_gain() -> None:
    bought = fill(1, "BUY", "82", "1", pair="BTC/EUR")._replace(quote_quantity=22031_622064438 * 10**9)
    paid = fill(2, "BUY", "375", "0.0010275", pair="XMR/BTC", fee="0.9375", fee_in="XMR")
    sold = fill(3, "SELL", "45", "1.0443027675", pair="XMR/EUR")
    btc = booked([bought], asset="BTC") + booked([paid], asset="BTC", quote_price="386.175")
    xmr = booked([paid], asset="XMR", quote_price="386.175") + booked([sold], asset="XMR")
    [disposal], [sale] = (fold(book, method="fifo").trades for book in (btc, xmr))
    assert (shown(disposal.quantity), shown(disposal.exit_price)) == ("0.3853125", "386.175")
    assert shown(disposal.gross + sale.gross) == "74.4107983124540625"


# rotki test_basic.py test_simple_accounting (history1), FIFO: a swap gives up its spent coin at that coin's price and
# gets the other; the fees, in what came, make lots dearer that nobody sells. Both gains: 559.7007917527833875.
def test_swaps_realise_the_gain_of_what_was_spent() -> None:
    coins = fill(1, "BUY", "82", "1", pair="BTC/EUR")._replace(quote_quantity=22031_622064438 * 10**9)
    ether = fill(2, "BUY", "1450", "1", pair="ETH/EUR")._replace(quote_quantity=335_8044850 * 10**11)
    first = fill(3, "BUY", "50", "0.01858275", pair="ETH/BTC", fee="0.06999999999999999", fee_in="ETH")
    second = fill(4, "BUY", "0.5524745", "1", pair="BTC/ETH", fee="0.00082871175", fee_in="BTC")._replace(
        quote_quantity=25 * 10**18
    )
    btc = booked([coins], asset="BTC") + booked([first], asset="BTC", quote_price="556.435")
    eth = booked([ether]) + booked([first], quote_price="556.435") + booked([second], quote_price="11.925")
    gains = [trade.gross for book in (btc, eth) for trade in fold(book, method="fifo").trades]
    assert shown(sum(gains)) == "559.7007917527833875"
