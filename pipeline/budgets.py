"""What all workers together may still ask an exchange for: windows in Redis, by exchange and whoever pays.

A bucket is a sliding window cut into slices: how much was spent in each of the last slices. The slices that count reach
back longer than the bucket's period, so that no period of the exchange's, wherever it begins and however long requests
are under way, holds more than the bucket's amount.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from exchanges.limits import Bucket, Charge, Payer
from pipeline import shared
from pipeline.priorities import SHARES, Priority

SLICES: Final = 20  # of a period
COUNTED: Final = (
    SLICES + 2
)  # the one that runs, the oldest that still matters, and one for requests under way
ALONE_PERCENT: Final = 10  # what a process may spend of a budget while it cannot ask what the others spent

# All buckets of a request are charged, or none. Answers the milliseconds to wait and the levels as they were.
# ARGV: now in ms, or "" for Redis's own clock; slices counted; then width of a slice, limit and cost for each key.
_TAKE: Final = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local counted, wait, levels = tonumber(ARGV[2]), 0, {}
for i, key in ipairs(KEYS) do
  local width, limit, cost = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local oldest, used, slices = math.floor(now / width) - counted + 1, 0, {}
  local stored = redis.call('HGETALL', key)
  for j = 1, #stored, 2 do
    local slice, spent = tonumber(stored[j]), tonumber(stored[j + 1])
    if slice < oldest then
      redis.call('HDEL', key, stored[j])
    else
      used = used + spent
      slices[#slices + 1] = {slice, spent}
    end
  end
  levels[i] = used
  if used > 0 and used + cost > limit then
    table.sort(slices, function(a, b) return a[1] < b[1] end)
    local excess, free_at = used + cost - limit, 0
    for _, each in ipairs(slices) do
      free_at = (each[1] + counted) * width
      excess = excess - each[2]
      if excess <= 0 then break end
    end
    wait = math.max(wait, free_at - now)
  end
end
if wait == 0 then
  for i, key in ipairs(KEYS) do
    local width = tonumber(ARGV[3 * i])
    redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / width)), ARGV[3 * i + 2])
    redis.call('PEXPIRE', key, width * (counted + 1))
  end
end
return {wait, unpack(levels)}
"""
# The exchange knows better: what it counted and we did not was spent by others behind our address.
# ARGV: now or "", slices counted, width of a slice, the level told.
_RAISE: Final = """
local now, counted, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local current, used = math.floor(now / width), 0
local stored = redis.call('HGETALL', KEYS[1])
for j = 1, #stored, 2 do
  if tonumber(stored[j]) > current - counted then used = used + tonumber(stored[j + 1]) end
end
if tonumber(ARGV[4]) > used then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), tonumber(ARGV[4]) - used)
  redis.call('PEXPIRE', KEYS[1], width * (counted + 1))
end
return used
"""


@dataclass(frozen=True, slots=True)
class Purse:
    """Whose budgets a client draws on. `account` is "" for a client without keys."""

    exchange: str
    address: str
    account: str

    def key(self, bucket: Bucket) -> str:
        payer = f"address:{self.address}" if bucket.payer is Payer.ADDRESS else f"account:{self.account}"
        return shared.key(self.exchange, "budget", payer, bucket.name)


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds to wait before asking again, 0 when the charges were taken; and the buckets' levels before that."""

    wait: float
    levels: Mapping[Bucket, int]


class Budgets:
    """`now_ms` is for tests; everybody else counts by Redis's clock, which all hosts share."""

    def __init__(self, now_ms: Callable[[], int] | None = None) -> None:
        self._now_ms = now_ms
        self._local = LocalWindows(now_ms or _monotonic_ms)

    def take(self, purse: Purse, charges: Sequence[Charge], priority: Priority) -> Taken:
        """Charge a request to all of its buckets at once, or to none and answer how long to wait."""
        percent = settings.EXCHANGE_BUDGET_PERCENT
        if not percent or not charges:
            return Taken(0, {})
        keys = [purse.key(charge.bucket) for charge in charges]
        arguments: list[Any] = [self._now(), COUNTED]
        for charge in charges:
            arguments += [_width(charge.bucket), _limit(charge, priority, percent), charge.cost]
        answer = shared.state().ask(lambda redis: _run(redis, _TAKE, keys, arguments))
        if answer is None:
            limits = [_limit(charge, priority, percent * ALONE_PERCENT // 100) for charge in charges]
            wait, *levels = self._local.take(keys, charges, limits)
        else:
            wait, *levels = answer
        spent = {charge.bucket: level for charge, level in zip(charges, levels, strict=True)}
        return Taken(wait / 1000, spent)

    def raise_level(self, purse: Purse, bucket: Bucket, level: int) -> None:
        """Believe an exchange that tells a higher level than was counted here."""
        arguments = [self._now(), COUNTED, _width(bucket), level]
        shared.state().ask(lambda redis: _run(redis, _RAISE, [purse.key(bucket)], arguments))

    def _now(self) -> int | str:
        return "" if self._now_ms is None else self._now_ms()


class LocalWindows:
    """The same windows in this process alone."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._spent: dict[str, dict[int, int]] = defaultdict(dict)
        self._lock = threading.Lock()

    def take(self, keys: Sequence[str], charges: Sequence[Charge], limits: Sequence[int]) -> list[int]:
        """As the script: milliseconds to wait, then the levels."""
        with self._lock:
            now, wait, levels = self._now_ms(), 0, []
            for key, charge, limit in zip(keys, charges, limits, strict=True):
                slices = self._recent(key, charge.bucket, now)
                levels.append(sum(slices.values()))
                if levels[-1] and levels[-1] + charge.cost > limit:
                    free_at = _free_at(slices, levels[-1] + charge.cost - limit, _width(charge.bucket))
                    wait = max(wait, free_at - now)
            if not wait:
                for key, charge in zip(keys, charges, strict=True):
                    current = now // _width(charge.bucket)
                    self._spent[key][current] = self._spent[key].get(current, 0) + charge.cost
            return [wait, *levels]

    def _recent(self, key: str, bucket: Bucket, now: int) -> dict[int, int]:
        oldest = now // _width(bucket) - COUNTED + 1
        kept = {number: spent for number, spent in self._spent[key].items() if number >= oldest}
        self._spent[key] = kept
        return kept


def _free_at(slices: Mapping[int, int], excess: int, width: int) -> int:
    """When enough of the oldest slices no longer count."""
    free_at = 0
    for number in sorted(slices):
        free_at = (number + COUNTED) * width
        excess -= slices[number]
        if excess <= 0:
            break
    return free_at


def _limit(charge: Charge, priority: Priority, percent: int) -> int:
    """The level up to which a request of this priority may bring the bucket; at least the request itself."""
    return max(charge.bucket.amount * percent * SHARES[priority] // 10_000, charge.cost)


def _width(bucket: Bucket) -> int:
    """Milliseconds of a slice."""
    return max(bucket.seconds * 1000 // SLICES, 1)


def _run(redis: Any, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    return redis.register_script(script)(keys=keys, args=arguments)


def _monotonic_ms() -> int:
    return int(time.monotonic() * 1000)


BUDGETS: Final = Budgets()
"""The process's own."""
