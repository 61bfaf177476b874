"""The page that tells what is known of an account's history."""

from datetime import timedelta

from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.models import CoverageGap, CursorState, SyncCursor


def _stream(account: ExchangeAccount, stream: str, **columns: object) -> None:
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.filter(account=account, stream=stream).delete()
        SyncCursor.objects.create(
            user_id=account.user_id, account=account, stream=stream, due_at=clock.now(), **columns
        )


def test_it_tells_from_when_on_and_what_will_be_forgotten(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    now = clock.now()
    _stream(
        account,
        "deposits",
        state=CursorState.INCREMENTAL,
        known_from=now - timedelta(days=90),
        last_ok_at=now,
        retention=timedelta(days=30),
    )
    page = as_alice.get("/coverage").content.decode()
    assert "after 30 days" in page
    assert "what was before" in page
    assert account.label in page


def test_it_tells_gaps(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    now = clock.now()
    _stream(account, "deposits", state=CursorState.INCREMENTAL, last_ok_at=now)
    with tenancy.acting_as(alice.id):
        CoverageGap.objects.create(
            user=alice,
            account=account,
            stream="deposits",
            since=now - timedelta(days=9),
            until=now - timedelta(days=2),
            noted_at=now,
        )
    assert "1 gap" in as_alice.get("/coverage").content.decode()


def test_another_persons_accounts_are_not_on_it(as_bob: Client, account: ExchangeAccount) -> None:
    page = as_bob.get("/coverage")
    assert page.status_code == 200
    assert "No account is connected." in page.content.decode()


def test_a_stranger_is_sent_to_the_log_in(client: Client, db: None) -> None:
    assert client.get("/coverage").headers["Location"] == "/login?next=/coverage"


def test_it_is_only_read(as_alice: Client) -> None:
    assert as_alice.post("/coverage").status_code == 405
