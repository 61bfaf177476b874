"""The way to Bitget: signed as it wants, errors as kinds, secrets kept, the clock made up for."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from exchanges.bitget import client as wire
from exchanges.bitget.client import connect
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.transport import CcxtClient
from tests.exchanges.bitget.conftest import KEYS, NOW, refusal, wrapped
from tests.exchanges.stub import Asked, Reply, Script, Stub

Serve = Callable[[Script], tuple[Stub, CcxtClient]]
FILLS = "private_spot_get_v2_spot_trade_fills"
PATH = "/api/v2/spot/trade/fills"
TIME = "/api/v2/public/time"
NOW_MS = clock.to_ms(NOW)


def failure(serve: Serve, reply: Any) -> ExchangeError:
    _, client = serve(lambda _: reply)
    with pytest.raises(ExchangeError) as raised:
        wire.rows(client, FILLS)
    return raised.value


def test_requests_are_signed_with_our_clock(serve: Serve) -> None:
    stub, client = serve(lambda _: wrapped([]))
    wire.rows(client, FILLS, {"symbol": "BTCUSDT", "limit": 7})
    text = f"{NOW_MS}GET{PATH}?limit=7&symbol=BTCUSDT"
    sign = base64.b64encode(hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    told = {name.upper(): value for name, value in stub.asked[0].headers.items()}
    names = ("ACCESS-KEY", "ACCESS-TIMESTAMP", "ACCESS-SIGN", "ACCESS-PASSPHRASE")
    assert [told[name] for name in names] == [KEYS.key, str(NOW_MS), sign, KEYS.passphrase]


def test_public_requests_carry_no_key(open_stack: Any, serve: Serve) -> None:
    stub, _ = serve(lambda _: wrapped([]))
    client = connect(None, url=stub.url)
    open_stack.callback(client.close)
    wire.rows(client, "public_spot_get_v2_spot_market_tickers")
    assert not [name for name in stub.asked[0].headers if name.upper().startswith("ACCESS")]


def test_it_tells_no_weight(serve: Serve) -> None:
    _, client = serve(lambda _: wrapped([]))
    wire.rows(client, FILLS)
    assert client.used_weight is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40001", ErrorKind.AUTH),
        ("40006", ErrorKind.AUTH),
        ("40009", ErrorKind.AUTH),
        ("40011", ErrorKind.AUTH),
        ("40012", ErrorKind.AUTH),
        ("40018", ErrorKind.AUTH),
        ("40036", ErrorKind.AUTH),
        ("40037", ErrorKind.AUTH),
        ("40014", ErrorKind.PERMISSION),
        ("40016", ErrorKind.PERMISSION),
        ("40084", ErrorKind.PERMISSION),
        ("40085", ErrorKind.PERMISSION),
        ("40731", ErrorKind.PERMISSION),
        ("30007", ErrorKind.RATE),
        ("40015", ErrorKind.DOWN),
        ("40200", ErrorKind.DOWN),
        ("40725", ErrorKind.DOWN),
        ("45001", ErrorKind.DOWN),
        ("40034", ErrorKind.USER),
        ("40109", ErrorKind.USER),
        ("40768", ErrorKind.USER),
        ("43001", ErrorKind.USER),
        ("43012", ErrorKind.USER),
        ("25204", ErrorKind.USER),
        ("40017", ErrorKind.BUG),
        ("40019", ErrorKind.BUG),
        ("40020", ErrorKind.BUG),
        ("99999", ErrorKind.BUG),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_each_code_is_of_one_kind(serve: Serve, code: str, kind: ErrorKind, status: int) -> None:
    raised = failure(serve, refusal(code, status=status))
    assert (raised.kind, raised.code) == (kind, code)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal("429", "Too Many Requests", 429), ErrorKind.RATE),
        (Reply("Too Many Requests", 429), ErrorKind.RATE),
        (refusal("40015", status=500), ErrorKind.DOWN),
        (Reply("<html><head><title>502 Bad Gateway</title></head></html>", 502), ErrorKind.DOWN),
        (Reply("<html><title>Access Denied</title></html>", 403), ErrorKind.DOWN),
        (Reply('{"code":"00000","data":[{"tradeId": "1'), ErrorKind.DOWN),
        (Reply(""), ErrorKind.DOWN),
        (wrapped({"fillList": []}), ErrorKind.DOWN),
        (wrapped("success"), ErrorKind.DOWN),
        (Reply(reset=True), ErrorKind.NETWORK),
        (Reply("[]", claimed=5000), ErrorKind.NETWORK),
    ],
)
def test_each_other_answer_is_of_one_kind(serve: Serve, reply: Any, kind: ErrorKind) -> None:
    assert failure(serve, reply).kind is kind


def test_too_fast_says_when_to_come_back_if_it_is_told(serve: Serve) -> None:
    body = {"code": "429", "msg": "Too Many Requests"}
    assert failure(serve, Reply(body, 429, {"Retry-After": "3"})).retry_at == NOW + timedelta(seconds=3)
    assert failure(serve, Reply(body, 429)).retry_at is None


def test_null_stands_for_an_empty_list(serve: Serve) -> None:
    _, client = serve(lambda _: wrapped(None))
    assert wire.rows(client, FILLS) == []


def test_nothing_secret_leaves_with_an_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(asked: Asked) -> Reply:
        told = {name.upper(): value for name, value in asked.headers.items()}
        words = f"{KEYS.key} {KEYS.secret} {KEYS.passphrase} {told['ACCESS-SIGN']} {asked.path}"
        return refusal("40015", words)

    _, client = serve(echo)
    with pytest.raises(ExchangeError) as raised:
        wire.rows(client, FILLS)
    told = f"{raised.value!r} {raised.value.detail} {caplog.text}"
    assert "CANARY" not in told
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def clocked(offset: timedelta, *, honest: bool = True) -> Script:
    """A server `offset` ahead of us that refuses what is 30 s off, and that may lie about its time."""
    server = clock.to_ms(NOW + offset)

    def answer(asked: Asked) -> Any:
        if asked.path == TIME:
            return wrapped({"serverTime": str(server if honest else NOW_MS)})
        told = {name.upper(): value for name, value in asked.headers.items()}
        if abs(int(told["ACCESS-TIMESTAMP"]) - server) > 30_000:
            return refusal("40008", "Request timestamp expired")
        return wrapped([])

    return answer


@pytest.mark.parametrize("offset", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_a_clock_that_is_off_is_made_up_for(serve: Serve, offset: timedelta) -> None:
    stub, client = serve(clocked(offset))
    assert wire.rows(client, FILLS) == []
    assert (wire.rows(client, FILLS), client.clock_offset) == ([], offset)
    assert stub.paths() == [PATH, TIME, PATH, PATH]


def test_a_clock_that_stays_refused_ends_clearly(serve: Serve) -> None:
    _, client = serve(clocked(timedelta(minutes=2), honest=False))
    with pytest.raises(ExchangeError) as raised:
        wire.rows(client, FILLS)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.CLOCK, "40008")


def test_an_unreadable_clock_is_the_exchanges_fault(serve: Serve) -> None:
    _, client = serve(
        lambda asked: wrapped({"serverTime": "now"}) if asked.path == TIME else refusal("40008")
    )
    with pytest.raises(ExchangeError) as raised:
        wire.rows(client, FILLS)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")
