"""A bare client that signs as it is told: what the tests of the protocol speak with."""

import hashlib
import hmac
import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from exchanges.simulators.gateio import GateioSimulator

BASE = "/api/v4"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """HTTP status and label."""
        return self.status, self.json["label"]


def send(
    simulator: GateioSimulator,
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


def signed(
    simulator: GateioSimulator,
    path: str,
    query: str,
    *,
    account: str = "demo",
    method: str = "GET",
    body: bytes = b"",
    at: str = "",
) -> dict[str, str]:
    """The headers of a request; the timestamp is the simulator's time unless it is given."""
    keys = simulator.accounts[account]
    at = at or str(simulator.clock.now_ms() // 1000)
    lines = (method, path, query, hashlib.sha512(body).hexdigest(), at)
    sign = hmac.new(keys.api_secret.encode(), "\n".join(lines).encode(), hashlib.sha512).hexdigest()
    return {"KEY": keys.api_key, "Timestamp": at, "SIGN": sign}


def ask(
    simulator: GateioSimulator, path: str, *, account: str = "demo", method: str = "GET", **parameters: Any
) -> Answer:
    """A signed request of an account; `from_` stands for `from`."""
    query = urllib.parse.urlencode({name.rstrip("_"): value for name, value in parameters.items()})
    headers = signed(simulator, BASE + path, query, account=account, method=method)
    return send(simulator, f"{BASE}{path}?{query}" if query else BASE + path, method=method, headers=headers)
