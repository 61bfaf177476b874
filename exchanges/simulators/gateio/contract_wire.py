"""Rows of contracts as Gate.io writes them: sizes are signed numbers of contracts, times seconds with a
fraction."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from exchanges.simulators import liquidations
from exchanges.simulators.amounts import ONE
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import (
    BOTH,
    LONG,
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    Position,
)
from exchanges.simulators.contracts import FUNDING_MS, RATE, Listing, Terms
from exchanges.simulators.gateio.wire import short

Json = dict[str, Any]
SETTLES: Final = {"usdt": "USDT", "btc": "BTC"}
_LIFE_S: Final = 30 * 86_400
_FORCES: Final = {"GTC": "gtc", "IOC": "ioc", "GTX": "poc"}
_FINISHED: Final = {"FILLED": "filled", "CANCELED": "cancelled", "EXPIRED": "ioc"}
_TRIGGERED: Final = {"TRIGGERED": "succeeded", "CANCELED": "cancelled", "EXPIRED": "expired"}


def name(listing: Listing) -> str:
    return f"{listing.base}_{listing.quote}"


def listings(terms: Terms, settle: str) -> Mapping[str, Listing]:
    """The contracts of a wallet by Gate.io's names."""
    return {name(row): row for row in terms.listings.values() if row.settle == SETTLES[settle]}


