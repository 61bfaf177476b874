"""Where a trade's numbers come from: its allocations, their fills, fees and valuations, and the checks that add
them up again. Nothing here is copied from the trade: each figure is computed from the rows below it."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from core import clock
from core.django.answers import plain
from core.money import ZERO, quantize
from exchanges.rows import MarketType
from orders.models import Fill, FundingPayment, Order, Transfer
from portfolio.models import Allocation, Fee, Trade, Valuation
from portfolio.selectors import trades
from portfolio.selectors.check import MAX_EVENTS, Check
from portfolio.selectors.checks import trade_checks
from portfolio.selectors.contract_checks import direction
from portfolio.selectors.trades import ClosedTrade


@dataclass(frozen=True, slots=True)
class PinnedPrice:
    """The valuation that was used for a coin in the hour `at`; it never changes by itself."""

    asset: str
    currency: str
    at: datetime
    price: Decimal
    source: str
    source_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class FeePaid:
    """A fill's fee in its own coin and what it was worth; `price_source` is empty for the reporting currency."""

    amount: Decimal
    currency: str
    type: str
    price: Decimal | None
    price_source: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class ExplainedFill:
    """A fill as the exchange reported it. `value` is its quote amount in the reporting currency; of a contract, its
    value in the settle asset was `quote_quantity`."""

    id: int
    exchange_fill_id: str
    exchange_order_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    quote_asset: str
    value: Decimal | None
    quote_valuation: PinnedPrice | None
    """None for a quote in the reporting currency itself."""
    fee: FeePaid | None
    is_maker: bool
    executed_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class FillReference:
    id: int
    exchange_fill_id: str
    exchange_order_id: str
    side: str
    price: Decimal
    quantity: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class TransferReference:
    id: int
    exchange_transfer_id: str
    kind: str
    asset: str
    amount: Decimal
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ExplainedAllocation:
    """A part of an exit fill. LOT: entered with `entry_fill`; DUST: left over from an earlier position at its average
    cost; UNKNOWN: never seen bought, in no PnL; AIRDROP, INTEREST, STATED (a deposit at the user's word) and TRANSFER
    (from another account of theirs): came with `entry_transfer`. Fills stand in `fills`."""

    sequence: int
    source: str
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    gross_pnl: Decimal | None
    net_pnl: Decimal | None
    """None for the unknown part."""
    entry_fill: FillReference | None
    entry_transfer: TransferReference | None
    exit_fill: FillReference


@dataclass(frozen=True, slots=True)
class Sums:
    """Over the allocations; a short's gross is cost - proceeds, as an inverse long's."""

    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    entry_fees: Decimal
    exit_fees: Decimal
    gross_pnl: Decimal
    funding: Decimal
    """The trade's share of `Explanation.funding`: no allocation carries it. `net_pnl` holds it."""
    net_pnl: Decimal
    unknown_quantity: Decimal
    unknown_proceeds: Decimal


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """A funding payment of the trade's position up to the trade's end; `value` in the reporting currency."""

    exchange_payment_id: str
    amount: Decimal
    asset: str
    rate: Decimal | None
    value: Decimal | None
    price_source: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class ExitOrder:
    """The order that decided the exit type."""

    id: int
    exchange_order_id: str
    type: str
    status: str
    role: str
    linked_by: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`checksum` is the SHA-256 of this object without it as JSON with sorted keys and without spaces."""

    trade: ClosedTrade
    method: str
    engine_version: int
    book_is_stale: bool
    """New facts wait to be folded: numbers may still change."""
    exit_order: ExitOrder | None
    allocations: list[ExplainedAllocation]
    fills: list[ExplainedFill]
    funding: list[FundingPaid]
    """What the position received or paid; exits share it by quantity."""
    sums: Sums
    checks: list[Check]
    adds_up: bool
    """No check differs."""
    checksum: str


def explain(*, trade_id: int) -> Explanation:
    """The tree of one trade. Raises NotFound."""
    row = trades.find(trade_id=trade_id)
    book = row.position.book
    allocations, facts = _allocations(row)
    prices = _pinned(book.currency, facts.values())
    order = _exit_order(row)
    checks = trade_checks(row, allocations, facts, role=order.role if order else "", prices=prices)
    tree = Explanation(
        trade=trades.closed(row),
        method=book.method,
        engine_version=row.engine_version,
        book_is_stale=book.stale_from is not None,
        exit_order=order,
        allocations=[_explained(part, facts, direction(row)) for part in allocations],
        fills=_explained_fills(facts.values(), book.currency, prices),
        funding=_funding(row),
        sums=_sum(allocations, direction(row), row.funding),
        checks=checks,
        adds_up=all(check.equal is not False for check in checks),
        checksum="",
    )
    return replace(tree, checksum=checksum(tree))


def checksum(tree: Explanation) -> str:
    """SHA-256 over the canonical JSON of everything but the checksum itself."""
    content = plain(tree, amounts="text")
    del content["checksum"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _allocations(row: Trade) -> tuple[list[Allocation], dict[int, Fill]]:
    """The trade's allocations in the order they were made, and the fills they name."""
    parts = list(Allocation.objects.filter(trade=row).select_related("entry_transfer"))
    ids = {part.exit_fill_id for part in parts} | {part.entry_fill_id for part in parts if part.entry_fill_id}
    facts = Fill.objects.defer("raw").in_bulk(list(ids))
    return sorted(parts, key=lambda part: (fold_order(facts[part.exit_fill_id]), part.sequence)), facts


