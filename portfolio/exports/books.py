"""Fills, trades and days, as they are stored."""

from collections.abc import Iterator
from typing import Final

from django.db.models import BigIntegerField, F, Func, OuterRef, Subquery

from core import clock
from orders.models import Fill, Order
from portfolio.exports.sections import (
    OF_ACCOUNT,
    Section,
    Selection,
    amount,
    day,
    flag,
    in_order,
    integer,
    listed,
    text,
    time,
)
from portfolio.exports.tables import Row
from portfolio.models import AssetSnapshot, Fee, PortfolioSnapshot, Trade

FILLS: Final = Section(
    "fill",
    *OF_ACCOUNT,
    time("executed_at"),
    text("market_type"),
    text("symbol"),
    text("base_asset"),
    text("quote_asset"),
    text("side"),
    text("position_side"),
    amount("price"),
    amount("quantity"),
    amount("quote_quantity"),
    amount("fee_amount"),
    text("fee_currency"),
    amount("fee_value"),
    amount("fee_price"),
    text("fee_price_source"),
    flag("is_maker"),
    text("settle_asset"),
    flag("is_inverse"),
    amount("realized_pnl"),
    flag("is_liquidation"),
    flag("is_conversion"),
    flag("is_inferred"),
    text("exchange_fill_id"),
    text("exchange_order_id"),
)
TRADES: Final = Section(
    "trade",
    integer("id"),
    integer("position_id"),
    *OF_ACCOUNT,
    text("kind"),
    text("market_type"),
    text("symbol"),
    text("asset", "position__book__asset"),
    text("side"),
    time("entry_time"),
    time("exit_time"),
    integer("held_seconds"),
    amount("entry_price"),
    amount("exit_price"),
    amount("quantity", "exit_quantity"),
    amount("cost"),
    amount("proceeds"),
    amount("gross_pnl"),
    amount("entry_fees"),
    amount("exit_fees"),
    amount("funding"),
    amount("net_pnl"),
    amount("pnl_percentage"),
    amount("roi_percentage"),
    text("currency", "position__book__currency"),
    text("method", "position__book__method"),
    text("exit_type"),
    flag("closes_position"),
    amount("unknown_quantity"),
    amount("unknown_proceeds"),
    text("settle_asset"),
    amount("settled_pnl"),
    amount("exchange_pnl"),
    integer("leverage"),
    amount("stop_loss_price"),
    listed("take_profit_prices"),
    text("strategy"),
    text("entry_order_id"),
    text("exit_order_id"),
    text("exit_client_order_id"),
    text("note"),
    listed("tags"),
)
SNAPSHOTS: Final = Section(
    "snapshot",
    *OF_ACCOUNT,
    text("day", day("snapshot_date")),
    text("currency"),
    *map(
        amount,
        (
            "total_balance", "available_balance", "locked_balance", "total_positions_value", "unrealized_pnl",
            "realized_pnl", "gross_pnl", "fees", "funding", "flows", "unexplained", "revaluation", "residual",
            "total_realized_pnl", "total_fees_paid", "average_trade_pnl", "largest_win", "largest_loss", "win_rate",
        ),
    ),
    integer("open_positions_count"),
    integer("total_trades_count"),
    integer("winning_trades_count"),
    integer("losing_trades_count"),
    flag("is_reconstructed"),
    flag("is_final"),
    text("grade"),
    text("grade_reason"),
)  # fmt: skip
HOLDINGS: Final = Section(
    "holding",
    *OF_ACCOUNT,
    text("day", day("snapshot__snapshot_date")),
    text("currency", "snapshot__currency"),
    text("asset"),
    amount("quantity"),
    amount("price"),
    text("price_source"),
    amount("value"),
)


def fills(selection: Selection) -> Iterator[Row]:
    """With what their fees were worth."""
    fee = Fee.objects.filter(fill_id=OuterRef("pk"))
    rows = in_order(Fill, selection, "executed_at").annotate(
        fee_value=Subquery(fee.values("value")[:1]),
        fee_price=Subquery(fee.values("price")[:1]),
        fee_price_source=Subquery(fee.values("price_source")[:1]),
    )
    return FILLS.rows(rows)


def trades(selection: Selection) -> Iterator[Row]:
    """By their exits, coins spent on fees (`FEE`) included; what the exit order carries of the user's own words."""
    order = Order.objects.filter(
        account_id=OuterRef("account_id"),
        market_type=OuterRef("market_type"),
        symbol=OuterRef("symbol"),
        exchange_order_id=OuterRef("exit_order_id"),
    )
    held = Func(
        F("hold_duration"),
        template="floor(extract(epoch FROM %(expressions)s))::bigint",
        output_field=BigIntegerField(),
    )
    rows = in_order(Trade, selection, "exit_time").annotate(
        held_seconds=held,
        exit_client_order_id=Subquery(order.values("client_order_id")[:1]),
        note=Subquery(order.values("note")[:1]),
        tags=Subquery(order.values("tags")[:1]),
    )
    return TRADES.rows(rows)


def snapshots(selection: Selection) -> Iterator[Row]:
    """A row for each account and day that ended in the span."""
    rows = PortfolioSnapshot.objects.filter(
        account_id__in=selection.account_ids, **_days(selection, "snapshot_date")
    )
    return SNAPSHOTS.rows(rows.order_by("snapshot_date", "id"))


def holdings(selection: Selection) -> Iterator[Row]:
    """What the snapshots are made of."""
    rows = AssetSnapshot.objects.filter(
        account_id__in=selection.account_ids, **_days(selection, "snapshot__snapshot_date")
    )
    return HOLDINGS.rows(rows.order_by("snapshot__snapshot_date", "snapshot_id", "asset"))


def _days(selection: Selection, path: str) -> dict[str, object]:
    asked = {f"{path}__gte": selection.since, f"{path}__lt": selection.until}
    return {name: clock.utc_day(at) for name, at in asked.items() if at is not None}
