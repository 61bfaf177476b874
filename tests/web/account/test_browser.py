"""From signing up to leaving in a real Chromium, on a phone in the dark; and what axe says of each page."""

import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
from django.core import mail
from pytest_django import Settings

from accounts.models import User
from core import clock
from pipeline import exports
from tests.factories import PASSWORD, AccountFactory
from tests.mailbox import Mailbox
from tests.web.account.test_pages import PAGES
from tests.web.axe import faults
from tests.web.browser import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Begin = Callable[..., Visit]
NEW = "another horse battery"


@pytest.fixture
def letters(settings: Settings, live_server: object) -> Iterator[Mailbox]:
    """Mails as they are sent after real commits, with links to this server."""
    settings.SITE_URL = str(live_server)
    yield Mailbox()
    mail.outbox.clear()


def test_a_person_signs_up_secures_the_account_and_leaves(visit: Begin, letters: Mailbox) -> None:
    at = visit(PHONE, "dark")
    at.goto("/login")
    at.page.get_by_role("link", name="Sign up").click()
    at.page.get_by_label("Name").fill("Carol")
    at.page.get_by_label("E-mail").fill("carol@example.com")
    at.page.get_by_label("Password").fill(PASSWORD)
    at.page.get_by_role("button", name="Sign up").click()
    at.page.get_by_role("heading", name="Look into your mail").wait_for()
    at.check()

    at.page.goto(letters.link())
    at.page.get_by_role("button", name="Confirm the address").click()
    at.page.get_by_role("heading", name="Thank you").wait_for()
    at.check()

    at.log_in("carol@example.com", PASSWORD)
    at.page.get_by_role("link", name="Account", exact=True).click()
    at.page.get_by_text("confirmed", exact=True).wait_for()
    at.page.get_by_role("link", name="Second factor").click()
    at.page.get_by_role("button", name="Set it up").click()
    secret = at.page.locator(".set-up code").inner_text().replace(" ", "")
    assert at.page.locator("img.qr").evaluate("(image) => image.naturalWidth") > 100
    at.check()
    at.page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    at.page.get_by_role("button", name="Switch it on").click()
    codes = at.page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    at.check()

    at.page.get_by_role("button", name="Log out").click()
    at.log_in("carol@example.com", PASSWORD)
    at.page.get_by_label("Code").fill(codes[0])
    at.page.get_by_role("button", name=re.compile("Log in|Confirm|Go on")).click()
    at.page.get_by_role("link", name="Account", exact=True).click()

    at.page.get_by_role("link", name="API tokens").click()
    at.page.get_by_label("Name").fill("bot")
    at.page.get_by_role("button", name="Make the token").click()
    assert at.page.locator(".secret code").inner_text().startswith("cgt_")
    at.check()

    at.page.get_by_role("link", name="Close").click()
    at.page.get_by_label("Password").fill(PASSWORD)
    at.page.get_by_role("button", name="Close my account").click()
    at.page.get_by_role("heading", name="Your account is closed").wait_for()
    at.check()
    assert User.objects.get().is_deleted


def test_a_forgotten_password_is_replaced(visit: Begin, alice: User, letters: Mailbox) -> None:
    at = visit()
    at.expected = ["status of 422"]
    at.goto("/login")
    at.page.get_by_role("link", name="Forgot your password?").click()
    at.page.get_by_label("E-mail").fill(alice.email)
    at.page.get_by_role("button", name="Mail me a link").click()
    at.page.get_by_role("heading", name="Look into your mail").wait_for()
    at.page.goto(letters.link())
    at.page.get_by_label("New password").fill("password123")
    at.page.get_by_role("button", name="Set the password").click()
    assert "too common" in at.page.locator("#password-wrong").inner_text()
    at.page.get_by_label("New password").fill(NEW)
    at.page.get_by_role("button", name="Set the password").click()
    at.page.get_by_role("heading", name="A new password").wait_for()
    at.log_in(alice.email, NEW)
    assert at.page.get_by_role("heading", level=1).inner_text() == "Dashboard"
    at.check()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_no_fault(
    visit: Begin, alice: User, letters: Mailbox, viewport: dict[str, int], scheme: str
) -> None:
    AccountFactory.create(user=alice)
    exports.request(user_id=alice.id, asked=exports.Asked("fills", "csv"), at=clock.now())
    at = visit(viewport, scheme)
    found = {}
    for path in ("/signup", "/forgot-password", "/verify-email?token=x", "/signup/done"):
        at.goto(path)
        found[path] = faults(at)
    at.log_in(alice.email, PASSWORD)
    User.objects.update(is_verified=False)
    for path in PAGES:
        at.goto(path)
        found[path] = faults(at)
        at.check()
    at.goto("/account/two-factor")
    at.page.get_by_role("button", name="Set it up").click()
    found["set up"] = faults(at)
    at.goto("/account/tokens")
    at.page.get_by_label("Name").fill("bot")
    at.page.get_by_role("button", name="Make the token").click()
    found["made"] = faults(at)
    at.goto("/account/tokens")
    found["listed"] = faults(at)
    assert {path: what for path, what in found.items() if what} == {}
