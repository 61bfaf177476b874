"""Gate.io spot, simulated: the real REST protocol (APIv4) over deterministic accounts.

from exchanges.simulators.gateio import GateioSimulator

with GateioSimulator(seed=1, clock=FixedClock(...), profiles=SMALL) as simulator:
    simulator.url, simulator.accounts["demo"].api_key, simulator.accounts["demo"].api_secret
    simulator.faults.add("rate_limit", path="/api/v4/spot/my_trades", times=1, retry_after=3)
    simulator.truth()
"""

from exchanges.simulators.gateio.simulator import GateioSimulator

__all__ = ["GateioSimulator"]
