"""Coins that came or changed outside the order book, where an exchange tells them, against the truth."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from exchanges.rows import ConversionRow
from exchanges.simulators.profiles import COLLECTOR
from tests.exchanges.conformance.house import Facts, House, World, refused, walk

_LABEL = COLLECTOR.label
_KINDS = {"Flexible": "INTEREST", "ADA distribution": "AIRDROP"}


@pytest.fixture(scope="module")
def collecting(house: House) -> Iterator[World]:
    """Somebody who is given coins and changes some; one world for all who only read."""
    if house.gives_by is None:
        pytest.skip(f"{house.name} tells of no coins given or changed.")
    with house.running(profiles=(replace(COLLECTOR, days=70),)) as world:
        yield world


def given(world: World, position: str = "") -> tuple[Facts, str]:
    kind, account = world.house.gives_by, world.account(_LABEL)
    assert kind is not None
    rows, bad, end = walk(lambda at: account.transfers(kind, at, world.now()), position)
    assert bad == []
    told = {
        row.transfer_id: {
            "kind": row.kind.value,
            "asset": row.asset,
            "amount": row.amount,
            "to": row.to_wallet,
        }
        | {"time": clock.to_ms(row.occurred_at)}
        for row in rows
    }
    return told, end


def truly_given(world: World) -> Facts:
    return {
        str(fact["id"]): {"kind": _KINDS[fact["words"]], "asset": fact["asset"], "to": "spot"}
        | {"amount": Decimal(fact["amount"]), "time": fact["time"]}
        for fact in world.truth(_LABEL)["dividends"]
    }


def changed(world: World, position: str = "") -> tuple[Facts, str]:
    account = world.account(_LABEL)
    assert account.has_conversions
    rows, bad, end = walk(lambda at: account.conversions(at, world.now()), position)
    assert bad == []
    return {row.conversion_id: _change(row) for row in rows}, end


def _change(row: ConversionRow) -> dict[str, object]:
    amounts = {"from_amount": row.from_amount, "to_amount": row.to_amount, "fee": row.fee_amount}
    coins = {"from_asset": row.from_asset, "to_asset": row.to_asset}
    return coins | amounts | {"time": clock.to_ms(row.occurred_at)}


def truly_changed(world: World) -> Facts:
    return {
        world.house.conversion_id(fact): {name: fact[name] for name in ("from_asset", "to_asset", "time")}
        | {name: Decimal(fact[name]) for name in ("from_amount", "to_amount", "fee")}
        for fact in world.truth(_LABEL)["conversions"]
    }


def test_every_coin_given_is_told_as_what_it_is(collecting: World) -> None:
    true = truly_given(collecting)
    assert given(collecting)[0] == true
    assert {fact["kind"] for fact in true.values()} == {"AIRDROP", "INTEREST"}


def test_every_conversion_is_told(collecting: World) -> None:
    facts = collecting.truth(_LABEL)["conversions"]
    assert changed(collecting)[0] == truly_changed(collecting)
    assert {fact["is_dust"] for fact in facts} == {True, False}


def test_later_walks_tell_what_came_since_and_little_again(house: House) -> None:
    if house.gives_by is None:
        pytest.skip(f"{house.name} tells of no coins given or changed.")
    with house.running(profiles=(replace(COLLECTOR, days=30),)) as world:
        first, ends = (given(world)[0], changed(world)[0]), (given(world)[1], changed(world)[1])
        world.clock.advance(hours=24 * 14)
        again = given(world, ends[0])[0], changed(world, ends[1])[0]
        for true, before, after in zip((truly_given(world), truly_changed(world)), first, again, strict=True):
            assert before | after == true
            assert len(before.keys() & after.keys()) < len(before) / 2
        assert min(fact["time"] for fact in again[1].values()) > clock.to_ms(world.now() - timedelta(days=20))


def test_a_key_of_nobody_is_refused(collecting: World) -> None:
    house = collecting.house
    account = collecting.account(_LABEL, key=house.no_key, secret=house.no_secret)
    assert refused(lambda: account.conversions("", collecting.now())).kind.value == "auth"


@pytest.mark.parametrize(
    ("action", "kind"), [("rate_limit", "rate"), ("bad_gateway", "down"), ("truncate", "network")]
)
def test_a_fault_on_the_way_costs_no_coin(collecting: World, action: str, kind: str) -> None:
    asked, account = collecting.house.gives_by, collecting.account(_LABEL)
    assert asked is not None
    account.balances()
    first = account.transfers(asked, "", collecting.now())
    rule = collecting.simulator.faults.add(action, times=1)
    assert first.has_more
    error = refused(lambda: account.transfers(asked, first.next_position, collecting.now()))
    rows, _, _ = walk(lambda at: account.transfers(asked, at, collecting.now()), first.next_position)
    assert (error.kind.value, rule.hits) == (kind, 1)
    assert {row.transfer_id for row in (*first.rows, *rows)} == truly_given(collecting).keys()


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_answers_change_nothing(collecting: World, action: str) -> None:
    rule = collecting.simulator.faults.add(action)
    found = given(collecting)[0], changed(collecting)[0]
    collecting.simulator.faults.remove(rule)
    assert found == (truly_given(collecting), truly_changed(collecting))
