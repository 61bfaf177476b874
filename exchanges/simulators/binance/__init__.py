"""Binance spot, simulated: the real REST protocol over deterministic accounts.

from exchanges.simulators.binance import BinanceSimulator

with BinanceSimulator(seed=1, clock=FixedClock(...), profiles=SMALL) as simulator:
    simulator.url, simulator.accounts["demo"].api_key, simulator.accounts["demo"].api_secret
    simulator.faults.add("rate_limit", path="/api/v3/myTrades", times=1, retry_after=3)
    simulator.truth()
"""

from exchanges.simulators.binance.simulator import BinanceSimulator

__all__ = ["BinanceSimulator"]
