"""A scripted account: which kind it is, what its key may see, and walks whatever the pages look like."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core import clock
from exchanges.bitget import walks
from exchanges.bitget.account import BitgetAccount
from exchanges.bitget.walks import Walk, Window
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Page, TransferKind
from exchanges.transport import CcxtClient
from exchanges.windows import Span
from tests.exchanges.bitget.conftest import MARKETS, NOW, SETTINGS, refusal, wrapped
from tests.exchanges.stub import Asked, Reply, Script, Stub

Open = Callable[[Script], tuple[Stub, BitgetAccount]]
Serve = Callable[[Script], tuple[Stub, CcxtClient]]
Samples = dict[str, Any]
DAY_MS = 86_400_000
NOW_MS = clock.to_ms(NOW)
FLOOR_MS = NOW_MS - 90 * DAY_MS + 3_600_000


def fill(samples: Samples, at: int, number: int = 0) -> dict[str, Any]:
    raw: dict[str, Any] = samples["fills"][0]
    return raw | {"tradeId": str(at * 1000 + number), "cTime": str(at)}


def pages(rows: Iterable[dict[str, Any]]) -> Script:
    """Newest first, in a window of at most 90 days, below an id."""

    def answer(asked: Asked) -> Any:
        query = asked.query
        start, end = int(query["startTime"]), int(query["endTime"])
        assert 0 <= end - start <= 90 * DAY_MS
        assert start >= FLOOR_MS
        below = int(query.get("idLessThan", 10**30))
        found = [each for each in rows if start <= int(each["cTime"]) <= end and int(each["tradeId"]) < below]
        found.sort(key=lambda each: -int(each["tradeId"]))
        return found[: int(query["limit"])]

    return answer


def walk(ask: Callable[[str], Page[Any]], position: str = "") -> tuple[list[Any], str]:
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


def test_a_first_walk_reads_everything_that_is_told(samples: Samples, account: Open) -> None:
    times = [FLOOR_MS, FLOOR_MS + 1, NOW_MS - 40 * DAY_MS, NOW_MS - 1, NOW_MS]
    raws = [fill(samples, at) for at in times]
    stub, reader = account(pages(raws))
    rows, position = walk(partial(reader.fills, "BTCUSDT"))
    assert (ids(rows), position) == ({each["tradeId"] for each in raws}, str(NOW_MS + 1 - DAY_MS))
    assert [each.query["symbol"] for each in stub.asked if each.path.endswith("fills")] == ["BTCUSDT"]


def test_many_pages_of_one_millisecond_go_on_below_the_id(samples: Samples, account: Open) -> None:
    raws = [fill(samples, NOW_MS - DAY_MS, number) for number in range(450)]
    _, reader = account(pages(raws))
    rows, _ = walk(partial(reader.fills, "BTCUSDT"))
    assert ids(rows) == {each["tradeId"] for each in raws}


def test_a_run_that_ended_inside_a_window_goes_on_there(samples: Samples, account: Open) -> None:
    raws = [fill(samples, NOW_MS - DAY_MS - number) for number in range(250)]
    _, first = account(pages(raws))
    page = first.fills("BTCUSDT", "")
    _, second = account(pages(raws))
    rows, _ = walk(partial(second.fills, "BTCUSDT"), page.next_position)
    assert (len(page.rows), ids(page.rows) | ids(rows)) == (100, {each["tradeId"] for each in raws})


def test_a_position_older_than_what_is_told_goes_on_at_the_floor(samples: Samples, account: Open) -> None:
    raws = [fill(samples, NOW_MS - DAY_MS)]
    _, reader = account(pages(raws))
    old = NOW_MS - 200 * DAY_MS
    for position in (str(old), f"{old}:{old + DAY_MS}:77"):
        rows, _ = walk(partial(reader.fills, "BTCUSDT"), position)
        assert ids(rows) == {raws[0]["tradeId"]}


def test_a_page_that_leads_nowhere_is_the_exchanges_fault(samples: Samples, account: Open) -> None:
    raws = [fill(samples, NOW_MS - DAY_MS, number) for number in range(100)]
    _, reader = account(lambda _: raws)
    with pytest.raises(ExchangeError) as raised:
        walk(partial(reader.fills, "BTCUSDT"))
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")


def test_a_full_page_without_an_id_is_the_exchanges_fault(samples: Samples, account: Open) -> None:
    raw = {key: value for key, value in fill(samples, NOW_MS).items() if key != "tradeId"}
    _, reader = account(lambda _: [raw] * 100)
    with pytest.raises(ExchangeError) as raised:
        reader.fills("BTCUSDT", "")
    assert raised.value.kind is ErrorKind.DOWN


def test_a_long_window_that_is_empty_is_asked_for_twice(account: Open) -> None:
    stub, reader = account(lambda _: [])
    assert walk(partial(reader.fills, "BTCUSDT"))[0] == []
    assert walk(partial(reader.fills, "BTCUSDT"), str(NOW_MS - DAY_MS))[0] == []
    assert len([each for each in stub.asked if each.path.endswith("fills")]) == 3


def test_a_walk_before_its_start_asks_nothing(account: Open) -> None:
    stub, reader = account(lambda _: [])
    page = reader.fills("BTCUSDT", str(NOW_MS + 5000))
    assert (page.rows, page.has_more, page.next_position) == ((), False, str(NOW_MS + 5000))
    assert [each.path for each in stub.asked] == [SETTINGS]


@pytest.mark.parametrize(
    ("position", "window"),
    [
        ("", Window(1000, 1100)),
        ("1050", Window(1050, 1150)),
        ("1250", Window(1250, 1300)),
        ("500", Window(1000, 1100)),
        ("1050:1090:77", Window(1050, 1090, "77")),
        ("500:1090:77", Window(1000, 1090, "77")),
        ("500:900:77", Window(1000, 1100)),
    ],
)
def test_windows_of_a_walk(position: str, window: Window) -> None:
    given = Walk(longest=timedelta(milliseconds=100), overlap=timedelta(milliseconds=20))
    assert given.at(position, Span(1000, 1300)) == window


def test_where_a_walk_goes_on() -> None:
    given = Walk(longest=timedelta(milliseconds=100), overlap=timedelta(milliseconds=20))
    span = Span(1000, 1300)
    assert given.after(Window(1000, 1100), "77", span) == ("1000:1100:77", True)
    assert given.after(Window(1000, 1100, "77"), "", span) == ("1100", True)
    assert given.after(Window(1200, 1300), "", span) == ("1280", False)


def kind_of(serve: Serve, reply: Any) -> str:
    def answer(asked: Asked) -> Any:
        if asked.path == SETTINGS:
            return reply
        return wrapped({"userId": "7", "authorities": ["stor"], "permissions": ["uta_mgt"]})

    _, client = serve(answer)
    return BitgetAccount(client, MARKETS).info().account_type


def test_the_settings_of_a_unified_account_decide(serve: Serve, samples: Samples) -> None:
    assert kind_of(serve, wrapped(samples["unified settings"])) == "unified"


@pytest.mark.parametrize("code", ["40084", "40014", "40017"])
def test_a_refusal_that_is_about_the_account_is_a_classic_one(serve: Serve, code: str) -> None:
    assert kind_of(serve, refusal(code)) == "classic"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal("40006"), ErrorKind.AUTH),
        (refusal("429", status=429), ErrorKind.RATE),
        (refusal("40015"), ErrorKind.DOWN),
        (Reply("<html>", 502), ErrorKind.DOWN),
        (Reply(reset=True), ErrorKind.NETWORK),
    ],
)
def test_no_other_refusal_decides(serve: Serve, reply: Reply, kind: ErrorKind) -> None:
    with pytest.raises(ExchangeError) as raised:
        kind_of(serve, reply)
    assert raised.value.kind is kind


def test_the_account_is_asked_once_what_it_is(account: Open) -> None:
    stub, reader = account(lambda _: [])
    walk(partial(reader.fills, "BTCUSDT"))
    walk(partial(reader.orders, "BTCUSDT"))
    assert stub.paths().count(SETTINGS) == 1


def test_a_key_that_may_not_see_contracts_reads_spot(account: Open, samples: Samples) -> None:
    def answer(asked: Asked) -> Any:
        if "/mix/" in asked.path:
            return refusal("40014", "Incorrect permissions")
        return [samples["assets"][0] | {"available": "2"}] if asked.path.endswith("assets") else []

    _, reader = account(answer)
    kinds = (TransferKind.DEPOSIT, TransferKind.WITHDRAWAL, TransferKind.INTERNAL, TransferKind.AIRDROP)
    assert (reader.derivatives, reader.transfer_kinds) == (None, kinds)
    assert {row.wallet for row in reader.balances().rows} == {"spot", "funding"}


@pytest.mark.parametrize(("age", "is_told"), [(1, True), (40, True), (80, True), (None, False)])
def test_empty_wallets_are_believed_unless_something_moved(
    account: Open, samples: Samples, age: int | None, is_told: bool
) -> None:
    moved = NOW_MS - (age or 0) * DAY_MS

    def answer(asked: Asked) -> Any:
        if not asked.path.endswith("bill"):
            return []
        start, end = (int(asked.query[name]) for name in ("startTime", "endTime"))
        told = age is not None and start <= moved <= end
        return {"bills": samples["mix bills"]["bills"] if told else None, "endId": "2"}

    _, reader = account(answer)
    assert (reader.derivatives is not None) is is_told


def test_contracts_that_cannot_be_reached_are_no_missing_right(account: Open) -> None:
    _, reader = account(lambda asked: refusal("40015") if "/mix/" in asked.path else [])
    with pytest.raises(ExchangeError) as raised:
        _ = reader.derivatives
    assert raised.value.kind is ErrorKind.DOWN


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ("1760000000000", clock.from_ms(1_760_000_000_000)),
        ("1246566789345", walks.OPENED),
        ("", walks.OPENED),
    ],
)
def test_deposits_are_walked_from_the_registration_on(
    account: Open, samples: Samples, told: str, start: datetime
) -> None:
    def answer(asked: Asked) -> Any:
        return samples["account info"] | {"regisTime": told} if asked.path.endswith("info") else []

    stub, reader = account(answer)
    reader.transfers(TransferKind.DEPOSIT, "", NOW)
    first = next(each for each in stub.asked if each.path.endswith("deposit-records"))
    assert int(first.query["startTime"]) == clock.to_ms(start)


def test_coins_that_were_moved_are_asked_for_one_by_one(account: Open, samples: Samples) -> None:
    bill = samples["bills"][0] | {"billId": "1", "coin": "btc", "groupType": "transfer"}
    record = samples["transfers"][0] | {"ts": str(NOW_MS - DAY_MS)}

    def answer(asked: Asked) -> Any:
        if asked.path.endswith("bills"):
            return [bill]
        if asked.path.endswith("transferRecords"):
            return [record] if asked.query["coin"] == "BTC" else []
        held = {"marginCoin": "USDT", "accountEquity": "5", "available": "5"}
        return [held] if asked.path.endswith("accounts") else []

    stub, reader = account(answer)
    rows, _ = walk(partial(reader.transfers, TransferKind.INTERNAL, until=NOW), str(NOW_MS - 2 * DAY_MS))
    asked = [each.query["coin"] for each in stub.asked if each.path.endswith("transferRecords")]
    assert ([row.asset for row in rows], sorted(asked)) == (["BTC"], ["BTC", "USDT"])
