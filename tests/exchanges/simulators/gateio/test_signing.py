"""Who may ask: headers, the clock, the key, the signature, in this order."""

import hashlib
import hmac
import urllib.parse

import pytest

from exchanges.simulators.gateio import GateioSimulator
from tests.exchanges.simulators.gateio.http import BASE, Answer, ask, send, signed

PATH = f"{BASE}/spot/accounts"


def asked(simulator: GateioSimulator, **changes: str) -> Answer:
    """A signed request with other headers; an empty one is left out."""
    headers = signed(simulator, PATH, "") | changes
    return send(simulator, PATH, headers={name: value for name, value in headers.items() if value})


def test_a_signed_request_is_answered(simulator: GateioSimulator) -> None:
    assert ask(simulator, "/spot/accounts").status == 200


def test_the_signature_is_that_of_the_documents() -> None:
    """The example in Gate's documents of how to sign."""
    body = '{"contract":"BTC_USD","type":"limit","size":100,"price":6800,"time_in_force":"gtc"}'
    lines = ("POST", "/api/v4/futures/orders", "", hashlib.sha512(body.encode()).hexdigest(), "1541993715")
    assert hmac.new(b"secret", "\n".join(lines).encode(), hashlib.sha512).hexdigest() == (
        "eae42da914a590ddf727473aff25fc87d50b64783941061f47a3fdb92742541f"
        "c4c2c14017581b4199a1418d54471c269c03a38d788d802e2c306c37636389f0"
    )


@pytest.mark.parametrize("name", ["KEY", "Timestamp", "SIGN"])
def test_a_missing_header_is_named(simulator: GateioSimulator, name: str) -> None:
    answer = asked(simulator, **{name: ""})
    assert (answer.error, name in answer.json["message"]) == ((400, "MISSING_REQUIRED_HEADER"), True)


@pytest.mark.parametrize(("seconds", "status"), [(-60, 200), (60, 200), (-61, 403), (61, 403)])
def test_the_clock_may_be_a_minute_off(simulator: GateioSimulator, seconds: int, status: int) -> None:
    at = str(simulator.clock.now_ms() // 1000 + seconds)
    answer = send(simulator, PATH, headers=signed(simulator, PATH, "", at=at))
    assert answer.status == status
    assert status == 200 or answer.json["label"] == "REQUEST_EXPIRED"


def test_a_fraction_of_a_second_is_a_time_too(simulator: GateioSimulator) -> None:
    at = f"{simulator.clock.now_ms() // 1000}.25"
    assert send(simulator, PATH, headers=signed(simulator, PATH, "", at=at)).status == 200


@pytest.mark.parametrize("at", ["yesterday", "nan"])
def test_what_is_no_time_is_refused(simulator: GateioSimulator, at: str) -> None:
    answer = send(simulator, PATH, headers=signed(simulator, PATH, "", at=at))
    assert answer.status in (400, 403)


def test_the_clock_is_looked_at_before_the_key(simulator: GateioSimulator) -> None:
    assert asked(simulator, KEY="nobody", Timestamp="1").error == (403, "REQUEST_EXPIRED")
    assert asked(simulator, KEY="nobody").error == (401, "INVALID_KEY")


def test_a_wrong_signature_is_refused(simulator: GateioSimulator) -> None:
    assert asked(simulator, SIGN="0" * 128).error == (401, "INVALID_SIGNATURE")


def test_another_query_than_the_signed_one_is_refused(simulator: GateioSimulator) -> None:
    answer = send(simulator, f"{PATH}?currency=BTC", headers=signed(simulator, PATH, ""))
    assert answer.error == (401, "INVALID_SIGNATURE")


def test_the_signed_query_is_the_decoded_one(simulator: GateioSimulator) -> None:
    query = f"currency={urllib.parse.quote('B T/C')}"
    headers = signed(simulator, PATH, "currency=B T/C")
    assert send(simulator, f"{PATH}?{query}", headers=headers).json == []


def test_a_body_is_part_of_what_is_signed(simulator: GateioSimulator) -> None:
    path, body = f"{BASE}/spot/orders", b'{"currency_pair":"BTC_USDT"}'
    headers = signed(simulator, path, "", method="POST", body=body)
    assert send(simulator, path, method="POST", headers=headers, body=body).error == (403, "READ_ONLY")
    other = send(simulator, path, method="POST", headers=headers, body=body + b" ")
    assert other.error == (401, "INVALID_SIGNATURE")


def test_a_withdrawal_is_forbidden(simulator: GateioSimulator) -> None:
    path = f"{BASE}/withdrawals"
    headers = signed(simulator, path, "", method="POST")
    assert send(simulator, path, method="POST", headers=headers).error == (403, "FORBIDDEN")
    assert ask(simulator, "/withdrawals/w1", method="DELETE").error == (403, "FORBIDDEN")


def test_an_unknown_path_is_not_found(simulator: GateioSimulator) -> None:
    assert ask(simulator, "/spot/nowhere").error == (404, "NOT_FOUND")
    assert ask(simulator, "/spot/accounts", method="POST").error == (404, "NOT_FOUND")
