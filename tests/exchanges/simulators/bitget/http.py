"""A bare client that signs as it is told: what the tests of the protocol speak with."""

import base64
import hashlib
import hmac
import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from exchanges.simulators.bitget import BitgetSimulator


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def error(self) -> tuple[int, str]:
        """HTTP status and code."""
        return self.status, self.json["code"]


def send(
    simulator: BitgetSimulator, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=20)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def signed(
    simulator: BitgetSimulator,
    path: str,
    query: str,
    *,
    account: str = "leveraged",
    method: str = "GET",
    at: str = "",
) -> dict[str, str]:
    """The headers of a request; the timestamp is the simulator's time unless it is given."""
    keys = simulator.accounts[account]
    at = at or str(simulator.clock.now_ms())
    text = f"{at}{method}{path}{'?' if query else ''}{query}"
    digest = hmac.new(keys.api_secret.encode(), text.encode(), hashlib.sha256).digest()
    return {
        "ACCESS-KEY": keys.api_key,
        "ACCESS-SIGN": base64.b64encode(digest).decode(),
        "ACCESS-TIMESTAMP": at,
        "ACCESS-PASSPHRASE": simulator.passphrase(account),
    }


def ask(simulator: BitgetSimulator, path: str, *, account: str = "leveraged", **parameters: Any) -> Answer:
    """A signed request of an account."""
    query = urllib.parse.urlencode(parameters)
    headers = signed(simulator, path, query, account=account)
    return send(simulator, f"{path}?{query}" if query else path, headers=headers)
