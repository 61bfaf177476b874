"""What stands before every request: pauses of an address or an account, outages, budgets and what answers tell."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from core import clock
from exchanges import registry
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import breakers, governors, priorities, stops
from pipeline.breakers import Breakers
from pipeline.budgets import Budgets, Purse
from pipeline.governors import Governor
from pipeline.priorities import Priority
from pipeline.stops import Stop

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "binance": ("private_get_mytrades", {"symbol": "BTCUSDT"}),
    "gateio": ("private_spot_get_my_trades", {}),
    "mexc": ("spot_private_get_mytrades", {"symbol": "BTCUSDT"}),
    "bitget": ("private_spot_get_v2_spot_trade_fills", {}),
}
PRICES = {
    "binance": "public_get_ticker_price",
    "gateio": "public_spot_get_tickers",
    "mexc": "spot_public_get_ticker_price",
    "bitget": "public_spot_get_v2_spot_market_tickers",
}


class Hand:
    """A clock in the test's hand; whoever sleeps moves it."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def governor(self, exchange: str = "binance", account: str = "one") -> Governor:
        outages = Breakers(now=lambda: self.now, probe=lambda name: None, refresh_prices=lambda name: None)
        budgets = Budgets(lambda: clock.to_ms(self.now))
        return Governor(
            purse=Purse(exchange, "here", account), budgets=budgets, outages=outages, sleep=self.sleep
        )

    def is_refused(self, exchange: str, account: str = "one", *, public: bool = False) -> bool:
        endpoint, params = (PRICES[exchange], {}) if public else FILLS[exchange]
        try:
            self.governor(exchange, account).before(endpoint, params)
        except ExchangeError as error:
            return (error.code, error.retry_at) == (stops.PAUSED, START + timedelta(minutes=1))
        return False


@pytest.fixture
def hand(db: None, settings: Settings) -> Hand:
    settings.EXCHANGE_BUDGET_PERCENT = 100
    settings.OUTGOING_ADDRESS = "here"
    return Hand()


def refusal(kind: ErrorKind = ErrorKind.RATE) -> ExchangeError:
    return ExchangeError(kind, "too fast", retry_at=START + timedelta(minutes=1))


@pytest.mark.parametrize("exchange", ["gateio", "mexc", "bitget"])
def test_a_refusal_of_one_account_leaves_the_others_alone(hand: Hand, exchange: str) -> None:
    endpoint, params = FILLS[exchange]
    hand.governor(exchange).after(endpoint, params, {}, refusal())

    assert hand.is_refused(exchange, "one")
    assert not hand.is_refused(exchange, "two")
    assert not hand.is_refused(exchange, "", public=True)


@pytest.mark.parametrize("exchange", list(registry.supported()))
def test_a_ban_and_a_refusal_of_public_data_concern_everybody_here(hand: Hand, exchange: str) -> None:
    endpoint, params = FILLS[exchange]
    hand.governor(exchange).after(endpoint, params, {}, refusal(ErrorKind.BANNED))
    assert hand.is_refused(exchange, "two")
    hand.now += timedelta(minutes=2)
    assert not hand.is_refused(exchange, "two")


def test_weight_of_the_address_is_everybodys(hand: Hand) -> None:
    endpoint, params = FILLS["binance"]
    hand.governor("binance", "one").after(endpoint, params, {}, refusal())
    assert hand.is_refused("binance", "two")
    assert not hand.is_refused("mexc", "two")


def test_a_short_pause_is_slept_out(hand: Hand) -> None:
    endpoint, params = FILLS["gateio"]
    error = ExchangeError(ErrorKind.RATE, "too fast", retry_at=START + timedelta(seconds=2))
    hand.governor("gateio").after(endpoint, params, {}, error)

    hand.governor("gateio").before(endpoint, params)
    assert hand.slept == [2]


def spend(hand: Hand, priority: Priority) -> tuple[int, ExchangeError | None]:
    """Requests sent at this priority until one is sent away; at most 300."""
    governor, (endpoint, params) = hand.governor(), FILLS["binance"]
    with priorities.using(priority):
        for count in range(301):
            try:
                governor.before(endpoint, params)
            except ExchangeError as error:
                return count, error
    return count, None


def test_a_caller_that_would_wait_long_is_sent_away_until_its_share_is_back(hand: Hand) -> None:
    count, error = spend(hand, Priority.BACKFILL)

    assert count == 6_000 * 60 // 100 // 20
    assert error is not None
    assert (error.kind, error.code, hand.slept) == (ErrorKind.RATE, governors.SPENT, [])
    assert error.retry_at is not None
    assert timedelta(minutes=1) <= error.retry_at - START <= timedelta(seconds=66)


