"""Sums the database makes of trades, against the same sums made of single trades in memory."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from core.money import CONTEXT, quantize
from credentials.models import ExchangeAccount
from portfolio import trade_days
from portfolio.accounting.periods import Period, PeriodKind
from portfolio.accounting.trade_sums import TradeFact, TradeSums, merge, sum_trades
from portfolio.models import ChangedDay, PortfolioSnapshot, Position, Trade, TradeDay
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import closes, day, moment, refresh, report

pytestmark = pytest.mark.django_db
ALL = Period(PeriodKind.WINDOW, moment(-5, 0), moment(30, 0))


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """1000 USDT on the first day, of which 2 BTC were bought at 100."""
    closes("BTCUSDT", "100", "100", "100")
    made: ExchangeAccount = AccountFactory.create(user=alice)
    fold(made, transfer(made, occurred_at=moment(0, 8)), fill(made, "BUY", "2", "100", executed_at=moment(0)))
    report(made, moment(2, 22), USDT="800", BTC="2")
    refresh(made, moment(2, 23))
    return made


def add(account: ExchangeAccount, count: int, **more: Any) -> list[Trade]:
    """Trades of any kind hung on the account's position; `more` fixes columns."""
    rng = random.Random(7)
    with tenancy.acting_as(account.user_id):
        position = Position.objects.filter(account=account).first()
        assert position is not None
        rows = [_row(rng, account, position, number) for number in range(count)]
        for row in rows:
            for name, value in more.items():
                setattr(row, name, value)
        return list(Trade.objects.bulk_create(rows))


def _row(rng: random.Random, account: ExchangeAccount, position: Position, number: int) -> Trade:
    def money(low: int, high: int) -> Decimal:
        return Decimal(rng.randrange(low * 10**6, high * 10**6)).scaleb(-6)

    market = rng.choice(["spot", "futures"])
    side = "LONG" if market == "spot" else rng.choice(["LONG", "SHORT"])
    is_inverse = market == "futures" and rng.random() < 0.3
    entry, cost, proceeds, fees = money(50, 150), money(10, 900), money(10, 900), money(0, 3)
    gains_by_rise = (side == "LONG") != is_inverse
    gross = proceeds - cost if gains_by_rise else cost - proceeds
    if rng.random() < 0.1:
        proceeds = cost + fees if gains_by_rise else cost - fees
        gross = fees
    entered = moment(rng.randrange(0, 3), rng.randrange(24))
    held = timedelta(minutes=rng.randrange(1, 4000))
    return Trade(
        user_id=account.user_id, account=account, position=position, kind=rng.choice(["TRADE"] * 9 + ["FEE"]),
        market_type=market, is_inverse=is_inverse, exchange="binance", side=side, entry_order_id="1",
        symbol=rng.choice(["BTCUSDT", "ETHUSDT"]), strategy=rng.choice(["", "grid", "trend"]), entry_price=entry,
        entry_time=entered, entry_quantity=1, entry_fees=fees, exit_order_id=str(number),
        first_exit_fill_id=10**9 + number, exit_price=entry, exit_time=entered + held, exit_fees=0,
        exit_quantity=rng.choice([Decimal(0), *[Decimal(1)] * 4, money(1, 3)]), exit_type="MANUAL", cost=cost,
        proceeds=proceeds,
        gross_pnl=gross, net_pnl=gross - fees, hold_duration=held, unknown_quantity=0, unknown_proceeds=0,
        stop_loss_price=rng.choice([None, money(40, 160)]), closes_position=True, engine_version=1,
    )  # fmt: skip


def planned_risk(row: Trade) -> Decimal | None:
    """What the stop would have lost, by the definition in docs/accounting.md."""
    stop, entry = row.stop_loss_price, row.entry_price
    if stop is None or entry is None or (stop >= entry if row.side == "LONG" else stop <= entry):
        return None
    if row.market_type == "spot":
        return (entry - stop) * row.exit_quantity
    whole, part = (stop, entry) if row.is_inverse else (entry, stop)
    return quantize(abs(row.cost - row.cost * part / whole)) if whole else None


def in_memory(trades: list[Trade], equity: dict[date, Decimal]) -> dict[date, TradeSums]:
    facts: dict[date, list[TradeFact]] = defaultdict(list)
    with localcontext(CONTEXT):
        for row in trades:
            if row.kind != "TRADE":
                continue
            fact = TradeFact(
                row.exit_time, row.net_pnl, row.gross_pnl, row.entry_fees, row.exit_fees, row.cost, row.proceeds,
                row.hold_duration, planned_risk(row), equity.get(clock.utc_day(row.entry_time) - clock.DAY),
                not row.exit_quantity,
            )  # fmt: skip
            facts[clock.utc_day(row.exit_time)].append(fact)
        return {each: sum_trades(facts[each]) for each in sorted(facts)}


def bring_up_to_date(account: ExchangeAccount) -> trade_days.Changed:
    changed = trade_days.take(user_id=account.user_id)
    trade_days.sum_days(user_id=account.user_id, days=changed.traded)
    return changed


