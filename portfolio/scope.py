"""The scope of a reader, from the room that owns the accounts."""

from credentials.scope import ALL, Scope, resolve

__all__ = ["ALL", "Scope", "resolve"]
