"""Signed endpoints of contracts: wallet, positions, orders, fills and ledgers. For reading only."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from exchanges.simulators.account import Account
from exchanges.simulators.clock import DAY_MS
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ConditionalOrder
from exchanges.simulators.contracts import Listing
from exchanges.simulators.mexc import contract_errors as errors
from exchanges.simulators.mexc import contract_wire as wire
from exchanges.simulators.mexc.contract_wire import Json
from exchanges.simulators.mexc.parameters import Parameters

KEPT_MS: Final = 90 * DAY_MS
_USUAL_MS: Final = 7 * DAY_MS
_USUAL_PAGE, _LARGEST_PAGE = 20, 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pages:
    """Rows whose answer tells how many pages there are."""

    rows: list[Json]
    page: int
    size: int

    @property
    def chosen(self) -> list[Json]:
        return self.rows[self.size * (self.page - 1) : self.size * self.page]

    def around(self, rows: list[Any]) -> Json:
        return {
            "pageSize": self.size,
            "totalCount": len(self.rows),
            "totalPage": -(-len(self.rows) // self.size),
            "currentPage": self.page,
            "resultList": rows,
        }


Answer = Json | int | list[Json] | Pages
Endpoint = Callable[[MarginAccount, "Moment", Parameters], Answer]


@dataclass(frozen=True, slots=True)
class Moment:
    """`now_ms` is the moment facts are known up to."""

    now_ms: int


def assets(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    return [wire.asset(margin, currency, at.now_ms) for currency in margin.wallet]


def open_positions(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("symbol")
    rows = [wire.position(margin, row) for row in margin.held()]
    return [row for row in rows if asked in ("", row["symbol"])]


def position_mode(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    return wire.mode(margin)


def history_positions(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("symbol")
    rows = [row for row in wire.closed_positions(margin) if asked in ("", row["symbol"])]
    return _page(sorted(rows, key=lambda row: -row["updateTime"]), parameters).chosen


def funding_records(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("symbol")
    rows = [wire.funding(margin, row) for row in reversed(margin.funding)]
    return _page([row for row in rows if asked in ("", row["symbol"])], parameters)


def transfer_record(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    moved = sorted(margin.transfers, key=lambda row: (row.moved_at, row.transfer_id), reverse=True)
    return _page([wire.transfer(row) for row in moved], parameters)


def open_orders(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("symbol")
    rows = [wire.order(margin, row) for row in reversed(margin.open_orders.values())]
    return _page([row for row in rows if asked in ("", row["symbol"])], parameters).chosen


def history_orders(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    """Those that ended, by the time of placing, newest first."""
    start, end = _span(parameters, at.now_ms)
    found = [row for row in _of(margin, margin.orders, parameters) if start <= row.placed_at <= end]
    found.sort(key=lambda row: (row.placed_at, row.order_id), reverse=True)
    return _page([wire.order(margin, row) for row in found if not row.is_open], parameters).chosen


def order(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("order_id")
    for row in _of(margin, margin.orders, parameters):
        if str(row.order_id) == asked:
            return wire.order(margin, row)
    raise errors.no_order()


def order_deals(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    """Of one contract, newest first."""
    if not parameters.text("symbol"):
        raise errors.bad_parameter("symbol")
    start, end = _span(parameters, at.now_ms)
    found = [row for row in _of(margin, margin.fills, parameters) if start <= row.executed_at <= end]
    found.sort(key=lambda row: (row.executed_at, row.fill_id), reverse=True)
    return _page([wire.deal(margin, row) for row in found], parameters).chosen


def deal_details(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    asked = parameters.text("order_id")
    found = [row for row in _of(margin, margin.fills, parameters) if str(row.order_id) == asked]
    return [wire.deal(margin, row) for row in found]


def plan_orders(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    states = {each for each in parameters.text("states").split(",") if each}
    rows = [wire.plan(margin, row) for row in _conditional(margin, parameters) if not wire.is_stop(row)]
    return _page([row for row in rows if not states or str(row["state"]) in states], parameters).chosen


def stop_orders(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    finished = parameters.text("is_finished")
    rows = [wire.stop(margin, row) for row in _conditional(margin, parameters) if wire.is_stop(row)]
    return _page([row for row in rows if finished in ("", str(row["isFinished"]))], parameters).chosen


def refused(margin: MarginAccount, at: Moment, parameters: Parameters) -> Answer:
    """Keys of simulated accounts may read only."""
    raise errors.no_write_right()


def margin_of(account: Account) -> MarginAccount:
    """The account's wallet of contracts. Raises the refusal of one that never opened it."""
    if account.margin is None:
        raise errors.no_account()
    return account.margin


def _conditional(margin: MarginAccount, parameters: Parameters) -> list[ConditionalOrder]:
    found = list(_of(margin, margin.conditional_orders, parameters))
    return sorted(found, key=lambda row: (row.placed_at, row.order_id), reverse=True)


def _of(margin: MarginAccount, rows: dict[str, list[T]], parameters: Parameters) -> Iterator[T]:
    """Of all contracts, or of the one asked for."""
    listed: dict[str, Listing] = dict(wire.listings(margin.terms))
    asked = parameters.text("symbol")
    if asked and asked not in listed:
        raise errors.no_contract()
    for name, listing in listed.items():
        if asked in ("", name):
            yield from rows.get(listing.name, ())


def _span(parameters: Parameters, now_ms: int) -> tuple[int, int]:
    """[start, end], both counting; the last seven days unless asked otherwise, 90 days back at most."""
    start, end = parameters.integer("start_time"), parameters.integer("end_time")
    end = now_ms if end is None else end
    start = end - _USUAL_MS if start is None else start
    if start < now_ms - KEPT_MS or end - start > KEPT_MS:
        raise errors.bad_parameter("start_time")
    return start, end


def _page(rows: Iterable[Json], parameters: Parameters) -> Pages:
    page, size = parameters.integer("page_num") or 1, parameters.integer("page_size") or _USUAL_PAGE
    if not 1 <= size <= _LARGEST_PAGE:
        raise errors.bad_parameter("page_size")
    return Pages(list(rows), page, size)


PREFIX: Final = "/api/v1/private/"
ENDPOINTS: Final[dict[str, Endpoint]] = {
    "account/assets": assets,
    "position/open_positions": open_positions,
    "position/position_mode": position_mode,
    "position/list/history_positions": history_positions,
    "position/funding_records": funding_records,
    "account/transfer_record": transfer_record,
    "order/list/open_orders": open_orders,
    "order/list/open_orders/{symbol}": open_orders,
    "order/list/history_orders": history_orders,
    "order/get/{order_id}": order,
    "order/list/order_deals": order_deals,
    "order/list/order_deals/v3": order_deals,
    "order/deal_details/{order_id}": deal_details,
    "planorder/list/orders": plan_orders,
    "stoporder/list/orders": stop_orders,
}