def test_the_databases_sums_are_those_of_single_trades(alice: User, account: ExchangeAccount) -> None:
    rows = add(account, 300)
    with tenancy.acting_as(alice.id):
        bring_up_to_date(account)
        equity = dict(PortfolioSnapshot.objects.values_list("snapshot_date", "total_balance"))
        expected = in_memory(rows, equity)

        assert trade_days.by_day(account_ids=[account.id]) == expected
        assert trade_days.total(account_ids=[account.id], period=ALL) == merge(expected.values())
        for name in ("symbol", "strategy"):
            for value in {getattr(row, name) for row in rows}:
                some = [row for row in rows if getattr(row, name) == value]
                found = trade_days.by_day(account_ids=[account.id], **{name: value})
                assert found == in_memory(some, equity)


@pytest.mark.parametrize(
    ("side", "stop", "is_inverse", "expected"),
    [
        ("LONG", "90", False, "20"),
        ("SHORT", "110", False, "20"),
        ("LONG", "110", False, None),
        ("SHORT", "90", False, None),
        ("LONG", "80", True, "50"),  # 200 × (100 / 80 − 1)
        ("SHORT", "125", True, "40"),
        ("LONG", "0", True, None),
    ],
)
def test_the_risk_is_what_the_stop_would_have_lost(
    alice: User, account: ExchangeAccount, side: str, stop: str, is_inverse: bool, expected: str | None
) -> None:
    """2 of a contract entered at 100; the net result is 10."""
    rises = (side == "LONG") != is_inverse
    add(
        account, 1, kind="TRADE", market_type="futures", side=side, stop_loss_price=Decimal(stop),
        is_inverse=is_inverse, cost=Decimal(200), proceeds=Decimal(210 if rises else 190),
        gross_pnl=Decimal(10), net_pnl=Decimal(10), entry_fees=0, entry_price=Decimal(100), exit_quantity=2,
    )  # fmt: skip
    with tenancy.acting_as(alice.id):
        bring_up_to_date(account)
        found = trade_days.total(account_ids=[account.id], period=ALL)

    wanted = (0, 0) if expected is None else (1, quantize(10 / Decimal(expected)))
    assert (found.multiple_count, found.multiple) == wanted


def test_only_the_days_that_changed_are_added_up_again(alice: User, account: ExchangeAccount) -> None:
    rows = add(account, 60, kind="TRADE")
    with tenancy.acting_as(alice.id):
        bring_up_to_date(account)
        before = dict(TradeDay.objects.values_list("day", "id"))
        late = max(clock.utc_day(row.exit_time) for row in rows)

        Trade.objects.filter(exit_time__gte=clock.day_start(late)).update(strategy="grid")
        changed = bring_up_to_date(account)
        after = dict(TradeDay.objects.values_list("day", "id"))

        assert changed.traded == {account.id: {late}}
        assert {each for each in after if after[each] != before[each]} == {late}
        assert not ChangedDay.objects.exists()


def test_a_trade_that_moves_leaves_its_old_day(alice: User, account: ExchangeAccount) -> None:
    [row] = add(account, 1, kind="TRADE", exit_time=moment(1), exit_quantity=1)
    with tenancy.acting_as(alice.id):
        bring_up_to_date(account)
        Trade.objects.filter(id=row.id).update(exit_time=moment(2))
        bring_up_to_date(account)
        assert list(TradeDay.objects.values_list("day", "trades")) == [(day(2), 1)]

        Trade.objects.filter(id=row.id).delete()
        bring_up_to_date(account)
        assert not TradeDay.objects.exists()


def test_equity_that_changes_measures_the_risk_of_the_next_days_entries_anew(
    alice: User, account: ExchangeAccount
) -> None:
    """100 at risk of the 1000 there were; then it turns out to have been 2000."""
    add(
        account, 1, kind="TRADE", market_type="spot", side="LONG", is_inverse=False, entry_time=moment(1, 9),
        exit_time=moment(2, 9), entry_price=Decimal(100), stop_loss_price=Decimal(90), exit_quantity=10,
        cost=Decimal(100), proceeds=Decimal(100), gross_pnl=0, entry_fees=0, net_pnl=0,
    )  # fmt: skip
    shares = []
    with tenancy.acting_as(alice.id):
        for total in ("1000", "2000"):
            PortfolioSnapshot.objects.filter(snapshot_date=day(0)).update(total_balance=Decimal(total))
            bring_up_to_date(account)
            shares.append(trade_days.total(account_ids=[account.id], period=ALL).risk_percent)

    assert shares == [10, 5]


def test_notes_of_another_user_stay(alice: User, bob: User, account: ExchangeAccount) -> None:
    with tenancy.acting_as(bob.id):
        assert trade_days.take(user_id=alice.id) == trade_days.Changed({}, {})
    with tenancy.acting_as(alice.id):
        assert ChangedDay.objects.exists()
