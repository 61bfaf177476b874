"""Every fact that moved a balance, as signed amounts by asset, in order, with what they were worth then.

The amounts of an account and asset sum to the balance its facts give: what `AssetDay` holds by day.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core import clock, money
from core.money import InvalidAmount
from exchanges.rows import REPORTED_WALLETS, MarketType, Side, TransferKind
from orders import movements
from orders.models import Fill, FundingPayment, Transfer
from portfolio.exports.sections import CHUNK, Selection, in_order
from portfolio.exports.tables import Row, Table, Type
from portfolio.models import Valuation

TABLE: Final = Table(
    "entry",
    (
        ("time", Type.TIME),
        ("account", Type.TEXT),
        ("exchange", Type.TEXT),
        ("wallet", Type.TEXT),
        ("type", Type.TEXT),
        ("asset", Type.TEXT),
        ("amount", Type.AMOUNT),
        ("currency", Type.TEXT),
        ("price", Type.AMOUNT),
        ("value", Type.AMOUNT),
        ("price_source", Type.TEXT),
        ("symbol", Type.TEXT),
        ("fact", Type.TEXT),
        ("source_id", Type.TEXT),
        ("order_id", Type.TEXT),
        ("tx_id", Type.TEXT),
        ("is_inferred", Type.FLAG),
    ),
)
_HOUR: Final = timedelta(hours=1)
_ONE: Final = Decimal(1)
_OF_ACCOUNT: Final = ("account__label", "account__exchange")


class Price(NamedTuple):
    """Of one unit in the user's currency; None where nobody pinned any."""

    price: Decimal | None
    source: str


class Leg(NamedTuple):
    """One movement. `worth` counts where the value is known better than by amount × price."""

    type: str
    wallet: str
    asset: str
    amount: Decimal
    price: Price
    worth: Decimal | None = None


class Fact(NamedTuple):
    """What a movement comes from; sorts by its first three."""

    at: datetime
    rank: int
    id: int
    account: str
    exchange: str
    values: dict[str, Any]


class Prices:
    """Pinned prices of an hour at a time: asked for in the order of time, they need no more memory than that."""

    def __init__(self, selection: Selection) -> None:
        self._currency = selection.currency
        rows = Valuation.objects.filter(currency=selection.currency).order_by("at", "version")
        if selection.since:
            rows = rows.filter(at__gte=clock.floor_hour(selection.since))
        self._rows = rows.values_list("at", "asset", "price", "source").iterator(chunk_size=CHUNK)
        self._next = next(self._rows, None)
        self._hour: datetime | None = None
        self._prices: dict[str, Price] = {}

    def of(self, asset: str, at: datetime) -> Price:
        if asset == self._currency:
            return Price(_ONE, "")
        hour = clock.floor_hour(at)
        if hour != self._hour:
            self._hour, self._prices = hour, {}
            while self._next is not None and self._next[0] <= hour:
                moment, name, price, source = self._next
                if moment == hour:
                    self._prices[name] = Price(price, source)
                self._next = next(self._rows, None)
        return self._prices.get(asset, Price(None, ""))


def entries(selection: Selection) -> Iterator[Row]:
    """Of all accounts together, oldest first; what moved nothing (failed, pending, for nothing) is left out."""
    prices = Prices(selection)
    for fact in heapq.merge(_fills(selection), _funding(selection), _transfers(selection)):
        for leg in _LEGS[fact.rank](fact.values, fact.at, prices):
            if leg.amount:
                yield _row(fact, leg, selection.currency)


def _row(fact: Fact, leg: Leg, currency: str) -> Row:
    price, source = leg.price
    worth = leg.worth if leg.worth is not None else _times(leg.amount, price)
    given = fact.values
    return (
        f"{fact.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        fact.account,
        fact.exchange,
        leg.wallet,
        leg.type,
        leg.asset,
        money.text(leg.amount),
        currency,
        None if price is None else money.text(price),
        None if worth is None else money.text(worth),
        source,
        given.get("symbol", ""),
        _NAMES[fact.rank],
        given["source_id"],
        given.get("exchange_order_id", ""),
        given.get("tx_id", ""),
        given.get("is_inferred", False),
    )


