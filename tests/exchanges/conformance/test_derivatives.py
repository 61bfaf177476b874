"""Contracts, where an exchange has them: what is walked is the truth, and walks resume and overlap."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from core import clock
from exchanges.base import Account, Derivatives
from exchanges.rows import BadRow, CandleRow, FillRow
from tests.exchanges.conformance.house import Contracts, Fact, House, World, walk


@pytest.fixture(scope="module")
def trading(house: House) -> Iterator[World]:
    """People who trade contracts; one world for all who only read."""
    if house.contracts is None:
        pytest.skip(f"{house.name}: no contracts are described.")
    with house.running(profiles=house.contracts.people, seed=5) as world:
        yield world


@pytest.fixture(params=["leveraged", "hedged"])
def label(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def described(world: World) -> Contracts:
    assert world.house.contracts is not None
    return world.house.contracts


def derivatives(account: Account) -> Derivatives:
    found = account.derivatives
    assert found is not None
    return found


def contract_facts(rows: Sequence[FillRow], contracts: Contracts) -> dict[tuple[str, str], Fact]:
    facts = {}
    for row in rows:
        assert row.contract is not None
        pnl = {"realized_pnl": row.contract.realized_pnl} if contracts.tells_pnl else {}
        facts[row.symbol, row.fill_id] = {
            "order_id": row.order_id,
            "side": row.side.value,
            "position_side": row.contract.position_side.value,
            "price": row.price,
            "quantity": row.quantity,
            "fee": row.fee_amount,
            "fee_asset": row.fee_currency,
            "is_maker": row.is_maker,
            "is_liquidation": row.contract.is_liquidation,
            "time": clock.to_ms(row.executed_at),
            **pnl,
        }
    return facts


def true_fills(world: World, label: str) -> dict[tuple[str, str], Fact]:
    contracts = described(world)
    return {
        (symbol, str(fact["id"])): contracts.fill_truth(fact)
        for symbol, facts in world.truth(label)["futures"]["fills"].items()
        for fact in world.kept(facts, contracts.keeps_fills)
    }


def known(world: World, label: str) -> list[str]:
    """Contracts seen in positions and facts."""
    return sorted(world.truth(label)["futures"]["fills"])


def test_every_fill_is_walked_with_all_it_says(trading: World, label: str) -> None:
    contracts = derivatives(trading.account(label))
    rows = [
        row
        for scope in contracts.trade_scopes(known(trading, label))
        for row in walk(partial(contracts.fills, scope))[0]
    ]
    assert contract_facts(rows, described(trading)) == true_fills(trading, label)
    assert rows


def test_a_window_is_half_open_to_the_millisecond(trading: World, label: str) -> None:
    contracts = derivatives(trading.account(label))
    truth = true_fills(trading, label)
    times = sorted(fact["time"] for fact in truth.values())
    since, until = times[len(times) // 3], times[-2]
    found = [
        row
        for scope in contracts.trade_scopes(known(trading, label))
        for page in contracts.fills_between(scope, clock.from_ms(since), clock.from_ms(until))
        for row in page.rows
    ]
    assert contract_facts(found, described(trading)) == {
        key: fact for key, fact in truth.items() if since <= fact["time"] < until
    }


def test_a_walk_goes_on_in_another_session_after_every_page(trading: World, label: str) -> None:
    found: dict[tuple[str, str], Fact] = {}
    for scope in derivatives(trading.account(label)).trade_scopes(known(trading, label)):
        position = ""
        while True:
            page = derivatives(trading.account(label)).fills(scope, position)
            found |= contract_facts(page.rows, described(trading))
            position = page.next_position
            if not page.has_more:
                break
    assert found == true_fills(trading, label)


@pytest.mark.parametrize("action", ["duplicate_rows", "out_of_order_rows"])
def test_disordered_pages_lose_nothing(trading: World, label: str, action: str) -> None:
    contracts = derivatives(trading.account(label))
    rule = trading.simulator.faults.add(action, path=described(trading).fills_path)
    rows = [
        row
        for scope in contracts.trade_scopes(known(trading, label))
        for row in walk(partial(contracts.fills, scope))[0]
    ]
    trading.simulator.faults.remove(rule)
    assert contract_facts(rows, described(trading)) == true_fills(trading, label)
    assert rule.hits


def test_funding_walked_is_the_truth(trading: World, label: str) -> None:
    contracts = derivatives(trading.account(label))
    rows = [
        row
        for scope in contracts.ledger_scopes()
        for row in walk(partial(contracts.funding, scope, until=trading.now()))[0]
    ]
    assert sorted((row.symbol, row.asset, row.amount, clock.to_ms(row.paid_at)) for row in rows) == sorted(
        (fact["contract"], fact["asset"], Decimal(fact["amount"]), fact["time"])
        for fact in trading.truth(label)["futures"]["funding"]
    )


def test_every_open_position_is_told(trading: World, label: str) -> None:
    page = derivatives(trading.account(label)).positions()
    assert {(row.symbol, row.side.value): row.quantity for row in page.rows} == {
        (fact["contract"], fact["side"]): Decimal(fact["quantity"])
        for fact in trading.truth(label)["futures"]["positions"]
    }
    assert page.bad == ()


def test_who_has_no_contracts_has_none_and_spot_works(trading: World) -> None:
    account = trading.account("quiet")
    assert account.derivatives is None
    assert {row.wallet for row in account.balances().rows} == {"spot"}


def test_daily_candles_of_a_contract_are_read_from_long_ago(trading: World) -> None:
    market, first = trading.market(), datetime(2025, 2, 1, tzinfo=UTC)
    rows, bad = list[CandleRow](), list[BadRow]()
    since, until = first, trading.now()
    while True:
        page = market.contract_candles(described(trading).busy, "1d", since, until)
        rows += page.rows
        bad += page.bad
        if not page.has_more:
            break
        since = page.rows[-1].opened_at
    market.close()
    found = {row.opened_at: row.close for row in rows}
    assert not bad
    assert sorted(found) == [first + timedelta(days=number) for number in range((until - first).days + 1)]
    assert found == {**found, **_spot_closes(trading, first, until)}


def _spot_closes(world: World, since: datetime, until: datetime) -> dict[datetime, Decimal]:
    """Of the days that are over: the simulated contract trades at the price of spot."""
    market, symbol = world.market(), world.house.wire("ETHUSDT")
    page = market.candles(symbol, "1d", until - timedelta(days=30), until - timedelta(days=1))
    market.close()
    assert page.rows
    return {row.opened_at: row.close for row in page.rows}
