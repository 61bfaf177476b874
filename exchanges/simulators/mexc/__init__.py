"""MEXC spot, simulated: the real REST protocol over deterministic accounts."""

from exchanges.simulators.mexc.simulator import MexcSimulator

__all__ = ["MexcSimulator"]
