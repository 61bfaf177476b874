"""Fees as kept: a list, and totals of a period. Funding is listed and told apart; it is in no total of fees."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from core.django.cursors import Place, cut
from core.money import ZERO
from credentials.scope import Scope
from portfolio.accounting.own_coins import OWN_COINS, saved
from portfolio.accounting.periods import Period
from portfolio.models import Fee

MOST: Final = 500
FUNDING: Final = "FUNDING"
_FIELDS: Final = (
    *(
        "id",
        "account_id",
        "exchange",
        "symbol",
        "exchange_order_id",
        "fee_amount",
        "fee_currency",
        "fee_type",
    ),
    *("transaction_type", "value", "price", "price_source", "fee_timestamp"),
)


@dataclass(frozen=True, slots=True)
class FeeRow:
    """A fee in its own coin (below zero: a rebate; of funding, what was received) and its worth in the reporting
    currency, null while it has no price."""

    id: int
    account_id: UUID
    exchange: str
    symbol: str
    exchange_order_id: str
    fee_amount: Decimal
    fee_currency: str
    fee_type: str
    transaction_type: str
    value: Decimal | None
    price: Decimal | None
    price_source: str
    fee_timestamp: datetime
    in_totals: bool


@dataclass(frozen=True, slots=True)
class FeePage:
    results: list[FeeRow]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FeeTotal:
    """`key`: an exchange, a month (`2026-02`) or a type."""

    key: str
    value: Decimal
    count: int
    unvalued: int
    """Those without a price yet, which `value` lacks."""


@dataclass(frozen=True, slots=True)
class CoinTotal:
    """In the coin itself, and its worth."""

    currency: str
    amount: Decimal
    value: Decimal
    count: int
    unvalued: int


@dataclass(frozen=True, slots=True)
class OwnCoinSaving:
    """What paying in the exchange's own coin saved, estimated by a documented rate: paid × rate ÷ (1 − rate). Pairs
    that trade the coin itself are left out, as their fees may be in it without a discount."""

    exchange: str
    coin: str
    market_type: str
    paid: Decimal
    saved: Decimal
    discount: Decimal
    documented: str
    is_estimate: bool
    count: int


@dataclass(frozen=True, slots=True)
class FeeSummary:
    """Totals in `currency`, funding left out, which stands by itself (a cost above zero)."""

    currency: str
    period_start: datetime
    period_end: datetime
    total: Decimal
    count: int
    unvalued: int
    by_exchange: list[FeeTotal]
    by_currency: list[CoinTotal]
    by_month: list[FeeTotal]
    by_type: list[FeeTotal]
    funding: FeeTotal
    own_coins: list[OwnCoinSaving]
    saved: Decimal


def fees_page(
    *,
    account_ids: Collection[UUID],
    fee_type: str | None = None,
    currency: str | None = None,
    symbol: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    after: Place | None = None,
) -> FeePage:
    """Fees in [since, until), newest first, from `after` on. `order_id` is the exchange's."""
    asked = {
        "fee_type": fee_type,
        "fee_currency": currency,
        "symbol": symbol,
        "exchange_order_id": order_id,
        "fee_timestamp__gte": since,
        "fee_timestamp__lt": until,
    }
    rows = Fee.objects.filter(
        account_id__in=account_ids, **{name: value for name, value in asked.items() if value is not None}
    )
    if after is not None:
        rows = rows.filter(after.beyond("fee_timestamp"))
    found = list(rows.order_by("-fee_timestamp", "-id").values(*_FIELDS)[: limit + 1])
    page, following = cut(found, limit, lambda row: Place(row["fee_timestamp"], row["id"]))
    return FeePage([FeeRow(**row, in_totals=row["fee_type"] != FUNDING) for row in page], following)


def summary(*, scope: Scope, period: Period, currency: str) -> FeeSummary:
    """Of all fees of a period."""
    rows = Fee.objects.filter(
        account_id__in=scope.account_ids, fee_timestamp__gte=period.start, fee_timestamp__lt=period.end
    )
    fees = rows.exclude(fee_type=FUNDING)
    by_type = _totals(fees, F("fee_type"))
    coins = _grouped(fees, currency=F("fee_currency")).annotate(amount=Sum("fee_amount"))
    savings = _savings(fees)
    return FeeSummary(
        currency=currency,
        period_start=period.start,
        period_end=period.last_second,
        total=sum((row.value for row in by_type), ZERO),
        count=sum(row.count for row in by_type),
        unvalued=sum(row.unvalued for row in by_type),
        by_exchange=_totals(fees, F("exchange")),
        by_currency=[CoinTotal(**row) for row in coins],
        by_month=_totals(fees, TruncMonth("fee_timestamp")),
        by_type=by_type,
        funding=next(
            iter(_totals(rows.filter(fee_type=FUNDING), F("fee_type"))), FeeTotal(FUNDING, ZERO, 0, 0)
        ),
        own_coins=savings,
        saved=sum((row.saved for row in savings), ZERO),
    )


def _totals(rows: QuerySet[Fee], key: Any) -> list[FeeTotal]:
    found = _grouped(rows, key=key)
    return [FeeTotal(**{**row, "key": _named(row["key"])}) for row in found]


def _named(key: str | datetime) -> str:
    return f"{key:%Y-%m}" if isinstance(key, datetime) else key


def _grouped(rows: QuerySet[Fee], **key: Any) -> Any:
    """By one expression, in its order: a query of mappings."""
    (name,) = key
    return (
        rows.order_by()
        .values(**key)
        .annotate(
            count=Count("id"),
            unvalued=Count("id", filter=Q(value__isnull=True)),
            value=Sum("value", default=ZERO),
        )
        .order_by(name)
    )


def _savings(fees: QuerySet[Fee]) -> list[OwnCoinSaving]:
    """Of trades whose fee was taken in the exchange's own coin; for conversions there is no discount."""
    is_own = Q()
    for exchange, own in OWN_COINS.items():
        is_own |= Q(exchange=exchange, fee_currency=own.coin)
    found = (
        fees.filter(is_own, fee_amount__gt=0, value__isnull=False, transaction_type="ORDER_FILL")
        .exclude(fill__base_asset=F("fee_currency"))
        .exclude(fill__quote_asset=F("fee_currency"))
        .order_by()
        .values("exchange", "fee_currency", market=F("fill__market_type"))
        .annotate(paid=Sum("value"), count=Count("id"))
        .order_by("exchange", "market")
    )
    savings = []
    for row in found:
        own = OWN_COINS[row["exchange"]]
        rate = own.discounts.get(row["market"])
        if rate is not None:
            savings.append(
                OwnCoinSaving(
                    exchange=row["exchange"],
                    coin=own.coin,
                    market_type=row["market"],
                    paid=row["paid"],
                    saved=saved(row["paid"], rate),
                    discount=rate,
                    documented=own.documented,
                    is_estimate=True,
                    count=row["count"],
                )
            )
    return savings
