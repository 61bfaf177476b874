"""What operators see: users to manage, everything derived or secret read-only, no secret in any column."""

from web.admin import audit, connections, derived, facts, market, people, statements, work

__all__ = ["audit", "connections", "derived", "facts", "market", "people", "statements", "work"]
