"""Binance's transaction history. Lines of s-leroux/wallet-valuator (MIT) at a7954987, fixtures/Binance, an anonymised
export whose times do not fit its trades, and of rotki/rotki at ef14aadd, rotkehlchen/tests/data/binance_history.csv."""

import random
from datetime import UTC, datetime
from decimal import Decimal

from core.money import text
from exchanges.histories.history import History
from exchanges.rows import TransferKind, TransferRow
from tests.exchanges.histories.reading import read, reasons, told

NEW = "User ID,Time,Account,Operation,Coin,Change,Remark\n"
OLD = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"


def lines(*rows: str, head: str = NEW) -> str:
    return head + "".join(f"1,{row}\n" for row in rows)


def moved(row: TransferRow) -> tuple[str, str, str, str]:
    return row.kind.value, f"{text(row.amount)} {row.asset}", row.from_wallet, row.to_wallet


def ids(history: History) -> set[str]:
    facts = [*history.fills, *history.conversions, *history.transfers]
    return {str(getattr(fact, "fill_id", None) or getattr(fact, "transfer_id", fact)) for fact in facts}


def test_a_trades_lines_of_one_second_are_a_fill() -> None:
    history = read(
        lines(
            "2020-11-12 08:21:54,Spot,Sell,IOTA,-67.5,", "2020-11-12 08:21:54,Spot,Fee,BNB,-0.0001057,",
            "2020-11-12 08:21:54,Spot,Sell,BTC,0.001366875,", head=OLD,
        )
    )  # fmt: skip
    [fill] = history.fills
    assert told(fill) == ("SELL IOTABTC", "67.5", "0.001366875", "0.0001057", "BNB")
    assert (fill.price, fill.executed_at) == (
        Decimal("0.00002025"),
        datetime(2020, 11, 12, 8, 21, 54, tzinfo=UTC),
    )


def test_every_coin_that_paid_a_fee_has_its_part() -> None:
    history = read(
        lines(
            "2020-11-03 21:12:59,Spot,Buy,EUR,-333.209174,", "2020-11-03 21:12:59,Spot,Fee,BNB,-9.009E-05,",
            "2020-11-03 21:12:59,Spot,Buy,ETH,0.0148,", "2020-11-03 21:12:59,Spot,Fee,ETH,-8.345E-05,",
            "2020-11-03 21:12:59,Spot,Buy,EUR,-59.089888,",
            "2020-11-03 21:12:59,Spot,Buy,ETH,0.08345,", head=OLD,
        )
    )  # fmt: skip
    half = ("BUY ETHEUR", "0.049125", "196.149531")
    assert [told(fill) for fill in history.fills] == [
        (*half, "0.00009009", "BNB"),
        (*half, "0.00008345", "ETH"),
    ]


# In the export each sale has its revenue; the times of the first were moved to before it.
SHIFTED = (
    "23-12-24 04:20:07,Spot,Transaction Sold,SOL,-0.17,", "23-12-24 07:41:15,Spot,Transaction Sold,SOL,-0.5,",
    "23-12-24 07:41:15,Spot,Transaction Sold,SOL,-0.08,",
    "23-12-24 07:41:15,Spot,Transaction Revenue,USDT,54.915,",
    "23-12-24 07:41:15,Spot,Transaction Revenue,USDT,8.7864,",
    "23-12-24 07:41:15,Spot,Transaction Revenue,USDT,18.6711,",
)  # fmt: skip


def test_two_seconds_that_complete_each_other_are_one() -> None:
    history = read(lines(*SHIFTED))
    [fill] = history.fills
    assert told(fill) == ("SELL SOLUSDT", "0.75", "82.3725", "0", "USDT")
    assert history.remarks == [
        "lines 2, 3, 4, 5, 6, 7: taken as one sale, though its sides stand 3:21:08 apart"
    ]


