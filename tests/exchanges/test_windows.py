"""Walks by time: whatever happened, in whatever order it is told, nothing is lost and nothing skipped."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.windows import Span, Window, WindowWalk, ceil_ms

WALK = WindowWalk(page=3, longest=timedelta(milliseconds=50), overlap=timedelta(milliseconds=10))


def walked(times: list[int], walk: WindowWalk, span: Span, position: str = "") -> tuple[set[int], str, int]:
    """Indexes of what was found, where the walk ended, and how often it asked: rows are told newest first."""
    found, asked = set[int](), 0
    while True:
        window = walk.at(position, span)
        inside = [index for index, at in enumerate(times) if window.start <= at < window.end]
        page = sorted(inside, key=lambda index: -times[index])[: walk.page]
        asked += 1
        found |= set(page)
        onward, has_more = walk.after(window, len(page), span)
        if not has_more:
            return found, onward, asked
        assert onward != position
        position = onward


@given(st.lists(st.integers(0, 300), max_size=40, unique=True))
def test_everything_in_the_span_is_found(times: list[int]) -> None:
    found, position, _ = walked(times, WALK, Span(20, 260))
    assert {times[index] for index in found} == {at for at in times if 20 <= at < 260}
    assert 20 <= int(position) <= 250


@given(st.lists(st.integers(0, 300), max_size=40, unique=True), st.integers(0, 299))
def test_the_next_walk_finds_what_came_since(times: list[int], first_until: int) -> None:
    early = [at for at in times if at < first_until]
    _, position, _ = walked(early, WALK, Span(0, first_until))
    found, _, _ = walked(times, WALK, Span(0, 301), position)
    assert {times[index] for index in found} >= {at for at in times if at >= first_until}


def test_the_last_window_is_read_again_as_a_whole() -> None:
    assert WALK.after(Window(210, 260), 2, Span(20, 260)) == ("210", False)
    assert WALK.after(Window(255, 260), 2, Span(20, 260)) == ("250", False)


def test_a_position_older_than_the_floor_goes_on_at_the_floor() -> None:
    assert WALK.at("5:9", Span(100, 400)) == Window(100, 150)


def test_the_floor_passing_through_a_narrow_window_leaves_its_rest() -> None:
    assert WALK.at("90:110", Span(100, 400)) == Window(100, 110)


def test_nothing_is_asked_beyond_the_end() -> None:
    assert WALK.at("500", Span(100, 400)).length <= 0


def test_one_full_millisecond_is_left_behind() -> None:
    assert WALK.after(Window(7, 8), 3, Span(0, 50)) == ("8:10", True)


def test_windows_grow_again_after_a_dense_stretch() -> None:
    crowd = list(range(40, 52))
    _, _, asked = walked(crowd, WALK, Span(0, 5_000))
    assert asked < 130  # a hundred windows of 50 ms, and a few narrow ones


@pytest.mark.parametrize(("microseconds", "ms"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)])
def test_an_end_is_rounded_up(microseconds: int, ms: int) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert ceil_ms(moment + timedelta(microseconds=microseconds)) == ceil_ms(moment) + ms
