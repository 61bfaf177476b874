"""History read again: for what the cursors have passed without it."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from core import clock
from pipeline import cursors
from pipeline.backfill import Span
from pipeline.models import CursorState, Stream, SyncCursor
from tests.pipeline.facts import everything_stored, everything_true, stored_fills, true_fills
from tests.pipeline.worlds import START, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_command", "passed_by")]

BEYOND = "999999999"


@pytest.fixture(autouse=True)
def _clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clock.now", world.now)


@pytest.fixture
def passed_by(world: World) -> None:
    """Every market's fills are believed to be read, and none is there."""
    symbols = list(world.truth()["fills"])
    with world.door():
        for stream in (Stream.FILLS, Stream.ORDERS):
            cursors.ensure(account=world.account, stream=stream, scopes=symbols, due_at=START)
        rows = SyncCursor.objects.filter(stream=Stream.FILLS)
        rows.update(position=BEYOND, state=CursorState.INCREMENTAL, last_ok_at=START)
    world.sync()
    assert stored_fills(world) == {} != true_fills(world)


def call(world: World, *arguments: str) -> str:
    out = StringIO()
    call_command("backfill", "--user", world.user.email, *arguments, stdout=out)
    return out.getvalue()


def true_fills_of(world: World, since: datetime, until: datetime) -> dict[tuple[str, str], object]:
    begin, end = clock.to_ms(since), clock.to_ms(until)
    return {key: fact for key, fact in true_fills(world).items() if begin <= fact["time"] < end}


def test_everything_the_exchange_tells_is_read_again(world: World) -> None:
    assert call(world).startswith("Main: ok; ")
    assert everything_stored(world) == everything_true(world)


def test_a_second_backfill_finds_nothing_new(world: World) -> None:
    call(world)
    assert call(world) == "Main: ok; nothing new\n"


def test_of_a_span_exactly_its_fills_are_read(world: World) -> None:
    times = sorted(fact["time"] for fact in true_fills(world).values())
    since, until = clock.from_ms(times[1]), clock.from_ms(times[-1])
    call(world, "--since", since.isoformat(), "--until", until.isoformat())
    assert stored_fills(world) == true_fills_of(world, since, until)
    assert len(stored_fills(world)) == len([at for at in times if times[1] <= at < times[-1]]) > 0


def test_a_span_leaves_the_cursors_where_they_are(world: World) -> None:
    call(world, "--since", "2025-01-01")
    with world.door():
        positions = SyncCursor.objects.filter(stream=Stream.FILLS, scope__in=list(world.truth()["fills"]))
        assert set(positions.values_list("position", flat=True)) == {BEYOND}
    assert stored_fills(world) == true_fills(world)


def test_a_symbol_nobody_knew_of_is_followed(world: World) -> None:
    call(world, "--since", "2026-02-20", "--symbols", "SOLUSDT")
    with world.door():
        assert SyncCursor.objects.filter(stream=Stream.ORDERS, scope="SOLUSDT").exists()


def test_a_symbol_that_is_not_listed_is_refused_in_words(world: World) -> None:
    with pytest.raises(CommandError, match="The sync of Main failed"):
        call(world, "--since", "2026-02-20", "--symbols", "NOSUCH")
    assert world.latest_run().error_detail == "The exchange does not list NOSUCH."


def test_it_waits_where_the_exchange_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        world.clock.advance(seconds=seconds)
        cache.clear()

    monkeypatch.setattr("pipeline.backfill.sleep", sleep)
    world.fault("rate_limit", path="*/myTrades", times=1, retry_after=40)
    call(world, "--since", "2025-01-01")
    assert stored_fills(world) == true_fills(world)
    assert waited == [30.0, 10.0]


def test_the_newest_days_come_first() -> None:
    chunks = list(Span(START - timedelta(days=70), START).chunks())
    assert chunks[0][1] == START
    assert [later[0] for later in chunks[:-1]] == [earlier[1] for earlier in chunks[1:]]
    assert chunks[-1][0] == START - timedelta(days=70)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--until", "2026-01-01"], "need --since"),
        (["--symbols", "BTCUSDT"], "need --since"),
        (["--since", "2026-01-02", "--until", "2026-01-01"], "before --until"),
        (["--since", "soon"], "'soon' is no date like 2024-03-31"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(world: World, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call(world, *arguments)