def test_a_purchase_and_a_sale_of_one_second_are_two() -> None:
    history = read(
        lines(
            "23-12-23 20:17:16,Spot,Transaction Spend,USDT,-4.8726,",
            "23-12-23 20:17:16,Spot,Transaction Buy,BNB,0.018,",
            "23-12-23 20:17:16,Spot,Transaction Sold,SOL,-0.8,",
            "23-12-23 20:35:46,Spot,Transaction Revenue,USDT,79.6,",
            "23-12-23 20:35:46,Spot,Transaction Fee,BNB,-0.00022053,",
        )
    )  # fmt: skip
    assert [told(fill) for fill in history.fills] == [
        ("BUY BNBUSDT", "0.018", "4.8726", "0", "USDT"),
        ("SELL SOLUSDT", "0.8", "79.6", "0.00022053", "BNB"),
    ]


def test_halves_and_what_nobody_can_tell_are_set_aside() -> None:
    history = read(
        lines(
            "2025-10-29 18:36:00,Spot,Transaction Spend,EUR,-6.64663860,",
            "2025-10-29 18:36:00,Spot,Transaction Buy,ETH,0.0015,",
            "2025-10-29 18:36:00,Spot,Transaction Buy,BTC,0.00007,",
            "25-03-04 03:48:10,Spot,Binance Convert,USDC,0.41200646,",
            "2020-12-01 20:06:45,Spot,ABC,ETH,-15,",
            ",Spot,Withdraw,BTC,0.05,",
            "2020-10-28 22:21:44,Spot,Deposit,,,",
            "23-12-23 04:20:58,Spot,Transaction Fee,BNB,-0.0000135,", "24-12-02 16:17:20,Spot,Deposit,EUR,10,",
        )
    )  # fmt: skip
    several = "several pairs in one second: what was paid for which is not told"
    assert sorted(reasons(history)) == [
        (2, several), (3, several), (4, several), (5, "came, and nothing was spent in that second"),
        (6, "operation 'ABC' is not known"), (7, "Time is empty"), (8, "Change is empty"),
        (9, "a fee without its trade"),
    ]  # fmt: skip
    assert [moved(row) for row in history.transfers] == [("DEPOSIT", "10 EUR", "", "")]


def test_conversions_know_their_sides_by_their_sign() -> None:
    history = read(
        lines(
            "24-09-05 10:16:46,Spot,Asset Recovery,MATIC,-730.23188816,",
            "24-09-11 16:29:34,Spot,Token Swap - Distribution,POL,730.23188816,",
            "2020-10-30 15:09:05,Spot,ETH 2.0 Staking,BETH,0.036,",
            "2020-10-30 15:09:05,Spot,ETH 2.0 Staking,ETH,-0.036,",
            "2020-11-20 20:22:20,Spot,Small assets exchange BNB,SOL,-0.002055565,",
            "2020-11-20 20:22:20,Spot,Small assets exchange BNB,SOL,-0.00014477,",
            "2020-11-20 20:22:20,Spot,Small assets exchange BNB,BNB,0.00072724,",
        )
    )  # fmt: skip
    found = {
        (row.from_asset, text(row.from_amount), row.to_asset, text(row.to_amount))
        for row in history.conversions
    }
    assert found == {
        ("MATIC", "730.23188816", "POL", "730.23188816"), ("ETH", "0.036", "BETH", "0.036"),
        ("SOL", "0.002200335", "BNB", "0.00072724"),
    }  # fmt: skip


def test_what_came_and_went() -> None:
    history = read(
        lines(
            "23-12-22 18:26:26,Spot,Buy Crypto With Fiat,USDT,325.94914962,RefWallet",
            "24-01-11 18:08:26,Funding,Crypto Box,USDT,0.03,Binance Pay",
            "24-01-18 03:34:01,Spot,Simple Earn Flexible Interest,BTC,0.00000005,Binance Earn",
            "23-12-22 18:41:50,Spot,Cashback Voucher,USDT,0.15952744,",
            "25-10-05 09:45:05,Spot,BNB Fee Deduction,BNB,-0.00127163,",
            "24-03-24 01:56:42,Spot,Withdraw,BNB,-0.002,Withdraw fee is included",
        )
    )  # fmt: skip
    assert [moved(row)[:2] for row in history.transfers] == [
        ("DEPOSIT", "325.94914962 USDT"), ("AIRDROP", "0.03 USDT"), ("INTEREST", "0.00000005 BTC"),
        ("REBATE", "0.15952744 USDT"), ("CHARGE", "0.00127163 BNB"), ("WITHDRAWAL", "0.002 BNB"),
    ]  # fmt: skip


