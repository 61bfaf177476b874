"""What the exchange reports beside what the facts give."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import F, Sum

from core import clock
from core.money import ZERO
from credentials.models import ExchangeAccount
from exchanges.rows import BalanceRow, MarketType, PositionRow
from portfolio import marks
from portfolio.models import AssetDay, BookDay, ReportedPosition, WalletBalance

_POSITION_STATE: Final = (
    *(
        "is_hedged",
        "quantity",
        "settle_asset",
        "is_inverse",
        "entry_price",
        "mark_price",
        "liquidation_price",
    ),
    *("leverage", "margin_mode", "margin", "unrealized_pnl", "reported_at", "run_id", "raw"),
)


def record(
    *, account: ExchangeAccount, rows: Sequence[BalanceRow], at: datetime, run_id: int | None
) -> set[str]:
    """As `record_report`; answers the assets whose total over all wallets changed."""
    return record_report(account=account, rows=rows, at=at, run_id=run_id).assets


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs from the report before: assets in all wallets together, and (wallet, asset) by themselves."""

    assets: set[str]
    places: set[tuple[str, str]]


def record_report(
    *, account: ExchangeAccount, rows: Sequence[BalanceRow], at: datetime, run_id: int | None
) -> Changed:
    """Keep a whole report: rows that differ from the one before, and the first of a UTC day of each asset and wallet.

    What is no longer reported is at zero.
    """
    before = {(row.wallet, row.asset): row for row in latest_by_wallet(account_ids=[account.id])}
    reported = {(row.wallet, row.asset): row for row in rows}
    for (wallet, asset), last in before.items():
        if (wallet, asset) not in reported and (last.available or last.locked or last.unrealized_pnl):
            reported[wallet, asset] = BalanceRow(asset, ZERO, ZERO, wallet=wallet)
    computed = computed_totals(account_ids=[account.id])
    new = [
        WalletBalance(
            user_id=account.user_id,
            account=account,
            wallet=wallet,
            asset=asset,
            available=row.available,
            locked=row.locked,
            unrealized_pnl=row.unrealized_pnl,
            computed=computed.get((account.id, asset), ZERO),
            reported_at=at,
            run_id=run_id,
            raw=dict(row.raw) or None,
        )
        for (wallet, asset), row in reported.items()
        if not _stands(before.get((wallet, asset)), row, at)
    ]
    WalletBalance.objects.bulk_create(new, batch_size=1000)
    marks.heard(account=account, at=at)
    totals = _totals(before.values())
    assets = {
        asset for asset, total in (totals | _totals(reported.values())).items() if totals.get(asset) != total
    }
    places = {place for place, row in reported.items() if _held(before.get(place)) != _held(row)}
    return Changed(assets, places)


def _held(row: WalletBalance | BalanceRow | None) -> Decimal | None:
    return None if row is None else row.available + row.locked


def _stands(last: WalletBalance | None, row: BalanceRow, at: datetime) -> bool:
    """Whether the last report of that day says the same."""
    if last is None or clock.utc_day(last.reported_at) != clock.utc_day(at):
        return False
    said = last.available, last.locked, last.unrealized_pnl
    return said == (row.available, row.locked, row.unrealized_pnl)


