"""Exchanges behind one protocol: typed adapters and simulators of their wire protocols. No Django."""
