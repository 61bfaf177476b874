"""The way to Gate.io: signed as it wants, errors as kinds, secrets kept, the clock made up for."""

import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio.client import connect
from exchanges.transport import CcxtClient
from tests.exchanges.gateio.conftest import KEYS, NOW
from tests.exchanges.stub import Asked, Reply, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
TRADES = "private_spot_get_my_trades"
RESET = "X-Gate-RateLimit-Reset-Timestamp"
NOW_S = clock.to_ms(NOW) // 1000


def failure(serve: Serve, reply: Any, endpoint: str = TRADES) -> ExchangeError:
    _, client = serve(lambda _: reply)
    with pytest.raises(ExchangeError) as raised:
        client.records(endpoint)
    return raised.value


def error(label: str, message: str = "No.") -> dict[str, str]:
    return {"label": label, "message": message}


def test_requests_are_signed_with_our_clock(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    client.records(TRADES, {"currency_pair": "BTC_USDT", "from": 7})
    asked = stub.asked[0]
    lines = ("GET", "/api/v4/spot/my_trades", "currency_pair=BTC_USDT&from=7")
    text = "\n".join((*lines, hashlib.sha512(b"").hexdigest(), str(NOW_S)))
    sign = hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha512).hexdigest()
    told = {name.upper(): value for name, value in asked.headers.items()}
    assert (asked.path, told["KEY"], told["TIMESTAMP"], told["SIGN"]) == (
        "/api/v4/spot/my_trades",
        KEYS.key,
        str(NOW_S),
        sign,
    )


def test_public_requests_carry_no_key(open_stack: Any, serve: Serve) -> None:
    stub, _ = serve(lambda _: [])
    client = connect(None, url=stub.url)
    open_stack.callback(client.close)
    client.records("public_spot_get_tickers")
    assert {"KEY", "SIGN", "Timestamp"}.isdisjoint(stub.asked[0].headers)


def test_it_tells_no_weight(serve: Serve) -> None:
    _, client = serve(lambda _: Reply([], headers={"X-Gate-RateLimit-Requests-Remain": "199"}))
    client.records(TRADES)
    assert client.used_weight is None


WHITELIST = "Request IP not in whitelist: 10.1.2.3"
NO_RIGHT = "Request API key does not have wallet permission"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, error("INVALID_KEY", "Invalid key provided"), ErrorKind.AUTH),
        (401, error("INVALID_SIGNATURE", "Signature mismatch"), ErrorKind.AUTH),
        (401, error("AUTHENTICATION_FAILED"), ErrorKind.AUTH),
        (403, error("FORBIDDEN", WHITELIST), ErrorKind.AUTH),
        (401, error("IP_FORBIDDEN"), ErrorKind.AUTH),
        (403, error("FORBIDDEN", NO_RIGHT), ErrorKind.PERMISSION),
        (403, error("READ_ONLY"), ErrorKind.PERMISSION),
        (403, error("ACCOUNT_LOCKED"), ErrorKind.PERMISSION),
        (429, error("TOO_MANY_REQUESTS"), ErrorKind.RATE),
        (400, error("TOO_FAST"), ErrorKind.RATE),
        (400, error("INVALID_CURRENCY_PAIR"), ErrorKind.USER),
        (404, error("ORDER_NOT_FOUND"), ErrorKind.USER),
        (400, error("AUTO_ORDER_NOT_FOUND"), ErrorKind.USER),
        (400, error("BALANCE_NOT_ENOUGH"), ErrorKind.USER),
        (400, error("INVALID_PARAM_VALUE", "invalid argument: status"), ErrorKind.BUG),
        (400, error("MISSING_REQUIRED_HEADER"), ErrorKind.BUG),
        (400, {"label": "INVALID_ARGUMENT", "detail": "invalid size"}, ErrorKind.BUG),
        (400, error("SOMETHING_NEW"), ErrorKind.BUG),
        (500, error("INTERNAL"), ErrorKind.DOWN),
        (503, error("TOO_BUSY"), ErrorKind.DOWN),
        (400, error("SERVER_ERROR"), ErrorKind.DOWN),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", ErrorKind.DOWN),
        (403, "<html><title>Access Denied</title></html>", ErrorKind.DOWN),
        (200, '[{"id": "1", "price": "0.', ErrorKind.DOWN),
        (200, "", ErrorKind.DOWN),
        (200, {"rows": []}, ErrorKind.DOWN),
    ],
)
def test_each_answer_is_of_one_kind(serve: Serve, status: int, body: Any, kind: ErrorKind) -> None:
    assert failure(serve, Reply(body, status)).kind is kind


