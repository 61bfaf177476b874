"""Walks through a scripted account: nothing lost, nothing skipped, whatever the pages look like."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.mexc.account import MexcAccount
from exchanges.rows import Page, TransferKind
from tests.exchanges.mexc.conftest import KEYS, LISTINGS, NOW
from tests.exchanges.stub import Asked, Reply, Script, Stub

Open = Callable[[Script], tuple[Stub, MexcAccount]]
Samples = dict[str, Any]
NOW_MS = clock.to_ms(NOW)
DAY_MS = 86_400_000
FLOOR_MS = NOW_MS - 30 * DAY_MS


def trade(samples: Samples, number: int, at: int, order: str = "o") -> dict[str, Any]:
    raw: dict[str, Any] = samples["myTrades"][0]
    return raw | {"id": f"t{number}", "orderId": order, "time": at}


def trades_server(trades: list[dict[str, Any]]) -> Script:
    """myTrades: the newest hundred of a window, both ends included, of one order if asked."""

    def answer(asked: Asked) -> Any:
        start, end = int(asked.query["startTime"]), int(asked.query["endTime"])
        order = asked.query.get("orderId")
        found = [row for row in trades if start <= row["time"] <= end and order in (None, row["orderId"])]
        return sorted(found, key=lambda row: -int(row["time"]))[:100]

    return answer


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], list[str], str]:
    """All rows from a position on, the reasons of the unreadable ones, and where the walk ended."""
    rows, reasons = list[Any](), list[str]()
    while True:
        page = ask(position)
        rows += page.rows
        reasons += [each.reason for each in page.bad]
        assert page.next_position != position or not page.has_more
        position = page.next_position
        if not page.has_more:
            return rows, reasons, position


def ids(trades: list[dict[str, Any]]) -> set[str]:
    return {str(each["id"]) for each in trades}


def test_a_first_walk_begins_thirty_days_ago_and_says_so(account: Open) -> None:
    stub, reader = account(lambda _: [])
    page = reader.fills("BNBBTC", "")
    assert (page.floor, page.has_more, page.next_position) == (
        NOW - timedelta(days=30),
        False,
        str(FLOOR_MS),
    )
    assert (stub.asked[0].query["startTime"], stub.asked[0].query["endTime"]) == (str(FLOOR_MS), str(NOW_MS))


def test_fills_are_read_to_the_millisecond(samples: Samples, account: Open) -> None:
    edges = [FLOOR_MS - 1, FLOOR_MS, FLOOR_MS + 1, NOW_MS - 1, NOW_MS, NOW_MS + 1]
    trades = [trade(samples, number, at) for number, at in enumerate(edges)]
    _, reader = account(trades_server(trades))
    rows, _, _ = walk(lambda at: reader.fills("BNBBTC", at))
    assert {clock.to_ms(row.executed_at) for row in rows} == set(edges[1:-1])


@pytest.mark.parametrize("spread", [1, 997, 60_000], ids=["milliseconds", "seconds", "minutes"])
def test_windows_too_full_for_a_page_are_halved(samples: Samples, account: Open, spread: int) -> None:
    trades = [trade(samples, number, FLOOR_MS + 1 + number * spread) for number in range(1500)]
    stub, reader = account(trades_server(trades))
    rows, reasons, _ = walk(lambda at: reader.fills("BNBBTC", at))
    assert ({row.fill_id for row in rows}, reasons) == (ids(trades), [])
    assert len(stub.asked) < 100


def test_a_page_exactly_full_is_not_believed_to_be_all(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, FLOOR_MS + number) for number in range(100)]
    stub, reader = account(trades_server(trades))
    rows, _, _ = walk(lambda at: reader.fills("BNBBTC", at))
    assert {row.fill_id for row in rows} == ids(trades)
    assert len(stub.asked) > 1


def test_a_full_millisecond_is_asked_by_its_orders(samples: Samples, account: Open) -> None:
    at = NOW_MS - 5 * DAY_MS
    trades = [trade(samples, number, at, f"o{number // 60}") for number in range(120)]
    trades += [trade(samples, 1000, at - 1), trade(samples, 1001, at + 1)]
    _, reader = account(trades_server(trades))
    rows, reasons, _ = walk(lambda position: reader.fills("BNBBTC", position))
    assert {row.fill_id for row in rows} == ids(trades)
    assert reasons == ["100 or more rows in this millisecond: the exchange may not have told all of them"]


def test_what_a_full_millisecond_hides_is_told(samples: Samples, account: Open) -> None:
    at = NOW_MS - 5 * DAY_MS
    trades = [trade(samples, number, at, "one order") for number in range(150)]
    _, reader = account(trades_server(trades))
    rows, reasons, position = walk(lambda position: reader.fills("BNBBTC", position))
    assert (len({row.fill_id for row in rows}), len(reasons)) == (100, 1)
    assert at < int(position) <= NOW_MS + 1 - DAY_MS


def test_the_next_walk_of_a_calm_symbol_reads_all_of_it_again(samples: Samples, account: Open) -> None:
    trades = [trade(samples, 1, NOW_MS - 2 * DAY_MS)]
    stub, reader = account(trades_server(trades))
    _, _, position = walk(lambda at: reader.fills("BNBBTC", at))
    trades += [trade(samples, 2, FLOOR_MS + 1), trade(samples, 3, NOW_MS)]
    rows, _, _ = walk(lambda at: reader.fills("BNBBTC", at), position)
    assert ({row.fill_id for row in rows}, len(stub.asked)) == ({"t1", "t2", "t3"}, 2)


def test_the_next_walk_of_a_busy_symbol_reads_the_last_day_again(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, NOW_MS - 600 + number) for number in range(600)]
    _, reader = account(trades_server(trades))
    _, _, position = walk(lambda at: reader.fills("BNBBTC", at))
    assert position == str(NOW_MS + 1 - DAY_MS)


def test_a_walk_resumed_after_the_floor_passed_it_goes_on_at_the_floor(account: Open) -> None:
    stub, reader = account(lambda _: [])
    page = reader.fills("BNBBTC", str(FLOOR_MS - 20 * DAY_MS))
    assert (page.floor, stub.asked[0].query["startTime"]) == (NOW - timedelta(days=30), str(FLOOR_MS))


def test_fills_between_finds_what_came_too_late(samples: Samples, account: Open) -> None:
    since, until = NOW_MS - 4 * DAY_MS, NOW_MS
    edges = [since - 1, since, since + 1, until - 1, until]
    trades = [trade(samples, number, at) for number, at in enumerate(edges)]
    trades += [trade(samples, 100 + number, since + 10 + number) for number in range(300)]
    _, reader = account(trades_server(trades))
    pages = reader.fills_between("BNBBTC", clock.from_ms(since), clock.from_ms(until))
    found = {row.fill_id for page in pages for row in page.rows}
    assert found == ids(trades) - {"t0", "t4"}


def test_fills_between_of_forgotten_days_asks_nothing(account: Open) -> None:
    stub, reader = account(lambda _: [])
    long_ago = NOW - timedelta(days=40)
    assert (list(reader.fills_between("BNBBTC", long_ago, long_ago + timedelta(days=2))), stub.asked) == (
        [],
        [],
    )


def test_orders_of_the_last_seven_days_in_one_window(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["allOrders"])
    page = reader.orders("LTCBTC", "")
    query = stub.asked[0].query
    assert (page.floor, page.has_more, [row.order_id for row in page.rows]) == (
        NOW - timedelta(days=7),
        False,
        ["1"],
    )
    assert int(query["endTime"]) - int(query["startTime"]) <= 7 * DAY_MS


def deposit(samples: Samples, number: int, at: int) -> dict[str, Any]:
    raw: dict[str, Any] = samples["deposits"][0]
    return raw | {"txId": f"x{number}", "insertTime": at}


def deposits_server(deposits: list[dict[str, Any]]) -> Script:
    """deposit/hisrec: the newest thousand of at most seven days, at most ninety days back."""

    def answer(asked: Asked) -> Any:
        start, end = int(asked.query["startTime"]), int(asked.query["endTime"])
        assert start >= NOW_MS - 90 * DAY_MS
        assert 0 <= end - start <= 7 * DAY_MS
        found = [each for each in deposits if start <= each["insertTime"] <= end]
        return sorted(found, key=lambda each: -int(each["insertTime"]))[:1000]

    return answer


def walk_deposits(reader: MexcAccount, until: datetime, position: str = "") -> tuple[set[str], str]:
    rows, _, end = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, until), position)
    return {row.tx_id for row in rows}, end


def test_transfers_are_read_to_the_millisecond_at_every_windows_edge(samples: Samples, account: Open) -> None:
    floor = NOW_MS - 90 * DAY_MS + 3_600_000
    edges = [floor + days * DAY_MS + off for days in range(0, 90, 7) for off in (-1, 0, 1)]
    rows = [deposit(samples, at, at) for at in (*edges, NOW_MS - 1, NOW_MS)]
    _, reader = account(deposits_server(rows))
    found, position = walk_deposits(reader, NOW)
    assert found == {f"x{at}" for at in (*edges[1:], NOW_MS - 1)}
    assert position == str(NOW_MS - 14 * DAY_MS)


def test_more_transfers_than_a_page_in_one_window(samples: Samples, account: Open) -> None:
    rows = [deposit(samples, number, NOW_MS - DAY_MS + number) for number in range(2500)]
    _, reader = account(deposits_server(rows))
    found, _ = walk_deposits(reader, NOW)
    assert found == {str(each["txId"]) for each in rows}


def test_the_next_walk_sees_states_change(samples: Samples, account: Open) -> None:
    rows = [deposit(samples, 1, NOW_MS - 13 * DAY_MS)]
    _, reader = account(deposits_server(rows))
    _, position = walk_deposits(reader, NOW)
    found, _ = walk_deposits(reader, NOW, position)
    assert found == {"x1"}


def test_nothing_is_asked_of_a_future_window(account: Open) -> None:
    stub, reader = account(lambda _: [])
    page = reader.transfers(TransferKind.WITHDRAWAL, str(NOW_MS + 5), NOW)
    assert (page.next_position, page.has_more, stub.asked) == (str(NOW_MS + 5), False, [])


def test_withdrawals_have_their_own_endpoint(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["withdrawals"])
    page = reader.transfers(TransferKind.WITHDRAWAL, str(NOW_MS - DAY_MS), NOW)
    assert (stub.paths(), [row.asset for row in page.rows]) == (
        ["/api/v3/capital/withdraw/history"],
        ["EOS"],
    )


def test_balances_leave_out_what_is_zero(samples: Samples, account: Open) -> None:
    nothing = {"asset": "ETH", "free": "0", "locked": "0"}
    sample = samples["account"] | {"balances": [*samples["account"]["balances"], nothing, {"asset": "X"}]}
    _, reader = account(lambda _: sample)
    page = reader.balances()
    assert [(row.asset, row.available, row.locked) for row in page.rows] == [
        ("NBNTEST", Decimal(1111078), Decimal(33)),
        ("MAIN", Decimal(1020000), Decimal(0)),
    ]
    assert [each.reason for each in page.bad] == ["free is missing"]


def test_info_asks_for_account_person_and_key(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda asked: samples[asked.path.rsplit("/", 1)[1]])
    assert (reader.info().uid, stub.paths()) == (
        "209302839",
        ["/api/v3/account", "/api/v3/uid", "/api/v3/apiKeyInfo", "/api/v1/private/account/assets"],
    )
    assert stub.asked[2].query["accessKey"] == KEYS.key


def test_info_without_uid_is_unreadable(samples: Samples, account: Open) -> None:
    _, reader = account(lambda asked: samples[asked.path.rsplit("/", 1)[1]] | {"uid": None})
    with pytest.raises(ExchangeError) as raised:
        reader.info()
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")


def test_open_orders_of_all_symbols_are_asked_without_one(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["openOrders with nulls"])
    page = reader.open_orders()
    assert ([row.order_id for row in page.rows], "symbol" in stub.asked[0].query) == (
        ["133949373632483328"],
        False,
    )


def test_one_order_as_it_stands(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["order"])
    assert reader.order("LTCBTC", "C02__1").quantity == Decimal(1)
    assert (stub.asked[0].query["symbol"], stub.asked[0].query["orderId"]) == ("LTCBTC", "C02__1")


def test_an_unreadable_order_is_reported(samples: Samples, account: Open) -> None:
    _, reader = account(lambda _: samples["order"] | {"price": "dear"})
    with pytest.raises(ExchangeError) as raised:
        reader.order("LTCBTC", "28")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.BUG, "row")


def test_symbols_worth_asking_are_those_of_assets_touched(account: Open) -> None:
    stub, reader = account(lambda _: [])
    assert reader.traded_symbols(["BNB", "BTC"], []) == ["BNBBTC", "BTCUSDT"]
    assert (reader.sweep_symbols(["BTCUSDT"]), stub.asked, len(LISTINGS)) == (["BNBBTC", "LTCBTC"], [], 3)


def test_open_orders_are_asked_for_by_symbol_where_one_is_wanted(samples: Samples, account: Open) -> None:
    row = samples["allOrders"][0] | {"symbol": "BNBBTC", "status": "NEW", "executedQty": "0"}
    held = [{"asset": "BTC", "free": "1", "locked": "1"}, {"asset": "USDT", "free": "5", "locked": "0"}]

    def answer(asked: Asked) -> Any:
        if asked.path == "/api/v3/account":
            return {"balances": held}
        if "symbol" not in asked.query:
            return Reply({"code": 700004, "msg": "Mandatory parameter 'symbol' was not sent"}, 400)
        return [row]

    stub, reader = account(answer)
    assert [each.symbol for each in reader.open_orders().rows] == ["BNBBTC"]
    assert stub.asked[-1].query["symbol"] == "BNBBTC,BTCUSDT,LTCBTC"
