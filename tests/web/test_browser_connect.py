"""Connecting an account in a real Chromium: the verdict comes by itself, for everybody."""

from collections.abc import Callable

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from tests.factories import PASSWORD
from tests.web.axe import faults
from tests.web.browser import PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _connect(at: Visit) -> None:
    at.goto("/connect")
    at.page.get_by_label("API key").fill("k" * 64)
    at.page.get_by_label("Secret").fill("s" * 64)
    at.page.get_by_role("button", name="Connect and sync").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_verdict_on_a_key_comes_without_a_reload(
    visit: Callable[..., Visit], bob: User, scheme: str
) -> None:
    at = visit(PHONE, scheme)
    at.log_in(bob.email, PASSWORD)
    _connect(at)
    at.page.get_by_text("Checking the key", exact=True).wait_for()
    found = faults(at)
    with tenancy.acting_as(bob.id):
        ExchangeAccount.objects.update(
            key_state="good", checked_at=clock.now(), account_type="SPOT", permissions=["SPOT", "TRD_GRP_005"],
            can_trade=True, ip_restricted=False, updated_at=clock.now(),
        )  # fmt: skip
    at.page.get_by_text("Accepted", exact=True).wait_for()
    at.page.get_by_text("The key may trade. Reading needs no trading rights").wait_for()
    at.check()
    assert found + faults(at) == []
    at.page.get_by_role("link", name="watch it arrive").click()
    at.page.get_by_role("heading", name="Dashboard").wait_for()