def fold_order(fill: Fill) -> tuple[datetime, int, str]:
    return fill.executed_at, len(fill.exchange_fill_id), fill.exchange_fill_id


def _exit_order(row: Trade) -> ExitOrder | None:
    order = (
        Order.objects.filter(
            account_id=row.account_id,
            market_type=row.position.book.market_type,
            symbol=row.symbol,
            exchange_order_id=row.exit_order_id,
        )
        .defer("raw")
        .first()
    )
    if order is None:
        return None
    return ExitOrder(order.pk, order.exchange_order_id, order.type, order.status, order.role, order.linked_by)


def _pinned(currency: str, facts: Collection[Fill]) -> dict[tuple[str, datetime], Valuation]:
    """Pinned prices of the fills' quote and fee coins, by coin and hour; the newest version of each."""
    assets = {fill.settle_asset or fill.quote_asset for fill in facts} | {fill.fee_currency for fill in facts}
    hours = {clock.floor_hour(fill.executed_at) for fill in facts}
    rows = Valuation.objects.filter(currency=currency, asset__in=assets - {currency}, at__in=hours)
    return {(row.asset, row.at): row for row in rows.order_by("version")}


def _funding(row: Trade) -> list[FundingPaid]:
    """Of the position's contract and side. What came between its close and the next position is the last trade's."""
    if row.market_type == MarketType.SPOT:
        return []
    book, until = row.position.book, row.exit_time
    paid = FundingPayment.objects.filter(
        account_id=row.account_id,
        symbol=book.asset,
        position_side=book.side,
        paid_at__gte=row.position.opened_at,
    )
    if row.closes_position:
        later = (
            book.positions.filter(opened_at__gt=until)
            .order_by("opened_at")
            .values_list("opened_at", flat=True)
        )
        end = later.first()
        paid = paid.filter(paid_at__lte=end) if end else paid
    else:
        paid = paid.filter(paid_at__lte=until)
    payments = list(paid.order_by("paid_at", "id").defer("raw")[:MAX_EVENTS])
    fees = {fee.funding_id: fee for fee in Fee.objects.filter(funding__in=payments)}
    return [_funding_paid(payment, fees.get(payment.pk)) for payment in payments]


def _funding_paid(payment: FundingPayment, fee: Fee | None) -> FundingPaid:
    return FundingPaid(
        exchange_payment_id=payment.exchange_payment_id,
        amount=payment.amount,
        asset=payment.asset,
        rate=payment.rate,
        value=-fee.value if fee and fee.value is not None else None,
        price_source=fee.price_source if fee else "",
        paid_at=payment.paid_at,
    )


