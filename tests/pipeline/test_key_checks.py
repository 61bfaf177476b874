"""A new key is asked about in a quick step of its own; what is said of one key is no word on the next."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import TestCase

from accounts.models import AuditLog
from core.errors import NotFound
from credentials import accounts
from credentials.models import ApiCredential, ExchangeAccount, KeyState
from credentials.vault import Purpose
from exchanges.binance.account import BinanceAccount
from exchanges.rows import AccountInfo
from orders.models import Fill
from pipeline import broker, dispatch, runs, tasks
from pipeline.models import RunStatus, Stream, SyncRun, Trigger
from portfolio.models import WalletBalance
from tests.factories import AccountFactory
from tests.mailbox import Mailbox, mailbox
from tests.pipeline.worlds import World

__all__ = ["mailbox"]
pytestmark = pytest.mark.django_db


def _account(world: World) -> ExchangeAccount:
    with world.door():
        return ExchangeAccount.objects.get(id=world.account.id)


def _check(world: World) -> SyncRun | None:
    world.ask(Trigger.CONNECT)
    return world.work(purpose=Purpose.KEY_CHECK)


def _purposes(world: World) -> list[str]:
    with world.door():
        entries = AuditLog.objects.filter(action="decrypt").order_by("id")
        return [entry.new_values["purpose"] for entry in entries if entry.new_values]


def _hints(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    hints: list[Any] = []
    monkeypatch.setattr(broker, "hint_soon", lambda *args, **options: hints.append((*args, options["queue"])))
    return hints


def test_a_new_account_is_hinted_at_for_its_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = _hints(monkeypatch)
    with TestCase.captureOnCommitCallbacks(execute=True):
        world.ask(Trigger.CONNECT)
    assert hints == [(broker.CHECK_TASK, [[str(world.account.id)]], broker.INTERACTIVE)]


def test_a_good_key_is_approved_and_the_run_handed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = _hints(monkeypatch)
    world.ask(Trigger.CONNECT)
    with TestCase.captureOnCommitCallbacks(execute=True):
        world.work(purpose=Purpose.KEY_CHECK)
    account = _account(world)
    assert (account.key_state, account.account_type, account.permissions) == ("good", "SPOT", ["SPOT"])
    assert (world.latest_run().status, world.latest_run().steps_done) == (RunStatus.QUEUED, 1)
    assert hints == [(broker.SYNC_TASK, [[str(world.account.id)]], broker.SYNC)]
    with world.door():
        assert (WalletBalance.objects.count(), Fill.objects.count()) == (0, 0)


def test_the_reading_goes_on_in_the_same_run_without_a_second_check(world: World) -> None:
    _check(world)
    checked_at = _account(world).checked_at
    world.clock.advance(minutes=1)
    run = world.work()
    assert run is not None
    assert (run.status, run.trigger, run.steps_done) == (RunStatus.OK, "connect", run.steps_total)
    assert _account(world).checked_at == checked_at
    with world.door():
        assert (SyncRun.objects.count(), Fill.objects.exists()) == (1, True)


def test_a_key_is_opened_once_a_run(world: World) -> None:
    _check(world)
    world.work()
    assert _purposes(world) == ["key check", "sync"]


def test_the_sync_checks_a_key_whose_check_was_lost(world: World) -> None:
    assert world.sync(Trigger.CONNECT).status == RunStatus.OK
    assert _account(world).key_state == KeyState.GOOD


def test_a_key_is_checked_again_daily_by_a_row(world: World) -> None:
    _check(world)
    due = world.cursor(Stream.PERMISSIONS).due_at
    assert timedelta(hours=22) <= due - world.now() <= timedelta(hours=24)
    world.work()
    world.wait(hours=24)
    world.work()
    assert _account(world).checked_at == world.now()


def test_an_exchange_that_does_not_answer_leaves_the_key_unused_and_says_so(world: World) -> None:
    world.fault("bad_gateway", path="/api/v3/account")
    run = _check(world)
    assert run is not None
    assert (run.status, run.error_kind) == (RunStatus.FAILED, "down")
    account = _account(world)
    assert (account.key_state, account.key_note.split(" yet")[0]) == (
        "unchecked",
        "The exchange could not be asked about the key",
    )
    assert world.work() is None


def test_an_unchecked_key_is_used_for_nothing_else(world: World) -> None:
    world.fault("bad_gateway", path="/sapi/v1/account/apiRestrictions")
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.counts, run.steps_done) == (RunStatus.FAILED, {}, 1)
    world.simulator.faults.clear()
    world.wait(minutes=2)
    again = world.work()
    assert again is not None
    assert (again.status, _account(world).key_state) == (RunStatus.OK, "good")


def test_two_refusals_in_a_row_disable_the_key_and_mail_its_user_once(world: World, mailbox: Mailbox) -> None:
    _check(world)
    world.work()
    world.fault("revoked_key")
    for _ in range(4):
        world.wait(minutes=11)
        world.ask(Trigger.USER)
        world.work()
    assert _account(world).key_state == KeyState.DISABLED
    assert mailbox.sent() == [(world.user.email, "The key of “Main” was disabled")]
    assert "twice" in str(mailbox.last().body)


def test_a_success_between_two_refusals_keeps_the_key(world: World, mailbox: Mailbox) -> None:
    _check(world)
    for fault in (True, False, True):
        world.simulator.faults.clear()
        if fault:
            world.fault("revoked_key")
        world.wait(hours=1)
        world.ask(Trigger.USER)
        world.work()
    assert (_account(world).key_state, len(mailbox)) == (KeyState.FAILING, 0)


def test_withdrawal_rights_given_later_destroy_the_key_and_are_mailed(
    world: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(world)
    world.work()
    _answering(monkeypatch, can_withdraw=True)
    world.wait(hours=25)
    world.work()
    with world.door():
        assert ApiCredential.objects.count() == 0
    assert _account(world).key_state == KeyState.DISABLED
    assert [subject for _, subject in mailbox.sent()] == ["The key of “Main” was disabled"]
    assert "may withdraw" in str(mailbox.last().body)


def _answering(
    monkeypatch: pytest.MonkeyPatch, *, before: Callable[[], object] = lambda: None, **changes: Any
) -> None:
    """The exchange tells something else of the key; `before` happens while it is asked."""
    ask = BinanceAccount.info

    def info(self: BinanceAccount) -> AccountInfo:
        told = ask(self)
        before()
        return AccountInfo(**{name: changes.get(name, getattr(told, name)) for name in AccountInfo.__slots__})

    monkeypatch.setattr(BinanceAccount, "info", info)


def test_a_verdict_on_the_old_key_is_none_on_the_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacements = iter([1])

    def replace() -> None:
        for _ in replacements:
            accounts.update(
                user_id=world.user.id, account_id=world.account.id, api_key="n" * 64, secret_key="t" * 64
            )

    _answering(monkeypatch, before=replace)
    run = _check(world)
    assert run is not None
    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, "")
    assert _account(world).key_state == KeyState.UNCHECKED
    assert world.latest_run().status == RunStatus.QUEUED
    world.work(purpose=Purpose.KEY_CHECK)
    assert _account(world).key_state == KeyState.FAILING  # nobody's key


def test_an_account_closed_while_it_is_checked_stays_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close() -> None:
        accounts.close(user_id=world.user.id, account_id=world.account.id)

    _answering(monkeypatch, before=close)
    _check(world)
    account = _account(world)
    assert (account.is_active, account.key_state) == (False, KeyState.UNCHECKED)
    with world.door():
        assert (ApiCredential.objects.count(), SyncRun.objects.filter(status="queued").count()) == (0, 0)


def test_an_account_that_comes_back_goes_on_and_its_run_with_it(world: World) -> None:
    world.sync(Trigger.CONNECT)
    accounts.close(user_id=world.user.id, account_id=world.account.id)
    theirs = world.simulator.accounts[world.label]
    newcomer = accounts.connect(
        user_id=world.user.id, exchange="binance", api_key=theirs.api_key, secret_key=theirs.api_secret
    )
    first, world.account = world.account, newcomer
    _check(world)
    shown = accounts.show(user_id=world.user.id, account_id=newcomer.id)
    assert (shown.account.id, shown.account.key_state) == (first.id, KeyState.GOOD)
    with world.door():
        queued = SyncRun.objects.filter(status="queued").values_list("account_id", flat=True)
        assert list(queued) == [first.id]


@pytest.mark.usefixtures("as_worker")
def test_the_task_checks_and_nobody_checks_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tasks.clock.now", world.now)
    world.ask(Trigger.CONNECT)
    assert tasks.check_keys([str(world.account.id)]) == 1
    assert _account(world).key_state == KeyState.GOOD


@pytest.mark.usefixtures("only_binance")
@pytest.mark.parametrize("exchange", ["fred", "alpha_vantage", "bitget"])
def test_what_has_no_adapter_is_never_synced(exchange: str, world: World) -> None:
    account = AccountFactory.create(user=world.user, exchange=exchange)
    with pytest.raises(NotFound):
        runs.request(user_id=world.user.id, account_ids=[account.id], trigger=Trigger.USER, at=world.now())
    assert dispatch.claim_due_accounts(10, at=world.now()) == [world.account.id]
