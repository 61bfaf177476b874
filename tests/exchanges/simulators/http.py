"""A bare client that signs as it is told: what the tests of the protocol speak with."""

import hashlib
import hmac
import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from exchanges.simulators.exchange import SimulatedExchange


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, int]:
        """HTTP status and the exchange's code."""
        return self.status, self.json["code"]


def send(
    simulator: SimulatedExchange,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    source: str = "127.0.0.1",
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", simulator.port, timeout=20, source_address=(source, 0)
    )
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    finally:
        connection.close()


def query(simulator: SimulatedExchange, *, secret: str, **parameters: Any) -> str:
    """A signed query string; `timestamp` is the simulator's time unless it is given."""
    parameters.setdefault("timestamp", simulator.clock.now_ms())
    text = urllib.parse.urlencode(parameters)
    return f"{text}&signature={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"


def ask(
    simulator: SimulatedExchange, path: str, *, account: str = "demo", method: str = "GET", **parameters: Any
) -> Answer:
    """A signed request of an account."""
    keys = simulator.accounts[account]
    signed = query(simulator, secret=keys.api_secret, **parameters)
    return send(simulator, f"{path}?{signed}", method=method, headers={"X-MBX-APIKEY": keys.api_key})
