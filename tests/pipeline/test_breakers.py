"""Outages with the clock in the test's hand, in a real Redis."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from pipeline import breakers, shared, stops
from pipeline.breakers import Breakers
from pipeline.models import Outage

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = frozenset({"binance", "bitget", "gateio", "mexc"})


@dataclass
class Sky:
    """Which exchanges can be reached, and what was asked of them."""

    now: datetime = START
    gone: dict[str, ErrorKind] = field(default_factory=dict)
    probed: list[str] = field(default_factory=list)
    priced: list[str] = field(default_factory=list)
    has_prices: bool = True

    def breakers(self) -> Breakers:
        return Breakers(now=lambda: self.now, probe=self.probe, refresh_prices=self.price)

    def probe(self, exchange: str) -> None:
        self.probed.append(exchange)
        if exchange in self.gone:
            raise ExchangeError(self.gone[exchange], "gone")

    def price(self, exchange: str) -> None:
        assert stops.is_passing()
        self.priced.append(exchange)
        if not self.has_prices:
            raise ExchangeError(ErrorKind.DOWN, "no prices")

    def fail(self, exchange: str, *who: str, kind: ErrorKind = ErrorKind.DOWN) -> None:
        for each in who:
            self.breakers().note_failure(exchange=exchange, who=each, kind=kind)

    def wait(self, seconds: float) -> frozenset[str]:
        """Time passes and somebody looks; who is not asked then."""
        self.now += timedelta(seconds=seconds)
        self.breakers().watch()
        return breakers.stopped(now=self.now)

    @property
    def stopped(self) -> frozenset[str]:
        return breakers.stopped(now=self.now)


@pytest.fixture
def sky(db: None) -> Sky:
    return Sky()


def test_an_exchange_that_fails_for_several_accounts_is_left_alone(sky: Sky) -> None:
    sky.fail("mexc", "a", "b", "c", "a")
    assert sky.stopped == frozenset()
    sky.fail("mexc", "b")
    assert sky.stopped == {"mexc"}


def test_one_accounts_failures_are_its_own(sky: Sky) -> None:
    sky.fail("mexc", *["a", "b"] * 10)
    assert sky.stopped == frozenset()


def test_failures_of_another_minute_do_not_count(sky: Sky) -> None:
    sky.fail("mexc", "a", "b", "c", "d")
    sky.now += timedelta(seconds=61)
    sky.fail("mexc", "e")
    assert sky.stopped == frozenset()


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind not in breakers.KINDS])
def test_what_an_exchange_refuses_is_no_outage(sky: Sky, kind: ErrorKind) -> None:
    sky.fail("mexc", *"abcdefgh", kind=kind)
    sky.fail("binance", *"abcdefgh", kind=kind)
    assert (sky.stopped, sky.probed) == (frozenset(), [])


def test_the_waits_double_up_to_ten_minutes_and_one_good_probe_ends_them(sky: Sky) -> None:
    sky.gone["mexc"] = ErrorKind.DOWN
    sky.fail("mexc", *"abcde")
    opened = [30, 60, 120, 240, 480, 600, 600]
    for wait in opened:
        assert sky.wait(wait - 1) == {"mexc"}
        assert sky.probed == []
        assert sky.wait(1) == {"mexc"}
        assert sky.probed == ["mexc"]
        sky.probed.clear()
    sky.gone.clear()
    assert sky.wait(600) == frozenset()


def test_an_exchange_that_opens_again_waits_the_shortest_time_again(sky: Sky) -> None:
    for _ in range(2):
        sky.fail("mexc", *"abcde")
        assert sky.wait(29) == {"mexc"}
        assert sky.wait(1) == frozenset()


def test_a_probe_that_is_refused_was_answered(sky: Sky) -> None:
    sky.gone["mexc"] = ErrorKind.RATE
    sky.fail("mexc", *"abcde")
    assert sky.wait(30) == frozenset()


def test_of_several_workers_one_probes(sky: Sky) -> None:
    sky.fail("mexc", *"abcde")
    sky.now += timedelta(seconds=30)
    shared.state().ask(lambda redis: redis.set(shared.key("mexc", "probing"), 1))
    assert sky.wait(0) == {"mexc"}
    assert sky.probed == []


def lose_network(sky: Sky) -> None:
    sky.gone = dict.fromkeys(("binance", "mexc"), ErrorKind.NETWORK)
    sky.fail("binance", "a", kind=ErrorKind.NETWORK)
    sky.now += timedelta(seconds=29)
    sky.fail("mexc", "b", kind=ErrorKind.NETWORK)
    sky.probed.clear()


def test_everything_pauses_when_several_exchanges_and_their_probes_cannot_be_reached(sky: Sky) -> None:
    lose_network(sky)
    assert sky.stopped == ALL
    [outage] = Outage.objects.all()
    assert (outage.exchange, outage.began_at, outage.ended_at) == ("", sky.now, None)
    assert outage.reason == "The network is gone: Binance and MEXC cannot be reached."


def test_one_unreachable_exchange_pauses_nobody_else(sky: Sky) -> None:
    sky.gone["mexc"] = ErrorKind.NETWORK
    sky.fail("mexc", *["a"] * 20, kind=ErrorKind.NETWORK)
    assert (sky.stopped, sky.probed) == (frozenset(), [])


@pytest.mark.parametrize("answer", [None, ErrorKind.DOWN, ErrorKind.RATE])
def test_a_probe_that_is_answered_proves_the_network(sky: Sky, answer: ErrorKind | None) -> None:
    sky.gone = {"binance": ErrorKind.NETWORK} | ({"mexc": answer} if answer else {})
    sky.fail("binance", "a", kind=ErrorKind.NETWORK)
    sky.fail("mexc", "b", kind=ErrorKind.NETWORK)
    assert sky.stopped == frozenset()


def test_failures_half_a_minute_apart_are_no_network_outage(sky: Sky) -> None:
    sky.gone = dict.fromkeys(("binance", "mexc"), ErrorKind.NETWORK)
    sky.fail("binance", "a", kind=ErrorKind.NETWORK)
    sky.now += timedelta(seconds=31)
    sky.fail("mexc", "b", kind=ErrorKind.NETWORK)
    assert sky.stopped == frozenset()


def test_a_pause_ends_after_three_good_probes_settling_and_fresh_prices(sky: Sky) -> None:
    lose_network(sky)
    assert sky.wait(5) == ALL
    sky.gone.clear()
    for _ in range(3):
        assert sky.wait(5) == ALL
    assert sky.priced == []
    assert sky.wait(4) == ALL
    assert sky.priced == []
    assert sky.wait(1) == frozenset()
    assert sky.priced == ["binance", "mexc"]
    assert [outage.ended_at for outage in Outage.objects.all()] == [sky.now]


def test_a_bad_probe_begins_the_count_anew(sky: Sky) -> None:
    lose_network(sky)
    sky.gone.clear()
    sky.wait(5)
    sky.wait(5)
    sky.gone["mexc"] = ErrorKind.DOWN
    sky.wait(5)
    sky.gone.clear()
    assert [bool(sky.wait(5)) for _ in range(4)] == [True, True, True, False]


def test_without_fresh_prices_the_pause_goes_on(sky: Sky) -> None:
    lose_network(sky)
    sky.gone.clear()
    sky.has_prices = False
    for _ in range(6):
        assert sky.wait(5) == ALL
    sky.has_prices = True
    for _ in range(3):
        sky.wait(5)
    assert sky.wait(5) == frozenset()


def test_what_was_forgotten_in_redis_ends_in_the_record(sky: Sky) -> None:
    sky.fail("mexc", *"abcde")
    shared.state().ask(lambda redis: redis.delete(breakers.exchange_key("mexc")))
    assert sky.wait(1) == frozenset()
    assert [outage.ended_at for outage in Outage.objects.all()] == [sky.now]


def test_an_outage_is_told_once(sky: Sky, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        sky.fail("mexc", *"abcdefghijkl")
    assert [record.getMessage() for record in caplog.records] == [
        "MEXC does not answer well: 5 requests of 5 accounts failed in a minute."
    ]
    assert Outage.objects.count() == 1


@pytest.mark.usefixtures("no_redis")
@pytest.mark.parametrize("kind", [ErrorKind.DOWN, ErrorKind.NETWORK])
def test_without_redis_nobody_is_stopped(sky: Sky, kind: ErrorKind) -> None:
    sky.fail("mexc", *"abcde", kind=kind)
    assert sky.stopped == frozenset()
