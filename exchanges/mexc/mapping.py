"""MEXC's raw rows as ours. Every reader raises UnreadableRow or InvalidAmount for a row it cannot read."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import convert

from core import money
from core.money import ZERO
from exchanges import plain, reading
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
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "PARTIALLY_CANCELED": OrderStatus.CANCELED,  # what was executed before stays executed
}
_DEPOSIT_STATUS: Final[Mapping[str, TransferStatus]] = {
    **dict.fromkeys(("2", "3", "4", "6", "9", "11"), TransferStatus.PENDING),
    "1": TransferStatus.PENDING,  # below the least amount: credited once more comes
    **dict.fromkeys(("5", "12"), TransferStatus.SUCCESS),
    **dict.fromkeys(("7", "8", "10"), TransferStatus.FAILED),  # rejected, refunded, invalid
}
_WITHDRAWAL_STATUS: Final[Mapping[str, TransferStatus]] = {
    **dict.fromkeys(("1", "2", "3", "4", "5", "6", "10"), TransferStatus.PENDING),
    "7": TransferStatus.SUCCESS,
    **dict.fromkeys(("8", "9"), TransferStatus.FAILED),  # failed, cancelled
}
_READS: Final = frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"})
_ONLINE: Final = ("1", "ENABLED")
_CLOSED: Final = "4"  # tradeSideType: neither bought nor sold


class _Deal(plain.Shape, frozen=True):
    """A row of myTrades as nearly all are."""

    symbol: plain.Name
    id: plain.Name
    order_id: plain.Name
    price: plain.Amount
    qty: plain.Amount
    quote_qty: plain.Amount
    commission: plain.Amount
    commission_asset: plain.Name
    is_buyer: bool
    is_maker: bool
    time: plain.Milliseconds


def fills(raws: Iterable[Any], assets: Assets) -> tuple[FillRow, ...]:
    """A page of myTrades all of whose rows are plain; raises `plain.DIFFERENT`."""
    deals = convert(raws, list[_Deal])
    plain.hold_for_names([deal.symbol for deal in deals])
    plain.hold_for_names([deal.id for deal in deals])
    plain.hold_for_names([deal.order_id for deal in deals])
    plain.hold_for_names([deal.commission_asset for deal in deals])
    columns = zip(
        raws,
        deals,
        [assets(deal.symbol) for deal in deals],
        plain.positives([deal.price for deal in deals]),
        plain.positives([deal.qty for deal in deals]),
        plain.amounts([deal.quote_qty for deal in deals]),
        plain.amounts([deal.commission for deal in deals]),
        plain.moments([deal.time for deal in deals]),
        strict=True,
    )
    return tuple(
        FillRow(
            market_type=SPOT,
            symbol=deal.symbol,
            base_asset=pair[0],
            quote_asset=pair[1],
            fill_id=deal.id,
            order_id=deal.order_id,
            side=_BOUGHT[deal.is_buyer],
            price=price,
            quantity=quantity,
            quote_quantity=worth,
            fee_amount=fee,
            fee_currency=deal.commission_asset,
            is_maker=deal.is_maker,
            executed_at=at,
            raw=raw,
        )
        for raw, deal, pair, price, quantity, worth, fee, at in columns
    )


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
        fill_id=reading.text(raw, "id"),
        order_id=reading.text(raw, "orderId"),
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
    """A row of allOrders or openOrders, or the answer about one order."""
    executed = reading.not_negative(raw, "executedQty")
    ordered_at = reading.moment_ms(raw, "time")
    list_id = reading.text(raw, "orderListId", "-1")
    order_type = reading.text(raw, "type")
    price = reading.amount(raw, "price", ZERO)
    # The documentation of a single order calls it `Qty`; an order for a sum of the quote has none.
    quantity = reading.not_negative(raw, "origQty" if raw.get("origQty") is not None else "Qty")
    return OrderRow(
        market_type=SPOT,
        symbol=reading.text(raw, "symbol"),
        order_id=reading.text(raw, "orderId"),
        client_order_id=reading.text(raw, "origClientOrderId", "") or reading.text(raw, "clientOrderId", ""),
        order_list_id="" if list_id == "-1" else list_id,
        side=side(raw),
        type=order_type,
        status=_order_status(raw),
        price=None if order_type == "MARKET" else price or None,
        stop_price=reading.amount(raw, "stopPrice", ZERO) or None,
        quantity=quantity or executed,
        executed_quantity=executed,
        executed_quote_quantity=reading.not_negative(raw, "cummulativeQuoteQty"),
        time_in_force=reading.text(raw, "timeInForce", ""),
        ordered_at=ordered_at,
        updated_at=ordered_at if raw.get("updateTime") is None else reading.moment_ms(raw, "updateTime"),
        raw=raw,
    )


def deposit(raw: Raw) -> TransferRow:
    """A row of deposit/hisrec. Deposits cost nothing and have no id of their own."""
    return _transfer(
        raw,
        TransferKind.DEPOSIT,
        _DEPOSIT_STATUS,
        amount=reading.not_negative(raw, "amount"),
        fee=ZERO,
        at=reading.moment_ms(raw, "insertTime"),
    )


def withdrawal(raw: Raw) -> TransferRow:
    """A row of withdraw/history: MEXC's amount is what left the account, the fee is part of it."""
    total, fee = reading.not_negative(raw, "amount"), reading.amount(raw, "transactionFee", ZERO)
    if fee > total:
        raise UnreadableRow(f"transactionFee {fee} is above the amount {total}")
    at = reading.moment_ms(raw, "applyTime")
    return _transfer(
        raw,
        TransferKind.WITHDRAWAL,
        _WITHDRAWAL_STATUS,
        amount=money.CONTEXT.subtract(total, fee),
        fee=fee,
        at=at,
    )


