"""The inbox of differences as a page, and the grade of totals on the others."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, SyncRun
from portfolio import marks
from portfolio.accounting.causes import Cause
from portfolio.models import AccountMark, ItemKind, ReconciliationItem
from portfolio.selectors.confidence import Code
from tests.factories import AccountFactory
from tests.web.differences import differ
from web.pages.causes import CAUSES
from web.pages.reconciliation import KINDS
from web.pages.trust import WORDS

PATH = "/reconciliation"


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """Compared just now, with nothing found."""
    made: ExchangeAccount = AccountFactory.create(user=alice, label="Main")
    with tenancy.acting_as(alice.id):
        marks.reconciled(account=made, at=clock.now(), coverage=[])
    return made


def state(item: ReconciliationItem) -> tuple[str, str]:
    with tenancy.acting_as(item.user_id):
        item.refresh_from_db()
    return item.state, item.reason


def shown(client: Client, path: str = PATH, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, item: ReconciliationItem, decision: str, reason: str = "") -> Any:
    return client.post(PATH, {"item": item.pk, "decision": decision, "reason": reason})


def test_everything_there_is_has_words() -> None:
    assert (set(CAUSES), set(WORDS), set(KINDS)) == (set(Cause), set(Code), set(ItemKind.values))


def test_where_nothing_is_open_it_says_when_that_was_seen(as_alice: Client, account: ExchangeAccount) -> None:
    page = shown(as_alice)

    assert "Nothing is open" in page
    assert "Main: report and facts agreed <time" in page


def test_what_waits_to_be_compared_is_told(as_alice: Client, account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id):
        AccountMark.objects.update(reconciled_at=None)

    assert "Main: waits to be compared" in shown(as_alice)


def test_a_difference_says_what_since_when_why_and_what_to_do(
    as_alice: Client, account: ExchangeAccount
) -> None:
    differ(account)

    page = shown(as_alice)

    assert 'title="50 USDT"' in page
    told = (
        "1,050",
        "1,000",
        "They agreed until",
        "Most likely a deposit that is missing",
        'href="/transfers"',
    )
    assert [text for text in (*told, "More USDT is reported than facts give.") if text not in page] == []


def test_it_is_dismissed_with_a_note_and_opened_again(as_alice: Client, account: ExchangeAccount) -> None:
    item = differ(account)

    done = send(as_alice, item, "dismiss", "A gift.")
    assert (done.status_code, done["Location"], state(item)) == (302, PATH, ("dismissed", "A gift."))
    assert "A gift." not in shown(as_alice)
    assert "A gift." in shown(as_alice, state="dismissed")

    send(as_alice, item, "reopen")
    assert state(item)[0] == "open"


def test_a_dismissal_needs_a_note(as_alice: Client, account: ExchangeAccount) -> None:
    item = differ(account)

    refused = send(as_alice, item, "dismiss", " ")

    assert (refused.status_code, f'id="w-{item.pk}"' in refused.content.decode()) == (422, True)
    assert state(item) == ("open", "")


def test_what_somebody_dismissed_already_is_told(as_alice: Client, account: ExchangeAccount) -> None:
    item = differ(account)
    send(as_alice, item, "dismiss", "A gift.")

    refused = send(as_alice, item, "dismiss", "Mine.")

    assert (refused.status_code, "this one is dismissed" in refused.content.decode()) == (422, True)


def test_an_explained_one_says_what_explained_it(as_alice: Client, account: ExchangeAccount) -> None:
    item = differ(account, state="explained", explanation="1 deposit came.", resolved_at=clock.now())

    page = shown(as_alice, state="explained")

    assert "1 deposit came." in page
    assert f'name="item" value="{item.pk}"' not in page


def test_one_account_and_one_kind_can_be_chosen(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    other = AccountFactory.create(user=alice, label="Other")
    differ(account, "AAA")
    differ(other, "BBB")
    differ(account, "2026-02-03", kind=ItemKind.RESIDUAL)

    found = {
        name: [subject for subject in ("AAA", "BBB", "2026-02-03") if f"<strong>{subject}" in shown(as_alice, **query)]
        for name, query in {
            "account": {"account": str(other.id)},
            "kind": {"kind": "residual"},
            "nonsense": {"kind": "?", "state": "?", "cursor": "?"},
        }.items()
    }  # fmt: skip

    assert found == {"account": ["BBB"], "kind": ["2026-02-03"], "nonsense": ["AAA", "BBB", "2026-02-03"]}


def test_more_than_a_page_come_in_pages(as_alice: Client, account: ExchangeAccount) -> None:
    now = clock.now()
    for number in range(21):
        differ(account, f"C{number:02}", at=now - timedelta(minutes=number))

    first = shown(as_alice)
    cursor = first.split("cursor=")[1].split('"')[0]
    second = shown(as_alice, cursor=cursor)

    assert (first.count('id="d-'), second.count('id="d-'), "<strong>C20" in second) == (20, 1, True)


def test_what_may_hold_the_fact_is_read_again(as_alice: Client, account: ExchangeAccount) -> None:
    item = differ(account)
    with tenancy.acting_as(account.user_id):
        for stream in (Stream.DEPOSITS, Stream.FUNDING):
            SyncCursor.objects.create(
                user_id=account.user_id, account=account, stream=stream, position="9",
                state=CursorState.INCREMENTAL, due_at=clock.now() + timedelta(hours=1),
            )  # fmt: skip

    assert send(as_alice, item, "again").status_code == 302

    with tenancy.acting_as(account.user_id):
        cursors = SyncCursor.objects.filter(stream__in=(Stream.DEPOSITS, Stream.FUNDING))
        assert dict(cursors.values_list("stream", "position")) == {"deposits": "", "funding": "9"}
        assert SyncRun.objects.get().status == RunStatus.QUEUED
    again = send(as_alice, item, "again")
    assert (again.status_code, "being read again already" in again.content.decode()) == (422, True)


def test_anothers_differences_are_not_there(as_bob: Client, account: ExchangeAccount) -> None:
    item = differ(account)

    assert "No account is connected" in shown(as_bob)
    for decision in ("dismiss", "reopen", "again"):
        refused = send(as_bob, item, decision, "Mine.")
        assert (refused.status_code, "There is no such difference." in refused.content.decode()) == (
            422,
            True,
        )
    assert as_bob.get(PATH, {"account": str(account.id)}).status_code == 404
    assert state(item) == ("open", "")


def test_a_stranger_is_sent_to_the_log_in(client: Client, db: None) -> None:
    assert client.get(PATH).headers["Location"] == f"/login?next={PATH}"


def test_every_page_counts_what_is_open(as_alice: Client, account: ExchangeAccount) -> None:
    none = shown(as_alice, "/transfers")
    differ(account)
    differ(account, "BTC")

    chip = 'aria-label="Differences, 2 open"'
    assert (chip in none, chip in shown(as_alice, "/transfers")) == (False, True)
    assert chip not in shown(as_alice, "/fragments/summary")


def test_totals_say_how_far_they_can_be_trusted(as_alice: Client, account: ExchangeAccount) -> None:
    differ(account)

    told = 'title="An account has not been read yet. USDT (balance) differs from what the exchange reports."'
    counts = {name: shown(as_alice, f"/fragments/{name}").count(told) for name in ("summary", "metrics")}

    assert counts == {"summary": 1, "metrics": 1}
    assert ">1 difference</a>" in shown(as_alice, "/fragments/summary")
    page = shown(as_alice)
    assert '<span class="chip bad">unreliable</span>' in page
    assert "<li>USDT (balance) differs from what the exchange reports.</li>" in page
