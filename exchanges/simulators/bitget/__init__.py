"""Bitget, simulated: the real REST protocol (v2, and v3 for unified accounts) over deterministic accounts.

from exchanges.simulators.bitget import BitgetSimulator

with BitgetSimulator(seed=1, clock=FixedClock(...), profiles=SMALL, unified=("demo",)) as simulator:
    simulator.url, simulator.accounts["demo"].api_key, simulator.passphrase("demo")
    simulator.faults.add("rate_limit", path="/api/v2/spot/trade/fills", times=1)
    simulator.truth()
"""

from exchanges.simulators.bitget.simulator import BitgetSimulator

__all__ = ["BitgetSimulator"]
