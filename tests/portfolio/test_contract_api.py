"""Contracts on the seeds' routes, and how their numbers came about."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import ListingRow, MarketType, PriceRow
from marketdata import listings, tickers
from orders.models import Fill, FundingPayment
from portfolio.models import Trade
from portfolio.selectors import explain
from tests.clients import JsonClient, PageClient
from tests.portfolio.api_books import candle, day, list_pairs, open_account, quote
from tests.portfolio.contracts import fill, fold, funding, report_position

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def open_short(user: User, **mark: Any) -> ExchangeAccount:
    """2 BTCUSDT sold at 100 an hour ago, 0.5 received as funding."""
    account = open_account(user)
    at = clock.now() - 60 * MINUTE
    facts: list[Fill | FundingPayment] = [
        fill(account, "SELL", "2", "100", executed_at=at),
        funding(account, "0.5", paid_at=at + MINUTE),
    ]
    if mark:
        report_position(account, side="SHORT", **mark)
    fold(account, *facts)
    return account


def test_an_open_short_is_valued_by_the_fresh_mark_price(alice: User, as_alice: JsonClient) -> None:
    open_short(alice, mark="90", at=clock.now())

    body = as_alice.get("/api/positions/open").json()
    [row] = body["positions"]
    assert (row["side"], row["market_type"], row["leverage"], row["margin_mode"]) == (
        "SHORT",
        "futures",
        5,
        "isolated",
    )
    assert (row["current_price"], row["current_value"], row["unrealized_pnl"]) == (90, 180, 20)
    assert (row["liquidation_price"], row["margin"], row["funding"], row["is_stale"]) == (60, 40, 0.5, False)
    assert body["total_unrealized_pnl"] == 20


def test_the_contracts_own_price_is_newer_than_the_accounts_report(alice: User, as_alice: JsonClient) -> None:
    amount = Decimal("0.001")
    listed = ListingRow(
        MarketType.FUTURES, "BTCUSDT", "BTC", "USDT", "TRADING", True, None, amount, None, None
    )
    listings.store(exchange="binance", rows=[listed], at=clock.now())
    open_short(alice, mark="90", at=clock.now() - MINUTE)
    rows = [PriceRow("BTCUSDT", Decimal(85))]
    tickers.store(exchange="binance", rows=rows, at=clock.now(), market_type=MarketType.FUTURES)

    [row] = as_alice.get("/api/positions/open").json()["positions"]
    assert (row["current_price"], row["unrealized_pnl"], row["is_stale"]) == (85, 30, False)


def test_an_old_mark_gives_way_to_the_underlyings_price(alice: User, as_alice: JsonClient) -> None:
    list_pairs()
    open_short(alice, mark="90", at=clock.now() - 20 * MINUTE)
    quote(BTCUSDT="95")

    [row] = as_alice.get("/api/positions/open").json()["positions"]
    assert (row["current_price"], row["unrealized_pnl"], row["is_stale"]) == (95, 10, False)


def test_without_any_price_nothing_is_made_up(alice: User, as_alice: JsonClient) -> None:
    open_short(alice)

    [row] = as_alice.get("/api/positions/open").json()["positions"]
    assert (row["unrealized_pnl"], row["leverage"], row["total_cost"], row["is_stale"]) == (
        None,
        None,
        200,
        True,
    )


def test_the_history_tells_the_exchanges_own_result(alice: User, as_alice: JsonClient) -> None:
    account = open_short(alice)
    fold(
        account,
        fill(account, "BUY", "2", "90", realized_pnl=Decimal("20.01"), executed_at=clock.now() - MINUTE),
    )

    [row] = as_alice.get("/api/trades/history").json()["trades"]
    assert (row["side"], row["funding"], row["net_pnl"], row["settled_pnl"]) == ("SHORT", 0.5, 20.5, 20)
    assert (row["exchange_pnl"], row["exchange_difference"]) == (20.01, -0.01)
    assert (row["leverage"], row["roi_percentage"], row["roi_reason"]) == (None, None, "unknown_leverage")


def test_every_contract_trade_adds_up(alice: User) -> None:
    eventful(alice)

    for tree in trees(alice):
        assert [check for check in tree.checks if check.equal is not True] == []
        assert tree.adds_up


def test_an_explanation_holds_the_positions_funding(alice: User) -> None:
    eventful(alice)

    tree = next(
        tree for tree in trees(alice) if tree.trade.symbol == "BTCUSDT" and tree.trade.closes_position
    )
    assert [paid.amount for paid in tree.funding] == [Decimal("-0.9"), Decimal("0.1")]
    assert (
        tree.sums.net_pnl
        == tree.trade.net_pnl
        == tree.sums.gross_pnl - tree.sums.exit_fees + tree.sums.funding
    )


def test_a_wrong_number_is_seen(alice: User) -> None:
    eventful(alice)
    with tenancy.acting_as(alice.id):
        row = Trade.objects.filter(symbol="BTCUSDT").first()
        assert row is not None
        Trade.objects.filter(id=row.pk).update(funding=row.funding + 1, net_pnl=row.net_pnl + 1)
        wrong = explain.explain(trade_id=row.pk)

    assert {check.name for check in wrong.checks if check.equal is False} >= {"funding"}


def test_the_page_shows_side_and_leverage(alice: User) -> None:
    open_short(alice, mark="90", at=clock.now())
    pages = PageClient()
    pages.force_login(alice)
    html = pages.get("/fragments/positions").content.decode()
    assert [text for text in ("BTCUSDT", "short · 5× isolated", "liquidation at") if text not in html] == []


def test_the_page_of_a_trade_follows_its_sum(alice: User) -> None:
    eventful(alice)
    with tenancy.acting_as(alice.id):
        ids = list(Trade.objects.filter(market_type="futures").values_list("id", flat=True))
    pages = PageClient()
    pages.force_login(alice)

    for trade_id in ids:
        html = pages.get(f"/trades/{trade_id}").content.decode()
        assert "adds up" in html
        assert "+ Funding" in html


def eventful(user: User) -> ExchangeAccount:
    """A long closed in two parts with funding, a flip, hedged sides, a coin-margined round trip, a fee in BNB."""
    list_pairs()
    for hour in (10, 11):
        candle("BTCUSDT", day(4, hour), f"6{hour}00")
        candle("BNBUSDT", day(4, hour), "601.77")
    account, at = open_account(user), day(4)
    inverse: dict[str, Any] = {
        "symbol": "BTCUSD_PERP",
        "quote_asset": "USD",
        "is_inverse": True,
        "fee_currency": "BTC",
    }
    eth = {"symbol": "ETHUSDT", "base_asset": "ETH"}
    facts: list[Fill | FundingPayment] = [
        fill(account, "BUY", "3", "100", executed_at=at),
        funding(account, "-0.9", paid_at=at + 2 * MINUTE),
        fill(account, "SELL", "1", "110", executed_at=at + 3 * MINUTE, fee_amount=Decimal("0.3")),
        fill(account, "SELL", "2", "120", executed_at=at + 4 * MINUTE, realized_pnl=None),
        funding(account, "0.1", paid_at=at + 5 * MINUTE),
        fill(account, "BUY", "1", "7", executed_at=at, fee_amount=Decimal("0.01"), fee_currency="BNB", **eth),
        fill(account, "SELL", "3", "8", executed_at=at + MINUTE, fee_amount=Decimal("0.03"), **eth),
        fill(account, "BUY", "2", "9", executed_at=at + 2 * MINUTE, is_liquidation=True, **eth),
        fill(account, "BUY", "1", "100", executed_at=at, position_side="LONG", symbol="SOLUSDT", base_asset="SOL"),
        fill(
            account, "SELL", "4", "101", executed_at=at + MINUTE, position_side="LONG", symbol="SOLUSDT",
            base_asset="SOL",
        ),
        fill(account, "SELL", "700", "61000", executed_at=at, **inverse),
        fill(account, "BUY", "300", "60000", executed_at=at + MINUTE, fee_amount=Decimal("0.00001"), **inverse),
        fill(account, "BUY", "400", "59000", executed_at=at + 70 * MINUTE, **inverse),
    ]  # fmt: skip
    fold(account, *facts)
    return account


def trees(user: User) -> list[explain.Explanation]:
    with tenancy.acting_as(user.id):
        ids = Trade.objects.filter(market_type="futures").order_by("id").values_list("id", flat=True)
        found = [explain.explain(trade_id=trade_id) for trade_id in ids]
    assert len(found) == 7
    return found