def _totals(rows: Iterable[WalletBalance | BalanceRow]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        totals[row.asset] += row.available + row.locked
    return dict(totals)


def record_positions(
    *, account: ExchangeAccount, rows: Sequence[PositionRow], at: datetime, run_id: int | None
) -> set[str]:
    """Keep a whole report of contract positions; what is reported no more has quantity 0.

    Answers the contracts of which one side's quantity or entry price differs from the report before: they were
    traded.
    """
    before = {
        (row.symbol, row.side): row for row in ReportedPosition.objects.filter(account=account).defer("raw")
    }
    new = {(row.symbol, row.side.value): _position(account, row, at, run_id) for row in rows}
    for place, last in before.items():
        if place not in new and last.quantity:
            new[place] = _closed(last, at, run_id)
    ReportedPosition.objects.bulk_create(
        new.values(),
        update_conflicts=True,
        unique_fields=["account", "symbol", "side"],
        update_fields=_POSITION_STATE,
        batch_size=1000,
    )
    return {symbol for (symbol, side), row in new.items() if _traded(before.get((symbol, side)), row)}


def _position(
    account: ExchangeAccount, row: PositionRow, at: datetime, run_id: int | None
) -> ReportedPosition:
    return ReportedPosition(
        user_id=account.user_id,
        account=account,
        symbol=row.symbol,
        side=row.side.value,
        is_hedged=row.is_hedged,
        quantity=row.quantity,
        settle_asset=row.settle_asset,
        is_inverse=row.is_inverse,
        entry_price=row.entry_price,
        mark_price=row.mark_price,
        liquidation_price=row.liquidation_price,
        leverage=row.leverage,
        margin_mode=row.margin_mode.value if row.margin_mode else "",
        margin=row.margin,
        unrealized_pnl=row.unrealized_pnl,
        reported_at=at,
        run_id=run_id,
        raw=dict(row.raw) or None,
    )


def _closed(last: ReportedPosition, at: datetime, run_id: int | None) -> ReportedPosition:
    """The position as it was, with nothing left of it. Its own id would stand in the way of the upsert."""
    return ReportedPosition(
        user_id=last.user_id,
        account_id=last.account_id,
        symbol=last.symbol,
        side=last.side,
        is_hedged=last.is_hedged,
        quantity=ZERO,
        settle_asset=last.settle_asset,
        is_inverse=last.is_inverse,
        entry_price=last.entry_price,
        leverage=last.leverage,
        margin_mode=last.margin_mode,
        reported_at=at,
        run_id=run_id,
    )


def _traded(last: ReportedPosition | None, row: ReportedPosition) -> bool:
    if last is None:
        return row.quantity != ZERO
    return (last.quantity, last.entry_price) != (row.quantity, row.entry_price)


def latest_by_wallet(*, account_ids: Sequence[UUID], until: datetime | None = None) -> list[WalletBalance]:
    """The newest report of every asset in every wallet, up to (not including) a moment if one is given."""
    rows = WalletBalance.objects.filter(account_id__in=account_ids)
    if until is not None:
        rows = rows.filter(reported_at__lt=until)
    return list(
        rows.order_by("account_id", "asset", "wallet", "-reported_at", "-id")
        .distinct("account_id", "asset", "wallet")
        .defer("raw")
    )


def latest_rows(*, account_ids: Sequence[UUID], until: datetime | None = None) -> list[WalletBalance]:
    """As `latest_by_wallet`, one row an asset: all its wallets together, as of the newest report of any."""
    summed: dict[tuple[UUID, str], WalletBalance] = {}
    for row in latest_by_wallet(account_ids=account_ids, until=until):
        total = summed.setdefault((row.account_id, row.asset), row)
        if total is not row:
            _add(total, row)
    return list(summed.values())


def _add(total: WalletBalance, row: WalletBalance) -> None:
    """Rows of several wallets become one of none, which is never stored."""
    total.pk, total.wallet = None, ""
    total.available += row.available
    total.locked += row.locked
    if row.unrealized_pnl is not None:
        total.unrealized_pnl = (total.unrealized_pnl or ZERO) + row.unrealized_pnl
    if row.reported_at >= total.reported_at:
        total.reported_at, total.computed, total.run_id = row.reported_at, row.computed, row.run_id


def computed_totals(
    *, account_ids: Sequence[UUID], until: date | None = None
) -> dict[tuple[UUID, str], Decimal]:
    """Balances by facts alone: the sum of every day's changes, and profit of contracts that the exchange pays without
    telling it, as our books have it. Up to the end of a day, if one is given."""
    added = F("traded") + F("settled") + F("funding") + F("income") + F("moved") + F("deposited")
    change = added - F("withdrawn") - F("withdrawal_fees")
    days = AssetDay.objects.filter(account_id__in=account_ids)
    if until is not None:
        days = days.filter(day__lte=until)
    sums = days.values_list("account_id", "asset")
    totals = dict[tuple[UUID, str], Decimal](
        ((account, asset), total) for account, asset, total in sums.annotate(total=Sum(change)).order_by()
    )
    for account_id, day, asset, amount in untold(account_ids=account_ids):
        if until is None or day <= until:
            totals[account_id, asset] = totals.get((account_id, asset), ZERO) + amount
    return totals


def untold(*, account_ids: Sequence[UUID]) -> list[tuple[UUID, date, str, Decimal]]:
    """Account, day, settle asset and amount of what fills realised by our books and the exchange did not tell."""
    days = BookDay.objects.filter(account_id__in=account_ids, book__market_type=MarketType.FUTURES).exclude(
        untold=0
    )
    rows = days.values_list("account_id", "day", "book__settle_asset").annotate(amount=Sum("untold"))
    return list(rows.order_by("account_id", "day"))