def test_orders_still_go_out_when_everybody_else_is_sent_away(hand: Hand) -> None:
    counts = {priority: spend(hand, priority)[0] for priority in Priority}

    assert counts == {
        Priority.DISCOVERY: 120,
        Priority.BACKFILL: 60,
        Priority.INCREMENTAL: 60,
        Priority.INTERACTIVE: 30,
        Priority.ORDERS: 30,
    }


def test_whoever_waits_for_a_person_waits_longer(hand: Hand) -> None:
    """Gate.io's ten seconds are waited out for a person, not for a backfill."""
    endpoint, params = FILLS["gateio"]
    governor = hand.governor("gateio")
    with priorities.using(Priority.INTERACTIVE):
        for _ in range(180):
            governor.before(endpoint, params)
    hand.now += timedelta(seconds=4)
    with priorities.using(Priority.BACKFILL), pytest.raises(ExchangeError):
        governor.before(endpoint, params)
    with priorities.using(Priority.INTERACTIVE):
        governor.before(endpoint, params)
    assert 6 <= sum(hand.slept) <= 7.5


def test_what_others_spent_behind_our_address_is_believed(hand: Hand) -> None:
    endpoint, params = FILLS["binance"]
    governor = hand.governor()
    governor.before(endpoint, params)
    governor.after(endpoint, params, {"X-MBX-USED-WEIGHT-1M": "5900"}, None)

    assert spend(hand, Priority.ORDERS)[0] == 5
    assert spend(hand, Priority.BACKFILL)[0] == 0


def test_what_gateio_tells_is_left_is_believed(hand: Hand) -> None:
    endpoint, params = FILLS["gateio"]
    governor = hand.governor("gateio")
    governor.before(endpoint, params)
    told = {"X-Gate-RateLimit-Limit": "200", "X-Gate-RateLimit-Requests-Remain": "3"}
    governor.after(endpoint, params, told, None)

    with priorities.using(Priority.ORDERS):
        for _ in range(3):
            governor.before(endpoint, params)
        assert hand.slept == []
        with pytest.raises(ExchangeError):
            governor.before(endpoint, params)


@pytest.mark.parametrize("headers", [{}, {"X-MBX-USED-WEIGHT-1M": "many"}, {"X-MBX-USED-WEIGHT-1M": "-5"}])
def test_headers_that_tell_nothing_change_nothing(hand: Hand, headers: dict[str, str]) -> None:
    endpoint, params = FILLS["binance"]
    hand.governor().after(endpoint, params, headers, None)
    assert spend(hand, Priority.ORDERS)[0] == 300


def test_failures_open_the_breaker_for_everybody(hand: Hand) -> None:
    endpoint, params = FILLS["mexc"]
    for account in "abcde":
        failure = ExchangeError(ErrorKind.DOWN, "ill")
        hand.governor("mexc", account).after(endpoint, params, {}, failure)

    with pytest.raises(ExchangeError) as raised:
        hand.governor("mexc", "f").before(endpoint, params)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, stops.BREAKER)
    assert raised.value.retry_at == START + breakers.FIRST_WAIT


def test_whoever_comes_when_the_wait_is_over_probes_and_goes_on(hand: Hand) -> None:
    endpoint, params = FILLS["mexc"]
    for account in "abcde":
        hand.governor("mexc", account).after(endpoint, params, {}, ExchangeError(ErrorKind.DOWN, "ill"))
    hand.now += breakers.FIRST_WAIT
    hand.governor("mexc", "f").before(endpoint, params)
    assert breakers.stopped(now=hand.now) == frozenset()


def test_in_a_network_pause_nothing_is_sent_but_what_ends_it(hand: Hand) -> None:
    stop = Stop(stops.NETWORK, ErrorKind.NETWORK, "gone", since=START, until=START + timedelta(minutes=1))
    stops.put(breakers.network_key(), stop, lasts=timedelta(minutes=5))
    governor, (endpoint, params) = hand.governor(), FILLS["binance"]

    with priorities.using(Priority.ORDERS), pytest.raises(ExchangeError, match="gone"):
        governor.before(endpoint, params)
    with stops.passing():
        governor.before(endpoint, params)


@pytest.mark.usefixtures("no_redis")
def test_without_redis_requests_go_out_slowly_and_own_pauses_hold(hand: Hand) -> None:
    governor, (endpoint, params) = hand.governor(), FILLS["binance"]
    with priorities.using(Priority.ORDERS):
        for _ in range(30):
            governor.before(endpoint, params)
        assert hand.slept == []
        with pytest.raises(ExchangeError):
            governor.before(endpoint, params)
    hand.now += timedelta(minutes=2)
    governor.after(
        endpoint, params, {}, ExchangeError(ErrorKind.RATE, "x", retry_at=hand.now + timedelta(hours=1))
    )
    with pytest.raises(ExchangeError, match="asked this server to wait"):
        hand.governor("binance", "two").before(endpoint, params)
