"""Exports of exchanges we do not speak to, and of Binance's products. Lines of rotki/rotki at ef14aadd
(rotkehlchen/tests/data), of eprbell/dali-rp2 (Apache-2.0) at a17f269c (input), and of an account's Bybit export whose
owner published it."""

from decimal import Decimal

import pytest

from core.money import text
from exchanges.rows import PositionSide, TransferRow
from tests.exchanges.histories.reading import read, reasons, told

COINBASE = "Portfolio,Type,Timestamp,Amount,Balance,Amount/balance unit,Transfer id,Trade id,Order id\n"
BYBIT = (
    "Contracts,Closing Direction,Qty,Entry Price,Exit Price,Closed P&L,Exit Type,Trade Time(UTC+0),Order No.,"
    "Create Time\n"
)
INVEST = "Auto-Invest Date(UTC),Holding Coin,Amount per period,Trading Fee,Units,From,Status\n"


def moved(row: TransferRow) -> tuple[str, str, str]:
    return row.kind.value, f"{text(row.amount)} {row.asset}", text(row.fee_amount)


def test_coinbase_pro_ties_a_trades_lines_by_its_id() -> None:
    history = read(
        COINBASE + "default,deposit,2018-03-15T10:42:31.215Z,2.5,2.5,BTC,a1b2,,\n"
        "default,match,2018-03-15T10:55:12.843Z,52.3,52.3,ETH,,10201,b2c3\n"
        "default,match,2018-03-15T10:55:12.843Z,-1.14732,1.35268,BTC,,10201,b2c3\n"
        "default,fee,2018-03-15T10:55:12.843Z,-0.00344196,1.34923804,BTC,,10201,b2c3\n"
        "default,withdrawal,2018-08-10T18:33:15.078Z,-208.041,0,ETH,e5f6,,\n"
        "default,match,2019-07-01T22:14:18.762Z,0.015,0.015,ETH,,305441,c9d0\n"
    )
    [fill] = history.fills
    assert (*told(fill), fill.order_id) == ("BUY ETHBTC", "52.3", "1.14732", "0.00344196", "BTC", "b2c3")
    assert [moved(row)[:2] for row in history.transfers] == [
        ("DEPOSIT", "2.5 BTC"),
        ("WITHDRAWAL", "208.041 ETH"),
    ]
    assert reasons(history) == [(7, "a trade needs one coin that came and one that went")]


@pytest.mark.parametrize(
    ("line", "kept", "sides", "net"),
    [
        (
            "OPUSDT,Close Long,793.7,0.6299,0.6331,2.01880767,Trade,2025-06-05 10:05:40,9871b976,2025-06-05 10:05:40\n",
            PositionSide.LONG, ["BUY", "SELL"], "2.01880767",
        ),
        (
            "FORMUSDT,Close Short,84,2.9289,2.9268,-0.02609085,Trade,2025-06-03 19:27:11,8e2aeef8,\n",
            PositionSide.SHORT, ["SELL", "BUY"], "-0.02609085",
        ),
    ],
)  # fmt: skip
def test_bybits_closed_result_is_the_net_of_two_inferred_fills(
    line: str, kept: PositionSide, sides: list[str], net: str
) -> None:
    entry, exit_ = read(BYBIT + line).inferred
    assert [entry.side, exit_.side] == sides
    assert entry.contract is not None
    assert exit_.contract is not None
    assert (entry.contract.position_side, exit_.contract.position_side) == (kept, kept)
    assert exit_.contract.realized_pnl is not None
    assert exit_.contract.realized_pnl - exit_.fee_amount - entry.fee_amount == Decimal(net)


def test_bybit_lines_of_anything_else_are_set_aside() -> None:
    line = "BTCUSD,Close Long,1,2,3,1,Trade,2025-06-05 10:05:40,9871b976,2025-06-05 10:05:40\n"
    assert reasons(read(BYBIT + line)) == [
        (2, "'close long' of BTCUSD is no end of a USDT perpetual's long or short")
    ]


def test_bittrex_totals_hold_the_fee() -> None:
    history = read(
        "Name: J\nUserID: j\n\nTXID,Time (UTC),Transaction,Order Type,Market,Base,Quote,Price,Quantity (Base),"
        "Fees (Quote),"
        "Total (Quote),Approx Value (USD),Time In Force,Notes\n"
        "284,2017-12-03T12:04:16,Bought,Limit,SWT/BTC,SWT,BTC,0.000341,731.28354007,0.00062343,0.24999841,,Good,a\n"
        "a3a,2017-08-13T21:32:03,Sold,Limit,EDG/BTC,EDG,BTC,0.00018,857.78221905,0.00038812,0.15486188,,Good,b\n"
    )
    assert [told(fill) for fill in history.fills] == [
        ("BUY SWTBTC", "731.28354007", "0.24937498", "0.00062343", "BTC"),
        ("SELL EDGBTC", "857.78221905", "0.15525", "0.00038812", "BTC"),
    ]


def test_bittrex_withdrawals_are_below_zero() -> None:
    history = read(
        "Date,Currency,Type,Address,Memo/Tag,TxId,Amount\n"
        "2023-03-07 07:51:43.043,ETH,WITHDRAWAL,0x95,,0xec,-0.20084931\n"
        "2021-09-28 22:35:21.970,BCHA,DEPOSIT,,,1A31,+0.00000001\n"
        "2021-09-28 22:35:21.970,BCHA,DEPOSIT,,,1A32,-1\n"
    )
    assert [moved(row)[:2] for row in history.transfers] == [
        ("WITHDRAWAL", "0.20084931 ETH"),
        ("DEPOSIT", "0.00000001 BCHA"),
    ]
    assert reasons(history) == [(4, "Amount -1 has the wrong sign")]


