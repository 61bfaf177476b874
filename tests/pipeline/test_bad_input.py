"""Whatever the exchange answers: a clear state on the run, nothing lost, nothing twice, the next run recovers."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from credentials.models import ExchangeAccount, KeyState
from exchanges.binance.account import BinanceAccount
from exchanges.errors import ErrorKind
from exchanges.rows import BadRow, BalanceRow, ListingRow, MarketType, Page
from marketdata import listings
from pipeline import words
from pipeline.models import RejectedRow, RunStatus, Stream, Trigger
from tests.pipeline.facts import everything_stored, everything_true
from tests.pipeline.worlds import World

pytestmark = pytest.mark.django_db
TRADES = "/api/v3/myTrades"


def recovers(world: World) -> bool:
    """Whether, once the exchange is well and the waiting over, the next run stores the truth."""
    world.simulator.faults.clear()
    world.clock.advance(minutes=15)
    run = world.sync()
    return run.status == RunStatus.OK and everything_stored(world) == everything_true(world)


def test_a_wrong_key_is_told_and_disabled_at_the_second_refusal(make_world: Callable[..., World]) -> None:
    world = make_world(key="k" * 64)
    first = world.sync(Trigger.CONNECT)
    assert (first.status, first.error_kind) == (RunStatus.FAILED, ErrorKind.AUTH)
    assert "-2015" in first.error_detail or "-2014" in first.error_detail
    assert "API key" in words.explain(first.error_kind)
    world.clock.advance(minutes=11)
    assert world.work() is not None
    with world.door():
        assert ExchangeAccount.objects.get(id=world.account.id).key_state == KeyState.DISABLED


def test_a_wrong_signature_is_told(make_world: Callable[..., World]) -> None:
    world = make_world(secret="s" * 64)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, ErrorKind.AUTH)
    assert "-1022" in run.error_detail


def test_a_key_refused_once_is_good_again(world: World) -> None:
    world.fault("revoked_key", path="/api/v3/account", times=1)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, ErrorKind.AUTH)
    assert recovers(world)
    with world.door():
        assert ExchangeAccount.objects.get(id=world.account.id).key_state == KeyState.GOOD


def test_a_key_that_may_withdraw_is_refused(world: World) -> None:
    theirs = world.simulator.accounts["quiet"]
    theirs.can_withdraw = True
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, ErrorKind.AUTH)
    assert "withdraw" in run.error_detail


@pytest.mark.parametrize("minutes", [-2, 2])
def test_our_clock_two_minutes_off_is_measured_and_made_up_for(world: World, minutes: int) -> None:
    world.skew = timedelta(minutes=minutes)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.clock_offset_ms) == (RunStatus.OK, -60_000 * minutes)
    assert recovers(world)


def test_a_clock_that_stays_refused_is_told(world: World) -> None:
    world.fault("clock_offset", path="/api/*", ms=120_000, times=1)
    world.fault("clock_offset", path="/sapi/*", ms=120_000)
    world.fault("clock_offset", path="/api/v3/account", ms=-120_000)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, ErrorKind.CLOCK)
    assert recovers(world)


@pytest.mark.parametrize(
    ("action", "properties", "kind"),
    [
        ("rate_limit", {"retry_after": 20}, ErrorKind.RATE),
        ("ban", {"retry_after": 120}, ErrorKind.BANNED),
        ("bad_gateway", {}, ErrorKind.DOWN),
        ("truncate", {}, ErrorKind.NETWORK),
        ("reset", {}, ErrorKind.NETWORK),
    ],
)
def test_an_exchange_in_trouble_is_told_and_waited_for(
    world: World, action: str, properties: dict[str, int], kind: ErrorKind
) -> None:
    world.fault(action, path=TRADES, **properties)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, kind)
    assert run.error_detail
    assert words.explain(run.error_kind)
    assert world.cursor(Stream.BALANCES).last_ok_at == world.now()  # what was read before is kept
    world.clock.advance(seconds=10)
    assert world.work() is None  # and nobody asks before it helps
    assert recovers(world)


@pytest.mark.parametrize("action", ["rate_limit", "bad_gateway", "truncate", "reset"])
def test_one_failure_in_the_middle_loses_nothing(world: World, action: str) -> None:
    world.fault(action, path=TRADES, skip=2, times=1)
    world.sync(Trigger.CONNECT)
    assert recovers(world)


def test_another_account_waits_too_when_the_address_is_refused(world: World) -> None:
    world.fault("ban", path=TRADES, retry_after=600)
    world.sync(Trigger.CONNECT)
    world.simulator.faults.clear()
    run = world.sync(Trigger.USER)
    assert (run.status, run.error_kind) == (RunStatus.FAILED, ErrorKind.BANNED)
    assert "wait until" in run.error_detail


def test_a_symbol_the_exchange_forgot_stops_only_itself(world: World) -> None:
    world.sync(Trigger.CONNECT)
    gone = ListingRow(MarketType.SPOT, "BTCPAX", "BTC", "PAX", "BREAK", False, None, None, None, None)
    world.clock.advance(minutes=15)
    listings.store(exchange="binance", rows=[gone], at=world.now())
    run = world.sync()
    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, ErrorKind.USER)
    assert "Invalid symbol" in run.error_detail
    assert world.cursor(Stream.FILLS, "BTCPAX").error_kind == ErrorKind.USER
    assert everything_stored(world) == everything_true(world)


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_pages_doubled_or_backwards_store_the_truth(make_world: Callable[..., World], action: str) -> None:
    world = make_world("demo")
    for path in (TRADES, "/api/v3/allOrders", "/api/v3/openOrders", "/sapi/*"):
        world.fault(action, path=path)
    run = world.sync(Trigger.CONNECT)
    assert run.status == RunStatus.OK
    assert everything_stored(world) == everything_true(world)


@pytest.mark.parametrize(
    ("action", "path", "stream"),
    [
        ("many_decimals", TRADES, Stream.FILLS),
        ("unreadable_row", TRADES, Stream.FILLS),
        ("many_decimals", "/sapi/v1/capital/deposit/hisrec", Stream.DEPOSITS),
    ],
)
def test_an_unreadable_row_is_set_aside_and_mended(
    world: World, action: str, path: str, stream: Stream
) -> None:
    params = {"symbol": "BTCUSDT"} if stream is Stream.FILLS else {}
    world.fault(action, path=path, params=params)
    run = world.sync(Trigger.CONNECT)
    assert (run.status, run.error_kind, run.rejected_count) == (RunStatus.PARTIAL, words.UNREADABLE, 1)
    with world.door():
        row = RejectedRow.objects.get()
    assert (row.stream, row.run_id, row.mended_at) == (stream, run.id, None)
    assert recovers(world)
    with world.door():
        assert RejectedRow.objects.get().mended_at is not None


def test_a_row_that_stays_unreadable_is_reported_once(world: World) -> None:
    world.fault("many_decimals", path=TRADES, params={"symbol": "BTCUSDT"})
    first = world.sync(Trigger.CONNECT)
    world.clock.advance(minutes=15)
    second = world.sync()
    assert (first.rejected_count, second.rejected_count, second.status) == (1, 0, RunStatus.OK)
    with world.door():
        assert RejectedRow.objects.get().mended_at is None


def test_an_unreadable_balance_never_looks_like_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sync(Trigger.CONNECT)
    before = everything_stored(world)
    unreadable: Page[BalanceRow] = Page((), (BadRow({"asset": "BNB"}, "free is missing"),), "", False, 1)
    monkeypatch.setattr(BinanceAccount, "balances", lambda self: unreadable)
    world.clock.advance(minutes=15)
    run = world.sync(Trigger.USER)
    assert (run.status, run.error_kind) == (RunStatus.PARTIAL, ErrorKind.DOWN)
    assert everything_stored(world) == before
    monkeypatch.undo()
    assert recovers(world)


def test_balances_gone_all_at_once_are_believed_only_when_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sync(Trigger.CONNECT)
    before = everything_stored(world)
    true_balances = BinanceAccount.balances
    answers: list[Page[BalanceRow]] = [Page((), (), "", False, 0)]
    monkeypatch.setattr(
        BinanceAccount, "balances", lambda self: answers.pop() if answers else true_balances(self)
    )
    world.clock.advance(minutes=15)
    world.sync(Trigger.USER)
    assert (answers, everything_stored(world)) == ([], before)


def test_an_empty_page_loses_nothing(world: World) -> None:
    world.fault("empty_page", path=TRADES, times=3)
    world.sync(Trigger.CONNECT)
    assert recovers(world)


def test_nothing_secret_is_told(world: World) -> None:
    theirs = world.simulator.accounts["quiet"]
    world.fault("bad_gateway", path=TRADES)
    run = world.sync(Trigger.CONNECT)
    assert theirs.api_key not in run.error_detail
    assert "signature" not in run.error_detail
