"""The pages in a real Chromium: what a person does, what the policy forbids, what others need to use them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from core import clock
from credentials.models import ExchangeAccount, KeyState
from pipeline.models import RunStatus
from tests.factories import PASSWORD, AccountFactory
from tests.web import history
from tests.web.axe import faults
from tests.web.browser import DESKTOP, PHONE, Visit
from web.pages import sync_state

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Begin = Callable[..., Visit]


def test_a_person_logs_in_looks_around_and_leaves(
    visit: Begin, alice: User, account: ExchangeAccount, trade_id: int
) -> None:
    at = visit()
    at.expected = ["status of 422"]
    at.log_in(alice.email, "wrong")
    assert at.page.get_by_role("alert").inner_text() == "E-mail or password is wrong."
    at.log_in(alice.email, PASSWORD)
    assert at.page.get_by_role("heading", level=1).inner_text() == "Dashboard"
    at.page.locator("#equity-chart canvas").first.wait_for()
    at.check()
    at.page.locator(f"a[href='/trades/{trade_id}']").click()
    at.page.get_by_role("heading", name="How sales were matched to purchases").wait_for()
    at.page.get_by_text(re.compile(r"\d+ checks")).click()
    assert at.page.locator(".checks .down").count() == 0
    at.check()
    at.page.get_by_role("button", name="Log out").click()
    at.page.get_by_role("heading", name="Log in").wait_for()
    at.goto("/")
    assert at.page.url.endswith("/login?next=/")


def test_the_period_stays_in_the_address(visit: Begin, alice: User, account: ExchangeAccount) -> None:
    at = visit()
    at.log_in(alice.email, PASSWORD)
    points = at.page.locator("#equity-points")
    at.page.get_by_role("link", name="30 d", exact=True).click()
    at.page.wait_for_url("**/?period=30d")
    at.page.locator("#equity[data-fragment$='period=30d']").wait_for()
    assert len(json.loads(points.text_content())) <= 31
    assert at.page.get_by_role("link", name="30 d", exact=True).get_attribute("aria-current") == "true"
    at.page.reload()
    assert at.page.get_by_role("link", name="30 d", exact=True).get_attribute("aria-current") == "true"
    at.page.go_back()
    at.page.locator("a[aria-current]", has_text="90 d").wait_for()
    at.check()


def test_the_chart_reads_out_the_servers_own_numbers(
    visit: Begin, alice: User, account: ExchangeAccount
) -> None:
    at = visit()
    at.log_in(alice.email, PASSWORD)
    at.page.locator("#equity-chart canvas").first.wait_for()
    last = json.loads(at.page.locator("#equity-points").text_content())[-1]
    shown = at.page.locator("#equity-readout b").all_inner_texts()
    assert shown == [last["label"], last["balance_text"], last["drawdown_text"]]
    assert at.page.locator("#equity-chart").get_attribute("aria-label").startswith("Equity went from ")


def test_the_theme_is_kept(visit: Begin, alice: User, account: ExchangeAccount) -> None:
    at = visit(DESKTOP, "light")
    at.log_in(alice.email, PASSWORD)
    before = _background(at)
    at.page.get_by_role("button", name="Dark theme").click()
    dark = _background(at)
    at.page.reload()
    assert (dark != before, _background(at)) == (True, dark)
    assert at.page.get_by_role("button", name="Dark theme").get_attribute("aria-pressed") == "true"
    at.check()


def _background(at: Visit) -> str:
    colour: str = at.page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_pages_fit_on_a_phone(visit: Begin, alice: User, account: ExchangeAccount, trade_id: int) -> None:
    at = visit(PHONE)
    at.log_in(alice.email, PASSWORD)
    at.page.locator("#equity-chart canvas").first.wait_for()
    at.check()
    for path in (f"/trades/{trade_id}", "/connect", "/equity?period=all", "/trades", "/fees", "/brackets"):
        at.goto(path)
        at.check()


def test_a_number_is_followed_down_to_its_fills(
    visit: Begin, alice: User, account: ExchangeAccount, trade_id: int
) -> None:
    at = visit(PHONE)
    at.log_in(alice.email, PASSWORD)
    at.goto(f"/explain/trade/{trade_id}")
    for words in ("Gross result", "bought with a fill"):
        at.page.locator("summary", has_text=words).first.click()
    shown = at.page.locator(".tree .grow:visible")
    assert "Exit value" in shown.all_inner_texts()
    boxes = [each.bounding_box() for each in shown.all()]
    assert min(box["width"] for box in boxes) > 80  # each in words, not in a column of letters
    at.check()
    assert faults(at) == []


def test_the_first_sync_fills_the_page_without_a_reload(
    visit: Begin, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_state, "BUSY_SECONDS", 1)
    waiting: Any = AccountFactory.create(user=alice, label="Fresh")
    history.add_run(
        account=waiting, at=clock.now(), status=RunStatus.RUNNING, finished_at=None, counts={}, steps_done=2,
        steps_total=8, step="Reading fills of BTCUSDT",
    )  # fmt: skip
    at = visit()
    at.log_in(alice.email, PASSWORD)
    at.page.get_by_text("Reading fills of BTCUSDT").wait_for()
    assert at.page.locator("#equity-chart canvas").count() == 0
    at.check()
    at.page.evaluate("window.same = true")
    history.live(user=alice, at=clock.now(), days=20)
    at.page.locator("#equity-chart canvas").first.wait_for()
    at.page.locator(".rows a.row-link").first.wait_for()
    assert at.page.evaluate("window.same") is True
    at.check()


def test_all_of_it_works_by_keyboard(visit: Begin, alice: User, account: ExchangeAccount) -> None:
    at = visit()
    at.log_in(alice.email, PASSWORD)
    at.page.keyboard.press("Tab")
    assert _focused(at) == "Skip to the content"
    at.page.keyboard.press("Enter")
    seen = [""]
    while seen[-1] != "tradingview.com":  # the last link of the page
        at.page.keyboard.press("Tab")
        outline = at.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        seen.append(_focused(at))
        assert outline == "solid", seen
    assert {"Sync now", "30 d", "Show data as a table", "BTCUSDT"} <= set(seen)


def _focused(at: Visit) -> str:
    text: str = at.page.evaluate("document.activeElement.innerText.trim().split('\\n')[0]")
    return text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(
    visit: Begin, alice: User, account: ExchangeAccount, trade_id: int, scheme: str
) -> None:
    history.add_run(account=account, at=clock.now(), status=RunStatus.FAILED, error_kind="network")
    AccountFactory.create(
        user=alice, label="Bad key", key_state=KeyState.DISABLED, key_note="It may withdraw."
    )
    at = visit(DESKTOP, scheme)
    at.goto("/login")
    found = {"/login": faults(at)}
    at.log_in(alice.email, PASSWORD)
    at.page.locator("#equity-chart canvas").first.wait_for()
    found["/"] = faults(at)
    lists = ("/trades", "/trades?view=positions", "/fees", "/brackets")
    for path in (f"/trades/{trade_id}", "/connect", "/equity", *lists):
        at.goto(path)
        found[path] = faults(at)
    assert {path: faults for path, faults in found.items() if faults} == {}
