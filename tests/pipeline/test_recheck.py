"""Looking for late fills costs a request for every symbol: it must come to its end in small parts, too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from exchanges.binance.account import BinanceAccount
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Page
from pipeline import walks
from pipeline.governors import SPENT
from pipeline.models import RunStatus, Stream, SyncCursor
from tests.pipeline.worlds import START, World


@pytest.mark.django_db
def test_a_recheck_that_ran_out_of_budget_goes_on_after_the_symbols_it_finished(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, asked, real = make_world("holes"), list[str](), BinanceAccount.fills_between
    world.sync()

    def spent_at_the_second(self: BinanceAccount, symbol: str, *span: Any) -> Any:
        asked.append(symbol)
        if len(asked) == 2:
            until = world.now() + timedelta(seconds=10)
            raise ExchangeError(ErrorKind.RATE, "used up", code=SPENT, retry_at=until)
        return real(self, symbol, *span)

    monkeypatch.setattr(BinanceAccount, "fills_between", spent_at_the_second)
    assert world.sync().status == RunStatus.PARTIAL
    world.wait(seconds=80)
    world.work()
    first, second, *others = asked
    assert others == [second, *sorted(set(others) - {first, second})] != [second]
    assert world.cursor(Stream.RECHECK).position == ""


def test_a_recheck_goes_on_within_a_symbol_with_more_pages_than_a_budget_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keep(session: object, cursor: SyncCursor, position: str, step: str) -> None:
        cursor.position = position

    monkeypatch.setattr(walks, "_keep_place", keep)
    session, cursor, first, middle = (
        Mock(),
        SyncCursor(),
        START - timedelta(days=4),
        START - timedelta(days=1),
    )
    pages: list[Page[Any]] = [Page((), (), "", True, 0, covered_to=middle), Page((), (), "", True, 0)]
    turns = walks.each_in_turn(session, cursor, ["C", "B", "A"], first)
    assert [next(turns), next(turns)] == [("A", first), ("B", first)]
    read = walks.keeping_place(session, cursor, "B", pages)
    assert [next(read), next(read)] == pages
    assert list(walks.each_in_turn(session, cursor, ["C", "B", "A"], first)) == [("B", middle), ("C", first)]
    assert cursor.position == "after C"
