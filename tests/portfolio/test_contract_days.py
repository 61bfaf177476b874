"""A day with contracts: equity is wallets plus unrealised profit, and what changed it adds up to the last place."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.django import tenancy
from core.money import quantize
from credentials.models import ExchangeAccount
from orders.models import Fill, FundingPayment
from portfolio.comparison import side_by_side
from portfolio.models import Fee
from tests.factories import AccountFactory
from tests.portfolio import books as spot
from tests.portfolio.api_books import candle
from tests.portfolio.books import transfer
from tests.portfolio.contracts import fill, fold, funding, report_position
from tests.portfolio.days import closes, line, moment, refresh, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    spot.fold(stored, transfer(stored, amount=Decimal(1000), occurred_at=moment(0, 8)))
    return stored


def test_unrealised_profit_of_an_open_contract_is_equity(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "130")
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0)))
    report(account, moment(1, 23), USDT="1000")

    refresh(account)

    assert line(account, "total_balance", "unrealized_pnl", "total_positions_value", "residual") == [
        (1000, 0, 200, 0),
        (1060, 60, 260, 0),
    ]


def test_a_short_gains_when_the_price_falls(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "70")
    fold(account, fill(account, "SELL", "2", "100", executed_at=moment(0)))
    report(account, moment(1, 23), USDT="1000")

    refresh(account)

    assert line(account, "unrealized_pnl", "open_positions_count") == [(0, 1), (60, 1)]


def test_a_day_adds_up_from_profit_fees_and_funding(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "130")
    fold(
        account,
        fill(account, "BUY", "2", "100", executed_at=moment(0), fee_amount=Decimal(1)),
        funding(account, "-3", paid_at=moment(1, 8)),
        fill(
            account,
            "SELL",
            "1",
            "120",
            executed_at=moment(1),
            realized_pnl=Decimal(20),
            fee_amount=Decimal(2),
        ),
    )
    report(account, moment(1, 23), USDT="1014")

    refresh(account)

    columns = (
        "total_balance",
        "flows",
        "gross_pnl",
        "unrealized_pnl",
        "funding",
        "fees",
        "revaluation",
        "residual",
    )
    assert line(account, *columns) == [(999, 1000, 0, 0, 0, 1, 0, 0), (1044, 0, 20, 30, -3, 2, 0, 0)]


def test_funding_is_listed_and_in_no_total_of_fees(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100")
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0)), funding(account, "-3"))
    report(account, moment(0, 23), USDT="997")
    refresh(account)

    assert line(account, "fees", "total_fees_paid", "funding") == [(0, 0, -3)]
    with tenancy.acting_as(account.user_id):
        fee = Fee.objects.get()
    assert (fee.fee_type, fee.fee_amount, fee.value) == ("FUNDING", Decimal(3), Decimal(3))


def test_the_exchanges_rounding_is_revaluation_at_the_close(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100")
    fold(
        account,
        fill(account, "BUY", "3", "100", executed_at=moment(0)),
        fill(account, "SELL", "3", "100.001", executed_at=moment(0, 11), realized_pnl=Decimal("0.0031")),
    )
    report(account, moment(0, 23), USDT="1000.0031")

    refresh(account)

    assert line(account, "gross_pnl", "revaluation", "residual") == [(Decimal("0.003"), Decimal("0.0001"), 0)]


def test_profit_that_the_exchange_does_not_tell_is_ours(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100")
    fold(
        account,
        fill(account, "BUY", "1", "100", executed_at=moment(0)),
        fill(account, "SELL", "1", "110", executed_at=moment(0, 11), realized_pnl=None),
    )
    report(account, moment(0, 23), USDT="1010")

    refresh(account)

    assert line(account, "gross_pnl", "revaluation", "unexplained", "residual") == [(10, 0, 0, 0)]
    with tenancy.acting_as(account.user_id):
        assert [row.difference for row in side_by_side(account_ids=[account.id])] == [0]


def test_what_fifo_realised_before_the_exchange_settles_it_is_in_the_equity(account: ExchangeAccount) -> None:
    account.user.cost_method = "fifo"
    account.user.save()
    closes("BTCUSDT", "250", "250")
    fold(
        account,
        fill(account, "BUY", "1", "100", executed_at=moment(0)),
        fill(account, "BUY", "1", "200", executed_at=moment(0, 11)),
        fill(account, "SELL", "1", "250", executed_at=moment(0, 12), realized_pnl=Decimal(100)),
        fill(account, "SELL", "1", "250", executed_at=moment(1, 12), realized_pnl=Decimal(100)),
    )
    report(account, moment(1, 23), USDT="1200")

    refresh(account)

    assert line(account, "total_balance", "gross_pnl", "unrealized_pnl", "residual") == [
        (1200, 150, 50, 0),
        (1200, 50, 0, 0),
    ]


def test_a_transfer_between_read_wallets_is_no_flow(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100")
    moved = {"kind": "INTERNAL", "from_wallet": "spot", "to_wallet": "futures", "amount": Decimal(400)}
    spot.fold(account, transfer(account, occurred_at=moment(1), **moved))
    report(account, moment(1, 23), USDT="1000")

    refresh(account)

    assert line(account, "flows", "residual") == [(1000, 0), (0, 0)]


def test_a_contract_without_a_price_makes_its_day_partial(account: ExchangeAccount) -> None:
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0)))
    report(account, moment(0, 23), USDT="1000")

    refresh(account)

    assert line(account, "total_balance", "grade", "grade_reason") == [(1000, "partial", "unpriced:BTCUSDT")]


def test_the_contracts_own_mark_comes_before_the_underlyings_price(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100")
    fold(account, fill(account, "BUY", "2", "100", executed_at=moment(0)))
    report(account, moment(0, 23), USDT="1000")
    report_position(account, "101", at=moment(0, 23))

    refresh(account)

    assert line(account, "unrealized_pnl") == [2]


def test_a_rebate_is_worth_what_came_in(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100")
    spot.fold(account, transfer(account, kind="REBATE", amount=Decimal(5), occurred_at=moment(0, 9)))
    report(account, moment(0, 23), USDT="1005")

    refresh(account)

    assert line(account, "total_balance", "flows", "revaluation", "residual") == [(1005, 1000, 5, 0)]


def test_a_coin_margined_day_adds_up(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "50000", "60000", "62500")
    for day, hour, price in ((0, 10, "50000"), (2, 10, "62000")):
        candle("BTCUSDT", moment(day, hour), price)
    inverse: dict[str, Any] = {
        "symbol": "BTCUSD_PERP",
        "quote_asset": "USD",
        "is_inverse": True,
        "fee_currency": "BTC",
    }
    spot.fold(account, transfer(account, asset="BTC", amount=Decimal(1), occurred_at=moment(0, 8)))
    fold(
        account,
        fill(account, "BUY", "10000", "50000", executed_at=moment(0), fee_amount=Decimal("0.0001"), **inverse),
        fill(
            account, "SELL", "10000", "62500", executed_at=moment(2), realized_pnl=Decimal("0.04"),
            fee_amount=Decimal("0.0001"), **inverse,
        ),
    )  # fmt: skip
    report(account, moment(2, 23), USDT="1000", BTC="1.0398")

    refresh(account)

    assert line(account, "unrealized_pnl", "residual") == [
        (0, 0),
        (Decimal("2000").quantize(Decimal("1e-18")), 0),
        (0, 0),
    ]
    assert line(account, "gross_pnl")[-1] == 2480


HOURS = st.integers(0, 71)
ACTS = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL", "FUND"]), st.integers(1, 5), st.integers(80, 120), HOURS),
    min_size=1,
    max_size=8,
)


@given(ACTS, st.sampled_from(["average", "fifo"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_adds_up_whatever_was_traded(acts: list[tuple[str, int, int, int]], method: str) -> None:
    account = AccountFactory.create()
    account.user.cost_method = method
    account.user.save()
    closes("BTCUSDT", "100", "93.7", "111.1")
    spot.fold(account, transfer(account, amount=Decimal(1000), occurred_at=moment(0, 0)))
    balance = Decimal(1000) + settle(account, acts)
    report(account, moment(2, 23, 59), USDT=str(balance))

    refresh(account)

    assert line(account, "residual", "unexplained") == [(0, 0)] * 3
    assert all(abs(rounding) < Decimal("1e-6") for rounding in line(account, "revaluation"))


def settle(account: ExchangeAccount, acts: list[tuple[str, int, int, int]]) -> Decimal:
    """Trade as an exchange that averages entries and settles eight decimals; what the wallet gained."""
    gained, held, entry = Decimal(0), Decimal(0), Decimal(0)
    facts: list[Fill | FundingPayment] = []
    for number, (act, quantity, price, hour) in enumerate(sorted(acts, key=lambda act: act[3])):
        at: datetime = moment(0, 1) + timedelta(hours=min(hour, 69), seconds=number)
        if act == "FUND":
            facts.append(funding(account, str(price - 100), paid_at=at))
            gained += price - 100
            continue
        sign = 1 if act == "BUY" else -1
        size, rate, told = Decimal(quantity), Decimal(price), Decimal(0)
        if held * sign < 0:
            part = min(size, abs(held))
            told = quantize((rate - entry) * part * (1 if held > 0 else -1), 8)
            held += part * sign
            size -= part
        if size:
            entry = (entry * abs(held) + rate * size) / (abs(held) + size)
            held += size * sign
        fee = Decimal("0.01") * quantity
        facts.append(
            fill(account, act, str(quantity), str(price), executed_at=at, realized_pnl=told, fee_amount=fee)
        )
        gained += told - fee
    fold(account, *facts)
    return gained
