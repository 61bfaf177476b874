"""Reported balances beside what the facts give, at the latest prices."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from portfolio import comparison
from portfolio.comparison import Balance
from portfolio.selectors.positions import is_stale, latest_prices


@dataclass(frozen=True, slots=True)
class AssetBalance:
    """An asset in an account as the exchange told it last. `computed` is what facts gave then, `difference` reported
    less computed: zero when facts explain everything."""

    account_id: UUID
    account_label: str
    exchange: str
    asset: str
    available: Decimal
    locked: Decimal
    total: Decimal
    computed: Decimal
    difference: Decimal
    reported_at: datetime
    price: Decimal | None
    price_as_of: datetime | None
    price_source: str | None
    is_stale: bool
    """The price is older than five minutes, or there is none."""
    value: Decimal | None
    """Of the reported total, in `currency`; None while the asset has no price."""
    currency: str


@dataclass(frozen=True, slots=True)
class Balances:
    results: list[AssetBalance]
    total_value: Decimal
    """Of what has a price."""
    unpriced_assets: list[str]
    currency: str
    next_cursor: str | None = None
    """Always None: a wallet is one page."""


def asset_balances(*, scope: Scope, currency: str, at: datetime) -> Balances:
    """Every asset with a balance, reported or computed, by account; the most valuable first."""
    rows = comparison.side_by_side(account_ids=scope.account_ids)
    accounts = ExchangeAccount.objects.only("id", "label", "exchange").in_bulk(list(scope.account_ids))
    points = latest_prices((row.asset, currency) for row in rows)
    results = []
    for row in rows:
        point = points.get((row.asset, currency))
        results.append(
            AssetBalance(
                **_reported(row, accounts[row.account_id]),
                price=point.price if point else None,
                price_as_of=point.at if point else None,
                price_source=point.source if point else None,
                is_stale=is_stale(point.at if point else None, at),
                value=quantize(row.total * point.price) if point else None,
                currency=currency,
            )
        )
    results.sort(key=lambda row: (row.value is None, -(row.value or ZERO), row.asset, str(row.account_id)))
    return Balances(
        results=results,
        total_value=sum((row.value for row in results if row.value is not None), ZERO),
        unpriced_assets=sorted({row.asset for row in results if row.value is None}),
        currency=currency,
    )


def _reported(row: Balance, account: ExchangeAccount) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "account_label": account.label,
        "exchange": account.exchange,
        "asset": row.asset,
        "available": row.available,
        "locked": row.locked,
        "total": row.total,
        "computed": row.computed,
        "difference": row.difference,
        "reported_at": row.reported_at,
    }
