"""Pages that explain a number."""

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import marks
from portfolio.models import PortfolioSnapshot


def test_a_number_can_be_followed_without_scripts(as_alice: Client, trade_id: int) -> None:
    page = as_alice.get(f"/explain/trade/{trade_id}").content.decode()

    assert "<details open>" in page
    assert "Gross result" in page
    assert "adds up" in page


@pytest.mark.parametrize("period", ["all_time", "monthly"])
def test_metrics_lead_to_their_days(period: str, as_alice: Client, trade_id: int) -> None:
    page = as_alice.get(f"/explain/metric/{period}").content.decode()

    assert "Net result of closed trades" in page


def test_what_is_made_of_accounts_says_how_far_it_can_be_trusted(as_alice: Client, trade_id: int) -> None:
    pages = [
        as_alice.get(f"/explain/{path}").content.decode() for path in ("metric/all_time", f"trade/{trade_id}")
    ]

    told = 'title="What came last has not been held against the exchange&#x27;s report yet.">partial</a>'
    assert [told in page for page in pages] == [True, False]


def test_metrics_are_trusted_as_far_as_their_period(as_alice: Client, alice: User, trade_id: int) -> None:
    today = clock.utc_day(clock.now())
    with tenancy.acting_as(alice.id):
        marks.reconciled(
            account=ExchangeAccount.objects.get(),
            at=clock.now(),
            coverage=[f"older_history:fills@{today - clock.DAY}"],
        )
    pages = [
        as_alice.get(f"/explain/metric/{name}:{today}").content.decode() for name in ("daily", "all_time")
    ]

    assert ["the exchange had forgotten the beginning" in page for page in pages] == [False, True]


def test_a_day_says_how_far_it_can_be_trusted_itself(as_alice: Client, alice: User, trade_id: int) -> None:
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.update(grade="partial", grade_reason="stale_price:ETH")
        day = (
            PortfolioSnapshot.objects.order_by("snapshot_date")
            .values_list("snapshot_date", flat=True)[3:4]
            .get()
        )
    page = as_alice.get(f"/explain/day/{day}").content.decode()

    assert '<span class="chip warn" title="stale price: ETH">partial</span>' in page
    assert "#trust" not in page


def test_another_persons_number_is_not_there(as_bob: Client, trade_id: int) -> None:
    assert as_bob.get(f"/explain/trade/{trade_id}").status_code == 404


@pytest.mark.parametrize(
    "path", ["trade/x", f"trade/{10**30}", "nothing/1", "day/today", "trade/1?after=x", "metric/x"]
)
def test_what_is_none_is_not_there(path: str, as_alice: Client) -> None:
    assert as_alice.get(f"/explain/{path}").status_code == 404


@pytest.mark.django_db
def test_a_stranger_is_led_to_the_log_in() -> None:
    assert Client().get("/explain/trade/1").status_code == 302
