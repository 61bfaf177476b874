"""Daily snapshots: an account at each UTC day's end, with its composition and how far it can be trusted.

The whole line follows from facts, reports and closes, so every refresh draws it anew: whatever a report and the facts
disagreed about for a moment heals by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any, Final
from uuid import UUID

from django.db.models import Min

from core import clock
from core.django import tenancy
from core.money import CONTEXT, ZERO, quantize
from credentials.models import ExchangeAccount
from portfolio import day_sums, marks
from portfolio.accounting.engine import ENGINE_VERSION
from portfolio.accounting.identity import residual, revaluation
from portfolio.accounting.measure import percent
from portfolio.composition import Closes, Day, compose, read_closes
from portfolio.contract_days import ContractDay, ContractDays, read_books
from portfolio.day_sums import Passed
from portfolio.models import AssetDay, AssetSnapshot, Grade, PortfolioSnapshot, WalletBalance
from portfolio.reports import Reports, read_facts, read_reports
from portfolio.valuations import PriceNeed

BENCHMARK: Final = "BTC"
NOT_READ_TO_ITS_END: Final = "not_read_to_its_end"


def refresh(*, user_id: UUID, account_id: UUID, at: datetime) -> int:
    """Bring an account's snapshots up to date; answers how many days were written. Opens its own door.

    Days whose numbers stay the same are not written.
    """
    with tenancy.acting_as(user_id), localcontext(CONTEXT):
        accounts = ExchangeAccount.objects.select_for_update(
            of=("self",), no_key=True
        )  # one refresh at a time
        account = accounts.select_related("user").get(id=account_id)
        reports, facts = read_reports(account), read_facts(account)
        if not reports:
            return 0
        contracts = ContractDays(account)
        closes = read_closes(account, facts, reports, clock.utc_day(at), also=contracts.firsts)
        days = compose(account, facts, reports, closes)
        line = _Line(account, days, closes, contracts, at, heard=_heard(account, reports))
        return _store(account, [line.row(day) for day in days], closes)


def price_needs(*, account: ExchangeAccount, at: datetime) -> list[PriceNeed]:
    """Daily candles that the account's snapshots want, from each asset's first day on. Needs an open door."""
    currency = account.user.reporting_currency
    firsts = dict(
        AssetDay.objects.filter(account=account).values_list("asset").annotate(first=Min("day")).order_by()
    )
    start = min(firsts.values(), default=clock.utc_day(at))
    books = read_books(account)
    for asset, first in books.firsts.items():
        firsts[asset] = min(first, firsts.get(asset, first))
    held = WalletBalance.objects.filter(account=account).values_list("asset", flat=True).distinct()
    for asset in held:  # held without any fact: it may have been there all the time
        firsts.setdefault(asset, start)
    firsts.setdefault(BENCHMARK, start)  # what curves are compared with, held or not
    until = clock.day_end(clock.utc_day(at))
    return [
        PriceNeed(
            asset,
            currency,
            clock.day_start(first),
            until,
            "1d",
            (account.exchange,),
            books.contracts.get(asset, ()),
        )
        for asset, first in sorted(firsts.items())
        if asset != currency
    ]


class _Line:
    """Walks an account's days in order and makes each day's row from everything up to it."""

    def __init__(
        self,
        account: ExchangeAccount,
        days: Sequence[Day],
        closes: Closes,
        contracts: ContractDays,
        at: datetime,
        *,
        heard: datetime,
    ) -> None:
        self._account = account
        self._closes = closes
        self._contracts = contracts
        self._at = at
        self._heard = heard
        self._books = day_sums.books(account)
        self._trades = day_sums.trades(account)
        self._fees = day_sums.fees(account)
        self._passed = day_sums.passed(account)
        self._open = day_sums.open_counts(account, [day.day for day in days])
        self._booked: dict[str, tuple[Decimal, Decimal]] = {}
        """Quantity and cost of every book, as of the day before."""
        self._before: Day | None = None
        self._unsettled = ZERO
        self._unrealised = ZERO
        self._net = self._all_fees = ZERO
        self._counts = {"count": 0, "wins": 0, "losses": 0}
        self._best: Decimal | None = None
        self._worst: Decimal | None = None

    def row(self, composed: Day) -> tuple[PortfolioSnapshot, Day]:
        """The day's row, and the day with what its contracts are worth."""
        contracts = self._contracts.next(composed.day, self._closes)
        day = _with_contracts(composed, contracts)
        if self._is_over(day.day) and not self._is_known(day.day):
            day = _doubted(day, [NOT_READ_TO_ITS_END])
        revalued = self._revalue(day, contracts)
        gross = self._add_books(day.day) + contracts.gross
        net = self._add_trades(day.day)
        fees = self._fees.get(day.day, ZERO)
        self._net += net
        self._all_fees += fees
        unrealised, value = self._mark(day.day)
        unrealised += contracts.unrealised
        rest = residual(
            equity_before=self._before.total if self._before else ZERO,
            equity_after=day.total,
            flows=day.flows,
            gross_realised=gross,
            unrealised_before=self._unrealised,
            unrealised_after=unrealised,
            revaluation=revalued,
            funding=contracts.funding,
            fees=fees,
        )
        self._before, self._unrealised = day, unrealised
        row = PortfolioSnapshot(
            **self._composed(day),
            **self._totals(),
            total_positions_value=value + contracts.notional,
            unrealized_pnl=unrealised,
            open_positions_count=self._open.get(day.day, 0),
            realized_pnl=net,
            gross_pnl=gross,
            fees=fees,
            funding=contracts.funding,
            revaluation=revalued,
            residual=quantize(rest),
        )
        return row, day

    def _revalue(self, day: Day, contracts: ContractDay) -> Decimal:
        """What changed in worth outside the books; they stand as of the day before. What contracts realised and the
        exchange has not settled is held beside the wallets."""
        stock: dict[str, Decimal] = defaultdict(Decimal)
        if self._before:
            for holding in self._before.holdings:
                stock[holding.asset] = holding.quantity
            for asset, (quantity, _) in self._booked.items():
                stock[asset] -= quantity
        passed = defaultdict(lambda: Passed(ZERO, ZERO), self._passed.get(day.day, {}))
        for asset in {*contracts.booked, *contracts.untold}:
            passed[asset] = passed[asset].plus(
                contracts.untold.get(asset, ZERO), contracts.booked.get(asset, ZERO)
            )
        for part in self._books.get(day.day, []):
            if part.is_shared:
                # What came into the account's part of a pool left its other stock, at its cost.
                quantity, cost = self._booked.get(part.asset, (ZERO, ZERO))
                passed[part.asset] = passed[part.asset].plus(
                    quantity - part.quantity, part.gross - (part.cost - cost)
                )
        unsettled = contracts.unsettled_value - self._unsettled
        self._unsettled = contracts.unsettled_value
        parts = (
            revaluation(
                stock=stock.get(asset, ZERO),
                price_before=self._closes.price(asset, day.day - clock.DAY),
                price=self._closes.price(asset, day.day),
                moved_quantity=moved.quantity,
                moved_value=moved.value,
            )
            for asset in sorted({*stock, *passed})
            for moved in [passed[asset]]
        )
        return sum(parts, unsettled)

    def _add_books(self, day: date) -> Decimal:
        rows = self._books.get(day, [])
        self._booked |= {book.asset: (book.quantity, book.cost) for book in rows}
        return sum((book.gross for book in rows), ZERO)

    def _add_trades(self, day: date) -> Decimal:
        trades = self._trades.get(day)
        if trades is None:
            return ZERO
        for name in self._counts:
            self._counts[name] += trades[name]
        if trades["best"] > 0:
            self._best = max(self._best or ZERO, trades["best"])
        if trades["worst"] < 0:
            self._worst = min(self._worst or ZERO, trades["worst"])
        net: Decimal = trades["net"]
        return net

    def _mark(self, day: date) -> tuple[Decimal, Decimal]:
        """Unrealised PnL and value of all open inventory at the day's closes; unpriced inventory is left out."""
        unrealised = value = ZERO
        for asset, (quantity, cost) in self._booked.items():
            price = self._closes.price(asset, day)
            if quantity and price is not None:
                worth = quantize(quantity * price)
                value += worth
                unrealised += worth - cost
        return unrealised, value

    def _is_over(self, day: date) -> bool:
        return day < clock.utc_day(self._at)

    def _is_known(self, day: date) -> bool:
        """Whether the exchange said anything after it: until then more may have happened on it."""
        return self._heard >= clock.day_end(day)

    def _composed(self, day: Day) -> dict[str, Any]:
        """Columns that follow from the day's composition alone."""
        return {
            "user_id": self._account.user_id,
            "account": self._account,
            "exchange": self._account.exchange,
            "snapshot_date": day.day,
            "currency": self._account.user.reporting_currency,
            "total_balance": day.total,
            "available_balance": day.available,
            "locked_balance": day.locked,
            "flows": day.flows,
            "unexplained": day.unexplained,
            "is_reconstructed": day.is_reconstructed,
            "is_final": self._is_over(day.day) and self._is_known(day.day),
            "grade": day.grade,
            "grade_reason": ", ".join(day.doubts)[:300],
            "engine_version": ENGINE_VERSION,
            "computed_at": self._at,
        }

    def _totals(self) -> dict[str, Any]:
        """Columns that count trades and fees from the first fact on."""
        wins, losses, count = self._counts["wins"], self._counts["losses"], self._counts["count"]
        decided = Decimal(wins + losses)
        return {
            "total_realized_pnl": self._net,
            "total_trades_count": count,
            "winning_trades_count": wins,
            "losing_trades_count": losses,
            "win_rate": percent(Decimal(wins), decided).value if decided else None,
            "total_fees_paid": self._all_fees,
            "average_trade_pnl": quantize(self._net / count) if count else None,
            "largest_win": self._best,
            "largest_loss": self._worst,
        }


