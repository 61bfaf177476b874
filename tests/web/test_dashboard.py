"""The dashboard and its fragments, by the plain client."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from pipeline.models import RunStatus, SyncRun
from portfolio import scope as scopes
from portfolio.selectors.snapshot import snapshot
from tests.factories import AccountFactory
from tests.web import history
from web.pages.dashboard import FRAGMENTS
from web.pages.sync_state import BUSY_SECONDS, QUIET_SECONDS

PAGES = ("/", "/equity", "/connect", *(f"/fragments/{name}" for name in FRAGMENTS))


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PAGES, "/trades/1"])
def test_a_stranger_is_sent_to_the_log_in_page(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={path}")


@pytest.mark.parametrize("path", [*PAGES, "/trades/1"])
def test_pages_are_read_only(as_alice: Client, path: str) -> None:
    if path != "/connect":
        assert as_alice.post(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_kept_by_nobody(as_alice: Client, path: str) -> None:
    assert "no-store" in as_alice.get(path).headers["Cache-Control"]


def test_a_deleted_user_is_logged_out(as_alice: Client, alice: User) -> None:
    User.objects.filter(id=alice.id).update(is_deleted=True)
    assert as_alice.get("/").headers["Location"] == "/login?next=/"
    assert "_auth_user_id" not in as_alice.session


def test_a_visit_is_noted_so_that_the_sync_hurries(as_alice: Client, alice: User) -> None:
    as_alice.get("/")
    alice.refresh_from_db()
    assert alice.seen_at is not None


def test_the_whole_page_is_there_without_scripts(as_alice: Client, account: ExchangeAccount) -> None:
    page = as_alice.get("/").content.decode()
    for heading in ("Equity", "Sync", "Allocation", "Open positions", "Balances", "Last trades", "Metrics"):
        assert re.search(rf"<h2[^>]*>{heading}", page), heading
    assert 'id="equity-points"' in page


def test_no_page_carries_inline_styles_or_scripts(
    as_alice: Client, account: ExchangeAccount, trade_id: int
) -> None:
    for path in (*PAGES, f"/trades/{trade_id}"):
        page = as_alice.get(path).content.decode()
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page), path
        assert re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", page) == [], path


def test_balances_of_several_accounts_say_whose_they_are(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    assert "Main" not in as_alice.get("/fragments/balances").content.decode()
    history.report(
        account=AccountFactory.create(user=alice, label="Second"),
        asset="BTC",
        total=Decimal(1),
        at=clock.now(),
    )
    page = as_alice.get("/fragments/balances").content.decode()
    assert ('class="sub">Main<' in page, 'class="sub">Second<' in page) == (True, True)


def test_the_page_shows_the_numbers_of_the_selectors(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    with tenancy.acting_as(alice.id):
        now = snapshot(scope=scopes.resolve(), currency="USDT", at=clock.now())
    assert now.total_balance is not None
    shown = as_alice.get("/fragments/summary").content.decode()
    assert f'title="{now.total_balance.normalize():f} USDT"' in shown
    assert now.total_balance > Decimal(1000)


def test_somebody_without_an_account_is_shown_the_way(as_bob: Client) -> None:
    page = as_bob.get("/").content.decode()
    assert "Connect your first exchange account" in page
    assert 'data-fragment="' not in page


def test_nothing_of_alice_is_shown_to_bob(as_bob: Client, account: ExchangeAccount) -> None:
    for name in FRAGMENTS:
        part = as_bob.get(f"/fragments/{name}").content.decode()
        assert not re.search(r"BTC|Main|class=\"num up", part), name


def test_another_persons_account_cannot_be_chosen(as_bob: Client, account: ExchangeAccount) -> None:
    assert as_bob.get(f"/?account={account.id}").status_code == 404


def test_an_account_can_be_chosen(as_alice: Client, account: ExchangeAccount) -> None:
    AccountFactory.create(user=account.user, label="Second")
    page = as_alice.get(f"/?account={account.id}").content.decode()
    assert f'?account={account.id}"' in page
    assert re.search(r'aria-current="true">Main<', page)


@pytest.mark.parametrize("period", ["30d", "90d", "1y", "all"])
def test_the_period_is_kept_in_the_address(as_alice: Client, account: ExchangeAccount, period: str) -> None:
    page = as_alice.get(f"/?period={period}").content.decode()
    assert re.search(rf'href="\?period={period}"[^>]*aria-current="true"', page)


def test_an_unknown_period_is_the_usual_one(as_alice: Client, account: ExchangeAccount) -> None:
    page = as_alice.get("/?period=' OR 1=1").content.decode()
    assert re.search(r'href="\?period=90d"[^>]*aria-current="true"', page)


@pytest.mark.parametrize("name", sorted(FRAGMENTS))
def test_a_fragment_that_is_the_same_answers_304(
    as_alice: Client, account: ExchangeAccount, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)
    first = as_alice.get(f"/fragments/{name}")
    again = as_alice.get(f"/fragments/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_unknown_fragment_is_not_found(as_alice: Client) -> None:
    assert as_alice.get("/fragments/secrets").status_code == 404


def _pace(page: bytes) -> int:
    found = re.search(rb'data-pace="(\d+)"', page)
    assert found is not None
    return int(found[1])


def test_the_page_looks_often_while_something_runs(as_alice: Client, account: ExchangeAccount) -> None:
    assert _pace(as_alice.get("/fragments/sync").content) == QUIET_SECONDS
    run = history.add_run(
        account=account, at=clock.now(), status=RunStatus.RUNNING, finished_at=None, step="Reading BTCUSDT",
        steps_done=3, steps_total=9,
    )  # fmt: skip
    part = as_alice.get("/fragments/sync").content
    assert _pace(part) == BUSY_SECONDS
    assert b"Reading BTCUSDT" in part
    assert b'max="9" value="3"' in part
    assert run.status == RunStatus.RUNNING


def test_a_failed_run_is_told_in_plain_words(as_alice: Client, account: ExchangeAccount) -> None:
    history.add_run(
        account=account,
        at=clock.now(),
        status=RunStatus.FAILED,
        error_kind="network",
        error_detail="timed out",
    )
    part = as_alice.get("/fragments/sync").content.decode()
    assert "The exchange cannot be reached. It is tried again shortly." in part
    assert "(timed out)" in part


@pytest.mark.parametrize(
    ("kind", "status"),
    [("network", "waiting to go on"), ("rate", "waiting to go on"), ("interrupted", "waiting to go on"),
     ("auth", "failed"), ("bug", "failed")],
)  # fmt: skip
def test_only_what_somebody_must_mend_is_called_failed(
    as_alice: Client, account: ExchangeAccount, kind: str, status: str
) -> None:
    history.add_run(account=account, at=clock.now(), status=RunStatus.FAILED, error_kind=kind)
    assert f'role="status">{status}<' in as_alice.get("/fragments/sync").content.decode()


def test_a_refused_key_is_told(as_alice: Client, account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        account.key_state, account.key_note = KeyState.DISABLED, "This key may withdraw."
        account.save()
    part = as_alice.get("/fragments/sync").content.decode()
    assert "key refused" in part
    assert "This key may withdraw." in part


def test_a_difference_between_report_and_facts_is_shown(as_alice: Client, account: ExchangeAccount) -> None:
    assert 'title="0.0125">+0.0125<' in as_alice.get("/fragments/balances").content.decode()


def test_an_asset_without_a_price_has_no_value_and_says_so(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    history.report(account=account, asset="WAT", total=Decimal(5), at=clock.now())
    part = as_alice.get("/fragments/balances").content.decode()
    assert "Without a price, and so in no total: WAT." in part


def test_sync_now_asks_for_a_run_of_each_account(as_alice: Client, account: ExchangeAccount) -> None:
    answer = as_alice.post("/sync")
    assert answer.headers["Location"] == "/"
    with tenancy.acting_as(account.user_id):
        assert SyncRun.objects.filter(status=RunStatus.QUEUED, trigger="user").count() == 1


def test_sync_now_is_no_link(as_alice: Client) -> None:
    assert as_alice.get("/sync").status_code == 405


def test_labels_are_escaped(as_alice: Client, alice: User) -> None:
    AccountFactory.create(user=alice, label="<img src=x onerror=alert(1)>")
    AccountFactory.create(user=alice, label="b")
    assert b"<img" not in as_alice.get("/").content
