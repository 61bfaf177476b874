"""What holds for every page of one's account."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.clients import PageClient
from web.pages.account import agents
from web.urls import urlpatterns

ROUTES = [path.name for path in urlpatterns if (path.name or "").startswith("account")]
PAGES = [*(reverse(f"web:{name}") for name in ROUTES if name != "account-resend"), "/exports"]
RECENT = ["/exports", "/account/email", "/account/two-factor", "/account/tokens", "/account/close"]


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_drawn_and_kept_by_nobody(as_alice: Client, path: str) -> None:
    answer = as_alice.get(path)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:|<script>", page)
    marked = [nav.count('aria-current="page"') for nav in re.findall(r"<nav.*?</nav>", page, re.DOTALL)]
    assert max(marked) == 1


@pytest.mark.parametrize("path", [*PAGES, "/account/resend-verification"])
def test_a_stranger_is_led_to_the_log_in(client: Client, db: None, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={path}")


@pytest.mark.parametrize("path", [*PAGES, "/account/resend-verification"])
def test_another_method_is_refused(as_alice: Client, path: str) -> None:
    assert as_alice.put(path).status_code == 405


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/account/trail"])
def test_a_form_without_our_token_is_refused(as_alice: Client, alice: User, path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_alice.cookies

    assert strict.post(path, {"do": "others"}).status_code == 403


@pytest.mark.parametrize("path", RECENT)
def test_what_is_sensitive_asks_for_the_password_first(as_alice_of_before: Client, path: str) -> None:
    for answer in (as_alice_of_before.get(path), as_alice_of_before.post(path, {"do": "off"})):
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/confirm?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("path", [path for path in PAGES if path not in RECENT])
def test_what_is_not_sensitive_asks_for_nothing(as_alice_of_before: Client, path: str) -> None:
    assert as_alice_of_before.get(path).status_code == 200


def test_the_trail_shows_ones_own_entries_and_no_others(as_alice: Client, as_bob_too: Client) -> None:
    theirs = as_bob_too.post(
        "/account", {"name": "Robert", "date_of_birth": "", "cost_method": "fifo", "cost_scope": "all"}
    )
    as_alice.post(
        "/account", {"name": "Alicia", "date_of_birth": "", "cost_method": "average", "cost_scope": "account"}
    )

    page = as_alice.get("/account/trail").content.decode()

    assert theirs.headers["Location"] == "/account"
    assert "accounts_user" in page
    assert "changed<span" in page
    assert "[redacted]" in page
    assert "<dd>fifo</dd>" not in page
    assert "Alicia" not in page


def test_the_trail_has_older_pages(as_alice: Client, alice: User) -> None:
    for number in range(60):
        User.objects.filter(id=alice.id).update(is_verified=bool(number % 2))

    first = as_alice.get("/account/trail").content.decode()
    older = re.search(r"\?cursor=[^\"]+", first)

    assert older is not None
    assert first.count("<tr>") == 51
    assert 1 < as_alice.get(f"/account/trail{older[0]}").content.decode().count("<tr>") <= 51


@pytest.mark.parametrize("cursor", ["x", "a\x00b", "☃", "-1"])
def test_a_cursor_of_nobody_leads_to_the_newest(as_alice: Client, cursor: str) -> None:
    assert as_alice.get("/account/trail", {"cursor": cursor}).status_code == 200


@pytest.fixture
def as_bob_too(bob: User) -> Client:
    client = PageClient()
    client.force_login(bob)
    return client


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/19.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", "Chrome on Android"),
        ("python-httpx/0.28", "Python"),
        ("MyBot/1.0", "MyBot/1.0"),
        ("x" * 300, "x" * 60),
        ("", "Unknown program"),
    ],
)
def test_what_a_browser_says_of_itself_in_two_words(user_agent: str, words: str) -> None:
    assert agents.describe(user_agent) == words
