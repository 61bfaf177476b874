"""The commands a person runs."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portfolio.models import Trade
from tests.pipeline.facts import everything_stored, everything_true
from tests.pipeline.worlds import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_command")]


@pytest.fixture(autouse=True)
def _clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clock.now", world.now)


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_sync_stores_the_truth_and_prints_one_document(world: World) -> None:
    document = json.loads(call("sync", "--user", world.user.email, "--json"))
    [run] = document["runs"]
    assert (run["status"], run["label"], run["counts"]["fills"]) == ("ok", "Main", 7)
    assert everything_stored(world) == everything_true(world)


def test_sync_tells_in_words(world: World) -> None:
    assert call("sync", "--user", world.user.email).startswith("Main: ok; ")


def test_a_failed_sync_tells_why_and_fails(world: World) -> None:
    world.fault("bad_gateway")
    with pytest.raises(CommandError, match="The sync of Main failed"):
        call("sync", "--user", world.user.email)


def test_an_unknown_user_is_told_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"no user 'nobody@example\.com': check the address"):
        call("sync", "--user", "nobody@example.com")


def test_an_unknown_label_is_told_the_known_ones(world: World) -> None:
    with pytest.raises(CommandError, match="there are: 'Main'"):
        call("sync", "--user", world.user.email, "--account", "Other")


def test_rebuild_gives_the_same_trades_from_zero(world: World) -> None:
    call("sync", "--user", world.user.email)

    def trades() -> list[object]:
        with world.door():
            return list(Trade.objects.order_by("id").values_list("symbol", "exit_quantity", "net_pnl"))

    before = trades()
    assert " facts into 2 books" in call("rebuild", "--user", world.user.email)
    assert trades() == before


def test_an_unknown_simulator_is_told_the_known_ones() -> None:
    with pytest.raises(CommandError, match="known: binance"):
        call("simulate_exchange", "kraken")
