"""The present state of a scope: the latest snapshot of each of its accounts, summed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import OuterRef, Subquery

from core.money import ZERO, quantize
from credentials.models import ExchangeAccount
from credentials.scope import Scope
from portfolio.accounting.measure import percent
from portfolio.accounting.periods import PeriodKind
from portfolio.models import AssetSnapshot, PortfolioSnapshot
from portfolio.selectors import performance
from portfolio.selectors.equity import worst_grade

_SUMMED: Final = (
    "total_balance", "total_positions_value", "unrealized_pnl", "total_realized_pnl", "total_fees_paid",
    "funding",
)  # fmt: skip
_RETURNS: Final = {
    "return_percentage": "total_return_percentage",
    "simple_return_percentage": "simple_return_percentage",
    "money_weighted_return_percentage": "money_weighted_return_percentage",
    "xirr_percentage": "xirr_percentage",
}


@dataclass(frozen=True, slots=True)
class AssetShare:
    """An asset of the composition, over all accounts of the scope. `value` is None while it has no price."""

    asset: str
    quantity: Decimal
    price: Decimal | None
    price_source: str
    value: Decimal | None
    share_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything in `currency`. None where nothing was recorded yet, or the exchange reported no balances."""

    exchange: str
    currency: str
    total_balance: Decimal | None
    available_balance: Decimal | None
    locked_balance: Decimal | None
    total_positions_value: Decimal | None
    unrealized_pnl: Decimal | None
    open_positions_count: int
    total_realized_pnl: Decimal | None
    total_trades_count: int
    winning_trades_count: int
    losing_trades_count: int
    win_rate: Decimal | None
    total_fees_paid: Decimal | None
    funding: Decimal | None
    """Of contracts on the snapshots' day so far, received less paid."""
    average_trade_pnl: Decimal | None
    largest_win: Decimal | None
    largest_loss: Decimal | None
    total_return_percentage: Decimal | None
    """Time-weighted since the first fact: deposits and withdrawals are neutral."""
    simple_return_percentage: Decimal | None
    """Money made / everything put in."""
    money_weighted_return_percentage: Decimal | None
    """Modified Dietz, not annualised."""
    xirr_percentage: Decimal | None
    """Money-weighted, a year."""
    return_reasons: dict[str, str]
    """Why a return is null."""
    snapshot_date: date | None
    computed_at: datetime | None
    """When the oldest of the accounts' latest snapshots was computed."""
    grade: str | None
    grade_reason: str
    assets: list[AssetShare]


def snapshot(*, scope: Scope, currency: str, at: datetime) -> Snapshot:
    """The latest snapshot over a scope, and what was made of it since the first fact."""
    rows = latest_snapshots(account_ids=scope.account_ids)
    sums: dict[str, Any] = {
        name: sum((getattr(row, name) for row in rows), ZERO) if rows else None for name in _SUMMED
    }
    wins = sum(row.winning_trades_count for row in rows)
    losses = sum(row.losing_trades_count for row in rows)
    trades = sum(row.total_trades_count for row in rows)
    net = sums["total_realized_pnl"]
    assets = list(AssetSnapshot.objects.filter(snapshot__in=rows).order_by("asset", "account_id"))
    return Snapshot(
        exchange=scope.exchange_name,
        currency=currency,
        available_balance=_sum(row.available_balance for row in rows),
        locked_balance=_sum(row.locked_balance for row in rows),
        open_positions_count=sum(row.open_positions_count for row in rows),
        total_trades_count=trades,
        winning_trades_count=wins,
        losing_trades_count=losses,
        win_rate=percent(Decimal(wins), Decimal(wins + losses)).value if wins + losses else None,
        average_trade_pnl=quantize(net / trades) if net is not None and trades else None,
        largest_win=max((row.largest_win for row in rows if row.largest_win is not None), default=None),
        **_returns(scope, currency, at),
        largest_loss=min((row.largest_loss for row in rows if row.largest_loss is not None), default=None),
        snapshot_date=max((row.snapshot_date for row in rows), default=None),
        computed_at=min((row.computed_at for row in rows), default=None),
        grade=worst_grade([row.grade for row in rows]) if rows else None,
        grade_reason=", ".join(row.grade_reason for row in rows if row.grade_reason),
        assets=_shares(assets),
        **sums,
    )


def latest_snapshots(*, account_ids: Sequence[UUID]) -> list[PortfolioSnapshot]:
    """Each account's newest snapshot, by one look-up an account in the index, however long their histories are."""
    newest = PortfolioSnapshot.objects.filter(account_id=OuterRef("id")).order_by("-snapshot_date")
    ids = ExchangeAccount.objects.filter(id__in=account_ids).values(newest=Subquery(newest.values("id")[:1]))
    return list(PortfolioSnapshot.objects.filter(id__in=ids).order_by("account_id"))


def _returns(scope: Scope, currency: str, at: datetime) -> dict[str, Any]:
    """Those of all time."""
    period = performance.period_for(PeriodKind.ALL_TIME, scope=scope, at=at)
    found = performance.performance(scope=scope, period=period, currency=currency, at=at)
    reasons = {_RETURNS[name]: reason for name, reason in found.reasons.items() if name in _RETURNS}
    return {ours: getattr(found, theirs) for theirs, ours in _RETURNS.items()} | {"return_reasons": reasons}


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Of what is known; None if nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None


def _shares(assets: Sequence[AssetSnapshot]) -> list[AssetShare]:
    """Largest value first, what has no price last."""
    by_asset: dict[str, list[AssetSnapshot]] = {}
    for row in assets:
        by_asset.setdefault(row.asset, []).append(row)
    values = {asset: [row.value for row in rows if row.value is not None] for asset, rows in by_asset.items()}
    total = sum((sum(known, ZERO) for known in values.values()), ZERO)
    shares = []
    for asset, rows in by_asset.items():
        value = sum(values[asset], ZERO) if values[asset] else None
        shares.append(
            AssetShare(
                asset=asset,
                quantity=sum((row.quantity for row in rows), ZERO),
                price=rows[-1].price,
                price_source=rows[-1].price_source,
                value=value,
                share_percent=percent(value, total).value if value is not None and total > 0 else None,
            )
        )
    return sorted(shares, key=lambda row: (row.value is None, -(row.value or ZERO), row.asset))
