"""Windows, pages and rows of the signed endpoints."""

from typing import Any

import pytest

from exchanges.simulators.clock import FixedClock
from exchanges.simulators.gateio import GateioSimulator
from tests.exchanges.simulators.folding import fold, reported
from tests.exchanges.simulators.gateio.http import ask

DAY = 86_400
TRADES = "/spot/my_trades"
ORDERS = "/spot/orders"


def now_s(simulator: GateioSimulator) -> int:
    return simulator.clock.now_ms() // 1000


def told(simulator: GateioSimulator) -> dict[str, Any]:
    account: dict[str, Any] = simulator.truth()["accounts"]["demo"]
    return account


def times(simulator: GateioSimulator) -> list[int]:
    return sorted(each["time"] for rows in told(simulator)["fills"].values() for each in rows)


def found(simulator: GateioSimulator, **parameters: Any) -> list[int]:
    rows = ask(simulator, TRADES, limit=1000, **parameters).json
    return sorted(int(row["create_time_ms"].partition(".")[0]) for row in rows)


def test_without_times_the_last_seven_days_are_told(simulator: GateioSimulator) -> None:
    since = simulator.clock.now_ms() - 7 * DAY * 1000
    expected = [at for at in times(simulator) if at >= since]
    assert found(simulator) == expected
    assert len(expected) < len(times(simulator))


def test_one_time_tells_seven_days_from_or_up_to_it(simulator: GateioSimulator) -> None:
    middle = now_s(simulator) - 8 * DAY
    week, all_times = 7 * DAY * 1000, times(simulator)
    assert found(simulator, from_=middle) == [
        at for at in all_times if middle * 1000 <= at <= middle * 1000 + week
    ]
    assert found(simulator, to=middle) == [
        at for at in all_times if middle * 1000 - week <= at <= middle * 1000
    ]


def test_both_ends_count_to_the_millisecond(simulator: GateioSimulator, clock: FixedClock) -> None:
    account = simulator.accounts["demo"]
    fills = account.fills["BTCUSDT"]
    start = (now_s(simulator) - 3 * DAY) * 1000
    for fill, at in zip(fills[-4:], (start - 1, start, start + 5000, start + 5001), strict=True):
        fill.executed_at, fill.wire = at, b""
    asked: dict[str, Any] = {"from_": start // 1000, "to": start // 1000 + 5, "currency_pair": "BTC_USDT"}
    assert found(simulator, **asked) == [start, start + 5000]


@pytest.mark.parametrize("path", [TRADES, ORDERS, "/wallet/deposits", "/wallet/withdrawals"])
def test_a_window_is_at_most_thirty_days(simulator: GateioSimulator, path: str) -> None:
    now = now_s(simulator)
    more: dict[str, Any] = {"status": "finished"} if path == ORDERS else {}
    assert ask(simulator, path, from_=now - 30 * DAY, to=now, **more).status == 200
    answer = ask(simulator, path, from_=now - 30 * DAY - 1, to=now, **more)
    assert answer.error == (400, "INVALID_PARAM_VALUE")
    assert ask(simulator, path, from_=now, to=now - 1, **more).error == (400, "INVALID_PARAM_VALUE")


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "ten"},
        {"page": 0},
        {"limit": 1000, "page": 102},
        {"from": "yesterday"},
    ],
)
def test_senseless_parameters_are_refused(simulator: GateioSimulator, parameters: dict[str, Any]) -> None:
    assert ask(simulator, TRADES, **parameters).error == (400, "INVALID_PARAM_VALUE")


def test_pages_are_newest_first_and_do_not_overlap(simulator: GateioSimulator) -> None:
    window: dict[str, Any] = {"from_": now_s(simulator) - 30 * DAY, "to": now_s(simulator)}
    pages = [ask(simulator, TRADES, limit=10, page=number, **window).json for number in (1, 2, 3)]
    rows = [(row["create_time_ms"], row["currency_pair"], row["id"]) for page in pages for row in page]
    assert (len(set(rows)), [row[0] for row in rows]) == (
        30,
        sorted((row[0] for row in rows), reverse=True),
    )


def test_a_hundred_rows_where_no_limit_is_sent(simulator: GateioSimulator) -> None:
    window: dict[str, Any] = {"from_": now_s(simulator) - 30 * DAY, "to": now_s(simulator)}
    assert len(ask(simulator, TRADES, **window).json) == 100 < len(times(simulator))


def test_an_order_id_needs_its_pair(simulator: GateioSimulator) -> None:
    order_id = told(simulator)["fills"]["BTC_USDT"][-1]["order_id"]
    assert ask(simulator, TRADES, order_id=order_id).error == (400, "MISSING_REQUIRED_PARAM")
    since = now_s(simulator) - 30 * DAY
    rows = ask(
        simulator, TRADES, order_id=order_id, currency_pair="BTC_USDT", from_=since, to=since + 30 * DAY
    ).json
    assert {row["order_id"] for row in rows} == {str(order_id)}


def test_fees_in_gt_stand_apart(simulator: GateioSimulator) -> None:
    rows = ask(simulator, TRADES, from_=now_s(simulator) - 29 * DAY, to=now_s(simulator), limit=1000).json
    kinds = {(row["fee"] != "0", row["gt_fee"] != "0") for row in rows}
    assert kinds == {(True, False), (False, True)}


def test_an_unknown_pair_is_refused(simulator: GateioSimulator) -> None:
    assert ask(simulator, TRADES, currency_pair="NOPE_USDT").error == (400, "INVALID_CURRENCY_PAIR")
    assert ask(simulator, TRADES, currency_pair="BTCUSDT").error == (400, "INVALID_CURRENCY_PAIR")


