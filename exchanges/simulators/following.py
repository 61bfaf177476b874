"""What follows from an account's facts: made anew only when there are other facts."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

A = TypeVar("A")
T = TypeVar("T")


def follows(mark: Callable[[A], Hashable]) -> Callable[[Callable[[A], T]], Callable[[A], T]]:
    """Keep what a function of an account answers for as long as `mark` answers the same."""

    def keeping(make: Callable[[A], T]) -> Callable[[A], T]:
        kept: WeakKeyDictionary[A, tuple[Hashable, T]] = WeakKeyDictionary()

        @wraps(make)
        def made(account: A) -> T:
            now, known = mark(account), kept.get(account)
            if known is None or known[0] != now:
                known = kept[account] = (now, make(account))
            return known[1]

        return made

    return keeping
