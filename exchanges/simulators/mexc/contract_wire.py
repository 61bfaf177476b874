"""Rows of contracts as MEXC writes them: JSON numbers, `vol` in contracts, `side` from 1 to 4."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchanges.simulators import liquidations
from exchanges.simulators.amounts import ONE
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import (
    BOTH,
    LONG,
    SHORT,
    ConditionalOrder,
    ContractFill,
    ContractOrder,
    FundingPayment,
    Position,
    WalletTransfer,
)
from exchanges.simulators.contracts import RATE, Listing, Terms

Json = dict[str, Any]
Number = int | float
_SIDES: Final = {("BUY", LONG): 1, ("BUY", SHORT): 2, ("SELL", SHORT): 3, ("SELL", LONG): 4}
_STATES: Final = {"NEW": 2, "PARTIALLY_FILLED": 2, "FILLED": 3, "CANCELED": 4, "EXPIRED": 4}
_WAITING: Final = {"NEW": 1, "CANCELED": 2, "TRIGGERED": 3, "EXPIRED": 4}
_FORCES: Final = {"GTC": 1, "GTX": 2, "IOC": 3}
_MARKET: Final = 5
_LIQUIDATED, _USUAL = 2, 1  # categories


def name(listing: Listing) -> str:
    return f"{listing.base}_{listing.quote}"


def listings(terms: Terms) -> Mapping[str, Listing]:
    """By MEXC's names."""
    return {name(row): row for row in terms.listings.values()}


def number(amount: int) -> Number:
    """As JSON tells it: small ones with an exponent."""
    return amount // ONE if amount % ONE == 0 else amount / ONE


def contract(row: Listing, terms: Terms) -> Json:
    return {
        "symbol": name(row),
        "displayName": name(row),
        "displayNameEn": name(row),
        "positionOpenType": 3,
        "baseCoin": row.base,
        "quoteCoin": row.quote,
        "settleCoin": row.settle,
        "contractSize": number(row.size),
        "minLeverage": 1,
        "maxLeverage": row.most_leverage,
        "priceScale": 8,
        "volScale": 0,
        "amountScale": 8,
        "priceUnit": number(row.tick),
        "volUnit": row.step // row.size,
        "minVol": row.step // row.size,
        "maxVol": 10_000_000,
        "takerFeeRate": terms.taker_fee / RATE,
        "makerFeeRate": (terms.maker_fee if row.maker_fee is None else row.maker_fee) / RATE,
        "maintenanceMarginRate": row.maintenance / RATE,
        "initialMarginRate": 1 / row.most_leverage,
        "riskLimitType": "BY_VOLUME",
        "state": 0,
        "isNew": False,
        "isHot": False,
        "isHidden": False,
        "apiAllowed": True,
        "type": 1,
    }


def asset(margin: MarginAccount, currency: str, now_ms: int) -> Json:
    total, available = margin.wallet[currency], margin.available(currency, now_ms)
    unrealized = margin.unrealized(currency, now_ms)
    held = sum(row.initial_margin for row in margin.held() if row.listing.settle == currency)
    return {
        "currency": currency,
        "positionMargin": number(held),
        "availableBalance": number(available),
        "cashBalance": number(available),
        "frozenBalance": number(max(total - held - available, 0)),
        "equity": number(total + unrealized),
        "unrealized": number(unrealized),
        "bonus": 0,
    }


def position(margin: MarginAccount, row: Position) -> Json:
    return {
        "positionId": row.opened_at // 1000,
        "symbol": name(row.listing),
        "positionType": 1 if row.quantity > 0 else 2,
        "openType": 1 if row.is_isolated else 2,
        "state": 1,
        "holdVol": abs(row.quantity) // row.listing.size,
        "frozenVol": 0,
        "closeVol": 0,
        "holdAvgPrice": number(round(row.entry_price)),
        "openAvgPrice": number(round(row.entry_price)),
        "closeAvgPrice": 0,
        "liquidatePrice": number(margin.liquidation_price(row)),
        "oim": number(row.initial_margin),
        "im": number(row.initial_margin),
        "holdFee": 0,
        "realised": 0,
        "leverage": row.leverage,
        "createTime": row.opened_at,
        "updateTime": row.updated_at,
        "autoAddIm": False,
    }


def closed_positions(margin: MarginAccount) -> Iterator[Json]:
    """Those that came back to nothing, read from the fills."""
    for contract_name, fills in margin.fills.items():
        listing = margin.terms.listings[contract_name]
        held: dict[str, int] = {}
        opened: dict[str, int] = {}
        for row in fills:
            before = held.get(row.position_side, 0)
            after = before + (row.quantity if row.is_buyer else -row.quantity)
            held[row.position_side] = after
            if before and (not after or (before > 0) != (after > 0)):
                yield {
                    "positionId": row.fill_id,
                    "symbol": name(listing),
                    "positionType": 1 if before > 0 else 2,
                    "openType": 2,
                    "state": 3,
                    "holdVol": 0,
                    "closeVol": abs(before) // listing.size,
                    "leverage": margin.leverage(contract_name),
                    "createTime": opened.get(row.position_side, row.executed_at),
                    "updateTime": row.executed_at,
                }
            if not before or (before > 0) != (after > 0):
                opened[row.position_side] = row.executed_at