def test_a_move_is_told_once_by_both_its_wallets() -> None:
    history = read(
        lines(
            "24-03-18 12:19:10,Spot,Transfer Between Spot and Strategy Account,USDT,-100,",
            "24-03-18 12:19:11,Strategy,Transfer Between Spot and Strategy Account,USDT,100,",
            "24-04-13 03:43:55,Strategy,Transfer Between Spot and Strategy Account,USDT,-10.8162226,",
            "2021-12-31 01:00:22,Spot,Transfer Between Spot Account and UM Futures Account,USDT,100.00,",
            "24-01-26 23:42:24,Spot,Simple Earn Flexible Subscription,BNB,-0.28,Binance Earn",
            "24-03-07 15:01:18,Spot,Simple Earn Flexible Redemption,BNB,0.28000975,Binance Earn",
        )
    )  # fmt: skip
    assert [moved(row)[1:] for row in history.transfers] == [
        ("100 USDT",
        "spot",
        "strategy"), ("10.8162226 USDT",
        "strategy",
        "spot"), ("100 USDT",
        "futures",
        "spot"),
        ("0.28 BNB", "spot", "earn"), ("0.28000975 BNB", "earn", "spot"),
    ]  # fmt: skip
    assert {row.kind for row in history.transfers} == {TransferKind.INTERNAL}


def test_equal_moves_are_paired_one_by_one_and_within_a_day() -> None:
    spot = "2024-03-1{0} 12:00:00,Spot,Transfer Between Spot and Strategy Account,USDT,-100,"
    strategy = "2024-03-1{0} 12:00:0{1},Strategy,Transfer Between Spot and Strategy Account,USDT,100,"
    history = read(
        lines(
            spot.format(0), spot.format(0), strategy.format(0, 1), strategy.format(0, 2), spot.format(1),
            strategy.format(3, 0), spot.format(5),
        )
    )  # fmt: skip

    assert [len(row.raw["lines"]) for row in history.transfers] == [2, 2, 1, 1, 1]
    assert [row.occurred_at.day for row in history.transfers] == [10, 10, 11, 13, 15]


def test_wallets_that_are_not_read_and_results_of_contracts_are_left_out() -> None:
    history = read(
        lines(
            "25-10-03 19:45:06,Isolated Margin,BNB Fee Deduction,USDC,2.01018644,",
            "2023-09-12 08:00:02,USD-MFutures,Funding Fee,USDT,-0.07779065,",
        )
    )
    assert (history.transfers, history.set_aside) == ([], [])
    assert history.left_out == {
        "what happened in the wallet Isolated Margin, which is not read": 1,
        "results of contracts and loans: executions tell them": 1,
    }


def test_equal_lines_are_facts_of_their_own() -> None:
    twice = ("2023-01-13 05:29:00,Spot,Simple Earn Locked Rewards,MATIC,0.00001605,Binance Earn",) * 2
    history = read(lines(*twice))
    assert len({row.transfer_id for row in history.transfers}) == 2
    assert history.remarks == [
        "line 3: the same was said before; each is counted, as the exchange tells equal fills so"
    ]


def test_the_order_of_lines_changes_no_id() -> None:
    rows = [*SHIFTED, *["2023-01-13 05:29:00,Spot,Simple Earn Locked Rewards,MATIC,0.00001605,"] * 3]
    before = ids(read(lines(*rows)))
    random.Random(7).shuffle(rows)
    assert ids(read(lines(*rows))) == before
