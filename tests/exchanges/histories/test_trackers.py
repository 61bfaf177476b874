"""Files of programs that keep the trades of many places. Lines of rotki/rotki at ef14aadd, rotkehlchen/tests/data, and
of BittyTax/BittyTax at 287c4b43, data/example.csv."""

import pytest

from core.errors import Invalid
from core.money import text
from exchanges.rows import TransferRow
from tests.exchanges.histories.reading import read, reasons, told

BITTYTAX = (
    "Type,Buy Quantity,Buy Asset,Buy Value in GBP,Sell Quantity,Sell Asset,Sell Value in GBP,Fee Quantity,Fee Asset,"
    "Fee Value in GBP,Wallet,Timestamp,Note\n"
)
TRACKED = (
    '"Type","Buy","Cur.","Sell","Cur.","Fee","Cur.","Exchange","Group","Comment","Date"\n'
    '"Trade","0.05772716","ETH","10.99000000","EUR","0.02","EUR","Coinbase","","","24.08.2019 23:01:59"\n'
    '"Trade","0.00000000","BTC","10.99000000","ADS","0.02","EUR","Coinbase","","","24.08.2019 23:01:59"\n'
    '"Staking","1.00000000","AXS","","","","","Binance","","","05.01.2022 12:38:00"\n'
    '"Withdrawal","-","","0.05770427","ETH","0.0001","ETH","Coinbase","","","25.08.2019 09:42:35"\n'
    '"Staking","1.00000000","AXS","","","","","Binance","","","05.01.2022 12:38:00"\n'
)
BLOCKPIT = (
    "Blockpit ID;Timestamp;Source Type;Source Name;Integration;Transaction Type;Outgoing Asset;Outgoing Amount;"
    "Incoming Asset;Incoming Amount;Fee Asset;Fee Amount;Transaction ID;Note;Merge ID\n"
)


def moved(row: TransferRow) -> tuple[str, str, str]:
    return row.kind.value, f"{text(row.amount)} {row.asset}", text(row.fee_amount)


def test_the_place_must_be_chosen_where_a_file_tells_of_several() -> None:
    with pytest.raises(Invalid, match=r"choose one by --place: Binance \(2\), Coinbase \(3\)"):
        read(TRACKED)


def test_cointracking_amounts_hold_their_fee() -> None:
    history = read(TRACKED, place="coinbase")
    assert [told(fill) for fill in history.fills] == [("BUY ETHEUR", "0.05772716", "10.97", "0.02", "EUR")]
    assert [moved(row) for row in history.transfers] == [("WITHDRAWAL", "0.05760427 ETH", "0.0001")]
    assert reasons(history) == [(3, "a trade needs two coins and an amount of each")]
    assert history.left_out == {"lines of Binance": 2}


def test_a_line_that_stands_twice_is_taken_once() -> None:
    history = read(TRACKED, place="Binance")
    assert [moved(row) for row in history.transfers] == [("INTEREST", "1 AXS", "0")]
    assert history.remarks == ["line 6: says what line 4 says, and is taken once"]


def test_blockpit_fees_in_another_coin_are_charges() -> None:
    history = read(
        BLOCKPIT + "1;06.01.2023 20:08;Chain;Polygon;P;Gift;META;10;;;MATIC;0.001537148341223424;0x0;;\n"
        "2;08.01.2023 12:44;API;Polygon;P;Trade;EUR;168.69217;MATIC;223.7;MATIC;0.2237;;spot;\n"
        "3;08.01.2023 12:44;API;Polygon;P;Dream;EUR;168.69217;;;;;;;\n"
    )
    assert [moved(row) for row in history.transfers] == [
        ("WITHDRAWAL", "10 META", "0"),
        ("CHARGE", "0.001537148341223424 MATIC", "0"),
    ]
    assert [told(fill) for fill in history.fills] == [
        ("BUY MATICEUR", "223.7", "168.69217", "0.2237", "MATIC")
    ]
    assert reasons(history) == [(4, "Transaction Type 'Dream' is not known")]


def test_bittytax_fees_leave_what_was_bought() -> None:
    history = read(
        BITTYTAX + "Trade,77.41195874,ETH,,0.48789661,BTC,,0.15482391,ETH,,Poloniex,2016-01-27 22:04:21,\n"
        "Deposit,6,BTC,,,,,,,,Poloniex,2016-01-27 21:15:41,to Desktop wallet\n"
        "Withdrawal,,,,4.40027953,BTC,,0.0001,BTC,,Poloniex,2014-07-24 21:01:00,to Desktop wallet\n"
        "Deposit,6,BTC,,1,ETH,,,,,Poloniex,2016-01-27 21:15:41,\n"
    )
    assert [told(fill) for fill in history.fills] == [
        ("BUY ETHBTC", "77.41195874", "0.48789661", "0.15482391", "ETH")
    ]
    assert [moved(row) for row in history.transfers] == [
        ("DEPOSIT", "6 BTC", "0"),
        ("WITHDRAWAL", "4.40027953 BTC", "0.0001"),
    ]
    assert reasons(history) == [(5, "something must come, and nothing else")]


def test_bitcointax_prices_are_without_the_fee() -> None:
    head = "Date,Action,Symbol,Account,Volume,Price,Currency,Fee,FeeCurrency,Total,Cost/Proceeds,ExchangeId,Category\n"
    history = read(
        head
        + "2018-06-03 21:16:15 +0000,BUY,BCH,CB,0.99735527,1007.65,EUR,3.01495511,EUR,-1007.999993,1008,256343,\n"
        "2018-11-29 22:00:00 +0000,SWAP,BTC,CB,1.5,1,BCH,0,,1.5,1.5,,\n"
    )
    assert [told(fill) for fill in history.fills] == [
        ("BUY BCHEUR", "0.99735527", "1004.9850378155", "3.01495511", "EUR")
    ]
    assert reasons(history) == [(3, "Action 'SWAP' is not known")]


def test_a_coin_named_by_its_address_is_none_that_we_know() -> None:
    history = read(
        "Location,Spend Currency,Receive Currency,Receive Amount,Spend Amount,Fee,Fee Currency,Description,"
        "Timestamp\n"
        "kraken,LTC,BTC,4.3241,392.8870,,,Trade LTC for BTC,1659171600000\n"
        "kraken,eip155:1/erc20:0xA0b8,ETH,1.0000,1875.64,,,Trade USDC for ETH,1659085200000\n"
    )
    assert [told(fill) for fill in history.fills] == [("SELL LTCBTC", "392.887", "4.3241", "0", "BTC")]
    assert reasons(history) == [(3, "Spend Currency 'EIP155:1/ERC20:0XA0B8' is no ticker")]


def test_lines_that_differ_in_what_is_not_read_are_facts_of_their_own() -> None:
    """One transaction that paid twice, two equal deposits of a minute with a comment each."""
    pionex = read(
        "date(UTC+0),tx_type,amount,coin,network,txid,fee\n"
        "2/27/2022 12:02,DEPOSIT,115,BUSD,BEP20,12345,0\n2/27/2022 12:02,DEPOSIT,5,BUSD,BEP20,12345,0\n"
    )
    line = '"Deposit","1","ETH","-","","","","Wallet","","{}","20.09.2019 02:01:10"\n'
    head = '"Type","Buy","Cur.","Sell","Cur.","Fee","Cur.","Exchange","Group","Comment","Date"\n'
    cointracking = read(head + line.format("one") + line.format("two"))

    for history in (pionex, cointracking):
        names = [row.transfer_id for row in history.transfers]
        assert (len(names), len(set(names))) == (2, 2)
