"""Orders, executions and transfers as the frontend takes them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from core import clock
from credentials.models import ExchangeAccount
from tests.clients import JsonClient
from tests.factories import AccountFactory, FillFactory, OrderFactory, TransferFactory
from tests.web.exchange_routes import frontend
from tests.web.exchange_routes.frontend import body, misfits

pytestmark = pytest.mark.django_db

START = datetime(2026, 2, 1, 10, tzinfo=UTC)
START_MS = clock.to_ms(START)
CONTRACT: dict[str, Any] = {"market_type": "futures", "position_side": "BOTH"}


def test_an_order_of_binance_is_the_frontends(account: ExchangeAccount, reader: JsonClient) -> None:
    OrderFactory.create(
        account=account,
        exchange_order_id="1234567",
        client_order_id="mine",
        price=Decimal("58000.50"),
        quantity=Decimal("0.1"),
        executed_quantity=Decimal("0.04"),
        executed_quote_quantity=Decimal("2320.02"),
        status="PARTIALLY_FILLED",
        time_in_force="GTC",
    )

    rows = body(reader.get("/binance/open-orders"))

    assert misfits(rows, [frontend.BINANCE_ORDER]) == []
    assert rows == [
        {
            "orderId": 1234567,
            "clientOrderId": "mine",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "price": "58000.5",
            "origQty": "0.1",
            "executedQty": "0.04",
            "status": "PARTIALLY_FILLED",
            "time": START_MS,
            "stopPrice": "0",
            "cummulativeQuoteQty": "2320.02",
            "timeInForce": "GTC",
            "updateTime": START_MS,
            "orderIdText": "1234567",
            "market": "spot",
            "positionSide": "",
            "reduceOnly": False,
            "exchange": "binance",
            "account": str(account.id),
        }
    ]


@pytest.mark.parametrize("exchange", ["bitget", "gateio", "mexc"])
def test_order_ids_of_others_are_text(exchange: str, account: ExchangeAccount, reader: JsonClient) -> None:
    theirs = AccountFactory.create(user=account.user, exchange=exchange)
    OrderFactory.create(account=theirs, exchange_order_id="0123")

    rows = body(reader.get(f"/{exchange}/open-orders"))

    assert misfits(rows, [frontend.ORDER]) == []
    assert [row["orderId"] for row in rows] == ["0123"]


def test_a_conditional_order_of_binance_has_a_number_too(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    OrderFactory.create(account=account, exchange_order_id="algo-77", **CONTRACT)

    (row,) = body(reader.get("/binance/open-orders", {"market": "futures"}))

    assert (row["orderId"], row["orderIdText"]) == (77, "algo-77")


def test_an_imported_orders_name_is_not_cut_to_a_number(account: ExchangeAccount, reader: JsonClient) -> None:
    OrderFactory.create(account=account, exchange_order_id="entry-x7")

    assert [row["orderId"] for row in body(reader.get("/binance/open-orders"))] == ["entry-x7"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"presetStopSurplusPrice": "2001", "presetStopLossPrice": "1800"}, ("2001", "1800")),
        ({"takeProfit": "2001", "stopLoss": ""}, ("2001", "")),
    ],
    ids=["contracts", "unified"],
)
def test_bitgets_presets_have_one_name(
    raw: dict[str, str], expected: tuple[str, str], bitget: ExchangeAccount, reader: JsonClient
) -> None:
    OrderFactory.create(account=bitget, raw=raw, **CONTRACT)

    (row,) = body(reader.get("/bitget/order/all-open-orders?market=futures"))

    assert (row["presetTakeProfitPrice"], row["presetStopLossPrice"]) == expected


def test_bitgets_open_orders_speak_bitget(bitget: ExchangeAccount, reader: JsonClient) -> None:
    OrderFactory.create(
        account=bitget,
        exchange_order_id="1098394344925597696",
        raw={"presetTakeProfitPrice": "61000", "presetStopLossPrice": ""},
    )
    OrderFactory.create(account=bitget, status="FILLED")

    rows = body(reader.get("/bitget/order/all-open-orders"))

    assert misfits(rows, [frontend.BITGET_ORDER]) == []
    names = ("orderId", "side", "orderType", "priceAvg", "size", "status", "presetTakeProfitPrice", "cTime")
    assert [[row[name] for name in names] for row in rows] == [
        ["1098394344925597696", "buy", "limit", "100", "1", "live", "61000", str(START_MS)]
    ]


def test_order_history_is_by_symbol(account: ExchangeAccount, reader: JsonClient) -> None:
    for hour, symbol in enumerate(("BTCUSDT", "ETHUSDT", "BTCUSDT")):
        OrderFactory.create(
            account=account, symbol=symbol, status="FILLED", ordered_at=START + timedelta(hours=hour)
        )

    groups = body(reader.get("/binance/order-history"))

    assert misfits(groups, [{"symbol": str, "orders": [frontend.BINANCE_ORDER]}]) == []
    assert [(group["symbol"], len(group["orders"])) for group in groups] == [("BTCUSDT", 2), ("ETHUSDT", 1)]


@pytest.mark.parametrize("path", ["/bitget/order/trade-fills", "/bitget/trade-fills"])
def test_an_execution_is_the_frontends(path: str, bitget: ExchangeAccount, reader: JsonClient) -> None:
    FillFactory.create(
        account=bitget,
        exchange_fill_id="7",
        exchange_order_id="5",
        side="SELL",
        price=Decimal("58000.5"),
        quantity=Decimal("0.1"),
        quote_quantity=Decimal("5800.05"),
        fee_amount=Decimal("-0.0001"),
        fee_currency="BGB",
        is_maker=True,
    )

    rows = body(reader.get(path))

    assert misfits(rows, [frontend.TRADE]) == []
    assert rows == [
        {
            "tradeId": "7",
            "orderId": "5",
            "symbol": "BTCUSDT",
            "side": "sell",
            "price": "58000.5",
            "size": "0.1",
            "amount": "5800.05",
            "feeDetail": {"feeCoin": "BGB", "totalFee": "-0.0001"},
            "cTime": str(START_MS),
            "tradeScope": "maker",
            "market": "spot",
            "exchange": "bitget",
            "account": str(bitget.id),
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 0]),
        ({"market": "futures"}, [1]),
        ({"market": "all"}, [3, 2, 1, 0]),
        ({"symbol": "ETHUSDT"}, [2]),
        ({"startTime": START_MS + 7_200_000}, [3, 2]),
        ({"endTime": START_MS + 7_200_000}, [2, 0]),
        ({"startTime": START_MS, "endTime": START_MS}, [0]),
        ({"startTime": 0, "endTime": START_MS + 400 * 86_400_000}, [3, 2, 0]),
    ],
)
def test_executions_are_found_by(
    query: dict[str, Any], expected: list[int], account: ExchangeAccount, reader: JsonClient
) -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {**CONTRACT, "settle_asset": "USDT"},
        {"symbol": "ETHUSDT"},
        {"executed_at": START + timedelta(days=100)},
    ]
    made = [
        FillFactory.create(account=account, **{"executed_at": START + timedelta(hours=hour), **kind})
        for hour, kind in enumerate(kinds)
    ]

    found = [row["tradeId"] for row in body(reader.get("/binance/trade-fills", query))]

    assert found == [made[place].exchange_fill_id for place in expected]


@pytest.mark.parametrize("path", ["/bitget/deposit-history", "/bitget/deposit-records"])
def test_a_deposit_is_the_frontends(path: str, bitget: ExchangeAccount, reader: JsonClient) -> None:
    TransferFactory.create(
        account=bitget,
        exchange_transfer_id="d1",
        network="TRX",
        address="TXv2",
        tx_id="98a3",
        occurred_at=START,
        status="pending",
    )
    TransferFactory.create(account=bitget, kind="WITHDRAWAL")

    rows = body(reader.get(path))

    assert misfits(rows, [frontend.DEPOSIT]) == []
    assert rows == [
        {
            "id": "d1",
            "amount": "1000",
            "coin": "USDT",
            "network": "TRX",
            "status": "pending",
            "address": "TXv2",
            "txId": "98a3",
            "timestamp": START_MS,
            "exchange": "bitget",
            "account": str(bitget.id),
        }
    ]


@pytest.mark.parametrize("path", ["/bitget/withdraw-history", "/bitget/withdrawal-records"])
def test_a_withdrawal_tells_its_fee(path: str, bitget: ExchangeAccount, reader: JsonClient) -> None:
    TransferFactory.create(account=bitget)
    TransferFactory.create(
        account=bitget, kind="WITHDRAWAL", exchange_transfer_id="w1", fee_amount=Decimal("1.50")
    )

    rows = body(reader.get(path))

    assert misfits(rows, [frontend.WITHDRAWAL]) == []
    assert [(row["id"], row["fee"]) for row in rows] == [("w1", "1.5")]


def test_a_transfer_names_both_wallets(account: ExchangeAccount, reader: JsonClient) -> None:
    moved = {"kind": "INTERNAL", "exchange_transfer_id": "m1", "occurred_at": START}
    TransferFactory.create(account=account, from_wallet="spot", to_wallet="futures", **moved)
    TransferFactory.create(account=account, kind="REBATE")

    rows = body(reader.get("/binance/transfer-history"))

    assert misfits(rows, [frontend.TRANSFER]) == []
    assert rows == [
        {
            "id": "m1",
            "asset": "USDT",
            "amount": "1000",
            "type": "MAIN_UMFUTURE",
            "fromWallet": "spot",
            "toWallet": "futures",
            "status": "success",
            "timestamp": START_MS,
            "exchange": "binance",
            "account": str(account.id),
        }
    ]


@pytest.mark.parametrize("route", ["open-orders", "order-history", "trade-fills", "deposit-history"])
def test_pages_meet_without_gap_or_overlap(route: str, account: ExchangeAccount, reader: JsonClient) -> None:
    makes = {"trade-fills": FillFactory.create, "deposit-history": TransferFactory.create}
    made = [makes.get(route, OrderFactory.create)(account=account) for _ in range(5)]  # all of one moment
    names = {"trade-fills": "tradeId", "deposit-history": "id"}
    sizes, ids, query = [], [], {"limit": "2"}

    while query:
        answer = reader.get(f"/binance/{route}", query)
        rows = body(answer)
        rows = [row for group in rows for row in group["orders"]] if route == "order-history" else rows
        sizes.append(len(rows))
        ids += [str(row[names.get(route, "orderId")]) for row in rows]
        link = answer.headers.get("Link")
        query = dict(parse_qsl(urlsplit(link.partition(">")[0][1:]).query)) if link else {}

    told = {"trade-fills": "exchange_fill_id", "deposit-history": "exchange_transfer_id"}
    assert sizes == [2, 2, 1]
    assert ids == [getattr(row, told.get(route, "exchange_order_id")) for row in reversed(made)]