@pytest.mark.parametrize(
    ("headers", "retry_at"),
    [
        ({RESET: str(NOW_S + 7)}, NOW + timedelta(seconds=7)),
        ({RESET: str((NOW_S + 7) * 1000)}, NOW + timedelta(seconds=7)),
        ({RESET: str(NOW_S + 10**8)}, NOW + timedelta(days=7)),
        ({RESET: "soon", "Retry-After": "3"}, NOW + timedelta(seconds=3)),
        ({}, None),
    ],
    ids=["seconds", "milliseconds", "far", "words", "nothing"],
)
def test_too_fast_says_when_to_come_back(
    serve: Serve, headers: dict[str, str], retry_at: datetime | None
) -> None:
    raised = failure(serve, Reply(error("TOO_MANY_REQUESTS"), 429, headers))
    assert (raised.kind, raised.retry_at) == (ErrorKind.RATE, retry_at)


def test_the_reset_of_an_ill_exchange_says_nothing(serve: Serve) -> None:
    assert failure(serve, Reply(error("INTERNAL"), 500, {RESET: str(NOW_S)})).retry_at is None


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply("[]", claimed=5000)], ids=["reset", "cut off"])
def test_no_whole_answer_is_network(serve: Serve, reply: Reply) -> None:
    assert failure(serve, reply).kind is ErrorKind.NETWORK


def test_nothing_secret_leaves_with_an_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(asked: Asked) -> Reply:
        return Reply(error("INTERNAL", f"{KEYS.key} {KEYS.secret} {asked.headers['SIGN']} {asked.path}"), 500)

    _, client = serve(echo)
    with pytest.raises(ExchangeError) as raised:
        client.records(TRADES)
    told = f"{raised.value!r} {raised.value.detail} {caplog.text}"
    assert "CANARY" not in told
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def clocked(offset: timedelta, *, honest: bool = True) -> Script:
    """A server `offset` ahead of us that refuses what is 60 s off, and that may lie about its time."""
    server = clock.to_ms(NOW + offset)

    def answer(asked: Asked) -> Any:
        if asked.path == "/api/v4/spot/time":
            return {"server_time": server if honest else clock.to_ms(NOW)}
        if abs(int(asked.headers["Timestamp"]) * 1000 - server) > 60_000:
            return Reply(error("REQUEST_EXPIRED", "gap between request Timestamp and server time"), 403)
        return []

    return answer


@pytest.mark.parametrize("offset", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_a_clock_that_is_off_is_made_up_for(serve: Serve, offset: timedelta) -> None:
    stub, client = serve(clocked(offset))
    assert client.records(TRADES) == []
    assert (client.records(TRADES), client.clock_offset) == ([], offset)
    mine = "/api/v4/spot/my_trades"
    assert stub.paths() == [mine, "/api/v4/spot/time", mine, mine]


def test_a_clock_that_stays_refused_ends_clearly(serve: Serve) -> None:
    _, client = serve(clocked(timedelta(minutes=2), honest=False))
    with pytest.raises(ExchangeError) as raised:
        client.records(TRADES)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.CLOCK, "REQUEST_EXPIRED")


def test_an_unreadable_clock_is_the_exchanges_fault(serve: Serve) -> None:
    _, client = serve(
        lambda asked: (
            {"server_time": "now"} if asked.path.endswith("time") else Reply(error("REQUEST_EXPIRED"), 403)
        )
    )
    with pytest.raises(ExchangeError) as raised:
        client.records(TRADES)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")
