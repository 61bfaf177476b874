"""The same thing done many times at once, each time on a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

_T = TypeVar("_T")


def at_once(times: int, act: Callable[[int], _T], *, threads: int = 0) -> list[_T]:
    """`act(0) … act(times - 1)`, as many at a time as there are threads, which start together."""
    workers = threads or times
    start = Barrier(workers)

    def work(first: int) -> list[_T]:
        try:
            start.wait()
            return [act(number) for number in range(first, times, workers)]
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return [result for results in pool.map(work, range(workers)) for result in results]