def _explained(part: Allocation, facts: Mapping[int, Fill], way: int) -> ExplainedAllocation:
    known = part.source != Allocation.Source.UNKNOWN
    gross = way * (part.proceeds - part.cost) if known else None
    entry = facts[part.entry_fill_id] if part.entry_fill_id else None
    return ExplainedAllocation(
        sequence=part.sequence,
        source=part.source,
        quantity=part.quantity,
        cost=part.cost,
        proceeds=part.proceeds,
        entry_fee=part.entry_fee,
        exit_fee=part.exit_fee,
        gross_pnl=gross,
        net_pnl=gross - part.entry_fee - part.exit_fee if gross is not None else None,
        entry_fill=_reference(entry) if entry else None,
        entry_transfer=_transfer(part.entry_transfer) if part.entry_transfer else None,
        exit_fill=_reference(facts[part.exit_fill_id]),
    )


def _transfer(row: Transfer) -> TransferReference:
    return TransferReference(
        row.pk, row.exchange_transfer_id, row.kind, row.asset, row.amount, row.occurred_at
    )


def _reference(fill: Fill) -> FillReference:
    return FillReference(
        fill.pk,
        fill.exchange_fill_id,
        fill.exchange_order_id,
        fill.side,
        fill.price,
        fill.quantity,
        fill.executed_at,
    )


def _explained_fills(
    facts: Collection[Fill], currency: str, prices: Mapping[tuple[str, datetime], Valuation]
) -> list[ExplainedFill]:
    fees = {row.fill_id: row for row in Fee.objects.filter(fill_id__in=[fill.pk for fill in facts])}
    return [
        _explained_fill(fill, fees.get(fill.pk), currency, prices) for fill in sorted(facts, key=fold_order)
    ]


def _explained_fill(
    fill: Fill, fee: Fee | None, currency: str, prices: Mapping[tuple[str, datetime], Valuation]
) -> ExplainedFill:
    paid_in = fill.settle_asset or fill.quote_asset  # what `quote_quantity` counts
    pinned = prices.get((paid_in, clock.floor_hour(fill.executed_at)))
    price = pinned.price if pinned else Decimal(1) if paid_in == currency else None
    return ExplainedFill(
        id=fill.pk,
        exchange_fill_id=fill.exchange_fill_id,
        exchange_order_id=fill.exchange_order_id,
        symbol=fill.symbol,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        quote_quantity=fill.quote_quantity,
        quote_asset=fill.quote_asset,
        value=quantize(fill.quote_quantity * price) if price is not None else None,
        quote_valuation=_pinned_price(pinned) if pinned else None,
        fee=_fee_paid(fee) if fee else None,
        is_maker=fill.is_maker,
        executed_at=fill.executed_at,
        source=fill.source,
    )


def _pinned_price(row: Valuation) -> PinnedPrice:
    return PinnedPrice(row.asset, row.currency, row.at, row.price, row.source, row.source_at, row.version)


def _fee_paid(row: Fee) -> FeePaid:
    return FeePaid(row.fee_amount, row.fee_currency, row.fee_type, row.price, row.price_source, row.value)


def _sum(parts: Sequence[Allocation], way: int, funding: Decimal) -> Sums:
    known = [part for part in parts if part.source != Allocation.Source.UNKNOWN]
    unknown = [part for part in parts if part.source == Allocation.Source.UNKNOWN]
    cost = sum((part.cost for part in known), ZERO)
    proceeds = sum((part.proceeds for part in known), ZERO)
    entry_fees = sum((part.entry_fee for part in parts), ZERO)
    exit_fees = sum((part.exit_fee for part in parts), ZERO)
    return Sums(
        quantity=sum((part.quantity for part in known), ZERO),
        cost=cost,
        proceeds=proceeds,
        entry_fees=entry_fees,
        exit_fees=exit_fees,
        gross_pnl=way * (proceeds - cost),
        funding=funding,
        net_pnl=way * (proceeds - cost) - entry_fees - exit_fees + funding,
        unknown_quantity=sum((part.quantity for part in unknown), ZERO),
        unknown_proceeds=sum((part.proceeds for part in unknown), ZERO),
    )
