"""What is stored of contracts, in the shape in which `tests.exchanges.contract_truth` tells what happened."""

from core import clock
from exchanges.rows import MarketType, TransferKind
from orders.models import Fill, FundingPayment, Order, Transfer
from portfolio.balances import latest_by_wallet
from portfolio.models import ReportedPosition
from tests.exchanges.contract_truth import Facts, rough, short
from tests.pipeline.worlds import World


def fills(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_fill_id): (
                *(row.exchange_order_id, row.side, row.position_side, row.price, row.quantity),
                *(short(row.quote_quantity), row.fee_amount, row.fee_currency, row.realized_pnl),
                *(row.is_maker, row.is_liquidation, clock.to_ms(row.executed_at)),
            )
            for row in Fill.objects.filter(account=world.account, market_type=MarketType.FUTURES)
        }


def spot_fills(world: World) -> set[tuple[str, str]]:
    """Symbol and id of what was traded beside contracts."""
    with world.door():
        rows = Fill.objects.filter(account=world.account, market_type=MarketType.SPOT)
        return set(rows.values_list("symbol", "exchange_fill_id"))


def true_spot_fills(world: World) -> set[tuple[str, str]]:
    return {(symbol, str(row["id"])) for symbol, rows in world.truth()["fills"].items() for row in rows}


def orders(world: World) -> Facts:
    """Without those that wait for a price, whose ids are no numbers."""
    with world.door():
        return {
            (row.symbol, row.exchange_order_id): (
                *(row.side, row.position_side, row.type, row.status, row.time_in_force, row.price or 0),
                *(row.quantity, row.executed_quantity, rough(row.executed_quote_quantity)),
                *(row.reduce_only, clock.to_ms(row.ordered_at), clock.to_ms(row.exchange_updated_at)),
            )
            for row in _orders(world)
            if row.exchange_order_id.isdigit()
        }


def conditionals(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_order_id): (
                *(row.side, row.position_side, row.type, row.status, row.stop_price, row.quantity),
                *(row.executed_quantity, row.reduce_only),
                *(clock.to_ms(row.ordered_at), clock.to_ms(row.exchange_updated_at)),
            )
            for row in _orders(world)
            if not row.exchange_order_id.isdigit()
        }


def funding(world: World) -> Facts:
    with world.door():
        return {
            row.exchange_payment_id: (
                *(row.symbol, row.position_side, row.asset, row.amount, clock.to_ms(row.paid_at)),
            )
            for row in FundingPayment.objects.filter(account=world.account)
        }


def transfers(world: World, kind: TransferKind = TransferKind.INTERNAL) -> Facts:
    with world.door():
        return {
            row.exchange_transfer_id: (
                *(row.asset, row.amount, row.from_wallet, row.to_wallet, row.status),
                clock.to_ms(row.occurred_at),
            )
            for row in Transfer.objects.filter(account=world.account, kind=kind)
        }


def positions(world: World) -> Facts:
    """As last reported, what is held."""
    with world.door():
        rows = ReportedPosition.objects.filter(account=world.account).order_by("reported_at", "id")
        latest = {(row.symbol, row.side): row for row in rows}
    return {
        key: (
            *(row.is_hedged, row.quantity, rough(row.entry_price), row.liquidation_price, row.leverage),
            row.margin_mode,
        )
        for key, row in latest.items()
        if row.quantity
    }


def wallet(world: World) -> Facts:
    with world.door():
        rows = latest_by_wallet(account_ids=[world.account.id])
    return {
        row.asset: (row.available + row.locked, row.unrealized_pnl) for row in rows if row.wallet == "futures"
    }


def _orders(world: World) -> list[Order]:
    return list(Order.objects.filter(account=world.account, market_type=MarketType.FUTURES))
