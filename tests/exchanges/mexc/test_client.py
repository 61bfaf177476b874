"""The way to MEXC: errors as kinds, secrets kept, the clock made up for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.transport import CcxtClient
from tests.exchanges.mexc.conftest import KEYS, NOW
from tests.exchanges.stub import Asked, Reply, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
MYTRADES = "spot_private_get_mytrades"


def failure(serve: Serve, reply: Reply) -> ExchangeError:
    _, client = serve(lambda _: reply)
    with pytest.raises(ExchangeError) as raised:
        client.records(MYTRADES, {"symbol": "BTCUSDT"})
    return raised.value


def error(code: int, message: str = "No.") -> dict[str, Any]:
    return {"code": code, "msg": message}


def test_requests_are_signed_and_timed(serve: Serve) -> None:
    stub, client = serve(lambda _: [])
    client.records(MYTRADES, {"symbol": "BTCUSDT"})
    [asked] = stub.asked
    assert (asked.path, asked.headers["X-MEXC-APIKEY"]) == ("/api/v3/myTrades", KEYS.key)
    assert (asked.query["timestamp"], asked.query["recvWindow"], len(asked.query["signature"])) == (
        str(clock.to_ms(NOW)),
        "10000",
        64,
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(10072, "Api key info invalid"), ErrorKind.AUTH),
        (400, error(700001, "API-key format invalid."), ErrorKind.AUTH),
        (400, error(700002, "Signature for this request is not valid."), ErrorKind.AUTH),
        (403, error(700006, "IP [1.2.3.4] not in the ip white list"), ErrorKind.AUTH),
        (401, error(401, "No authority"), ErrorKind.AUTH),
        (400, error(402, "API Key expired, please apply again"), ErrorKind.AUTH),
        (400, error(602, "Signature verification failed"), ErrorKind.AUTH),
        (403, error(700007, "No permission to access the endpoint."), ErrorKind.PERMISSION),
        (400, error(70011, "Pair user ban trade apikey."), ErrorKind.PERMISSION),
        (403, error(403, "Access Denied"), ErrorKind.PERMISSION),
        (429, error(429, "Too Many Requests"), ErrorKind.RATE),
        (200, error(510, "Requests are too frequent"), ErrorKind.RATE),
        (418, error(418, "Banned"), ErrorKind.BANNED),
        (418, "<html><title>Banned</title></html>", ErrorKind.BANNED),
        (400, error(-1121, "Invalid symbol."), ErrorKind.USER),
        (400, error(10007, "bad symbol"), ErrorKind.USER),
        (400, error(30014, "invalid symbol"), ErrorKind.USER),
        (400, error(-2011, "Unknown order sent"), ErrorKind.USER),
        (400, error(-2013, "Order does not exist."), ErrorKind.USER),
        (400, error(22222, "record does not exist"), ErrorKind.USER),
        (400, error(30004, "Insufficient position"), ErrorKind.USER),
        (400, error(30005, "Oversold"), ErrorKind.USER),
        (400, error(700004, "Mandatory parameter 'symbol' was not sent"), ErrorKind.BUG),
        (400, error(700005, "recvWindow must less than 60000."), ErrorKind.BUG),
        (400, error(700008, "Illegal characters found in parameter"), ErrorKind.BUG),
        (400, error(-1128, "Combination of optional parameters invalid."), ErrorKind.BUG),
        (400, error(400, "The start time cannot be earlier than 90 days"), ErrorKind.BUG),
        (400, error(987654, "Something new."), ErrorKind.BUG),
        (500, error(500, "Internal error"), ErrorKind.DOWN),
        (200, error(503, "service not available, please try again"), ErrorKind.DOWN),
        (504, error(504, "Gateway Time-out"), ErrorKind.DOWN),
        (200, error(801, "System under maintenance"), ErrorKind.DOWN),
        (403, "<html><title>Forbidden</title></html>", ErrorKind.DOWN),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", ErrorKind.DOWN),
        (200, '[{"id": "a", "price": "0.', ErrorKind.DOWN),
        (200, "", ErrorKind.DOWN),
        (200, {"rows": []}, ErrorKind.DOWN),
    ],
)
def test_each_answer_is_of_one_kind(serve: Serve, status: int, body: Any, kind: ErrorKind) -> None:
    assert failure(serve, Reply(body, status)).kind is kind


@pytest.mark.parametrize("status", [429, 418])
def test_too_fast_says_when_to_come_back(serve: Serve, status: int) -> None:
    raised = failure(serve, Reply(error(status), status, {"Retry-After": "30"}))
    assert raised.retry_at == NOW + timedelta(seconds=30)


def test_used_weight_is_not_told(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    client.records(MYTRADES)
    assert client.used_weight is None


def test_nothing_secret_leaves_with_an_error(serve: Serve) -> None:
    def echo(asked: Asked) -> Reply:
        signed = "&".join(f"{key}={value}" for key, value in asked.query.items())
        return Reply(error(10072, f"{KEYS.key} {KEYS.secret} {signed}"), 400)

    _, client = serve(echo)
    with pytest.raises(ExchangeError) as raised:
        client.record("spot_private_get_apikeyinfo", {"accessKey": client.api_key})
    told = f"{raised.value!r} {raised.value.detail}"
    assert not [word for word in ("CANARY", "signature=", "accessKey=") if word in told]


def test_a_closed_client_forgot_its_keys(serve: Serve) -> None:
    _, client = serve(lambda _: [])
    client.close()
    assert (client.api_key, "CANARY" in repr(vars(client))) == ("", False)


def test_a_clock_that_is_off_is_made_up_for(serve: Serve) -> None:
    server = NOW + timedelta(minutes=2)

    def answer(asked: Asked) -> Any:
        if asked.path == "/api/v3/time":
            return {"serverTime": clock.to_ms(server)}
        if abs(int(asked.query["timestamp"]) - clock.to_ms(server)) > 10_000:
            return Reply(error(700003, "Timestamp for this request is outside of the recvWindow."), 400)
        return []

    _, client = serve(answer)
    assert (client.records(MYTRADES), client.clock_offset, client.now()) == (
        [],
        timedelta(minutes=2),
        server,
    )