def order(margin: MarginAccount, row: ContractOrder) -> Json:
    listing = margin.terms.listings[row.contract]
    return {
        "orderId": str(row.order_id),
        "symbol": name(listing),
        "positionId": 0,
        "price": number(row.price),
        "vol": row.quantity // listing.size,
        "leverage": row.leverage,
        "side": side(row.side, row.position_side),
        "category": _LIQUIDATED if row.is_liquidation else _USUAL,
        "orderType": _MARKET if row.type == "MARKET" else _FORCES[row.time_in_force],
        "dealAvgPrice": average(row, listing),
        "dealVol": row.executed // listing.size,
        "orderMargin": 0,
        "takerFee": 0,
        "makerFee": 0,
        "profit": number(row.realized_pnl),
        "feeCurrency": listing.settle,
        "openType": 1 if row.is_isolated else 2,
        "state": _STATES[row.status],
        "externalOid": f"_m_{row.order_id:032x}",
        "errorCode": 0,
        "usedMargin": 0,
        "createTime": row.placed_at,
        "updateTime": row.updated_at,
        "positionMode": mode(margin),
        "reduceOnly": row.reduce_only,
    }


def deal(margin: MarginAccount, row: ContractFill) -> Json:
    listing = margin.terms.listings[row.contract]
    return {
        "id": str(row.fill_id),
        "symbol": name(listing),
        "side": side("BUY" if row.is_buyer else "SELL", row.position_side),
        "vol": row.quantity // listing.size,
        "price": number(row.price),
        "feeCurrency": row.fee_asset,
        "fee": number(row.fee + liquidations.fee_of(margin, row)),
        "timestamp": row.executed_at,
        "profit": number(row.realized_pnl),
        "category": _LIQUIDATED if row.is_liquidation else _USUAL,
        "orderId": str(row.order_id),
        "positionMode": mode(margin),
        "taker": not row.is_maker,
    }


def plan(margin: MarginAccount, row: ConditionalOrder) -> Json:
    """A target: it closes a part at market."""
    listing = margin.terms.listings[row.contract]
    rises = row.side == "SELL"
    return {
        "id": row.order_id,
        "symbol": name(listing),
        "leverage": margin.leverage(row.contract),
        "side": side(row.side, row.position_side),
        "triggerPrice": number(row.trigger_price),
        "price": 0,
        "vol": row.quantity // listing.size,
        "openType": 2,
        "triggerType": 1 if rises else 2,
        "state": _WAITING[row.status],
        "executeCycle": 168,
        "trend": 2,
        "orderType": _MARKET,
        **({"orderId": str(row.actual_order_id)} if row.actual_order_id else {}),
        "errorCode": 0,
        "createTime": row.placed_at,
        "updateTime": row.updated_at,
        "positionMode": mode(margin),
        "reduceOnly": row.reduce_only,
    }


def stop(margin: MarginAccount, row: ConditionalOrder) -> Json:
    """A stop of a whole position."""
    listing = margin.terms.listings[row.contract]
    return {
        "id": row.order_id,
        "orderId": "0",
        "symbol": name(listing),
        "positionId": 0,
        "lossTrend": 2,
        "profitTrend": 2,
        "stopLossPrice": number(row.trigger_price),
        "takeProfitPrice": 0,
        "state": _WAITING[row.status],
        "triggerSide": 2 if row.status == "TRIGGERED" else 0,
        "positionType": 1 if row.side == "SELL" else 2,
        "vol": 0,
        "volType": 2,
        "realityVol": 0,
        "placeOrderId": str(row.actual_order_id),
        "errorCode": 0,
        "version": 1,
        "isFinished": 0 if row.is_open else 1,
        "createTime": row.placed_at,
        "updateTime": row.updated_at,
    }


def funding(margin: MarginAccount, row: FundingPayment) -> Json:
    listing = margin.terms.listings[row.contract]
    return {
        "id": row.payment_id,
        "symbol": name(listing),
        "positionType": 1 if row.quantity > 0 else 2,
        "positionValue": number(listing.value(abs(row.quantity), row.mark_price)),
        "funding": number(row.amount),
        "rate": number(row.rate),
        "settleTime": row.paid_at,
    }


def transfer(row: WalletTransfer) -> Json:
    return {
        "id": row.transfer_id,
        "txid": transfer_id(row),
        "currency": row.asset,
        "amount": number(row.amount),
        "type": "IN" if row.to_wallet == "futures" else "OUT",
        "state": "SUCCESS",
        "createTime": row.moved_at,
        "updateTime": row.moved_at,
    }


def transfer_id(row: WalletTransfer) -> str:
    return f"{row.transfer_id:032x}"


def is_stop(row: ConditionalOrder) -> bool:
    """Whether it is a stop of a position; else a plan order."""
    return row.type == "STOP_MARKET"


def side(side: str, position_side: str) -> int:
    """In one-way mode 1 buys and 3 sells."""
    if position_side == BOTH:
        return 1 if side == "BUY" else 3
    return _SIDES[side, position_side]


def mode(margin: MarginAccount) -> int:
    return 1 if margin.is_hedged else 2


def average(row: ContractOrder, listing: Listing) -> float:
    if not row.executed:
        return 0
    base, quote = row.executed, row.executed_value
    return round(base / quote if listing.is_inverse else quote / base, 12)
