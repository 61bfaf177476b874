"""A bare client that signs as it is told: what the tests of MEXC's protocol speak with."""

from typing import Any

from exchanges.simulators.mexc import MexcSimulator
from tests.exchanges.simulators.http import Answer, query, send


def ask(
    simulator: MexcSimulator, path: str, *, account: str = "demo", method: str = "GET", **parameters: Any
) -> Answer:
    """A signed request of an account."""
    keys = simulator.accounts[account]
    signed = query(simulator, secret=keys.api_secret, **parameters)
    return send(simulator, f"{path}?{signed}", method=method, headers={"X-MEXC-APIKEY": keys.api_key})
