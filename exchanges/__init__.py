"""Exchanges behind one protocol: adapters returning typed rows, simulators of their wire protocols. No Django."""
