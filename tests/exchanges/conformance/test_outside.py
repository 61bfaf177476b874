"""Coins that came or changed outside the order book, where an exchange tells them, against the truth."""

from collections.abc import Iterator
from dataclasses import replace
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
    if not house.changes:
        pytest.skip(f"{house.name} tells of no coins changed.")
    with house.running(profiles=(replace(COLLECTOR, days=70),)) as world:
        yield world


@pytest.fixture
def giving(collecting: World) -> World:
    if collecting.house.gives_by is None:
        pytest.skip(f"{collecting.house.name} tells of no coins given.")
    return collecting


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
        world.house.gift_id(fact): {"kind": _KINDS[fact["words"]], "asset": fact["asset"], "to": "spot"}
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
        if fact["is_dust"] in world.house.changes
    }


def test_every_coin_given_is_told_as_what_it_is(giving: World) -> None:
    true = truly_given(giving)
    assert given(giving)[0] == true
    assert {fact["kind"] for fact in true.values()} == {"AIRDROP", "INTEREST"}


def test_every_conversion_is_told(collecting: World) -> None:
    assert changed(collecting)[0] == truly_changed(collecting) != {}


def test_later_walks_tell_what_came_since_and_little_again(house: House) -> None:
    if not house.changes:
        pytest.skip(f"{house.name} tells of no coins changed.")
    with house.running(profiles=(replace(COLLECTOR, days=60),)) as world:
        first, end = changed(world)
        world.clock.advance(hours=24 * 14)
        again, _ = changed(world, end)
        assert first | again == truly_changed(world)
        assert len(again) < len(first)


def test_later_walks_tell_what_was_given_since(house: House) -> None:
    if house.gives_by is None:
        pytest.skip(f"{house.name} tells of no coins given.")
    with house.running(profiles=(replace(COLLECTOR, days=30),)) as world:
        first, end = given(world)
        world.clock.advance(hours=24 * 14)
        again, _ = given(world, end)
        assert first | again == truly_given(world)
        assert len(first.keys() & again.keys()) < len(first) / 2


def test_a_key_of_nobody_is_refused(collecting: World) -> None:
    house = collecting.house
    account = collecting.account(_LABEL, key=house.no_key, secret=house.no_secret)
    assert refused(lambda: account.conversions("", collecting.now())).kind.value == "auth"


@pytest.mark.parametrize(
    ("action", "kind"), [("rate_limit", "rate"), ("bad_gateway", "down"), ("truncate", "network")]
)
def test_a_fault_on_the_way_costs_no_coin(giving: World, action: str, kind: str) -> None:
    asked, account = giving.house.gives_by, giving.account(_LABEL)
    assert asked is not None
    account.balances()
    first = account.transfers(asked, "", giving.now())
    rule = giving.simulator.faults.add(action, times=1)
    assert first.has_more
    error = refused(lambda: account.transfers(asked, first.next_position, giving.now()))
    rows, _, _ = walk(lambda at: account.transfers(asked, at, giving.now()), first.next_position)
    assert (error.kind.value, rule.hits) == (kind, 1)
    assert {row.transfer_id for row in (*first.rows, *rows)} == truly_given(giving).keys()


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_answers_change_nothing(giving: World, action: str) -> None:
    rule = giving.simulator.faults.add(action)
    found = given(giving)[0], changed(giving)[0]
    giving.simulator.faults.remove(rule)
    assert found == (truly_given(giving), truly_changed(giving))
