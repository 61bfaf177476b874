"""Hand-made contract facts for tests: stored, and folded as the pipeline does it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.django import tenancy
from core.money import CONTEXT, quantize
from credentials.models import ExchangeAccount
from exchanges.rows import MarginMode, PositionRow, PositionSide
from orders.models import Fill, FundingPayment
from orders.touched import Touched
from portfolio import balances, books, rebuild
from portfolio.models import Position, Trade
from tests.factories import FillFactory
from tests.portfolio.books import START


def fill(account: ExchangeAccount, side: str, quantity: str, price: str, **more: Any) -> Fill:
    """A fill of BTCUSDT, one minute after the one before unless `executed_at` says otherwise; in no book yet."""
    with tenancy.acting_as(account.user_id):
        place = Fill.objects.filter(account=account).count() + 1
    more.setdefault("executed_at", START + timedelta(minutes=place))
    more.setdefault("exchange_fill_id", str(place))
    more.setdefault("realized_pnl", Decimal(0))
    amount, rate = Decimal(quantity), Decimal(price)
    is_inverse = more.setdefault("is_inverse", False)
    worth = CONTEXT.divide(amount, rate) if is_inverse else CONTEXT.multiply(amount, rate)
    more.setdefault("position_side", "BOTH")
    more.setdefault("settle_asset", "BTC" if is_inverse else "USDT")
    stored: Fill = FillFactory.create(
        account=account, market_type="futures", side=side, quantity=amount, price=rate, quote_quantity=quantize(worth),
        **more,
    )  # fmt: skip
    return stored


def funding(account: ExchangeAccount, amount: str, **more: Any) -> FundingPayment:
    with tenancy.acting_as(account.user_id):
        place = FundingPayment.objects.filter(account=account).count() + 1
        return FundingPayment.objects.create(
            user_id=account.user_id, account=account, amount=Decimal(amount), raw={}, source="test",
            **{
                "symbol": "BTCUSDT", "exchange_payment_id": f"f{place}", "position_side": "BOTH", "asset": "USDT",
                "paid_at": START + timedelta(hours=place),
            } | more,
        )  # fmt: skip


def touch(account: ExchangeAccount, *new: Fill | FundingPayment) -> None:
    """Make what facts touch stale, as storing them does."""
    touched = Touched()
    for fact in new:
        is_fill = isinstance(fact, Fill)
        at = fact.executed_at if isinstance(fact, Fill) else fact.paid_at
        touched.note_contract(fact.symbol, fact.position_side, at)
        touched.days.add((fact.settle_asset if isinstance(fact, Fill) else fact.asset, clock.utc_day(at)))
        if isinstance(fact, Fill) and is_fill and fact.fee_amount:
            touched.note(fact.fee_currency, at)
            touched.days.add((fact.fee_currency, clock.utc_day(at)))
    with tenancy.acting_as(account.user_id):
        books.mark_stale(account=account, touched=touched)


def fold(
    account: ExchangeAccount, *new: Fill | FundingPayment, from_zero: bool = False
) -> rebuild.RebuildResult:
    touch(account, *new)
    return rebuild.rebuild_account(
        user_id=account.user_id, account_id=account.id, at=START + timedelta(days=20), from_zero=from_zero
    )


def trades(account: ExchangeAccount, *columns: str) -> list[Any]:
    """A column, or tuples of columns, of every trade in order."""
    with tenancy.acting_as(account.user_id):
        rows = Trade.objects.filter(account=account).order_by("exit_time", "entry_time", "id")
        return list(rows.values_list(*columns, flat=len(columns) == 1))


def positions(account: ExchangeAccount, *columns: str) -> list[Any]:
    with tenancy.acting_as(account.user_id):
        rows = Position.objects.filter(account=account).order_by("opened_at", "id")
        return list(rows.values_list(*columns, flat=len(columns) == 1))


def report_position(
    account: ExchangeAccount,
    mark: str,
    *,
    at: datetime,
    side: str = "LONG",
    quantity: str = "2",
    leverage: str | None = "5",
) -> None:
    """BTCUSDT as the exchange reports it."""
    row = PositionRow(
        symbol="BTCUSDT",
        side=PositionSide(side),
        is_hedged=False,
        quantity=Decimal(quantity),
        settle_asset="USDT",
        is_inverse=False,
        entry_price=Decimal(100),
        mark_price=Decimal(mark),
        liquidation_price=Decimal(60),
        leverage=None if leverage is None else Decimal(leverage),
        margin_mode=MarginMode.ISOLATED,
        margin=Decimal(40),
        unrealized_pnl=None,
    )
    with tenancy.acting_as(account.user_id):
        balances.record_positions(account=account, rows=[row], at=at, run_id=None)
