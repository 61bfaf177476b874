"""How the endpoints of unified accounts are asked: a list and a cursor."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from exchanges.bitget import client as wire
from exchanges.bitget import walks
from exchanges.bitget.client import Listed
from exchanges.bitget.walks import Window, below
from exchanges.transport import CcxtClient
from exchanges.windows import Span

_STRATEGIES: Final = "private_uta_get_v3_trade_unfilled_strategy_orders"
_STRATEGY_HISTORY: Final = "private_uta_get_v3_trade_history_strategy_orders"
STRATEGY_TYPES: Final = ("tpsl", "trigger")


def asking(client: CcxtClient, endpoint: str, **fixed: str) -> Callable[[Window], Listed]:
    """The pages of a history."""

    def ask(window: Window) -> Listed:
        asked = {**fixed, **window.times, **below(window.cursor, "cursor")}
        return wire.page_with_end(client, endpoint, asked, member="list")

    return ask


def listed(client: CcxtClient, endpoint: str, **asked: str) -> list[Any]:
    """A list that is read as a whole."""
    return wire.whole(_pages(client, endpoint, asked))


def strategies(client: CcxtClient, category: str, ended: Span | None = None) -> list[Any]:
    """Conditional orders that wait, and those that ended in a span."""
    found: list[Any] = []
    for kind in STRATEGY_TYPES:
        asked = {"category": category, "type": kind}
        found += wire.rows(client, _STRATEGIES, asked)
        if ended is not None:
            found += walks.collect(walks.MONTHLY, ended, asking(client, _STRATEGY_HISTORY, **asked))
    return found


def _pages(client: CcxtClient, endpoint: str, asked: Mapping[str, str]) -> Iterator[Listed]:
    page = Listed([], "")
    while True:
        page = wire.page_with_end(client, endpoint, {**asked, **below(page.cursor, "cursor")}, member="list")
        yield page
        if not page.cursor:
            return