def _fills(selection: Selection) -> Iterator[Fact]:
    names = (
        "market_type", "symbol", "base_asset", "quote_asset", "side", "price", "quantity", "quote_quantity",
        "fee_amount", "fee_currency", "settle_asset", "realized_pnl", "is_conversion", "is_inferred",
        "exchange_order_id",
    )  # fmt: skip
    return _facts(0, Fill, selection, "executed_at", "exchange_fill_id", names)


def _funding(selection: Selection) -> Iterator[Fact]:
    return _facts(
        1, FundingPayment, selection, "paid_at", "exchange_payment_id", ("symbol", "asset", "amount")
    )


def _transfers(selection: Selection) -> Iterator[Fact]:
    names = ("kind", "asset", "amount", "fee_amount", "from_wallet", "to_wallet", "status", "tx_id")
    return _facts(2, Transfer, selection, "occurred_at", "exchange_transfer_id", names)


def _facts(
    rank: int, model: Any, selection: Selection, moment: str, source_id: str, names: tuple[str, ...]
) -> Iterator[Fact]:
    columns = ("source_id", *names)
    rows = in_order(model, selection, moment).values_list(moment, "id", *_OF_ACCOUNT, source_id, *names)
    for at, row_id, account, exchange, *values in rows.iterator(chunk_size=CHUNK):
        yield Fact(at, rank, row_id, account, exchange, dict(zip(columns, values, strict=True)))


def _legs_of_fill(fill: dict[str, Any], at: datetime, prices: Prices) -> Iterator[Leg]:
    fee, coin = fill["fee_amount"], fill["fee_currency"]
    if fill["market_type"] != MarketType.SPOT:
        settle = fill["settle_asset"]
        yield Leg(
            "REALIZED_PNL", "futures", settle, fill["realized_pnl"] or money.ZERO, prices.of(settle, at)
        )
        yield Leg("FEE", "futures", coin, -fee, prices.of(coin, at))
        return
    base, quote = fill["base_asset"], fill["quote_asset"]
    sign = 1 if fill["side"] == Side.BUY else -1
    of_quote = prices.of(quote, at)
    of_base = Price(_times(fill["price"], of_quote.price), of_quote.source or "fill")
    worth = _times(fill["quote_quantity"], of_quote.price)
    kind = "CONVERSION" if fill["is_conversion"] else "TRADE"
    yield Leg(kind, "spot", base, sign * fill["quantity"], of_base, None if worth is None else sign * worth)
    yield Leg(kind, "spot", quote, -sign * fill["quote_quantity"], of_quote)
    yield Leg("FEE", "spot", coin, -fee, of_base if coin == base else prices.of(coin, at))


def _legs_of_funding(payment: dict[str, Any], at: datetime, prices: Prices) -> Iterator[Leg]:
    yield Leg("FUNDING", "futures", payment["asset"], payment["amount"], prices.of(payment["asset"], at))


def _legs_of_transfer(transfer: dict[str, Any], at: datetime, prices: Prices) -> Iterator[Leg]:
    kind, asset, amount, fee = (transfer[name] for name in ("kind", "asset", "amount", "fee_amount"))
    if not movements.counts(kind=kind, status=transfer["status"]):
        return
    price = prices.of(asset, at)
    if kind == TransferKind.INTERNAL:
        source, target = transfer["from_wallet"], transfer["to_wallet"]
        if source in REPORTED_WALLETS:
            yield Leg(kind, source, asset, -amount, price)
            yield Leg("FEE", source, asset, -fee, price)
        if target in REPORTED_WALLETS:
            yield Leg(kind, target, asset, amount, price)
        return
    is_out = kind in (TransferKind.WITHDRAWAL, TransferKind.CHARGE)
    yield Leg(kind, "", asset, -amount if is_out else amount, price)
    if kind != TransferKind.DEPOSIT:  # what arrives has paid its way
        yield Leg("FEE", "", asset, -fee, price)


_NAMES: Final = ("fill", "funding", "transfer")
_LEGS: Final = (_legs_of_fill, _legs_of_funding, _legs_of_transfer)


def _times(amount: Decimal, price: Decimal | None) -> Decimal | None:
    try:
        return None if price is None else money.multiply(amount, price)
    except InvalidAmount:  # more digits than anything is kept with
        return None