def test_bisq_names_the_coin_that_changes_hands() -> None:
    history = read(
        "Trade ID,Date/Time,Market,Price,Deviation,Amount in BTC,Amount,Currency,Transaction Fee,Trade Fee BTC,"
        "Trade Fee BSQ,Buyer Deposit,Seller Deposit,Offer type,Status\n"
        "a,11 Dec 2020 17:13:40,BTC/EUR,15883.3283,-0.10%,0.05,794,EUR,0.0001,,2.01,1,1,Sell BTC,Completed\n"
        "b,23 Dec 2019 06:33:02,BTC/EUR,6785.6724,2.00%,0.01,1234,EUR,0.0001,0.00109140,,1,1,Buy BTC,Completed\n"
        "c,11 Jun 2019 20:21:44,DASH/BTC,0.01541873,3%,0.30,19.45685539,DASH,0.000228,0.0009,,1,1,Sell DASH,Completed\n"
        "d,11 Jun 2019 23:31:21,BTC/EUR,10020,N/A,,,EUR,0.00003120,0.0001,,1,1,Sell BTC,Canceled\n"
    )
    assert [told(fill) for fill in history.fills] == [
        ("SELL BTCEUR", "0.05", "794", "0.0001", "BTC"),
        ("BUY BTCEUR", "0.01", "1234", "0.0011914", "BTC"),
        ("SELL DASHBTC", "19.45685539", "0.3", "0.001128", "BTC"),
    ]
    assert history.left_out == {"with the status 'Canceled'": 1}


def test_kucoin() -> None:
    history = read(
        "tradeCreatedAt,symbol,side,price,size,funds,fee,feeCurrency\n"
        "2022-04-28 12:36:00,XTZ-USDT,sell,0.1025,36.4479,3.73590975,0.00373590975,USDT\n"
        "2022-04-28 12:36:00,XTZ-USDT,swap,0.1025,36.4479,3.73590975,0.00373590975,USDT\n"
    )
    assert [told(fill) for fill in history.fills] == [
        ("SELL XTZUSDT", "36.4479", "3.73590975", "0.00373590975", "USDT")
    ]
    assert reasons(history) == [(3, "symbol and side name no trade of two coins")]


def test_pionex_takes_the_network_off_a_coins_name() -> None:
    trades = read(
        "Date,Received Quantity,Received Currency,Sent Quantity,Sent Currency,Fee Amount,Fee Currency,Tag\n"
        "2/27/2022 12:11,110,BUSD,0.05,ETH,0.055,BUSD,\n"
    )
    assert [told(fill) for fill in trades.fills] == [("SELL ETHBUSD", "0.05", "110", "0.055", "BUSD")]
    transfers = read(
        "date(UTC+0),tx_type,amount,coin,network,txid,fee\n"
        "2/27/2022 12:02,DEPOSIT,115,BUSDBEP20,BEP20,12345,0\n3/25/2022 11:02,WITHDRAW,100,BUSDBEP20,BEP20,12346,1\n"
    )
    assert [moved(row) for row in transfers.transfers] == [
        ("DEPOSIT", "115 BUSD", "0"),
        ("WITHDRAWAL", "100 BUSD", "1"),
    ]


def test_binances_products_tell_amounts_with_their_coin() -> None:
    history = read(
        INVEST
        + "5/1/2022 14:00,ETH,10.00000000 USDT,0.00250000 USDT,0.01000000 ETH,Flexible Savings,Success\n"
        "5/1/2022 14:00,BTC,20.00000000 USDT,0.00500000 USDT,0.00200000 BTC,Spot Wallet,Failed\n"
        "5/1/2022 14:00,BTC,20.00000000,0.00500000 USDT,0.00200000 BTC,Spot Wallet,Success\n"
    )
    assert [told(fill) for fill in history.fills] == [("BUY ETHUSDT", "0.01", "10", "0.0025", "USDT")]
    assert history.left_out == {"with the status 'Failed'": 1}
    assert reasons(history) == [(4, "Amount per period is no amount with a coin")]
    staked = read("Date(UTC),Coin,Token,Amount,Status\n2021-03-01 12:00:00,ETH,BETH,0.1,Success\n")
    assert [told(fill) for fill in staked.fills] == [("BUY BETHETH", "0.1", "0.1", "0", "ETH")]


def test_a_line_of_coinbase_pro_that_stands_twice_counts_once() -> None:
    lines = (
        "default,match,2018-03-15T10:55:12.843Z,52.3,52.3,ETH,,10201,b2c3\n"
        "default,match,2018-03-15T10:55:12.843Z,-1.14732,1.35268,BTC,,10201,b2c3\n"
    )
    history = read(COINBASE + lines + lines)

    assert [told(fill) for fill in history.fills] == [("BUY ETHBTC", "52.3", "1.14732", "0", "BTC")]
    assert history.remarks == [
        "line 4: says what line 2 says, and is taken once",
        "line 5: says what line 3 says, and is taken once",
    ]


def test_one_number_of_two_trades_at_coinbase_pro_is_of_two_orders() -> None:
    lines = (
        "default,match,2018-03-15T10:55:12.843Z,{0},0,ETH,,7,{1}\n"
        "default,match,2018-03-15T10:55:12.843Z,-1,0,{2},,7,{1}\n"
    )
    history = read(COINBASE + lines.format("52", "a", "BTC") + lines.format("3", "b", "EUR"))

    assert [fill.symbol for fill in history.fills] == ["ETHBTC", "ETHEUR"]
