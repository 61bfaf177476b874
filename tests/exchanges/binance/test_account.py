"""Walks through a scripted account: nothing lost, nothing skipped, whatever the pages look like."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.binance.account import BinanceAccount
from exchanges.binance.walks import OPENED, PAGE
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Page, TransferKind
from tests.exchanges.binance.conftest import LISTINGS, NOW
from tests.exchanges.stub import Asked, Script, Stub

Open = Callable[[Script], tuple[Stub, BinanceAccount]]
Samples = dict[str, Any]
HOUR_MS = 3_600_000
START = clock.to_ms(NOW) - 400 * HOUR_MS


def trade(samples: Samples, trade_id: int, at: int) -> dict[str, Any]:
    raw: dict[str, Any] = samples["myTrades"][0]
    return raw | {"id": trade_id, "time": at}


def trades_server(trades: list[dict[str, Any]]) -> Script:
    """myTrades: by id upwards, or all of a window of at most 24 hours, oldest first."""

    def answer(asked: Asked) -> Any:
        query = {key: int(value) for key, value in asked.query.items() if value.isdigit()}
        if "fromId" in query:
            assert "startTime" not in query
            found = [each for each in trades if each["id"] >= query["fromId"]]
        else:
            if "startTime" not in query:
                return sorted(trades, key=lambda each: int(each["id"]))[-query["limit"] :]
            assert query["endTime"] - query["startTime"] < 24 * HOUR_MS
            found = [each for each in trades if query["startTime"] <= each["time"] <= query["endTime"]]
        return sorted(found, key=lambda each: int(each["id"]))[: query["limit"]]

    return answer


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], str]:
    """All rows from a position on, and where the walk ended."""
    rows: list[Any] = []
    while True:
        page = ask(position)
        rows += page.rows
        assert page.next_position != position or not page.has_more
        position = page.next_position
        if not page.has_more:
            return rows, position


def test_a_first_walk_reads_everything_from_the_beginning(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number * 7, START + number) for number in range(2500)]
    stub, reader = account(trades_server(trades))
    rows, position = walk(lambda at: reader.fills("BNBBTC", at))
    assert {row.fill_id for row in rows} == {str(each["id"]) for each in trades}
    assert (stub.asked[0].query["fromId"], len(stub.asked), position) == ("0", 3, str(trades[-10]["id"]))


def test_the_next_walk_reads_the_last_ten_again(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number * 7, START + number) for number in range(30)]
    _, reader = account(trades_server(trades))
    _, position = walk(lambda at: reader.fills("BNBBTC", at))
    late = trade(samples, trades[-5]["id"] + 1, START)
    trades.append(late)
    rows, _ = walk(lambda at: reader.fills("BNBBTC", at), position)
    assert [row.fill_id for row in rows] == [
        str(each["id"]) for each in sorted(trades, key=lambda t: t["id"])[-11:]
    ]


def test_an_empty_answer_keeps_the_position(account: Open) -> None:
    _, reader = account(lambda _: [])
    assert reader.fills("BNBBTC", "700") == Page((), (), "700", has_more=False, raw_count=0)


def test_pages_out_of_order_and_doubled_lose_nothing(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, START + number) for number in range(1, 1800)]
    honest = trades_server(trades)

    def answer(asked: Asked) -> Any:
        page = honest(asked)
        return [*reversed(page), *page[:3]]

    _, reader = account(answer)
    rows, _ = walk(lambda at: reader.fills("BNBBTC", at))
    assert {row.fill_id for row in rows} == {str(each["id"]) for each in trades}


def test_a_full_page_of_one_fill_still_goes_on(samples: Samples, account: Open) -> None:
    one, two = trade(samples, 5, START), trade(samples, 6, START)
    _, reader = account(lambda asked: [one] * PAGE if int(asked.query["fromId"]) <= 5 else [two])
    rows, _ = walk(lambda at: reader.fills("BNBBTC", at))
    assert {row.fill_id for row in rows} == {"5", "6"}


def test_a_full_page_without_ids_is_no_answer(account: Open) -> None:
    _, reader = account(lambda _: [{}] * PAGE)
    with pytest.raises(ExchangeError) as raised:
        reader.fills("BNBBTC", "")
    assert raised.value.kind is ErrorKind.DOWN


def test_an_id_garbled_into_a_huge_number_does_not_carry_the_cursor_away(
    samples: Samples, account: Open
) -> None:
    garbled = [trade(samples, number, START) for number in (1, 10**30, 2, 3)]
    _, reader = account(lambda _: garbled)
    page = reader.fills("BNBBTC", "")
    assert ([row.fill_id for row in page.rows], len(page.bad), page.next_position) == (
        ["1", "2", "3"],
        1,
        "1",
    )


def test_an_unreadable_fill_moves_the_walk_on(samples: Samples, account: Open) -> None:
    bad = trade(samples, 2, START) | {"qty": "1.0000000000000000001"}
    _, reader = account(trades_server([trade(samples, 1, START), bad, trade(samples, 3, START)]))
    page = reader.fills("BNBBTC", "")
    assert ([row.fill_id for row in page.rows], [each.raw["id"] for each in page.bad]) == (["1", "3"], [2])
    assert page.bad[0].reason == "qty: '1.0000000000000000001' has more than 18 decimals."


def test_a_delisted_symbol_is_divided_by_its_quote(samples: Samples, account: Open) -> None:
    _, reader = account(lambda _: [samples["myTrades"][0] | {"symbol": "OLDUSDT"}])
    row = reader.fills("OLDUSDT", "").rows[0]
    assert (row.base_asset, row.quote_asset) == ("OLD", "USDT")


def test_a_symbol_nobody_can_divide_is_reported(samples: Samples, account: Open) -> None:
    _, reader = account(lambda _: [samples["myTrades"][0] | {"symbol": "WHAT"}])
    assert [each.reason for each in reader.fills("WHAT", "").bad] == [
        "symbol 'WHAT' is not listed and its base and quote cannot be told"
    ]


def test_fills_between_finds_what_came_too_late(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, START + number * HOUR_MS) for number in range(1, 101)]
    trades.append(trade(samples, 0, START + 60 * HOUR_MS))
    _, reader = account(trades_server(trades))
    since, until = clock.from_ms(START + 50 * HOUR_MS), clock.from_ms(START + 90 * HOUR_MS)
    found = [row.fill_id for page in reader.fills_between("BNBBTC", since, until) for row in page.rows]
    assert sorted(found, key=int) == ["0", *(str(number) for number in range(50, 90))]


@pytest.mark.parametrize("spread", [0, 1, 60_000], ids=["one millisecond", "two seconds and a half", "days"])
def test_fills_between_reads_windows_too_full_for_a_page(
    samples: Samples, account: Open, spread: int
) -> None:
    trades = [trade(samples, number, START + number * spread) for number in range(1, 2501)]
    _, reader = account(trades_server(trades))
    pages = reader.fills_between("BNBBTC", clock.from_ms(START), NOW)
    assert {row.fill_id for page in pages for row in page.rows} == {str(each["id"]) for each in trades}


@pytest.mark.parametrize(
    ("count", "gap", "first_day", "asked"),
    [(400, 10, 0, 1), (400, 10, 350, 1), (20_000, 10, 200, 5), (20_000, 1, 399, 5), (20_000, 10**6, 1, 2)],
    ids=["of little", "of its end", "in the middle", "the newest", "the oldest"],
)
def test_a_long_span_costs_no_request_a_day(
    samples: Samples, account: Open, count: int, gap: int, first_day: int, asked: int
) -> None:
    """Of 400 days, thirty in one go."""
    day = 24 * HOUR_MS
    begin = clock.to_ms(NOW) - 400 * day
    trades = [trade(samples, number * gap, begin + number * 400 * day // count) for number in range(count)]
    since, until = begin + first_day * day, min(begin + (first_day + 30) * day, clock.to_ms(NOW))
    stub, reader = account(trades_server(trades))
    pages = reader.fills_between("BNBBTC", clock.from_ms(since), clock.from_ms(until))
    found = {row.fill_id for page in pages for row in page.rows}
    wanted = {str(each["id"]) for each in trades if since <= each["time"] < until}
    assert found == wanted
    assert len(stub.asked) <= asked + 1


def test_orders_walk_by_id(samples: Samples, account: Open) -> None:
    orders = [samples["allOrders"][0] | {"orderId": number} for number in range(1, 1501)]

    def answer(asked: Asked) -> Any:
        return [each for each in orders if each["orderId"] >= int(asked.query["orderId"])][:PAGE]

    stub, reader = account(answer)
    rows, position = walk(lambda at: reader.orders("LTCBTC", at))
    assert {row.order_id for row in rows} == {str(each["orderId"]) for each in orders}
    assert ([each.query["orderId"] for each in stub.asked], position) == (["1", "991"], "1491")


def deposits_server(deposits: list[dict[str, Any]]) -> Script:
    """deposit/hisrec: windows of less than 90 days, newest first, by offset."""

    def answer(asked: Asked) -> Any:
        query = {key: int(value) for key, value in asked.query.items() if value.isdigit()}
        assert 0 <= query["endTime"] - query["startTime"] < 90 * 24 * HOUR_MS
        found = [each for each in deposits if query["startTime"] <= each["insertTime"] <= query["endTime"]]
        newest_first = sorted(found, key=lambda each: -int(each["insertTime"]))
        return newest_first[query["offset"] : query["offset"] + query["limit"]]

    return answer


def deposit(samples: Samples, number: int, at: int) -> dict[str, Any]:
    raw: dict[str, Any] = samples["deposits"][0]
    return raw | {"id": str(number), "insertTime": at}


def walk_deposits(reader: BinanceAccount, until: datetime, position: str = "") -> tuple[list[str], str]:
    rows, end = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, until), position)
    return [row.transfer_id for row in rows], end


def test_transfers_are_read_to_the_millisecond(samples: Samples, account: Open) -> None:
    opened, until = clock.to_ms(OPENED), clock.to_ms(NOW)
    edge = opened + 90 * 24 * HOUR_MS
    times = [opened, edge - 1, edge, edge + 1, until - 1, until, until + 1]
    stub, reader = account(deposits_server([deposit(samples, at, at) for at in times]))
    found, position = walk_deposits(reader, NOW)
    assert found == [str(at) for at in (edge - 1, opened, edge + 1, edge, until - 1)]
    assert (len(stub.asked), position) == (36, str(until - 14 * 24 * HOUR_MS))


def test_transfers_of_one_millisecond_fill_many_pages(samples: Samples, account: Open) -> None:
    _, reader = account(deposits_server([deposit(samples, number, START) for number in range(2500)]))
    found, _ = walk_deposits(reader, NOW)
    assert set(found) == {str(number) for number in range(2500)}


def test_a_window_half_read_keeps_its_end(samples: Samples, account: Open) -> None:
    rows = [deposit(samples, number, START + number) for number in range(1500)]
    stub, reader = account(deposits_server(rows))
    position = str(START - 1)
    page = reader.transfers(TransferKind.DEPOSIT, position, NOW)
    rows += [deposit(samples, 9000 + number, clock.to_ms(NOW) + number) for number in range(500)]
    later = NOW + timedelta(hours=1)
    found, _ = walk_deposits(reader, later, page.next_position)
    seen = {row.transfer_id for row in page.rows} | set(found)
    assert seen == {each["id"] for each in rows}
    assert len({each.query["endTime"] for each in stub.asked}) == 2


def test_the_next_walk_sees_states_change(samples: Samples, account: Open) -> None:
    rows = [deposit(samples, 1, clock.to_ms(NOW) - 13 * 24 * HOUR_MS)]
    _, reader = account(deposits_server(rows))
    _, position = walk_deposits(reader, NOW)
    rows[0]["status"] = 1
    found, _ = walk_deposits(reader, NOW, position)
    assert found == ["1"]


def test_nothing_is_asked_of_a_future_window(account: Open) -> None:
    stub, reader = account(lambda _: [])
    position = str(clock.to_ms(NOW) + 5)
    page = reader.transfers(TransferKind.WITHDRAWAL, position, NOW)
    assert (page, stub.asked) == (Page((), (), position, has_more=False, raw_count=0), [])


def test_withdrawals_have_their_own_endpoint(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["withdrawals"])
    page = reader.transfers(TransferKind.WITHDRAWAL, str(START), NOW)
    assert (stub.paths(), [row.asset for row in page.rows]) == (
        ["/sapi/v1/capital/withdraw/history"],
        ["USDT", "BTC"],
    )


def test_balances_leave_out_what_is_zero(samples: Samples, account: Open) -> None:
    nothing = {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"}
    sample = samples["account"] | {"balances": [*samples["account"]["balances"], nothing, {"asset": "X"}]}
    _, reader = account(lambda _: sample)
    page = reader.balances()
    assert [(row.asset, row.available, row.locked) for row in page.rows] == [
        ("BTC", Decimal("4723846.89208129"), Decimal(0)),
        ("LTC", Decimal("4763368.68006011"), Decimal(0)),
    ]
    assert [each.reason for each in page.bad] == ["free is missing"]


def test_info_asks_for_the_account_and_for_the_key(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda asked: samples[asked.path.rsplit("/", 1)[1]])
    assert (reader.info().uid, stub.paths()) == (
        "354937868",
        ["/api/v3/account", "/sapi/v1/account/apiRestrictions", "/fapi/v3/account"],
    )


def test_info_without_uid_is_unreadable(samples: Samples, account: Open) -> None:
    _, reader = account(lambda asked: samples[asked.path.rsplit("/", 1)[1]] | {"uid": None})
    with pytest.raises(ExchangeError) as raised:
        reader.info()
    assert raised.value.kind is ErrorKind.DOWN


def test_info_with_a_garbled_commission_is_unreadable(samples: Samples, account: Open) -> None:
    garbled = {"commissionRates": None, "makerCommission": "much"}
    _, reader = account(lambda asked: samples[asked.path.rsplit("/", 1)[1]] | garbled)
    with pytest.raises(ExchangeError) as raised:
        reader.info()
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")


def test_one_order_as_it_stands(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["order/cancel"])
    assert reader.order("LTCBTC", "28").executed_quantity == Decimal(8)
    assert {key: stub.asked[0].query[key] for key in ("symbol", "orderId")} == {
        "symbol": "LTCBTC",
        "orderId": "28",
    }


def test_an_unreadable_order_is_reported(samples: Samples, account: Open) -> None:
    _, reader = account(lambda _: samples["order/cancel"] | {"price": "dear"})
    with pytest.raises(ExchangeError) as raised:
        reader.order("LTCBTC", "28")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.BUG, "row")


def test_open_orders_of_all_symbols(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["allOrders"])
    page = reader.open_orders()
    assert ([row.order_id for row in page.rows], "symbol" in stub.asked[0].query) == (["1"], False)


def test_listings_are_asked_once_when_not_given(samples: Samples, serve: Any) -> None:
    info = samples["exchangeInfo"]
    stub, client = serve(lambda asked: info if "exchangeInfo" in asked.path else [])
    reader = BinanceAccount(client)
    assert (reader.traded_symbols(["ETH"], []), reader.sweep_symbols([])) == (["ETHBTC"], ["ETHBTC"])
    assert stub.paths() == ["/api/v3/exchangeInfo"]


def test_given_listings_are_not_asked_for(account: Open) -> None:
    stub, reader = account(lambda _: [])
    assert reader.sweep_symbols(["BTCUSDT"]) == ["BNBBTC", "LTCBTC"]
    assert (set(LISTINGS) - {"BTCUSDT"}, stub.asked) == ({"BNBBTC", "LTCBTC"}, [])
