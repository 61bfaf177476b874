"""A small trader's half year, stored and folded by the application's own services, for the pages to show.

Prices are a deterministic walk; BTC is bought and sold in rounds, mostly at a gain, ETH is held, BNB pays fees.
"""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.models import User
from core import clock
from core.django import tenancy
from core.money import quantize
from credentials.models import ExchangeAccount, KeyState
from exchanges.rows import (
    BalanceRow,
    CandleRow,
    FillRow,
    ListingRow,
    MarketType,
    PriceRow,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)
from marketdata import candles, listings, tickers
from orders import ingest
from orders.touched import Touched
from pipeline.models import RunStatus, Stream, SyncCursor, SyncRun, Trigger
from portfolio import balances, books, metrics, rebuild, snapshots
from portfolio.models import WalletBalance
from tests.factories import AccountFactory

DAYS = 120
STARTS = {"BTC": 61000, "ETH": 2900, "BNB": 580}
CENT = Decimal("0.01")


def live(
    *, user: User, at: datetime, days: int = DAYS, label: str = "Main", size: Decimal = Decimal(1)
) -> ExchangeAccount:
    """Everything up to `at`: an account with `days` days behind it, traded in amounts of `size` times the usual."""
    account = AccountFactory.create(user=user, label=label, key_state=KeyState.GOOD)
    prices = _store_prices(at, days)
    fills = _fills(prices, at, days, size)
    with tenancy.acting_as(user.id):
        touched = Touched()
        touched.merge(ingest.store_fills(account=account, rows=fills, source="test", run_id=None))
        deposit = _deposit(clock.day_start(clock.utc_day(at)) - timedelta(days=days), size)
        touched.merge(ingest.store_transfers(account=account, rows=[deposit], source="test", run_id=None))
        books.mark_stale(account=account, touched=touched)
        balances.record(account=account, rows=_report(fills, deposit), at=at, run_id=None)
        SyncCursor.objects.create(
            user=user, account=account, stream=Stream.BALANCES, due_at=at, last_ok_at=at
        )
    derive(user_id=user.id, account_id=account.id, at=at)
    add_run(account=account, at=at)
    return account


def derive(*, user_id: UUID, account_id: UUID, at: datetime) -> None:
    rebuild.rebuild_account(user_id=user_id, account_id=account_id, at=at)
    snapshots.refresh(user_id=user_id, account_id=account_id, at=at)
    metrics.refresh(user_id=user_id, at=at)


def add_run(*, account: ExchangeAccount, at: datetime, **state: object) -> SyncRun:
    """A finished run, unless `state` says otherwise."""
    finished = {"status": RunStatus.OK, "started_at": at, "finished_at": at, "counts": {"fills": 3}}
    with tenancy.acting_as(account.user_id):
        return SyncRun.objects.create(
            user_id=account.user_id,
            account=account,
            trigger=Trigger.SCHEDULE,
            requested_at=at,
            **{**finished, **state},
        )


def _store_prices(at: datetime, days: int) -> dict[str, list[Decimal]]:
    """Opening prices by coin and day; listings, daily candles and tickers are stored."""
    walk = random.Random(7)
    first = clock.day_start(clock.utc_day(at)) - timedelta(days=days)
    prices: dict[str, list[Decimal]] = {}
    rows = []
    for coin, start in STARTS.items():
        opens = [Decimal(start)]
        for _ in range(days + 1):
            opens.append((opens[-1] * (1 + Decimal(round(walk.gauss(0.002, 0.022), 5)))).quantize(CENT))
        prices[coin] = opens
        for day in range(days + 1):
            low, high = sorted(opens[day : day + 2])
            rows.append(
                CandleRow(
                    f"{coin}USDT",
                    "1d",
                    first + timedelta(days=day),
                    opens[day],
                    high,
                    low,
                    opens[day + 1],
                    Decimal(1),
                )
            )
    listings.store(exchange="binance", rows=[_listing(coin) for coin in STARTS], at=at)
    candles.store(exchange="binance", timeframe="1d", rows=rows, at=at)
    latest = [PriceRow(f"{coin}USDT", opens[-1]) for coin, opens in prices.items()]
    tickers.store(exchange="binance", rows=latest, at=at)
    return prices


def _listing(coin: str) -> ListingRow:
    return ListingRow(
        MarketType.SPOT, f"{coin}USDT", coin, "USDT", "TRADING", True, CENT, Decimal("0.00001"), None, None
    )


def _fills(prices: dict[str, list[Decimal]], at: datetime, days: int, size: Decimal) -> list[FillRow]:
    first = clock.day_start(clock.utc_day(at)) - timedelta(days=days)
    rows: list[FillRow] = []

    def trade(
        coin: str, side: Side, quantity: str, day: int, hour: int, order: int, fee: str = "USDT"
    ) -> None:
        price = (prices[coin][day] * (1 + Decimal(hour) / 4000)).quantize(CENT)
        amount = Decimal(quantity) * size
        worth = quantize(price * amount)
        cost = quantize(worth / 1000, 8)
        paid = quantize(cost / prices["BNB"][day], 8) if fee == "BNB" else cost
        rows.append(
            FillRow(
                MarketType.SPOT, f"{coin}USDT", coin, "USDT", str(1000 + len(rows)), str(order), side, price,
                amount, worth, paid, fee, len(rows) % 2 == 0, first + timedelta(days=day, hours=hour),
            )
        )  # fmt: skip

    trade("BNB", Side.BUY, "1.5", 0, 9, 1)
    trade("ETH", Side.BUY, "0.8", 1, 10, 2, "BNB")
    order = 10
    for day in range(2, days - 6, 6):
        trade("BTC", Side.BUY, "0.025", day, 9, order, "BNB")
        trade("BTC", Side.BUY, "0.015", day, 11, order)
        trade("BTC", Side.SELL, "0.018", day + 3, 14, order + 1)
        trade("BTC", Side.SELL, "0.022", day + 4, 15, order + 2, "BNB")
        order += 3
    trade("BTC", Side.BUY, "0.05", days - 1, 12, order)
    return sorted(rows, key=lambda row: (row.executed_at, row.fill_id))


def _deposit(at: datetime, size: Decimal) -> TransferRow:
    return TransferRow(
        TransferKind.DEPOSIT, "d1", "USDT", 12000 * size, TransferStatus.SUCCESS, at, network="TRX"
    )


def _report(fills: list[FillRow], deposit: TransferRow) -> list[BalanceRow]:
    """What the exchange would report: the facts, and a little ETH that no fact explains."""
    totals = {"USDT": deposit.amount, "ETH": Decimal("0.0125")}
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        for asset, change in (
            (fill.base_asset, sign * fill.quantity),
            (fill.quote_asset, -sign * fill.quote_quantity),
            (fill.fee_currency, -fill.fee_amount),
        ):
            totals[asset] = totals.get(asset, Decimal(0)) + change
    return [BalanceRow(asset, total, Decimal(0)) for asset, total in totals.items() if total]


def report(*, account: ExchangeAccount, asset: str, total: Decimal, at: datetime) -> None:
    """One more balance, as the exchange reports it."""
    with tenancy.acting_as(account.user_id):
        WalletBalance.objects.create(
            user_id=account.user_id,
            account=account,
            asset=asset,
            available=total,
            locked=0,
            computed=0,
            reported_at=at,
        )
