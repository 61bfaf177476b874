"""After a sync over HTTP, what the exchange reports is held against its facts."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline import reconcile
from pipeline.models import CoverageGap, Stream, SyncCursor, Trigger
from portfolio.models import AccountMark, ReconciliationItem
from tests.pipeline.worlds import START, World

pytestmark = pytest.mark.django_db


def items(world: World, *columns: str) -> list[Any]:
    with world.door():
        rows = ReconciliationItem.objects.filter(account=world.account).order_by("kind", "subject", "id")
        return list(rows.values_list(*columns, flat=len(columns) == 1))


def mark(world: World) -> AccountMark:
    with world.door():
        return AccountMark.objects.get(account=world.account)


def test_facts_that_explain_everything_open_nothing(make_world: Callable[..., World]) -> None:
    world = make_world("demo")
    world.sync(Trigger.CONNECT)

    assert items(world, "subject") == []
    assert (mark(world).reconciled_at, mark(world).coverage) == (START, [])


def test_a_conversion_the_exchange_does_not_tell_is_found(make_world: Callable[..., World]) -> None:
    world = make_world("holes")
    world.sync(Trigger.CONNECT)

    assert items(world, "subject", "cause", "state") == [
        ("BNB", "conversion", "open"),
        ("USDT", "conversion", "open"),
    ]


def test_what_is_read_in_part_opens_nothing_until_the_rest_came(world: World) -> None:
    world.fault("bad_gateway", path="/sapi/v1/capital/deposit/hisrec", times=1)
    world.sync(Trigger.CONNECT)

    assert items(world, "subject") == []
    # Until deposits are read nobody knows where the history begins.
    assert (mark(world).reconciled_at, mark(world).coverage) == (
        None,
        ["older_history:conversions@2025-08-13", "reading"],
    )

    world.wait(minutes=2)
    world.sync()
    assert (mark(world).reconciled_at, mark(world).coverage) == (world.now(), [])


def test_an_account_where_nothing_changed_is_not_held_against_again(world: World) -> None:
    world.sync(Trigger.CONNECT)
    before = mark(world).reconciled_at

    done = reconcile.after_read(
        user_id=world.user.id, account_id=world.account.id, at=world.now(), since=world.now(), changed=False
    )

    assert (done, mark(world).reconciled_at) == (None, before)


def test_what_is_not_known_of_the_history_is_told(world: World) -> None:
    world.sync(Trigger.CONNECT)
    with world.door():
        scope = {"user_id": world.user.id, "account": world.account, "stream": Stream.DEPOSITS}
        CoverageGap.objects.create(**scope, since=START.replace(hour=1), until=START, noted_at=START)
        SyncCursor.objects.filter(stream=Stream.WITHDRAWALS).update(known_from=START)
        SyncCursor.objects.filter(stream=Stream.FILLS, scope="BTCUSDT").update(
            row_count=1, error_kind="permission", error_detail="No."
        )
        known = reconcile.know(world.account)

    day = f"{START:%Y-%m-%d}"
    assert known.codes == [f"gap:deposits@{day}/{day}", f"older_history:withdrawals@{day}", "refused:fills"]
    assert [(hole.what, hole.market, hole.is_older) for hole in known.holes] == [
        ("Deposits", "", False),
        ("Withdrawals", "", True),
        ("Fills of BTCUSDT", "BTCUSDT", False),
    ]
