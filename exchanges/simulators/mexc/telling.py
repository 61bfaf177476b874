"""The truth in MEXC's words: its ids, states and kinds of orders."""

from collections.abc import Mapping

from exchanges.simulators.account import Account
from exchanges.simulators.facts import NO_LIST
from exchanges.simulators.mexc import contract_telling, wire
from exchanges.simulators.truth import Json


def in_mexcs_words(truth: Json, accounts: Mapping[str, Account]) -> Json:
    """The world's truth with what differs on the wire replaced, in place."""
    for label, told in truth["accounts"].items():
        account = accounts[label]
        for fact, row in zip(told.get("conversions", ()), account.conversions, strict=True):
            fact["id"] = wire.dust_id(row)
        if account.margin is not None:
            told["futures"] = contract_telling.tell(told["futures"], account.margin)
        for name, fills in told["fills"].items():
            for fact, fill in zip(fills, account.fills[name], strict=True):
                fact |= {"id": wire.fill_id(account, fill), "order_id": wire.order_id(account, fill)}
        for name, orders in told["orders"].items():
            for fact, order in zip(orders, account.orders[name], strict=True):
                fact |= {
                    "id": wire.order_id(account, order),
                    "client_order_id": wire.client_order_id(order) or "",
                    "list_id": NO_LIST,
                    "type": wire.order_type(order),
                    "status": wire.order_status(order),
                }
    return truth