def test_orders_need_a_status_and_open_ones_a_pair(simulator: GateioSimulator) -> None:
    assert ask(simulator, ORDERS).error == (400, "MISSING_REQUIRED_PARAM")
    assert ask(simulator, ORDERS, status="open").error == (400, "MISSING_REQUIRED_PARAM")
    assert ask(simulator, ORDERS, status="all").error == (400, "INVALID_PARAM_VALUE")


def test_open_lists_have_at_most_a_hundred_a_page(simulator: GateioSimulator) -> None:
    asked: dict[str, Any] = {"status": "open", "currency_pair": "BTC_USDT", "limit": 101}
    assert ask(simulator, ORDERS, **asked).error == (400, "INVALID_PARAM_VALUE")
    assert ask(simulator, "/spot/open_orders", limit=101).error == (400, "INVALID_PARAM_VALUE")


def test_a_page_of_open_orders_holds_some_of_every_pair(simulator: GateioSimulator) -> None:
    whole = ask(simulator, "/spot/open_orders").json
    assert any(group["total"] > 1 for group in whole)
    for group in whole:
        assert group["total"] == len(group["orders"])
    second = ask(simulator, "/spot/open_orders", limit=1, page=2).json
    assert [group["orders"] for group in second] == [group["orders"][1:2] for group in whole]


def test_the_open_orders_of_a_pair_are_those_of_its_group(simulator: GateioSimulator) -> None:
    for group in ask(simulator, "/spot/open_orders").json:
        pair = group["currency_pair"]
        assert ask(simulator, ORDERS, status="open", currency_pair=pair).json == group["orders"]


def test_finished_orders_go_by_their_end_and_by_side(simulator: GateioSimulator) -> None:
    window: dict[str, Any] = {"from_": now_s(simulator) - 29 * DAY, "to": now_s(simulator), "limit": 1000}
    rows = ask(simulator, ORDERS, status="finished", **window).json
    ends = [row["update_time_ms"] for row in rows]
    assert ends == sorted(ends, reverse=True)
    sides = [row["side"] for row in ask(simulator, ORDERS, status="finished", side="sell", **window).json]
    assert sides == [row["side"] for row in rows if row["side"] == "sell"]


def test_an_open_order_is_also_found_by_its_text(simulator: GateioSimulator) -> None:
    rows = [row for group in ask(simulator, "/spot/open_orders").json for row in group["orders"]]
    own = next(row for row in rows if row["text"].startswith("t-"))
    pair = own["currency_pair"]
    assert ask(simulator, f"{ORDERS}/{own['text']}", currency_pair=pair).json == own
    assert ask(simulator, f"{ORDERS}/{own['id']}").json == own


def test_nobodys_order_is_not_found(simulator: GateioSimulator) -> None:
    assert ask(simulator, f"{ORDERS}/7", currency_pair="BTC_USDT").error == (404, "ORDER_NOT_FOUND")
    assert ask(simulator, "/spot/price_orders/7").error == (400, "AUTO_ORDER_NOT_FOUND")


def test_a_fired_trigger_names_the_order_it_placed(simulator: GateioSimulator) -> None:
    rows = ask(simulator, "/spot/price_orders", status="finished", limit=1000).json
    for row in (each for each in rows if each["status"] == "finish"):
        placed = ask(simulator, f"{ORDERS}/{row['fired_order_id']}", currency_pair=row["market"]).json
        assert (placed["type"], placed["text"], placed["amount"]) == (
            "limit",
            row["put"]["text"],
            row["put"]["amount"],
        )
    assert {row["status"] for row in rows} <= {"finish", "cancelled", "expired"}


def test_triggers_are_paged_by_offset(simulator: GateioSimulator) -> None:
    whole = ask(simulator, "/spot/price_orders", status="finished").json
    second = ask(simulator, "/spot/price_orders", status="finished", limit=1, offset=1).json
    assert second == whole[1:2]
    assert ask(simulator, "/spot/price_orders", status="sleeping").error == (400, "INVALID_PARAM_VALUE")


def test_deposits_have_at_most_five_hundred_a_page(simulator: GateioSimulator) -> None:
    assert ask(simulator, "/wallet/deposits", limit=501).error == (400, "INVALID_PARAM_VALUE")
    window: dict[str, Any] = {"from_": now_s(simulator) - 29 * DAY, "to": now_s(simulator)}
    whole = ask(simulator, "/wallet/deposits", **window).json
    assert ask(simulator, "/wallet/deposits", limit=1, offset=1, **window).json == whole[1:2]
    assert {row["currency"] for row in ask(simulator, "/wallet/deposits", currency="BTC", **window).json} <= {
        "BTC"
    }


def test_one_balance_may_be_asked_for(simulator: GateioSimulator) -> None:
    assert [row["currency"] for row in ask(simulator, "/spot/accounts", currency="GT").json] == ["GT"]


@pytest.mark.parametrize("label", ["demo", "holes", "quiet"])
def test_balances_follow_from_the_facts_told(simulator: GateioSimulator, label: str) -> None:
    account = simulator.truth()["accounts"][label]
    plain = account | {"fills": {pair.replace("_", ""): rows for pair, rows in account["fills"].items()}}
    assert fold(plain) == reported(account)


def test_the_keys_of_an_account_are_masked(simulator: GateioSimulator) -> None:
    keys = ask(simulator, "/account/main_keys").json
    key = simulator.accounts["demo"].api_key
    assert [row["key"] for row in keys if key.startswith(row["key"].rstrip("*"))] == [f"{key[:12]}*****"]
    assert len(keys) == 2
