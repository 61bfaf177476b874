"""How often streams are asked, and how long a failure waits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from pipeline import schedule
from pipeline.models import Stream

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNTS = [UUID(int=number) for number in range(200)]


def waits(
    stream: Stream, *, is_active: bool = False, is_live: bool = False, is_followed: bool = True
) -> list[timedelta]:
    return [
        schedule.next_due(
            stream, account_id=each, at=AT, is_active=is_active, is_live=is_live, is_followed=is_followed
        )
        - AT
        for each in ACCOUNTS
    ]


@pytest.mark.parametrize("stream", [Stream.BALANCES, Stream.OPEN_ORDERS])
def test_somebody_active_sees_balances_and_orders_of_the_last_three_minutes(stream: Stream) -> None:
    assert set(waits(stream, is_active=True)) == {timedelta(minutes=3)}


def test_others_are_asked_every_fifteen_to_sixty_minutes_spread_by_account() -> None:
    calm = waits(Stream.BALANCES)
    assert timedelta(minutes=15) <= min(calm) < timedelta(minutes=20)
    assert timedelta(minutes=55) < max(calm) <= timedelta(minutes=60)


def test_both_streams_of_a_calm_account_are_due_together() -> None:
    assert waits(Stream.BALANCES) == waits(Stream.OPEN_ORDERS)


def test_transfers_are_asked_every_fifteen_minutes() -> None:
    assert set(waits(Stream.DEPOSITS, is_active=True)) == {timedelta(minutes=15)}


@pytest.mark.parametrize("stream", [Stream.PERMISSIONS, Stream.FILLS, Stream.ORDERS, Stream.RECHECK])
def test_the_rest_is_asked_daily(stream: Stream) -> None:
    assert all(timedelta(hours=22) <= wait < timedelta(hours=24) for wait in waits(stream))


def test_fills_of_a_symbol_in_use_are_asked_promptly() -> None:
    assert set(waits(Stream.FILLS, is_active=True, is_live=True)) == {timedelta(minutes=3)}


def test_a_symbol_only_swept_rests_for_a_month() -> None:
    assert set(waits(Stream.FILLS, is_followed=False)) == {timedelta(days=25)}


def test_activity_ends_after_a_quarter_of_an_hour() -> None:
    seen = [None, AT, AT - timedelta(minutes=14), AT - timedelta(minutes=15)]
    assert [schedule.is_active(each, AT) for each in seen] == [False, True, True, False]


@pytest.mark.parametrize("kind", [ErrorKind.DOWN, ErrorKind.NETWORK])
def test_an_ill_exchange_is_asked_less_and_less(kind: ErrorKind) -> None:
    error = ExchangeError(kind, "")
    seconds = [(schedule.retry_at(error, failures=n, at=AT) - AT).total_seconds() for n in range(1, 8)]
    assert seconds == [30, 60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize("kind", [ErrorKind.RATE, ErrorKind.BANNED])
def test_a_named_waiting_time_is_kept(kind: ErrorKind) -> None:
    until = AT + timedelta(minutes=7)
    assert schedule.retry_at(ExchangeError(kind, "", retry_at=until), failures=1, at=AT) == until


def test_our_own_fault_waits_an_hour() -> None:
    error = ExchangeError(ErrorKind.BUG, "")
    assert schedule.retry_at(error, failures=1, at=AT) == AT + timedelta(hours=1)


def test_every_kind_has_a_waiting_time() -> None:
    assert all(schedule.retry_at(ExchangeError(kind, ""), failures=1, at=AT) > AT for kind in ErrorKind)
