"""Exchanges behind one protocol: adapters that return typed rows, and simulators of their wire protocols. No Django."""