def account_info(account: Raw, identity: Raw, key: Raw, *, sees_contracts: bool = True) -> AccountInfo:
    """What /account, /uid and /apiKeyInfo say. /account tells of the account alone, so the key's own list counts."""
    permissions = tuple(filter(None, (each.strip() for each in _listed(key, "permissions"))))
    is_valid = reading.text(key, "status") == "VALID"
    return AccountInfo(
        uid=reading.text(identity, "uid"),
        can_read=is_valid and set(permissions) >= _READS,
        can_trade=reading.flag(account, "canTrade") and "SPOT_DEAL_WRITE" in permissions,
        can_withdraw=any(_moves_money(each) for each in permissions),
        ip_restricted=bool(_listed(key, "ipWhiteList")),
        maker_commission=None,  # told per symbol only
        taker_commission=None,
        permissions=permissions,
        account_type=reading.text(account, "accountType", ""),
        untold=() if sees_contracts else ("derivatives",),
        raw={
            "account": {name: value for name, value in account.items() if name != "balances"},
            "key": {
                name: key.get(name) for name in ("permissions", "status", "createTime", "remainingValidity")
            },
        },
    )


def listing(raw: Raw) -> ListingRow:
    """A symbol of exchangeInfo. Steps are told as counts of decimals, minimums by names that say otherwise."""
    status = reading.text(raw, "status")
    return ListingRow(
        market_type=SPOT,
        symbol=reading.text(raw, "symbol"),
        base_asset=reading.text(raw, "baseAsset"),
        quote_asset=reading.text(raw, "quoteAsset"),
        status=status,
        is_trading=status in _ONLINE and reading.text(raw, "tradeSideType", "1") != _CLOSED,
        price_step=_step(raw, "quotePrecision"),
        quantity_step=_step(raw, "baseAssetPrecision"),
        min_quantity=reading.amount(raw, "baseSizePrecision", ZERO) or None,
        min_notional=reading.amount(raw, "quoteAmountPrecision", ZERO) or None,
        raw=raw,
    )


def _transfer(
    raw: Raw,
    kind: TransferKind,
    statuses: Mapping[str, TransferStatus],
    *,
    amount: Decimal,
    fee: Decimal,
    at: datetime,
) -> TransferRow:
    asset = reading.text(raw, "coin").partition("-")[0]  # "USDC-TRX" names the network as well
    return TransferRow(
        kind=kind,
        transfer_id=transfer_id(raw, asset, amount),
        asset=asset,
        amount=amount,
        fee_amount=fee,
        network=reading.text(raw, "netWork", "") or reading.text(raw, "network", ""),
        address=reading.text(raw, "address", ""),
        tx_id=reading.text(raw, "transHash", "") or reading.text(raw, "txId", ""),
        status=statuses.get(reading.text(raw, "status", ""), TransferStatus.UNKNOWN),
        occurred_at=at,
        raw=raw,
    )


def _listed(raw: Raw, key: str) -> list[str]:
    """Words parted by commas; none of them for a missing, null or empty value."""
    words = reading.text(raw, key, ",")
    return [word for word in words.split(",") if word]


def _moves_money(permission: str) -> bool:
    """SPOT_WITHDRAW_WRITE sends coins to others, by chain and inside MEXC; its short forms end in _W."""
    return "WITHDRAW" in permission and permission.endswith(("_WRITE", "_W"))


def _step(raw: Raw, key: str) -> Decimal | None:
    places = reading.whole(raw.get(key), below=19, default=-1)
    return None if places < 0 else Decimal(1).scaleb(-places)


def _order_status(raw: Raw) -> OrderStatus:
    words = reading.text(raw, "status")
    if words not in _STATUS:
        raise UnreadableRow(f"status {words!r:.40} is unknown")
    return _STATUS[words]
