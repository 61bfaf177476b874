"""The inbox of differences in a real Chromium."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from portfolio import marks
from portfolio.accounting.causes import Cause
from portfolio.models import ItemKind
from tests.factories import PASSWORD, AccountFactory
from tests.web.axe import faults
from tests.web.browser import DESKTOP, PHONE, Visit
from tests.web.differences import differ

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Begin = Callable[..., Visit]
PATH = "/reconciliation"


@pytest.fixture
def _inbox(alice: User) -> None:
    """One of each kind, with long numbers, and one that was explained."""
    account = AccountFactory.create(user=alice, label="Main")
    AccountFactory.create(user=alice, label="Second")
    differ(account, explanation="1 deposit came.", state="explained", resolved_at=clock.now())
    differ(
        account, "PEPE", reported=Decimal("123456789.123456789"), computed=0, cause=Cause.UNKNOWN,
        difference=Decimal("123456789.123456789"), value=None, diverged_from=None,
    )  # fmt: skip
    differ(account, "BTCUSDT", kind=ItemKind.POSITION, side="SHORT", cause=Cause.MISSING_FILLS, value=None)
    differ(account, "2026-02-03", kind=ItemKind.RESIDUAL, cause=Cause.MISSING_PRICE)
    with tenancy.acting_as(alice.id):
        marks.reconciled(account=account, at=clock.now(), coverage=["gap:deposits", "older_history:fills"])


@pytest.mark.usefixtures("_inbox")
def test_a_difference_is_found_dismissed_and_opened_again(visit: Begin, alice: User) -> None:
    at = visit(PHONE)
    at.log_in(alice.email, PASSWORD)
    at.page.get_by_role("link", name="Differences, 3 open").click()
    at.check()
    assert at.page.locator(".items > li").count() == 3

    item = at.page.locator(".items > li", has_text="PEPE")
    item.get_by_label("Why PEPE is right as it is").fill("A gift.")
    item.get_by_role("button", name="Dismiss").click()
    at.page.get_by_text("Dismissed. It stays so").wait_for()
    assert at.page.locator(".items > li").count() == 2
    at.check()

    at.page.get_by_role("navigation", name="State").get_by_role("link", name="Dismissed").click()
    at.page.get_by_role("button", name="Open again").click()
    at.page.get_by_text("It is open again.").wait_for()
    at.page.get_by_role("navigation", name="State").get_by_role("link", name="Explained").click()
    at.page.get_by_text("1 deposit came.").wait_for()
    at.check()


@pytest.mark.usefixtures("_inbox")
def test_axe_finds_no_fault_in_the_inbox(visit: Begin, alice: User) -> None:
    at = visit(DESKTOP, "light")
    at.expected = ["status of 422"]
    at.log_in(alice.email, PASSWORD)
    found = {}
    for query in ("", "?state=explained"):
        at.goto(PATH + query)
        found[query] = faults(at)
        at.check()
    at.goto(PATH)
    at.page.emulate_media(color_scheme="dark")
    at.page.get_by_role("button", name="Dismiss").first.click()
    at.page.get_by_text("Say why it is right as it is.").wait_for()
    found["refused, dark"] = faults(at)

    assert {query: faults for query, faults in found.items() if faults} == {}