def contract(row: Listing, terms: Terms, *, last: int, mark: int, rate: int, now_ms: int) -> Json:
    """An inverse contract is worth one unit of the quote, and its multiplier is told as 0."""
    return {
        "name": name(row),
        "type": "inverse" if row.is_inverse else "direct",
        "quanto_multiplier": "0" if row.is_inverse else short(row.size),
        "ref_discount_rate": "0",
        "order_price_deviate": "0.5",
        "maintenance_rate": share(row.maintenance),
        "mark_type": "index",
        "last_price": short(last),
        "mark_price": short(mark),
        "index_price": short(last),
        "funding_rate": short(rate),
        "funding_rate_indicative": short(rate),
        "funding_interval": FUNDING_MS // 1000,
        "funding_next_apply": (now_ms // FUNDING_MS + 1) * FUNDING_MS // 1000,
        "order_price_round": short(row.tick),
        "mark_price_round": "0.00000001",
        "order_size_min": size(row.step, row),
        "order_size_max": "1000000",
        "leverage_min": "1",
        "leverage_max": str(row.most_leverage),
        "maker_fee_rate": share(terms.maker_fee if row.maker_fee is None else row.maker_fee),
        "taker_fee_rate": share(terms.taker_fee),
        "in_delisting": False,
        "enable_decimal": False,
        "status": "trading",
        "create_time": 1_546_300_800,
        "config_change_time": 1_609_899_548,
        "orders_limit": 50,
    }


def ticker(row: Listing, *, last: int, mark: int, rate: int) -> Json:
    return {
        "contract": name(row),
        "last": short(last),
        "mark_price": short(mark),
        "index_price": short(last),
        "funding_rate": short(rate),
        "funding_rate_indicative": short(rate),
        "highest_bid": short(last - row.tick),
        "lowest_ask": short(last + row.tick),
        "change_percentage": "0",
        "total_size": "0",
        "volume_24h": "0",
    }


def account(margin: MarginAccount, settle: str, now_ms: int) -> Json:
    asset = SETTLES[settle]
    total, available = margin.wallet[asset], margin.available(asset, now_ms)
    held = sum(row.initial_margin for row in margin.held() if row.listing.settle == asset)
    return {
        "user": margin.owner.uid,
        "currency": asset,
        "total": short(total),
        "unrealised_pnl": short(margin.unrealized(asset, now_ms)),
        "position_margin": short(held),
        "order_margin": short(max(total - available - held, 0)),
        "available": short(available),
        "point": "0",
        "bonus": "0",
        "in_dual_mode": margin.is_hedged,
        "position_mode": "dual" if margin.is_hedged else "single",
        "enable_evolved_classic": False,
    }


def position(margin: MarginAccount, row: Position, now_ms: int) -> Json:
    mark = margin.market.mark(row.listing, now_ms)
    mode = "single" if row.side == BOTH else "dual_long" if row.side == LONG else "dual_short"
    return {
        "user": margin.owner.uid,
        "contract": name(row.listing),
        "size": size(row.quantity, row.listing),
        "leverage": str(row.leverage) if row.is_isolated else "0",
        "cross_leverage_limit": "0" if row.is_isolated else str(row.leverage),
        "lever": str(row.leverage),
        "pos_margin_mode": "isolated" if row.is_isolated else "cross",
        "risk_limit": "1000000",
        "leverage_max": str(row.listing.most_leverage),
        "maintenance_rate": share(row.listing.maintenance),
        "value": short(row.listing.value(abs(row.quantity), mark)),
        "margin": short(row.initial_margin),
        "entry_price": short(round(row.entry_price)),
        "liq_price": short(margin.liquidation_price(row)),
        "mark_price": short(mark),
        "unrealised_pnl": short(row.unrealized(mark)),
        "realised_pnl": "0",
        "history_pnl": "0",
        "last_close_pnl": "0",
        "adl_ranking": 5,
        "pending_orders": sum(each.contract == row.listing.name for each in margin.open_orders.values()),
        "close_order": None,
        "mode": mode,
        "open_time": row.opened_at // 1000,
        "update_time": row.updated_at // 1000,
    }


def order(margin: MarginAccount, row: ContractOrder) -> Json:
    listing = margin.terms.listings[row.contract]
    sign = 1 if row.side == "BUY" else -1
    finished = (
        {} if row.is_open else {"finish_time": seconds(row.updated_at), "finish_as": _FINISHED[row.status]}
    )
    return {
        "id": row.order_id,
        "user": margin.owner.uid,
        "contract": name(listing),
        "create_time": seconds(row.placed_at),
        "update_time": seconds(row.updated_at),
        **finished,
        "status": "open" if row.is_open else "finished",
        "size": size(sign * row.quantity, listing),
        "iceberg": "0",
        "left": size(sign * row.remaining, listing),
        "price": short(row.price),
        "fill_price": average(row, listing),
        "tif": "ioc" if row.type == "MARKET" else _FORCES[row.time_in_force],
        "text": text(row),
        "mkfr": share(margin.terms.maker_fee),
        "tkfr": share(margin.terms.taker_fee),
        "refu": 0,
        "is_reduce_only": reduces(row),
        "is_close": False,
        "is_liq": row.is_liquidation,
        "stp_id": 0,
        "stp_act": "-",
        "amend_text": "-",
    }


def fill(margin: MarginAccount, row: ContractFill, *, id_field: str) -> Json:
    """`closed` tells how much of a position it took away, with the sign of the fill."""
    listing = margin.terms.listings[row.contract]
    sign = 1 if row.is_buyer else -1
    return {
        id_field: str(row.fill_id) if id_field == "trade_id" else row.fill_id,
        "create_time": seconds(row.executed_at),
        "contract": name(listing),
        "order_id": str(row.order_id),
        "size": size(sign * row.quantity, listing),
        "close_size": size(sign * row.closed, listing),
        "price": short(row.price),
        "text": f"liq-{row.order_id}" if row.is_liquidation else "web",
        "fee": short(row.fee + liquidations.fee_of(margin, row)),
        "point_fee": "0",
        "role": "maker" if row.is_maker else "taker",
    }


def trigger(margin: MarginAccount, row: ConditionalOrder) -> Json:
    listing = margin.terms.listings[row.contract]
    sign, closed = (1, "short") if row.side == "BUY" else (-1, "long")
    falls = (row.side == "SELL") == (row.type == "STOP_MARKET")
    closes_all = not row.quantity
    return {
        "initial": {
            "contract": name(listing),
            "size": 0 if closes_all else sign * (row.quantity // listing.size),
            "price": "0",
            "tif": "ioc",
            "text": "web",
            "iceberg": 0,
            "is_close": closes_all and row.position_side == BOTH,
            "is_reduce_only": True,
            "auto_size": f"close_{closed}" if closes_all and row.position_side != BOTH else "",
        },
        "trigger": {
            "strategy_type": 0,
            "price_type": 1,
            "price": short(row.trigger_price),
            "rule": 2 if falls else 1,
            "expiration": _LIFE_S,
        },
        "id": row.order_id,
        "user": margin.owner.uid,
        "create_time": row.placed_at // 1000,
        "finish_time": 0 if row.is_open else row.updated_at // 1000,
        "trade_id": row.actual_order_id,
        "status": "open" if row.is_open else "finished",
        **({} if row.is_open else {"finish_as": _TRIGGERED[row.status]}),
        "reason": "",
        "order_type": f"{'' if closes_all else 'plan-'}close-{closed}-position",
    }


def reduces(row: ContractOrder) -> bool:
    """In dual mode everything that closes is reduce-only."""
    if row.position_side == BOTH:
        return row.reduce_only
    return (row.side == "SELL") == (row.position_side == LONG)


def text(row: ContractOrder) -> str:
    if row.is_liquidation:
        return f"liq-{row.order_id}"
    if row.origin:
        return f"ao-{row.origin}"
    return "web" if row.client_order_id.startswith("web_") else "app"


def average(row: ContractOrder, listing: Listing) -> str:
    """The average price, to twelve places."""
    if not row.executed:
        return "0"
    base, quote = row.executed, row.executed_value
    price = Fraction(base, quote) if listing.is_inverse else Fraction(quote, base)
    scaled = round(price * 10**12)
    return f"{scaled // 10**12}.{scaled % 10**12:012d}"


def size(quantity: int, listing: Listing) -> str:
    """A number of contracts."""
    return str(quantity // listing.size)


def seconds(moment: int) -> float:
    return moment / 1000


def share(per_100_000: int) -> str:
    return short(per_100_000 * ONE // RATE)