def _with_contracts(day: Day, contracts: ContractDay) -> Day:
    return _doubted(replace(day, total=day.total + contracts.equity), contracts.doubts)


def _doubted(day: Day, doubts: Sequence[str]) -> Day:
    grade = Grade.PARTIAL if doubts and day.grade == Grade.COMPLETE else day.grade
    return replace(day, doubts=(*day.doubts, *doubts), grade=grade)


def _heard(account: ExchangeAccount, reports: Reports) -> datetime:
    """The exchange's last word: a report that says the same again is not kept, but was heard."""
    last = max(report.at for report in reports[max(reports)].values())
    return max(last, marks.heard_at(account_ids=[account.id]).get(account.id, last))


_COMPARED = [
    field.attname
    for field in PortfolioSnapshot._meta.concrete_fields
    if field.name not in ("id", "user", "account", "snapshot_date", "computed_at")
]
_REWRITTEN = [*_COMPARED, "computed_at"]
_Part = tuple[str, Decimal, Decimal | None, str]


def _store(account: ExchangeAccount, rows: Sequence[tuple[PortfolioSnapshot, Day]], closes: Closes) -> int:
    """Write the days that differ from what is stored, with their composition; the last day always."""
    known = {row.snapshot_date: row for row in PortfolioSnapshot.objects.filter(account=account)}
    parts = _known_parts(account)
    last = rows[-1][1].day
    changed = [
        (row, day)
        for row, day in rows
        if day.day == last
        or day.day not in known
        or _differs(row, known[day.day])
        or _parts(day, closes) != parts[known[day.day].id]
    ]
    _delete(account, known.keys() - {day.day for _, day in rows})
    stored = PortfolioSnapshot.objects.bulk_create(
        [row for row, _ in changed],
        update_conflicts=True,
        unique_fields=["account", "snapshot_date"],
        update_fields=_REWRITTEN,
        batch_size=500,
    )
    AssetSnapshot.objects.filter(snapshot__in=stored).delete()
    AssetSnapshot.objects.bulk_create(
        [
            AssetSnapshot(
                user_id=account.user_id,
                account=account,
                snapshot=row,
                asset=holding.asset,
                quantity=holding.quantity,
                price=holding.price,
                price_source=closes.source(holding.asset, holding.price_day or day.day),
                value=holding.value,
            )
            for row, (_, day) in zip(stored, changed, strict=True)
            for holding in day.holdings
        ],
        batch_size=2000,
    )
    return len(changed)


def _differs(row: PortfolioSnapshot, known: PortfolioSnapshot) -> bool:
    return any(getattr(row, name) != getattr(known, name) for name in _COMPARED)


def _parts(day: Day, closes: Closes) -> set[_Part]:
    return {
        (
            holding.asset,
            holding.quantity,
            holding.price,
            closes.source(holding.asset, holding.price_day or day.day),
        )
        for holding in day.holdings
    }


def _known_parts(account: ExchangeAccount) -> dict[int, set[_Part]]:
    parts: dict[int, set[_Part]] = defaultdict(set)
    rows = AssetSnapshot.objects.filter(account=account).values_list(
        "snapshot_id", "asset", "quantity", "price", "price_source"
    )
    for snapshot_id, asset, quantity, price, source in rows:
        parts[snapshot_id].add((asset, quantity, price, source))
    return parts


def _delete(account: ExchangeAccount, days: Iterable[date]) -> None:
    """Days that facts no longer reach."""
    gone = PortfolioSnapshot.objects.filter(account=account, snapshot_date__in=list(days))
    AssetSnapshot.objects.filter(snapshot__in=gone).delete()
    gone.delete()
