"""Logging in with a second factor, and confirming who one is, in a real Chromium."""

from typing import Any

import pytest

from core import clock
from tests.accounts.apps import with_app
from tests.factories import PASSWORD
from tests.web.axe import faults
from tests.web.browser import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_a_person_with_a_second_factor_logs_in_and_confirms(visit: Any, size: Any, scheme: str) -> None:
    app = with_app(clock.now())
    at = visit(size, scheme)
    at.expected = ["422"]
    at.log_in(app.user.email, PASSWORD)
    _enter(at, "Code", "000000", "Log in")
    found = faults(at)
    at.check()

    _enter(at, "Code", app.recovery_codes[0], "Log in")
    at.goto("/confirm?next=/connect")
    found += faults(at)
    at.check()

    at.page.get_by_label("Password").fill(PASSWORD)
    _enter(at, "Code", app.recovery_codes[1], "Confirm")
    assert at.page.url == f"{at.base}/connect"
    assert found == []


def _enter(at: Any, label: str, text: str, button: str) -> None:
    at.page.get_by_label(label).fill(text)
    with at.page.expect_navigation():
        at.page.get_by_role("button", name=button).click()
