"""Faults by script: rules that make a simulated exchange misbehave as real ones do.

A rule says which requests it meets (`path` as a glob, `params` that must be equal, `account` by label),
how many of them it lets pass first (`skip`), how many it spoils (`times`, None = all), and what happens
(`action`):

| action | what the client sees | arguments |
|---|---|---|
| `revoked_key` | 401 -2015 | |
| `bad_signature` | 400 -1022 | |
| `clock_offset` | the exchange's clock is off, in `time` and in the timestamp check | `ms` |
| `rate_limit` | 429 -1003 with Retry-After | `retry_after` seconds |
| `ban` | 418 -1003 with Retry-After | `retry_after` seconds |
| `bad_gateway` | 502 with an HTML page | |
| `truncate` | half of the announced body, then the end of the connection | |
| `reset` | TCP RST instead of an answer | |
| `latency` | the answer comes late | `ms` |
| `duplicate_rows` | the last row of the page is there twice, and the first again at the end | |
| `out_of_order_rows` | the rows of the page come backwards | |
| `empty_page` | no rows | |
| `many_decimals` | a number of one row has 19 decimals | `field`, `row` |
| `unreadable_row` | one row lacks a field | `field`, `row` |

The codes are Binance's; every exchange refuses in its own words. Rules of several kinds act together on one request.
`late_fill` is not a rule but an event; see `SimulatedExchange`.
"""

import fnmatch
import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

ACTIONS: Final = frozenset(
    {
        "revoked_key",
        "bad_signature",
        "clock_offset",
        "rate_limit",
        "ban",
        "bad_gateway",
        "truncate",
        "reset",
        "latency",
        "duplicate_rows",
        "out_of_order_rows",
        "empty_page",
        "many_decimals",
        "unreadable_row",
    }
)


class UnknownFault(ValueError):
    """The rule names no known action or an unknown property."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule. `hits` counts the requests it spoiled."""

    action: str
    path: str = "*"
    params: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    times: int | None = None
    skip: int = 0
    ms: int = 0
    retry_after: int = 0
    field: str = ""
    row: int = -1
    number: int = 0
    hits: int = 0

    def meets(self, *, path: str, params: Mapping[str, str], account: str) -> bool:
        return (
            fnmatch.fnmatchcase(path, self.path)
            and (not self.account or self.account == account)
            and all(params.get(name) == value for name, value in self.params.items())
        )


class Faults:
    """The rules in force; safe to change while requests are served."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, action: str, **properties: Any) -> Fault:
        """Put a rule in force; properties are those of `Fault`. Raises UnknownFault."""
        if action not in ACTIONS:
            raise UnknownFault(f"unknown action {action!r}")
        with self._lock:
            try:
                rule = Fault(action=action, number=next(self._numbers), **properties)
            except TypeError as error:
                raise UnknownFault(str(error)) from None
            self._rules.append(rule)
        return rule

    def __bool__(self) -> bool:
        return bool(self._rules)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def remove(self, rule: Fault) -> None:
        with self._lock:
            self._rules.remove(rule)

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def strike(self, *, path: str, params: Mapping[str, str], account: str) -> "Struck":
        """The faults of one request. Counts it against every rule it meets."""
        struck = []
        with self._lock:
            for rule in self._rules:
                if rule.times is not None and rule.hits >= rule.times:
                    continue
                if not rule.meets(path=path, params=params, account=account):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.hits += 1
                struck.append(rule)
        return Struck(struck)


class Struck:
    """The faults that hit one request."""

    def __init__(self, rules: Iterable[Fault]) -> None:
        self._rules = {rule.action: rule for rule in rules}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def get(self, action: str) -> Fault | None:
        return self._rules.get(action)

    def __contains__(self, action: str) -> bool:
        return action in self._rules

    def spoil_rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a page as the faults leave them."""
        if "empty_page" in self:
            return []
        rows = [dict(row) for row in rows]
        if rows and (rule := self.get("many_decimals")):
            target = rows[rule.row]
            name = rule.field or ("qty" if "qty" in target else "amount")
            target[name] = str(target[name]).rstrip("0") + "1".rjust(19 - _places(str(target[name])), "0")
        if rows and (rule := self.get("unreadable_row")):
            target = rows[rule.row]
            target.pop(rule.field or ("price" if "price" in target else "amount"))
        if rows and "duplicate_rows" in self:
            rows = [*rows, rows[-1], rows[0]]
        if "out_of_order_rows" in self:
            rows.reverse()
        return rows


def _places(number: str) -> int:
    return len(number.rstrip("0").partition(".")[2])


NOTHING: Final = Struck([])
