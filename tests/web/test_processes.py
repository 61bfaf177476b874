"""Children of `make run`: which of them the others can do without."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.processes import ChildDied, Stack

ENDS = [sys.executable, "-c", "print('I leave')"]
STAYS = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, {})
    stack.start("stays", STAYS)
    yield stack
    stack.stop()


def checked(stack: Stack) -> list[str]:
    """What the first look tells after which something has ended."""
    while not (ended := stack.check()):
        time.sleep(0.02)
    return ended


def test_a_child_that_ends_is_told_with_the_end_of_its_log(stack: Stack) -> None:
    stack.start("ends", ENDS)
    with pytest.raises(ChildDied, match=r"ends ended with code 0[\s\S]*I leave"):
        checked(stack)


def test_a_spared_child_may_end_and_is_told_once(stack: Stack) -> None:
    stack.start("ends", ENDS)
    stack.spare("ends")
    assert (checked(stack), stack.check()) == (["ends"], [])
