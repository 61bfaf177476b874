"""The way to Binance: exact numbers, errors as kinds, secrets kept, the clock made up for."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clock
from exchanges.base import ApiKeys
from exchanges.binance.client import connect
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.transport import CcxtClient
from tests.exchanges.binance.conftest import KEYS, NOW
from tests.exchanges.stub import Asked, Reply, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
MYTRADES = "private_get_mytrades"


def failure(serve: Serve, reply: Any, endpoint: str = MYTRADES) -> ExchangeError:
    _, client = serve(lambda _: reply)
    with pytest.raises(ExchangeError) as raised:
        client.records(endpoint)
    return raised.value


def test_numbers_never_pass_through_float(serve: Serve) -> None:
    _, client = serve(
        lambda _: '[[1499040000000, "0.1", 0.10000000000000000001, 1e-9, NaN, 12345678901234567890]]'
    )
    assert client.records("public_get_klines") == [
        [1499040000000, "0.1", "0.10000000000000000001", "1e-9", "NaN", 12345678901234567890]
    ]


def test_letters_no_database_stores_are_replaced(serve: Serve) -> None:
    _, client = serve(
        lambda _: r'[{"id": 1, "nul\u0000": "a\u0000", "half": "\ud83d", "whole": "\ud83d\ude00"}]'
    )
    assert client.records(MYTRADES) == [{"id": 1, "nul\ufffd": "a\ufffd", "half": "?", "whole": "😀"}]


def test_paths_stay_when_the_host_changes(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    client.records(MYTRADES, {"symbol": "BTCUSDT"})
    client.records("sapi_get_capital_deposit_hisrec")
    assert stub.paths() == ["/api/v3/myTrades", "/sapi/v1/capital/deposit/hisrec"]


def test_requests_are_signed_with_our_clock(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    client.records(MYTRADES, {"symbol": "BTCUSDT"})
    query = stub.asked[0].query
    assert stub.asked[0].headers["X-MBX-APIKEY"] == KEYS.key
    assert (query["timestamp"], query["recvWindow"], len(query["signature"])) == (
        str(clock.to_ms(NOW)),
        "10000",
        64,
    )


def test_public_requests_carry_no_key(open_stack: Any, serve: Serve) -> None:
    stub, _ = serve(lambda _: {"symbols": []})
    client = connect(None, url=stub.url)
    open_stack.callback(client.close)
    client.record("public_get_exchangeinfo")
    assert (stub.asked[0].query, "X-MBX-APIKEY" in stub.asked[0].headers) == ({}, False)


def test_used_weight_is_that_of_the_last_answer(serve: Serve) -> None:
    weights = iter(["20", "40"])
    _, client = serve(lambda _: Reply([], headers={"X-MBX-USED-WEIGHT-1M": next(weights)}))
    client.records(MYTRADES)
    client.records(MYTRADES)
    assert client.used_weight == 40


def error(code: int, message: str = "No.") -> dict[str, Any]:
    return {"code": code, "msg": message}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, error(-2015, "Invalid API-key, IP, or permissions for action."), ErrorKind.AUTH),
        (401, error(-2014, "API-key format invalid."), ErrorKind.AUTH),
        (400, error(-1022, "Signature for this request is not valid."), ErrorKind.AUTH),
        (400, error(-2008, "Invalid Api-Key ID"), ErrorKind.AUTH),
        (429, error(-1003, "Too many requests."), ErrorKind.RATE),
        (400, error(-1015, "Too many new orders."), ErrorKind.RATE),
        (418, error(-1003, "Way too many requests."), ErrorKind.BANNED),
        (400, error(-1121, "Invalid symbol."), ErrorKind.USER),
        (400, error(-2013, "Order does not exist."), ErrorKind.USER),
        (400, error(-2010, "Account has insufficient balance for requested action."), ErrorKind.USER),
        (400, error(-1102, "Mandatory parameter 'symbol' was not sent."), ErrorKind.BUG),
        (400, error(-1104, "Not all sent parameters were read."), ErrorKind.BUG),
        (400, error(-9999, "Something new."), ErrorKind.BUG),
        (500, error(-1000, "An unknown error occurred."), ErrorKind.DOWN),
        (503, error(-1008, "Server is currently overloaded."), ErrorKind.DOWN),
        (200, error(-1001, "Internal error; unable to process your request."), ErrorKind.DOWN),
        (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", ErrorKind.DOWN),
        (504, "", ErrorKind.DOWN),
        (403, "<html><title>Forbidden</title></html>", ErrorKind.DOWN),
        (401, "<html><title>Who are you</title></html>", ErrorKind.DOWN),
        (451, {"code": 0, "msg": "Service unavailable from a restricted location"}, ErrorKind.DOWN),
        (200, '[{"id": 1, "price": "0.', ErrorKind.DOWN),
        (200, "", ErrorKind.DOWN),
        (200, "null", ErrorKind.DOWN),
        (200, {"rows": []}, ErrorKind.DOWN),
        (200, "[" * 100_000, ErrorKind.DOWN),
    ],
)
def test_each_answer_is_of_one_kind(serve: Serve, status: int, body: Any, kind: ErrorKind) -> None:
    assert failure(serve, Reply(body, status)).kind is kind


def test_an_array_for_an_object_is_unreadable(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        client.record("private_get_account")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")


def test_a_revoked_key_is_no_ban_even_after_it_worked(serve: Serve) -> None:
    replies = iter([Reply([]), Reply(error(-2015), 401)])
    _, client = serve(lambda _: next(replies))
    client.records(MYTRADES)
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.AUTH, "-2015")


@pytest.mark.parametrize(
    ("value", "retry_at"),
    [
        ("30", NOW + timedelta(seconds=30)),
        ("Sun, 01 Mar 2026 12:05:00 GMT", NOW + timedelta(minutes=5)),
        ("soon", None),
        ("", None),
        ("9" * 30, NOW + timedelta(days=7)),
    ],
)
def test_too_fast_says_when_to_come_back(serve: Serve, value: str, retry_at: datetime | None) -> None:
    reply = Reply(error(-1003), 429, {"Retry-After": value})
    assert failure(serve, reply).retry_at == retry_at


def test_a_ban_ends_when_its_text_says(serve: Serve) -> None:
    until = clock.to_ms(NOW) + 120_000
    reply = Reply(
        error(-1003, f"Way too much request weight used; IP banned until {until}."), 418, {"Retry-After": "9"}
    )
    raised = failure(serve, reply)
    assert (raised.kind, raised.retry_at) == (ErrorKind.BANNED, NOW + timedelta(minutes=2))


def test_a_ban_may_come_with_429(serve: Serve) -> None:
    until = clock.to_ms(NOW) + 1000
    assert failure(serve, Reply(error(-1003, f"IP banned until {until}."), 429)).kind is ErrorKind.BANNED


@pytest.mark.parametrize(
    "reply",
    [
        Reply(reset=True),
        Reply("[]", claimed=5000),
    ],
    ids=["reset", "cut off"],
)
def test_no_whole_answer_is_network(serve: Serve, reply: Reply) -> None:
    assert failure(serve, reply).kind is ErrorKind.NETWORK


def test_the_key_follows_no_redirect(serve: Serve) -> None:
    stub, client = serve(
        lambda asked: Reply("", 302, {"Location": "/other"}) if asked.path != "/other" else []
    )
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    assert (raised.value.kind, stub.paths()) == (ErrorKind.NETWORK, ["/api/v3/myTrades"])


def test_refused_is_network() -> None:
    client = connect(KEYS, url="http://127.0.0.1:9")
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    client.close()
    assert (raised.value.kind, raised.value.detail) == (
        ErrorKind.NETWORK,
        "The exchange could not be reached.",
    )


def test_silence_is_network(serve: Serve) -> None:
    done = threading.Event()
    _, client = serve(lambda _: done.wait(10) and [])
    client._exchange.timeout = 100
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    done.set()
    assert (raised.value.kind, raised.value.code) == (ErrorKind.NETWORK, "timeout")


@pytest.mark.parametrize(
    "keys",
    [
        ApiKeys("", "secret"),
        ApiKeys("key", ""),
        ApiKeys("ключ", "secret"),
        ApiKeys("key\r\nX-Other: 1", "secret"),
        ApiKeys("key", "-----BEGIN PRIVATE KEY-----\nnot one\n-----END PRIVATE KEY-----"),
    ],
)
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(serve: Serve, keys: ApiKeys) -> None:
    stub, _ = serve(lambda _: [])
    with pytest.raises(ExchangeError) as raised:
        connect(keys, url=stub.url).records(MYTRADES)
    assert (raised.value.kind, stub.asked) == (ErrorKind.AUTH, [])


def test_nothing_secret_leaves_with_an_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(asked: Asked) -> Reply:
        signed = "&".join(f"{key}={value}" for key, value in asked.query.items())
        url = f"https://api.binance.com{asked.path}?{signed}"
        shown = f"{KEYS.key} {KEYS.secret} {url} sig {asked.query['signature']}"
        return Reply(f"<html><script>{shown}</script><h1>Oh</h1> no: {shown}</html>" + "x " * 500, 503)

    _, client = serve(echo)
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES, {"symbol": "BTCUSDT"})
    told = f"{raised.value!r} {raised.value.detail} {caplog.text}"
    assert not [word for word in ("CANARY", "signature", "://", "<", "BTCUSDT") if word in told]
    assert len(raised.value.detail) <= 200
    assert raised.value.detail.startswith("HTTP 503 Oh no: […]")
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_nothing_secret_leaves_when_nothing_answers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(KEYS, url="http://127.0.0.1:9")
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES, {"symbol": "BTCUSDT"})
    client.close()
    assert "CANARY" not in caplog.text + repr(raised.value) + repr(vars(raised.value))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def clocked(offset: timedelta, *, honest: bool = True) -> Script:
    """A server `offset` ahead of us that refuses what is 10 s off, and that may lie about its time."""
    server = clock.to_ms(NOW + offset)

    def answer(asked: Asked) -> Any:
        if asked.path == "/api/v3/time":
            return {"serverTime": server if honest else clock.to_ms(NOW)}
        if abs(int(asked.query["timestamp"]) - server) > 10_000:
            return Reply(error(-1021, "Timestamp for this request is outside of the recvWindow."), 400)
        return []

    return answer


@pytest.mark.parametrize("offset", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_a_clock_that_is_off_is_made_up_for(serve: Serve, offset: timedelta) -> None:
    stub, client = serve(clocked(offset))
    assert client.records(MYTRADES) == []
    assert client.records(MYTRADES) == []
    assert client.clock_offset == offset
    assert stub.paths() == ["/api/v3/myTrades", "/api/v3/time", "/api/v3/myTrades", "/api/v3/myTrades"]


def test_a_good_clock_is_not_measured(serve: Serve) -> None:
    stub, client = serve(clocked(timedelta(seconds=3)))
    client.records(MYTRADES)
    assert (client.clock_offset, stub.paths()) == (timedelta(0), ["/api/v3/myTrades"])


def test_a_clock_that_stays_refused_ends_clearly(serve: Serve) -> None:
    stub, client = serve(clocked(timedelta(minutes=2), honest=False))
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.CLOCK, "-1021")
    assert stub.paths() == ["/api/v3/myTrades", "/api/v3/time"] * 2 + ["/api/v3/myTrades"]


def test_an_unreadable_clock_is_the_exchanges_fault(serve: Serve) -> None:
    _, client = serve(lambda asked: {} if asked.path == "/api/v3/time" else Reply(error(-1021), 400))
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")


def test_a_closed_client_forgot_its_keys() -> None:
    client = connect(KEYS, url="http://127.0.0.1:9")
    client.close()
    assert "CANARY" not in repr(vars(client)) + repr(client._exchange.apiKey) + repr(client._exchange.secret)


def test_times_are_utc(serve: Serve) -> None:
    raised = failure(serve, Reply(error(-1003), 429, {"Retry-After": "Sun, 01 Mar 2026 12:05:00 GMT"}))
    assert raised.retry_at is not None
    assert raised.retry_at.tzinfo is UTC
