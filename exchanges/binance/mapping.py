"""Binance's raw rows as ours. Every reader raises UnreadableRow or InvalidAmount for a row it cannot read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from core import clock, money
from core.money import ZERO
from exchanges import reading
from exchanges.binance.walks import IDS_END
from exchanges.binance_like import quote_quantity, side, transfer_id
from exchanges.reading import UnreadableRow
from exchanges.rows import (
    SPOT,
    AccountInfo,
    FillRow,
    ListingRow,
    OrderRow,
    OrderStatus,
    Raw,
    Side,
    TransferKind,
    TransferRow,
    TransferStatus,
)

Assets = Callable[[str], tuple[str, str]]  # wire symbol to (base, quote); raises UnreadableRow
_BOUGHT: Final = {True: Side.BUY, False: Side.SELL}

_STATUS: Final[Mapping[str, OrderStatus]] = {
    **{status.value: status for status in OrderStatus},
    "PENDING_NEW": OrderStatus.NEW,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
_DEPOSIT_STATUS: Final[Mapping[str, TransferStatus]] = {
    "0": TransferStatus.PENDING,
    "1": TransferStatus.SUCCESS,
    "2": TransferStatus.FAILED,  # rejected
    "6": TransferStatus.SUCCESS,  # credited, cannot be withdrawn yet
    "7": TransferStatus.FAILED,  # wrong deposit
    "8": TransferStatus.PENDING,  # waits for the user
}
_WITHDRAWAL_STATUS: Final[Mapping[str, TransferStatus]] = {
    "0": TransferStatus.PENDING,
    "1": TransferStatus.FAILED,  # cancelled
    "2": TransferStatus.PENDING,
    "3": TransferStatus.FAILED,  # rejected
    "4": TransferStatus.PENDING,
    "5": TransferStatus.FAILED,
    "6": TransferStatus.SUCCESS,
}
_BASIS_POINTS: Final = -4
_TRADING_RIGHTS: Final = ("enableSpotAndMarginTrading", "enableFutures")


def fill(raw: Raw, assets: Assets) -> FillRow:
    """A row of myTrades."""
    symbol = reading.text(raw, "symbol")
    base, quote = assets(symbol)
    price, quantity = reading.positive(raw, "price"), reading.positive(raw, "qty")
    fee = reading.amount(raw, "commission", ZERO)
    return FillRow(
        market_type=SPOT,
        symbol=symbol,
        base_asset=base,
        quote_asset=quote,
        fill_id=identity(raw, "id"),
        order_id=identity(raw, "orderId"),
        side=_BOUGHT[reading.flag(raw, "isBuyer")],
        price=price,
        quantity=quantity,
        quote_quantity=quote_quantity(raw, price, quantity),
        fee_amount=fee,
        fee_currency=reading.text(raw, "commissionAsset", None if fee else quote),
        is_maker=reading.flag(raw, "isMaker"),
        executed_at=reading.moment_ms(raw, "time"),
        raw=raw,
    )


def order(raw: Raw) -> OrderRow:
    """A row of allOrders or openOrders, or the answer to an order request."""
    executed = reading.amount(raw, "executedQty")
    ordered_at = reading.moment_ms(raw, "time")
    list_id = reading.text(raw, "orderListId", "-1")
    order_type = reading.text(raw, "type")
    price = reading.amount(raw, "price", ZERO)
    return OrderRow(
        market_type=SPOT,
        symbol=reading.text(raw, "symbol"),
        order_id=identity(raw, "orderId"),
        # A cancelled order's clientOrderId is the id of the request that cancelled it.
        client_order_id=reading.text(raw, "origClientOrderId", "") or reading.text(raw, "clientOrderId", ""),
        order_list_id="" if list_id == "-1" else list_id,
        side=side(raw),
        type=order_type,
        status=_order_status(raw, executed),
        price=price or None,
        stop_price=reading.amount(raw, "stopPrice", ZERO) or None,
        quantity=reading.not_negative(raw, "origQty"),
        executed_quantity=executed,
        # Below zero means that Binance does not know it any more.
        executed_quote_quantity=max(reading.amount(raw, "cummulativeQuoteQty", ZERO), ZERO),
        time_in_force=reading.text(raw, "timeInForce", ""),
        ordered_at=ordered_at,
        updated_at=_updated_at(raw, ordered_at),
        raw=raw,
    )


def deposit(raw: Raw) -> TransferRow:
    """A row of deposit/hisrec. Deposits cost nothing."""
    return _transfer(
        raw, TransferKind.DEPOSIT, _DEPOSIT_STATUS, fee=ZERO, at=reading.moment_ms(raw, "insertTime")
    )


def withdrawal(raw: Raw) -> TransferRow:
    """A row of withdraw/history: the fee comes on top of the amount."""
    fee = reading.amount(raw, "transactionFee", ZERO)
    return _transfer(raw, TransferKind.WITHDRAWAL, _WITHDRAWAL_STATUS, fee=fee, at=_apply_time(raw))


def account_info(account: Raw, restrictions: Raw, *, sees_contracts: bool = True) -> AccountInfo:
    """What /account says of the account and apiRestrictions of the key: both must allow it.

    Contracts are traded by a right of their own."""
    rates = account.get("commissionRates")
    permissions = account.get("permissions")
    return AccountInfo(
        uid=reading.text(account, "uid"),
        can_read=reading.flag(restrictions, "enableReading"),
        can_trade=reading.flag(account, "canTrade")
        and any(reading.flag(restrictions, right, False) for right in _TRADING_RIGHTS),
        can_withdraw=reading.flag(restrictions, "enableWithdrawals"),
        ip_restricted=reading.flag(restrictions, "ipRestrict"),
        maker_commission=_commission(account, rates, "maker"),
        taker_commission=_commission(account, rates, "taker"),
        permissions=tuple(str(name) for name in permissions) if isinstance(permissions, Sequence) else (),
        account_type=str(account.get("accountType") or ""),
        untold=() if sees_contracts else ("derivatives",),
        raw={
            "account": {key: value for key, value in account.items() if key != "balances"},
            "restrictions": restrictions,
        },
    )


def listing(raw: Raw) -> ListingRow:
    """A symbol of exchangeInfo."""
    listed = raw.get("filters")
    filters = {
        each["filterType"]: each
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping) and isinstance(each.get("filterType"), str)
    }
    price, lot = filters.get("PRICE_FILTER", {}), filters.get("LOT_SIZE", {})
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL", {})
    status = reading.text(raw, "status")
    return ListingRow(
        market_type=SPOT,
        symbol=reading.text(raw, "symbol"),
        base_asset=reading.text(raw, "baseAsset"),
        quote_asset=reading.text(raw, "quoteAsset"),
        status=status,
        is_trading=status == "TRADING" and reading.flag(raw, "isSpotTradingAllowed", True),
        price_step=reading.amount(price, "tickSize", ZERO) or None,
        quantity_step=reading.amount(lot, "stepSize", ZERO) or None,
        min_quantity=reading.amount(lot, "minQty", ZERO) or None,
        min_notional=reading.amount(notional, "minNotional", ZERO) or None,
        raw=raw,
    )


def _transfer(
    raw: Raw, kind: TransferKind, statuses: Mapping[str, TransferStatus], *, fee: Decimal, at: datetime
) -> TransferRow:
    asset, amount = reading.text(raw, "coin"), reading.not_negative(raw, "amount")
    return TransferRow(
        kind=kind,
        transfer_id=transfer_id(raw, asset, amount),
        asset=asset,
        amount=amount,
        fee_amount=fee,
        network=reading.text(raw, "network", ""),
        address=reading.text(raw, "address", ""),
        tx_id=reading.text(raw, "txId", ""),
        status=statuses.get(reading.text(raw, "status", ""), TransferStatus.UNKNOWN),
        occurred_at=at,
        raw=raw,
    )


def _apply_time(raw: Raw) -> datetime:
    """ "2019-10-12 11:12:02" is UTC."""
    words = reading.text(raw, "applyTime")
    try:
        at = datetime.strptime(words, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return reading.moment_ms(raw, "applyTime")
    return reading.moment(clock.to_ms(at), "applyTime")


def _order_status(raw: Raw, executed: Decimal) -> OrderStatus:
    words = reading.text(raw, "status")
    if words == "PENDING_CANCEL":  # still in the book
        return OrderStatus.PARTIALLY_FILLED if executed else OrderStatus.NEW
    if words not in _STATUS:
        raise UnreadableRow(f"status {words!r:.40} is unknown")
    return _STATUS[words]


def _updated_at(raw: Raw, ordered_at: datetime) -> datetime:
    """Orders of the first years have no updateTime, or -1."""
    value = raw.get("updateTime")
    if value is None or (isinstance(value, int) and value <= 0):
        return ordered_at
    return reading.moment_ms(raw, "updateTime")


def _commission(account: Raw, rates: object, role: str) -> Decimal | None:
    """A share of the volume: stated as such, or in basis points by older answers."""
    if isinstance(rates, Mapping) and rates.get(role) is not None:
        return reading.amount(rates, role)
    points = account.get(f"{role}Commission")
    return None if points is None else money.parse(points).scaleb(_BASIS_POINTS)


def identity(raw: Raw, key: str) -> str:
    """A whole number that names something, as text."""
    return reading.identity(raw, key, below=IDS_END)
