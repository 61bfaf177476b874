"""Walks through a scripted account: nothing lost, nothing skipped, whatever the pages look like."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio.account import GateioAccount
from exchanges.gateio.walks import OPENED, TRADES_PAGE, WINDOW_MS, Window
from exchanges.rows import Page, TransferKind
from tests.exchanges.gateio.conftest import NOW
from tests.exchanges.stub import Asked, Script, Stub

Open = Callable[[Script], tuple[Stub, GateioAccount]]
Samples = dict[str, Any]
DAY_MS = 86_400_000
NOW_MS = clock.to_ms(NOW)
OPENED_MS = clock.to_ms(OPENED)


def trade(samples: Samples, trade_id: int, at: int, pair: str = "BTC_USDT") -> dict[str, Any]:
    raw: dict[str, Any] = samples["points"]
    return raw | {"id": str(trade_id), "create_time_ms": f"{at}.000000", "currency_pair": pair}


def made_at(raw: dict[str, Any]) -> int:
    return int(raw["create_time_ms"].partition(".")[0])


def ended_at(raw: dict[str, Any]) -> int:
    at: int = raw["update_time_ms"]
    return at


def pages(rows: Iterable[dict[str, Any]], at: Callable[[dict[str, Any]], int] = made_at) -> Script:
    """Newest first, in a window of at most 30 days, exactly; one pair or all; no page after 100,000 rows. Nothing
    waited for a price."""

    def answer(asked: Asked) -> Any:
        query = asked.query
        if asked.path.endswith("/price_orders"):
            return []
        start, end, limit, page = (int(query[name]) for name in ("from", "to", "limit", "page"))
        assert 0 <= end - start <= 30 * 86_400
        assert limit * (page - 1) <= 100_000
        pair = query.get("currency_pair")
        found = [
            each
            for each in rows
            if start * 1000 <= at(each) <= end * 1000 and pair in (None, each["currency_pair"])
        ]
        found.sort(key=lambda each: (-at(each), int(each["id"])))
        return found[limit * (page - 1) : limit * page]

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


def ids(rows: Iterable[Any]) -> set[str]:
    return {row.fill_id for row in rows}


def test_a_first_walk_reads_everything_from_the_beginning(samples: Samples, account: Open) -> None:
    edge = OPENED_MS + WINDOW_MS
    times = [OPENED_MS, edge - 1, edge, edge + 1, edge + 999, NOW_MS - 1, NOW_MS]
    stub, reader = account(pages([trade(samples, number, at) for number, at in enumerate(times)]))
    rows, position = walk(lambda at: reader.fills("BTC_USDT", at))
    assert ids(rows) == {str(number) for number in range(len(times))}
    # The first empty window after others is asked for twice.
    assert (len(stub.asked), position) == (116 + 1, str(NOW_MS - 3_600_000))


def test_other_symbols_cost_nothing_but_their_last_window(samples: Samples, account: Open) -> None:
    trades = [
        trade(samples, number, OPENED_MS + number * DAY_MS, "BTC_USDT" if number % 3 else "ETH_USDT")
        for number in range(3000)
    ]
    stub, reader = account(pages(trades))
    bitcoin, _ = walk(lambda at: reader.fills("BTC_USDT", at))
    asked = len(stub.asked)
    ether, _ = walk(lambda at: reader.fills("ETH_USDT", at))
    assert (ids(bitcoin) | ids(ether), len(ids(bitcoin)), len(ids(ether))) == (
        {each["id"] for each in trades},
        2000,
        1000,
    )
    assert len(stub.asked) - asked == 2  # nothing there, told twice


def test_the_next_walk_reads_the_last_hour_again(samples: Samples, account: Open) -> None:
    times = (NOW_MS - 3_600_001, NOW_MS - 3_600_000, NOW_MS)
    stub, reader = account(pages([trade(samples, number, at) for number, at in enumerate(times)]))
    rows, _ = walk(lambda at: reader.fills("BTC_USDT", at), str(NOW_MS - 3_600_000))
    # A second before is asked too: whether ends count is not documented.
    assert (ids(rows), len(stub.asked)) == ({"0", "1", "2"}, 1)


def test_pages_of_one_timestamp(samples: Samples, account: Open) -> None:
    at = NOW_MS - DAY_MS
    trades = [trade(samples, number, at) for number in range(2 * TRADES_PAGE)]
    _, reader = account(pages(trades))
    rows, _ = walk(lambda position: reader.fills("BTC_USDT", position), str(at))
    assert ids(rows) == {each["id"] for each in trades}


def test_a_full_shared_window_comes_page_by_page(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, OPENED_MS + number) for number in range(2500)]
    _, reader = account(pages(trades))
    first = reader.fills("BTC_USDT", "")
    assert (len(first.rows), first.next_position, first.has_more) == (
        TRADES_PAGE,
        f"{OPENED_MS}:{OPENED_MS + WINDOW_MS}:2",
        True,
    )
    rows, _ = walk(lambda at: reader.fills("BTC_USDT", at))
    assert ids(rows) == {each["id"] for each in trades}


def test_a_run_that_ended_inside_a_window_goes_on_there(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, OPENED_MS + number) for number in range(2500)]
    _, first = account(pages(trades))
    page = first.fills("BTC_USDT", "")
    _, second = account(pages(trades))
    rows, _ = walk(lambda at: second.fills("BTC_USDT", at), page.next_position)
    assert ids(page.rows) | ids(rows) == {each["id"] for each in trades}


def test_what_there_is_no_room_for_is_asked_for_by_symbol(
    samples: Samples, account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchanges.gateio.ledgers.ROOM", 10)
    trades = [trade(samples, number, OPENED_MS + number * 1000) for number in range(1200)]
    trades += [trade(samples, 5000 + number, OPENED_MS + number, "ETH_USDT") for number in range(20)]
    _, reader = account(pages(trades))
    found = [
        walk(lambda at, pair=pair: reader.fills(pair, at))[0]  # type: ignore[misc]
        for pair in ("BTC_USDT", "ETH_USDT")
    ]
    assert set.union(*map(ids, found)) == {each["id"] for each in trades}


def test_rows_without_a_pair_are_read_by_asking_for_it(samples: Samples, account: Open) -> None:
    raw = trade(samples, 1, OPENED_MS + 5)
    nameless = {key: value for key, value in raw.items() if key != "currency_pair"}

    def answer(asked: Asked) -> Any:
        pair, start = asked.query.get("currency_pair"), int(asked.query["from"]) * 1000
        return [nameless] if start < OPENED_MS and pair in (None, "BTC_USDT") else []

    _, reader = account(answer)
    rows, _ = walk(lambda at: reader.fills("BTC_USDT", at))
    assert [(row.symbol, row.fill_id) for row in rows] == [("BTC_USDT", "1")]


@pytest.mark.parametrize("skipped", [1, 2, 3])
def test_an_empty_answer_by_mistake_is_not_believed(samples: Samples, account: Open, skipped: int) -> None:
    times = [*(OPENED_MS + DAY_MS + number * WINDOW_MS for number in range(3)), NOW_MS - 10 * DAY_MS]
    honest = pages([trade(samples, number, at) for number, at in enumerate(times)])
    mistakes = times[skipped : skipped + 1]

    def answer(asked: Asked) -> Any:
        start, end = (int(asked.query[name]) * 1000 for name in ("from", "to"))
        if mistakes and start <= mistakes[0] <= end and len(honest(asked)) == 1:
            mistakes.clear()
            return []
        return honest(asked)

    _, reader = account(answer)
    rows, _ = walk(lambda at: reader.fills("BTC_USDT", at))
    assert (ids(rows), mistakes) == ({"0", "1", "2", "3"}, [])


def test_more_rows_than_pages_reach_are_read_by_halves() -> None:
    window = Window(OPENED_MS, OPENED_MS + WINDOW_MS, 101)
    assert window.after(1000, 1000, NOW) == (f"{OPENED_MS}:{OPENED_MS + WINDOW_MS // 2}:1", True)
    with pytest.raises(ExchangeError) as raised:
        Window(OPENED_MS, OPENED_MS + 1000, 101).after(1000, 1000, NOW)
    assert raised.value.kind is ErrorKind.DOWN


def test_a_walk_does_not_run_after_the_clock() -> None:
    ended = Window(NOW_MS - 5000, NOW_MS)
    later = NOW + timedelta(seconds=30)
    assert ended.after(3, 1000, later, slack_ms=60_000, late_ms=1000) == (str(NOW_MS - 1000), False)
    assert ended.after(3, 1000, later + timedelta(minutes=1), slack_ms=60_000) == (str(NOW_MS), True)


def test_pages_out_of_order_and_doubled_lose_nothing(samples: Samples, account: Open) -> None:
    trades = [trade(samples, number, NOW_MS - number) for number in range(1, 1800)]
    honest = pages(trades)

    def answer(asked: Asked) -> Any:
        page = honest(asked)
        return [*reversed(page), *page[:3]]

    _, reader = account(answer)
    rows, _ = walk(lambda at: reader.fills("BTC_USDT", at), str(NOW_MS - DAY_MS))
    assert ids(rows) == {each["id"] for each in trades}


def test_an_unreadable_fill_moves_the_walk_on(samples: Samples, account: Open) -> None:
    bad = trade(samples, 2, NOW_MS - 5) | {"amount": "1.0000000000000000001"}
    _, reader = account(pages([trade(samples, 1, NOW_MS - 6), bad]))
    page = reader.fills("BTC_USDT", str(NOW_MS - DAY_MS))
    assert ([row.fill_id for row in page.rows], [each.raw["id"] for each in page.bad]) == (["1"], ["2"])
    assert not page.has_more


def test_fills_between_are_those_of_the_time_to_the_millisecond(samples: Samples, account: Open) -> None:
    since, until = NOW - timedelta(days=4), NOW - timedelta(milliseconds=500)
    start, end = clock.to_ms(since), clock.to_ms(until)
    times = [start - 1, start, start + 1, end - 1, end, end + 1]
    _, reader = account(pages([trade(samples, number, at) for number, at in enumerate(times)]))
    found = reader.fills_between("BTC_USDT", since, until)
    assert ids(row for page in found for row in page.rows) == {"1", "2", "3"}


def test_fills_between_nothing_asks_nothing(account: Open) -> None:
    stub, reader = account(lambda _: [])
    assert (list(reader.fills_between("BTC_USDT", NOW, NOW)), stub.asked) == ([], [])


def test_a_walk_before_its_start_asks_nothing(account: Open) -> None:
    stub, reader = account(lambda _: [])
    position = str(NOW_MS + 5000)
    assert reader.fills("BTC_USDT", position) == Page((), (), position, has_more=False, raw_count=0)
    assert stub.asked == []


def test_orders_are_walked_by_their_end(samples: Samples, account: Open) -> None:
    times = [OPENED_MS + 7, NOW_MS - 40 * DAY_MS, NOW_MS - 10]
    orders = [
        samples["orders"][0] | {"id": str(number), "update_time_ms": at} for number, at in enumerate(times)
    ]
    stub, reader = account(pages(orders, ended_at))
    rows, position = walk(lambda at: reader.orders("BTC_USDT", at))
    assert ({row.order_id for row in rows}, position) == ({"0", "1", "2"}, str(NOW_MS - 3_600_000))
    assert {each.query["status"] for each in stub.asked} == {"finished"}
    assert {each.query["limit"] for each in stub.asked} == {"100"}


def offsets(rows: list[dict[str, Any]]) -> Script:
    """Newest first, in a window of at most 30 days, by offset."""

    def answer(asked: Asked) -> Any:
        start, end, limit, offset = (int(asked.query[name]) for name in ("from", "to", "limit", "offset"))
        assert 0 <= end - start <= 30 * 86_400
        found = [each for each in rows if start <= int(each["timestamp"]) <= end]
        found.sort(key=lambda each: (-int(each["timestamp"]), each["id"]))
        return found[offset : offset + limit]

    return answer


def deposit(samples: Samples, number: int, at_ms: int) -> dict[str, Any]:
    raw: dict[str, Any] = samples["deposits"][0]
    return raw | {"id": f"d{number}", "timestamp": str(at_ms // 1000)}


def test_transfers_are_read_window_by_window(samples: Samples, account: Open) -> None:
    edge = OPENED_MS + WINDOW_MS
    times = [OPENED_MS, edge - 1000, edge, edge + 1000, NOW_MS - 1000, NOW_MS, NOW_MS + 1000]
    stub, reader = account(offsets([deposit(samples, number, at) for number, at in enumerate(times)]))
    rows, position = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, NOW))
    assert {row.transfer_id for row in rows} == {"d0", "d1", "d2", "d3", "d4"}
    assert (len(stub.asked), position) == (116, str(NOW_MS - 14 * DAY_MS))


def test_transfers_of_one_second_fill_many_pages(samples: Samples, account: Open) -> None:
    deposits = [deposit(samples, number, NOW_MS - DAY_MS) for number in range(250)]
    _, reader = account(offsets(deposits))
    rows, _ = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, NOW), str(NOW_MS - 2 * DAY_MS))
    assert {row.transfer_id for row in rows} == {each["id"] for each in deposits}


def test_the_next_walk_sees_states_change(samples: Samples, account: Open) -> None:
    rows = [deposit(samples, 1, NOW_MS - 13 * DAY_MS)]
    _, reader = account(offsets(rows))
    _, position = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, NOW), str(NOW_MS - 20 * DAY_MS))
    rows[0]["status"] = "BLOCKED"
    again, _ = walk(lambda at: reader.transfers(TransferKind.DEPOSIT, at, NOW), position)
    assert [row.status.value for row in again] == ["failed"]


def test_withdrawals_have_their_own_endpoint(samples: Samples, account: Open) -> None:
    stub, reader = account(lambda _: samples["withdrawals"])
    page = reader.transfers(TransferKind.WITHDRAWAL, str(NOW_MS - DAY_MS), NOW)
    assert (stub.paths(), [(row.amount, row.fee_amount) for row in page.rows]) == (
        ["/api/v4/wallet/withdrawals"],
        [(Decimal("222.60"), Decimal("0.01"))],
    )


def test_balances_leave_out_what_is_zero(samples: Samples, account: Open) -> None:
    nothing = {"currency": "BTC", "available": "0", "locked": "0.000"}
    _, reader = account(lambda _: [*samples["accounts"], nothing, {"currency": "X"}])
    page = reader.balances()
    assert [(row.asset, row.available, row.locked) for row in page.rows] == [
        ("ETH", Decimal("968.8"), Decimal(0))
    ]
    assert [each.reason for each in page.bad] == ["available is missing"]


def test_open_orders_of_all_pairs_and_triggers(samples: Samples, account: Open) -> None:
    many = [samples["orders"][0] | {"id": str(number), "status": "open"} for number in range(130)]
    few = samples["open_orders"][0]

    def answer(asked: Asked) -> Any:
        if asked.path.endswith("price_orders"):
            return [samples["waiting trigger"]] if asked.query["offset"] == "0" else []
        page, limit = int(asked.query["page"]), int(asked.query["limit"])
        chosen = many[limit * (page - 1) : limit * page]
        return [
            {"currency_pair": "BTC_USDT", "total": 130, "orders": chosen},
            few if page == 1 else {"orders": []},
        ]

    _, reader = account(answer)
    found = {row.order_id for row in reader.open_orders().rows}
    assert found == {*(each["id"] for each in many), "12332324", "trigger-71639298"}


def test_open_orders_without_an_end_are_no_answer(samples: Samples, account: Open) -> None:
    orders = [samples["orders"][0]] * 100
    _, reader = account(lambda _: [{"currency_pair": "BTC_USDT", "total": 100, "orders": orders}])
    with pytest.raises(ExchangeError) as raised:
        reader.open_orders()
    assert raised.value.kind is ErrorKind.DOWN


def test_one_order_and_one_trigger_as_they_stand(samples: Samples, account: Open) -> None:
    answers = {
        "1852454420": samples["orders"][0],
        "71639298": samples["waiting trigger"] | {"status": "finish"},
    }
    stub, reader = account(lambda asked: answers[asked.path.rsplit("/", 1)[1]])
    order, trigger = (reader.order("BTC_USDT", each) for each in ("1852454420", "trigger-71639298"))
    assert (order.status.value, trigger.status.value, trigger.order_id) == (
        "FILLED",
        "EXPIRED",
        "trigger-71639298",
    )
    assert stub.paths() == ["/api/v4/spot/orders/1852454420", "/api/v4/spot/price_orders/71639298"]


def test_an_unreadable_order_is_reported(samples: Samples, account: Open) -> None:
    _, reader = account(lambda _: samples["orders"][0] | {"price": "dear"})
    with pytest.raises(ExchangeError) as raised:
        reader.order("BTC_USDT", "1852454420")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.BUG, "row")


def test_symbols_come_from_assets_and_the_last_days_first(samples: Samples, account: Open) -> None:
    trades = [
        trade(samples, 1, NOW_MS - DAY_MS, "OLD_COIN"),
        trade(samples, 2, NOW_MS - 5 * DAY_MS, "ETH_USDT"),
    ]
    stub, reader = account(pages(trades))
    assert reader.traded_symbols(["BTC", "USDT"], []) == ["OLD_COIN", "BTC_USDT"]
    assert reader.traded_symbols(["BTC", "ETH"], ["BTC_USDT", "OLD_COIN"]) == ["ETH_USDT", "ETH_BTC"]
    assert len(stub.asked) == 1


def test_symbols_are_exact_once_a_walk_began_at_the_beginning(samples: Samples, account: Open) -> None:
    trades = [trade(samples, 1, OPENED_MS + DAY_MS, "GONE_USDT"), trade(samples, 2, NOW_MS - 5 * DAY_MS)]
    _, reader = account(pages(trades))
    walk(lambda at: reader.fills("BTC_USDT", at))
    assert reader.traded_symbols(["ETH"], ["BTC_USDT"]) == ["GONE_USDT"]
    assert reader.sweep_symbols([]) == ["BTC_USDT", "GONE_USDT"]
