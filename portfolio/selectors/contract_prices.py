"""What open contracts are worth now: by the exchange's mark price while it is fresh, else by the underlying's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from core.money import quantize
from exchanges.rows import MarketType
from marketdata.models import Ticker
from marketdata.prices import PricePoint
from portfolio.accounting.measure import percent
from portfolio.contract_days import Terms, terms_of, underlying
from portfolio.models import Position, ReportedPosition

MARK_FRESH: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ContractValue:
    """An open contract position at a price in its quote asset, as old as the older of the prices it took.

    `cost`, `value` (both notional) and `unrealized` are in the reporting currency; None where a price is missing.
    """

    price: Decimal | None
    at: datetime | None
    source: str | None
    cost: Decimal | None
    value: Decimal | None
    unrealized: Decimal | None
    unrealized_percent: Decimal | None
    liquidation_price: Decimal | None
    margin: Decimal | None
    """As reported, in the settle asset."""


Prices = Mapping[tuple[str, str], PricePoint]


def terms(rows: Sequence[Position]) -> dict[int, Terms]:
    """What the contracts of these positions are, by book."""
    if not rows:
        return {}
    contracts = Position.objects.filter(id__in=[row.pk for row in rows])
    return terms_of(contracts.select_related("book", "opening_fill").defer("checkpoint", "opening_fill__raw"))


def value(
    row: Position,
    contract: Terms,
    report: ReportedPosition | None,
    prices: Prices,
    at: datetime,
    ticker: PricePoint | None = None,
) -> ContractValue:
    """An open position as it stands. `prices`: of base, quote and settle asset in the book's currency; `ticker`: the
    contract's own."""
    mark = _mark(row, contract, report, prices, at, ticker)
    settle = prices.get((contract.settle, row.book.currency))
    is_open = report is not None and report.quantity > 0
    known = None
    if mark and settle:
        signed = row.quantity if row.side == "LONG" else -row.quantity
        known = (
            quantize(contract.unrealised(signed, row.total_cost, mark.price) * settle.price),
            quantize(contract.worth(row.quantity, mark.price) * settle.price),
        )
    cost = quantize(row.total_cost * settle.price) if settle else None
    return ContractValue(
        price=mark.price if mark else None,
        at=min(mark.at, settle.at) if mark and settle else None,
        source=mark.source if mark else None,
        cost=cost,
        value=known[1] if known else None,
        unrealized=known[0] if known else None,
        unrealized_percent=percent(known[0], cost).value if known and cost else None,
        liquidation_price=report.liquidation_price if report and is_open else None,
        margin=report.margin if report and is_open else None,
    )


def tickers(rows: Sequence[Position]) -> dict[tuple[str, str], PricePoint]:
    """Mark prices read for everybody, by exchange and contract: newer than those of an account's own reports."""
    if not rows:
        return {}
    read = Ticker.objects.filter(
        listing__exchange__in={row.exchange for row in rows},
        listing__market_type=MarketType.FUTURES,
        listing__name__in={row.book.asset for row in rows},
        price__gt=0,
    ).values_list("listing__exchange", "listing__name", "price", "read_at")
    return {
        (exchange, name): PricePoint(price, f"{exchange}:{name}:mark", at)
        for exchange, name, price, at in read
    }


def reports(rows: Sequence[Position]) -> dict[tuple[object, str, str], ReportedPosition]:
    """What the exchanges said last of these positions, by account, contract and side."""
    if not rows:
        return {}
    found = ReportedPosition.objects.filter(
        account_id__in={row.account_id for row in rows}, symbol__in={row.book.asset for row in rows}
    )
    return {(report.account_id, report.symbol, report.side): report for report in found.defer("raw")}


def _mark(
    row: Position,
    contract: Terms,
    report: ReportedPosition | None,
    prices: Prices,
    at: datetime,
    ticker: PricePoint | None,
) -> PricePoint | None:
    """The exchange's mark, the newer of ticker and report, if it is fresh or nothing is newer."""
    own = None
    if report is not None and report.mark_price and report.quantity:
        own = PricePoint(report.mark_price, f"{row.exchange}:{contract.symbol}:mark", report.reported_at)
    if ticker and (own is None or ticker.at > own.at):
        own = ticker
    base, quote = (prices.get((asset, row.book.currency)) for asset in (contract.base, contract.quote))
    if own and (at - own.at <= MARK_FRESH or base is None or base.at <= own.at):
        return own
    if base is None:
        return None
    price = underlying(contract, base.price, quote.price if quote else None)
    return PricePoint(price, base.source, min(base.at, quote.at) if quote else base.at) if price else None
