"""How often accounts are read when an exchange allows less than all of them could use.

Each visit notes what it spent of the budgets that accounts share, so the cost of a visit is measured, not guessed. From
it and from how many accounts there are the dispatcher works out a rhythm that fits, the same one for everybody whose
owner looks; the others keep a share of their own, so that nobody waits for ever. All of it lies in Redis: while that is
away, everybody has the usual rhythm, and budgets alone keep within the limits.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.conf import settings

from core import clock
from exchanges.limits import Bucket, Charges, Payer
from pipeline import priorities, schedule, shared
from pipeline.priorities import Priority
from pipeline.schedule import USUAL, Pace

logger = logging.getLogger(__name__)

VISITS_PERCENT: Final = 50  # of a budget; the rest is for history, for whoever waits, and for orders
CALM_SHARE: Final = 0.25  # of that, for accounts nobody looks at; more where the others leave it
CALM: Final = timedelta(minutes=37.5)  # between their visits, in the middle
WORKED_OUT_AGAIN: Final = timedelta(minutes=1)
_SLOT: Final = timedelta(minutes=10)  # costs are summed over the running slot and the one before
_KEPT: Final = timedelta(minutes=30)
_VISITS: Final = "visits"
_NEVER: Final = clock.from_ms(0)
Tally = Counter[Bucket]
_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


@dataclass(frozen=True, slots=True)
class Load:
    """What the accounts of an exchange ask of it. `behind`: how much longer than its rhythm promised the account that
    waits longest has waited; `waiting`: how many have waited longer than promised by half."""

    active: int
    calm: int
    behind: timedelta = timedelta()
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """The rhythm as worked out at `at`, and the load it was made for."""

    pace: Pace
    load: Load
    at: datetime

    @property
    def is_known(self) -> bool:
        """False while no dispatcher worked it out, or nobody can be asked."""
        return self.at > _NEVER

    def text(self) -> str:
        return json.dumps(
            {
                "prompt": self.pace.prompt.total_seconds(),
                "calm": self.pace.calm,
                "active": self.load.active,
                "calm_accounts": self.load.calm,
                "behind": self.load.behind.total_seconds(),
                "waiting": self.load.waiting,
                "at": clock.to_ms(self.at),
            }
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        told: Mapping[str, Any] = json.loads(text)
        behind = timedelta(seconds=told["behind"])
        return cls(
            Pace(timedelta(seconds=told["prompt"]), told["calm"]),
            Load(told["active"], told["calm_accounts"], behind, told["waiting"]),
            clock.from_ms(told["at"]),
        )


def fit(load: Load, costs: Mapping[Bucket, float], *, percent: int) -> Pace:
    """The rhythm that keeps visits of this cost within their part of every bucket. Pure."""
    paces = [_fit(load, cost, _a_minute(bucket, percent)) for bucket, cost in costs.items()]
    return Pace(
        max((pace.prompt for pace in paces), default=USUAL.prompt),
        max((pace.calm for pace in paces), default=USUAL.calm),
    )


def _fit(load: Load, cost: float, supply: float) -> Pace:
    """All in weight a minute."""
    active = load.active * cost / (schedule.PROMPT / timedelta(minutes=1))
    calm = load.calm * cost / (CALM / timedelta(minutes=1))
    if active + calm <= supply:
        return USUAL
    for_calm = min(calm, max(supply * CALM_SHARE, supply - active))
    for_active = supply - for_calm
    return Pace(
        schedule.PROMPT * max(active / for_active, 1.0) if active else schedule.PROMPT,
        max(calm / for_calm, 1.0) if calm else 1.0,
    )


def _a_minute(bucket: Bucket, percent: int) -> float:
    """What visits may spend of it."""
    return bucket.amount * 60 / bucket.seconds * percent * VISITS_PERCENT / 10_000


@contextmanager
def tallied() -> Iterator[Tally]:
    """What requests of the block spend of budgets that accounts share, as far as it is news that they ask for."""
    tally: Tally = Counter()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


def count(charges: Charges) -> None:
    """A request went out. History has to make do with what news leave, so it does not slow them."""
    tally = _tally.get()
    if tally is not None and priorities.current() >= Priority.INCREMENTAL:
        tally.update({each.bucket: each.cost for each in charges if each.bucket.payer is Payer.ADDRESS})


def note(*, exchange: str, tally: Tally, at: datetime) -> None:
    """Add what a visit spent: a run that read what the account is now."""
    key = _slot_key(exchange, at)

    def add(redis: Any) -> None:
        pipe = redis.pipeline(transaction=False)
        for field, amount in ((_VISITS, 1), *((_field(each), cost) for each, cost in tally.items())):
            pipe.hincrby(key, field, amount)
        pipe.pexpire(key, _KEPT // timedelta(milliseconds=1))
        pipe.execute()

    shared.state().ask(add)


def costs(*, exchange: str, at: datetime) -> dict[Bucket, float]:
    """What a visit cost lately, by bucket; nothing while nobody knows."""
    keys = [_slot_key(exchange, moment) for moment in (at, at - _SLOT)]
    found = shared.state().ask(lambda redis: [redis.hgetall(key) for key in keys])
    total: Counter[str] = Counter()
    for slot in found or ():
        total.update({str(field): int(amount) for field, amount in slot.items()})
    visits = total.pop(_VISITS, 0)
    return {_bucket(field): amount / visits for field, amount in total.items()} if visits else {}


def work_out(*, exchange: str, load: Load, at: datetime) -> State:
    """The rhythm from now on; everybody sees it. The log tells when it changes by a minute or more."""
    percent = settings.EXCHANGE_BUDGET_PERCENT
    pace = fit(load, costs(exchange=exchange, at=at), percent=percent) if percent else USUAL
    before, state = find(exchange), State(pace, load, at)
    shared.state().ask(
        lambda redis: redis.set(_key(exchange), state.text(), px=_KEPT // timedelta(milliseconds=1))
    )
    if abs(before.pace.prompt - pace.prompt) >= timedelta(minutes=1):
        minutes = pace.prompt / timedelta(minutes=1)
        logger.warning("%s: each of %d accounts is read every %.1f minutes.", exchange, load.active, minutes)
    return state


def find(exchange: str) -> State:
    """As worked out last; the usual rhythm when nobody did."""
    return find_all([exchange])[exchange]


def find_all(exchanges: list[str]) -> dict[str, State]:
    keys = [_key(exchange) for exchange in exchanges]
    texts = shared.state().ask(lambda redis: redis.mget(keys)) if keys else None
    unknown = State(USUAL, Load(0, 0), _NEVER)
    return {
        exchange: State.parse(str(text)) if text else unknown
        for exchange, text in zip(exchanges, texts or [None] * len(keys), strict=True)
    }


def _key(exchange: str) -> str:
    return shared.key(exchange, "pace")


def _slot_key(exchange: str, at: datetime) -> str:
    return shared.key(exchange, "visits", str(clock.to_ms(at) // (_SLOT // timedelta(milliseconds=1))))


def _field(bucket: Bucket) -> str:
    return f"{bucket.name}:{bucket.amount}:{bucket.seconds}"


def _bucket(field: str) -> Bucket:
    name, amount, seconds = field.rsplit(":", 2)
    return Bucket(name, int(amount), int(seconds), Payer.ADDRESS)
