"""One order of a unified account, of spot or contracts."""

from collections.abc import Mapping
from typing import Final

from exchanges import reading
from exchanges.bitget import client as wire
from exchanges.bitget import unified_mapping, walks
from exchanges.bitget.unified_wire import strategies
from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import OrderRow
from exchanges.transport import CcxtClient

_ORDER: Final = "private_uta_get_v3_trade_order_info"


def find_order(client: CcxtClient, category: str, order_id: str) -> OrderRow:
    """One order as it stands, conditional ones among those that wait and those that ended. Raises ExchangeError."""
    if not order_id.startswith(unified_mapping.PREFIX):
        rows, bad = reading.rows([wire.record(client, _ORDER, {"orderId": order_id})], unified_mapping.order)
    else:
        wire_id = order_id.removeprefix(unified_mapping.PREFIX).partition("-")[0]
        span = walks.reaching(client.now())
        told = [raw for raw in strategies(client, category, span) if _is_about(raw, wire_id)]
        good, bad = reading.rows(unified_mapping.parts(told), unified_mapping.strategy)
        rows = tuple(row for row in good if row.order_id == order_id)
    if bad:
        raise ExchangeError(ErrorKind.BUG, f"Order unreadable: {bad[0].reason}"[:200], code="row")
    if not rows:
        raise ExchangeError(ErrorKind.USER, "Bitget knows no such order any more.", code="25204")
    return rows[0]


def _is_about(raw: object, wire_id: str) -> bool:
    return isinstance(raw, Mapping) and raw.get("orderId") == wire_id
