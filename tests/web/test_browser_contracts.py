"""Contracts, coverage and outages in a real Chromium."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.errors import ErrorKind
from pipeline import breakers, stops
from pipeline.models import CoverageGap, CursorState, SyncCursor
from pipeline.stops import Stop
from tests.factories import PASSWORD
from tests.portfolio.contracts import fill, fold, funding, report_position
from tests.web.axe import faults
from tests.web.browser import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Begin = Callable[..., Visit]


@pytest.fixture
def short(account: ExchangeAccount) -> ExchangeAccount:
    """4 BTCUSDT sold at 100 an hour ago, half of it bought back at 90; 0.5 of funding between."""
    begun = clock.now() - timedelta(hours=1)
    report_position(account, "90", at=clock.now(), side="SHORT")
    fold(
        account,
        fill(account, "SELL", "4", "100", executed_at=begun),
        funding(account, "0.5", paid_at=begun + timedelta(minutes=5)),
        fill(account, "BUY", "2", "90", realized_pnl=Decimal(20), executed_at=begun + timedelta(minutes=30)),
    )
    return account


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_contract_is_followed_from_the_position_to_its_sum(
    visit: Begin, alice: User, short: ExchangeAccount, viewport: dict[str, int]
) -> None:
    at = visit(viewport)
    at.log_in(alice.email, PASSWORD)
    position = at.page.get_by_role("region", name="Open positions").get_by_role("row", name="BTCUSDT")
    assert "short · 5× isolated" in position.inner_text()
    at.check()
    at.page.get_by_role("region", name="Last trades").locator("tr", has_text="short").get_by_role(
        "link"
    ).click()
    at.page.get_by_role("heading", name="How exits were matched to entries").wait_for()
    chips = at.page.locator(".headline .chip").all_inner_texts()
    assert {"contract", "adds up"} <= set(chips)
    at.check()
    assert faults(at) == []


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_the_coverage_page_unfolds_its_gaps(
    visit: Begin, alice: User, account: ExchangeAccount, viewport: dict[str, int], scheme: str
) -> None:
    now = clock.now()
    with tenancy.acting_as(alice.id):
        SyncCursor.objects.filter(account=account, stream="deposits").delete()
        SyncCursor.objects.create(
            user_id=alice.id, account=account, stream="deposits", due_at=now, last_ok_at=now,
            state=CursorState.INCREMENTAL, retention=timedelta(days=30), known_from=now - timedelta(days=90),
        )  # fmt: skip
        CoverageGap.objects.create(
            user=alice, account=account, stream="deposits", since=now - timedelta(days=9),
            until=now - timedelta(days=2), noted_at=now,
        )  # fmt: skip
    at = visit(viewport, scheme)
    at.log_in(alice.email, PASSWORD)
    at.page.get_by_role("link", name="What is known of your history").click()
    at.page.get_by_role("heading", name="What is known of your history").wait_for()
    at.page.get_by_text("1 gap").click()
    assert at.page.locator("details li").inner_text().count(":") == 2  # from a time to a time
    at.check()
    assert faults(at) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_outage_stands_above_numbers_that_stay(
    visit: Begin, alice: User, account: ExchangeAccount, scheme: str
) -> None:
    at = visit(DESKTOP, scheme)
    at.log_in(alice.email, PASSWORD)
    equity = at.page.locator(".tile.hero dd.lead")
    before = equity.inner_text()
    now = clock.now()
    made = Stop(stops.BREAKER, ErrorKind.DOWN, "It fails.", since=now, until=now + timedelta(minutes=5))
    stops.put(breakers.exchange_key(account.exchange), made, lasts=timedelta(minutes=5))
    at.page.reload()
    banner = at.page.locator("main .notice.bad").inner_text()
    assert banner.startswith(f"{account.label} is not read now. It fails.")
    assert "What is shown of it was read" in banner
    assert equity.inner_text() == before
    at.check()
    assert faults(at) == []
