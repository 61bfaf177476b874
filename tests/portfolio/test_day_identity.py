"""A day: equity change = flows + gross + change in unrealised + revaluation − fees + residual, to the last place."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.django import tenancy
from core.money import text
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from portfolio.models import AssetDay, PortfolioSnapshot
from tests.factories import AccountFactory
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import close, closes, line, list_pairs, moment, refresh, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def test_a_deposited_coin_of_unknown_cost_is_revalued(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "130")
    fold(account, transfer(account, asset="BTC", amount=Decimal(2), occurred_at=moment(0)))
    report(account, moment(1, 23), BTC="2")

    refresh(account)

    assert line(account, "total_balance", "flows", "revaluation", "residual") == [
        (200, 200, 0, 0),
        (260, 0, 60, 0),
    ]


def test_selling_unknown_coins_revalues_them_by_what_they_brought(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "130")
    fold(
        account,
        transfer(account, asset="BTC", amount=Decimal(2), occurred_at=moment(0)),
        fill(account, "SELL", "1", "120", executed_at=moment(1)),
    )
    report(account, moment(1, 23), BTC="1", USDT="120")

    refresh(account)

    assert line(account, "total_balance", "gross_pnl", "revaluation", "residual") == [
        (200, 0, 0, 0),
        (250, 0, 50, 0),
    ]


def test_foreign_cash_is_revalued_by_its_own_price(account: ExchangeAccount) -> None:
    closes("EURUSDT", "1.05", "1.10")
    fold(account, transfer(account, asset="EUR", amount=Decimal(100), occurred_at=moment(0)))
    report(account, moment(1, 23), EUR="100")

    refresh(account)

    assert line(account, "revaluation", "residual") == [(0, 0), (5, 0)]


def test_cash_spent_at_its_pinned_price_is_revalued_from_there_to_the_close(account: ExchangeAccount) -> None:
    list_pairs("BTCUSDT", "BTCUSDC", "USDCUSDT")
    close("USDCUSDT", 0, "1.02", opened="1.00")
    close("BTCUSDT", 0, "100")
    fold(
        account,
        transfer(account, asset="USDC", amount=Decimal(100), occurred_at=moment(0, 8)),
        fill(account, "BUY", "0.5", "100", symbol="BTCUSDC", quote_asset="USDC", executed_at=moment(0)),
    )
    report(account, moment(0, 23), USDC="50", BTC="0.5")

    refresh(account)

    # 50 USDC left at 1.00 in the books; the day values them at 1.02, and the deposit's 100 as well.
    assert line(account, "total_balance", "flows", "unrealized_pnl", "revaluation", "residual") == [
        (101, 102, 0, -1, 0)
    ]


def test_coins_withdrawn_from_a_book_are_revalued_from_cost_to_the_close(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "130")
    fold(
        account,
        transfer(account, occurred_at=moment(0, 8)),
        fill(account, "BUY", "1", "100", executed_at=moment(0)),
        transfer(
            account, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.9"), fee_amount=Decimal("0.1"),
            occurred_at=moment(1),
        ),
    )  # fmt: skip
    report(account, moment(1, 23), USDT="900")

    refresh(account)

    assert line(account, "total_balance", "flows", "fees", "revaluation", "residual")[1] == (
        900,
        -117,
        13,
        30,
        0,
    )


def test_a_hole_is_a_residual_and_no_performance(account: ExchangeAccount) -> None:
    """A conversion that the exchange does not tell: 0.5 BTC became 60 USDT."""
    closes("BTCUSDT", "100", "100")
    fold(account, transfer(account, asset="BTC", amount=Decimal(1), occurred_at=moment(0)))
    report(account, moment(0, 23), BTC="1")
    report(account, moment(1, 23), BTC="0.5", USDT="60")

    refresh(account)

    assert line(account, "total_balance", "unexplained", "residual")[1] == (110, 10, 10)


def test_after_a_hole_the_next_days_close_again(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100", "150")
    fold(
        account,
        transfer(account, occurred_at=moment(0, 8)),
        fill(account, "BUY", "1", "100", executed_at=moment(0)),
    )
    report(account, moment(0, 23), BTC="1", USDT="900")
    report(account, moment(1, 23), USDT="900")
    report(account, moment(2, 23), USDT="900")

    refresh(account)

    assert line(account, "total_balance", "residual") == [(1000, 0), (900, -100), (900, 0)]


PRICES = {
    "BTCUSDT": ("61234.56", "59999.99", "63210.01", "58000.07"),
    "BNBUSDT": ("601.77", "633.3", "580.123", "599.999"),
    "USDCUSDT": ("0.99987", "1.00031", "1.00012", "0.9979"),
    "EURUSDT": ("1.0812", "1.0731", "1.0922", "1.1003"),
}
PAIRS = {
    "BTCUSDT": ("BTC", "USDT", Decimal("60017.13")),
    "BTCUSDC": ("BTC", "USDC", Decimal("59871.37")),
    "BNBBTC": ("BNB", "BTC", Decimal("0.01003")),
    "BNBUSDT": ("BNB", "USDT", Decimal("611.7")),
    "EURUSDT": ("EUR", "USDT", Decimal("1.0777")),
}
UNITS = {"BTC": "0.00713", "BNB": "0.317", "USDT": "433.19", "USDC": "291.7", "EUR": "171.3"}

_moves = st.tuples(
    st.sampled_from(["DEPOSIT", "WITHDRAWAL"]), st.sampled_from(sorted(UNITS)), st.integers(1, 9)
)
_fills = st.tuples(st.sampled_from(["BUY", "SELL"]), st.sampled_from(sorted(PAIRS)), st.integers(1, 9))
_steps = st.lists(
    st.tuples(_moves | _fills, st.sampled_from(["base", "quote", "BNB", "EUR", ""]), st.integers(0, 3)),
    min_size=3,
    max_size=14,
)


class History:
    """Makes facts that never spend what is not there."""

    def __init__(self, account: ExchangeAccount) -> None:
        self.account = account
        self.held = dict.fromkeys(UNITS, Decimal(0))
        self.facts: list[Fill | Transfer] = []

    def step(self, what: tuple[str, str, int], fee: str, at: datetime) -> None:
        kind, name, size = what
        if kind in ("DEPOSIT", "WITHDRAWAL"):
            self._move(kind, name, Decimal(UNITS[name]) * size, fee, at)
        else:
            self._trade(kind, name, Decimal(size), fee, at)

    def _move(self, kind: str, asset: str, amount: Decimal, fee: str, at: datetime) -> None:
        cost = amount / 50 if fee and kind == "WITHDRAWAL" else Decimal(0)
        if self._change({asset: amount if kind == "DEPOSIT" else -amount - cost}):
            more = {"kind": kind, "asset": asset, "amount": amount, "fee_amount": cost, "occurred_at": at}
            self.facts.append(transfer(self.account, **more))

    def _trade(self, side: str, symbol: str, size: Decimal, fee: str, at: datetime) -> None:
        base, quote, price = PAIRS[symbol]
        quantity, sign = Decimal(UNITS[base]) * size, 1 if side == "BUY" else -1
        coin = {"base": base, "quote": quote}.get(fee, fee)
        paid = {base: quantity, quote: quantity * price}.get(coin, Decimal(UNITS.get(coin, "0")))
        paid = (paid / 1000).quantize(Decimal("1e-12"))
        changes = dict.fromkeys(UNITS, Decimal(0))
        changes[base] += sign * quantity
        changes[quote] -= sign * quantity * price
        if coin:
            changes[coin] -= paid
        if self._change(changes):
            more: dict[str, Any] = {"fee_amount": paid, "fee_currency": coin} if coin else {}
            self.facts.append(
                fill(
                    self.account, side, text(quantity), text(price), symbol=symbol, base_asset=base,
                    quote_asset=quote, executed_at=at, **more,
                )
            )  # fmt: skip

    def _change(self, changes: dict[str, Decimal]) -> bool:
        after = {asset: held + changes.get(asset, Decimal(0)) for asset, held in self.held.items()}
        if min(after.values()) < 0:
            return False
        self.held = after
        return True


def _identity(before: PortfolioSnapshot | None, row: PortfolioSnapshot) -> Decimal:
    equity, unrealised = (before.total_balance, before.unrealized_pnl) if before else (Decimal(0), Decimal(0))
    made = (
        row.flows
        + row.gross_pnl
        + row.unrealized_pnl
        - unrealised
        + row.revaluation
        - row.fees
        + row.residual
    )
    return row.total_balance - equity - made


@pytest.mark.parametrize("method", ["average", "fifo"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps, reported=st.sets(st.sampled_from([0, 1, 2])))
def test_where_facts_explain_everything_nothing_is_left(
    method: str, steps: list[tuple[tuple[str, str, int], str, int]], reported: set[int]
) -> None:
    with transaction.atomic():
        list_pairs(*PRICES, *PAIRS)
        for symbol, prices in PRICES.items():
            for number, (opened, price) in enumerate(pairwise((prices[0], *prices))):
                close(symbol, number, price, opened=opened)
        account = AccountFactory.create(user__cost_method=method)
        history = History(account)
        for asset, unit in UNITS.items():
            history.step(("DEPOSIT", asset, 9 if Decimal(unit) > 1 else 3), "", moment(0, 1))
        for number in range(4):
            for place, (what, fee, on) in enumerate(steps):
                if on == number:
                    history.step(what, fee, moment(number, 2) + timedelta(minutes=61 * place))
            if number in {*reported, 3}:
                held = {asset: text(amount) for asset, amount in history.held.items()}
                report(account, moment(number, 23), None, **held)
        fold(account, *history.facts)
        refresh(account)
        with tenancy.acting_as(account.user_id):
            rows = list(PortfolioSnapshot.objects.order_by("snapshot_date"))
        transaction.set_rollback(True)

    assert {row.grade_reason for row in rows} <= {"", "no_report"}
    befores: list[PortfolioSnapshot | None] = [None, *rows]
    assert [_identity(before, row) for before, row in zip(befores, rows, strict=False)] == [0] * 4
    assert max(abs(row.residual) for row in rows) <= Decimal("1e-15")


def test_asset_days_add_up_to_what_is_held(account: ExchangeAccount) -> None:
    history = History(account)
    history.step(("DEPOSIT", "USDT", 9), "", moment(0, 1))
    history.step(("BUY", "BNBUSDT", 3), "base", moment(0, 2))
    history.step(("WITHDRAWAL", "BNB", 1), "base", moment(1, 2))
    fold(account, *history.facts)

    change = F("traded") + F("deposited") - F("withdrawn") - F("withdrawal_fees")
    with tenancy.acting_as(account.user_id):
        sums = AssetDay.objects.values_list("asset").annotate(held=Sum(change)).order_by("asset")
        assert dict(sums) == {asset: held for asset, held in history.held.items() if held}
