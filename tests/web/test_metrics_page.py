"""The metrics on the dashboard: figures, why one is missing, what they are drawn from, strategies side by side."""

import re

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import metrics
from portfolio.models import PerformanceMetric, Trade

pytestmark = pytest.mark.django_db


def shown(client: Client, name: str) -> str:
    response = client.get(f"/fragments/{name}")
    assert response.status_code == 200
    return response.content.decode()


def test_every_figure_stands_with_its_reason_and_the_sample(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    page = shown(as_alice, "metrics")
    with tenancy.acting_as(alice.id):
        row = PerformanceMetric.objects.get(account=None, period_type="ALL_TIME", strategy="")

    assert f"Drawn from {row.total_trades:,} trade" in page
    assert f"{row.return_days:,} daily returns" in page
    assert "Formulas: version 3." in page
    for label in (
        "Time-weighted",
        "Money-weighted",
        "XIRR",
        "Volatility",
        "Recovery factor",
        "Exposure",
        "SQN",
    ):
        assert re.search(rf'<th scope="row"[^>]*>{label}</th>', page), label
    assert row.xirr_percentage is None
    assert "not known: too few days to say" in page


def test_today_leads_to_today_though_only_yesterday_is_kept(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    with tenancy.acting_as(alice.id):
        PerformanceMetric.objects.filter(
            period_type="DAILY", period_start=clock.day_start(clock.utc_day(clock.now()))
        ).delete()
    found = re.search(r'href="(/explain/metric/daily[^"]*)">Today<', shown(as_alice, "metrics"))

    assert found is not None
    assert f"from {clock.utc_day(clock.now())}" in as_alice.get(found[1]).content.decode()


def test_strategies_stand_side_by_side_once_there_are_some(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    assert 'aria-label="Strategies"' not in shown(as_alice, "metrics")

    with tenancy.acting_as(alice.id):
        first = Trade.objects.filter(kind="TRADE").order_by("exit_time").first()
        assert first is not None
        Trade.objects.filter(id=first.id).update(strategy="<grid>")
    metrics.refresh(user_id=alice.id, at=clock.now())

    page = shown(as_alice, "metrics")
    found = re.search(r'<th scope="row"><a href="([^"]*)">&lt;grid&gt;</a></th>', page)
    assert found is not None
    assert "strategy: &lt;grid&gt;" in as_alice.get(found[1]).content.decode()
    assert '<th scope="row">none</th>' in page


def test_the_curve_shows_what_the_same_money_would_be_worth(
    as_alice: Client, account: ExchangeAccount
) -> None:
    page = shown(as_alice, "equity")
    assert "held as BTC" in page
    assert '"benchmark":' in page
    assert '"flow":' in page
