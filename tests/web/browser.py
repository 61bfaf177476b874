"""A real Chromium for the browser tests: Debian's, driven by playwright. Both are optional, so the tests skip without.

Every page collects what broke the content security policy and what stood on the console.
"""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
_COLLECT = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.broken.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@dataclass
class Visit:
    """A page with what went wrong on it. `expected` texts may stand on the console: a refused log-in's 422, say."""

    page: Any
    base: str
    console: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def goto(self, path: str) -> None:
        self.page.goto(self.base + path)

    def log_in(self, email: str, password: str) -> None:
        self.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Log in").click()

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(width, 0)

    def check(self) -> None:
        """Nothing broke the policy, nothing unforeseen on the console, nothing sticks out."""
        assert self.page.evaluate("window.broken") == []
        surprises = [text for text in self.console if not any(known in text for known in self.expected)]
        assert surprises == []
        assert self.overflow() == 0


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    # Playwright's loop makes Django believe that the tests themselves run in one.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Opens fresh visits, without cookies: `visit(width_and_height, colour scheme)`."""
    contexts = []

    def begin(viewport: dict[str, int] = DESKTOP, scheme: str = "light") -> Visit:
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")
        contexts.append(context)
        context.add_init_script(_COLLECT)
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page(), live_server.url)
        visit.page.on("console", lambda message: _note(visit, message))
        visit.page.on("pageerror", lambda error: visit.console.append(str(error)))
        return visit

    yield begin
    for context in contexts:
        context.close()
    _let_finish()


def _let_finish() -> None:
    """Pages ask for news up to their end: what the server still answers would be in the way of emptying the tables."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=20)


def _note(visit: Visit, message: Any) -> None:
    if message.type in ("error", "warning"):
        visit.console.append(message.text)
