"""Transfers, permissions and coins under /sapi/v1."""

from datetime import UTC, datetime
from typing import Any

import pytest

from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import DAY_MS, FixedClock
from exchanges.simulators.profiles import DEFAULT, SMALL
from tests.exchanges.simulators.http import ask

DEPOSITS = "/sapi/v1/capital/deposit/hisrec"
WITHDRAWALS = "/sapi/v1/capital/withdraw/history"
BOTH = pytest.mark.parametrize("path", [DEPOSITS, WITHDRAWALS])


def test_deposits_come_newest_first(simulator: BinanceSimulator) -> None:
    told = simulator.truth()["accounts"]["demo"]["deposits"]
    rows = ask(simulator, DEPOSITS).json
    assert [row["id"] for row in rows] == [row["id"] for row in reversed(told)]
    assert rows[-1]["coin"] == "USDT"
    assert rows[-1]["amount"] == "12000"


def test_withdrawals_tell_fee_and_time_as_text(simulator: BinanceSimulator) -> None:
    told = simulator.truth()["accounts"]["demo"]["withdrawals"][0]
    row: dict[str, Any] = ask(simulator, WITHDRAWALS).json[-1]
    assert (row["id"], row["transactionFee"], row["status"]) == (told["id"], "1", 6)
    applied = datetime.strptime(row["applyTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert applied.timestamp() * 1000 == told["time"]


@BOTH
def test_a_window_above_90_days_is_4047(simulator: BinanceSimulator, path: str) -> None:
    now = simulator.clock.now_ms()
    answer = ask(simulator, path, startTime=now - 90 * DAY_MS - 1, endTime=now)
    assert answer.error == (400, -4047)


@BOTH
def test_without_times_only_the_last_90_days_are_told(path: str, clock: FixedClock) -> None:
    with BinanceSimulator(seed=1, clock=clock, profiles=DEFAULT) as simulator:
        kind = "deposits" if path == DEPOSITS else "withdrawals"
        told = simulator.truth()["accounts"]["demo"][kind]
        recent = {row["id"] for row in told if row["time"] >= clock.now_ms() - 90 * DAY_MS}
        assert {row["id"] for row in ask(simulator, path).json} == recent
        assert len(recent) < len(told)


def test_limit_and_offset_page_through(simulator: BinanceSimulator) -> None:
    whole = ask(simulator, DEPOSITS).json
    pages = [ask(simulator, DEPOSITS, limit=1, offset=offset).json for offset in range(len(whole) + 1)]
    assert pages == [[row] for row in whole] + [[]]


def test_rows_are_chosen_by_coin_and_status(simulator: BinanceSimulator) -> None:
    assert {row["coin"] for row in ask(simulator, DEPOSITS, coin="BTC").json} == {"BTC"}
    assert {row["status"] for row in ask(simulator, WITHDRAWALS, status=3).json} == {3}


def test_the_key_may_read_and_nothing_else(simulator: BinanceSimulator) -> None:
    told = ask(simulator, "/sapi/v1/account/apiRestrictions").json
    assert [name for name, value in told.items() if value is True] == ["enableReading"]


def test_a_key_that_may_withdraw_says_so(clock: FixedClock) -> None:
    careless = SMALL[2].__class__(label="careless", days=3, can_withdraw=True)
    with BinanceSimulator(seed=1, clock=clock, profiles=[careless]) as simulator:
        told = ask(simulator, "/sapi/v1/account/apiRestrictions", account="careless").json
    assert told["enableWithdrawals"] is True


def test_every_coin_is_listed_with_its_balance(simulator: BinanceSimulator) -> None:
    free = simulator.truth()["accounts"]["demo"]["balances"]["USDT"]["free"]
    coins = {row["coin"]: row["free"] for row in ask(simulator, "/sapi/v1/capital/config/getall").json}
    assert coins["USDT"] == free
