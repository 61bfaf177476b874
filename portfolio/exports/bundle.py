"""Everything that books follow from, to be read in again elsewhere (`portfolio.imports`): facts as the exchanges told
them, what the user said of them, the prices that were used, and what was reported.

Accounts are named by their ids, orders and transfers by the exchange's.
"""

from collections.abc import Callable, Iterator
from typing import Final

from django.db.models import JSONField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from core.django.tenancy import AccountModel
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders.models import Fill, FundingPayment, Order, OwnTransfer, StrategyPrefix, Transfer
from portfolio.exports.sections import (
    Section,
    Selection,
    amount,
    flag,
    integer,
    listed,
    mapped,
    text,
    time,
)
from portfolio.exports.tables import Row
from portfolio.models import (
    AccountMark,
    Book,
    ItemState,
    Position,
    ReconciliationItem,
    ReportedPosition,
    Trade,
    Valuation,
    WalletBalance,
)

_ACCOUNT: Final = text("account", "account_id")
ACCOUNTS: Final = Section(
    "account", *map(text, ("id", "label", "exchange", "mode", "exchange_uid")), listed("coverage")
)
STRATEGY_PREFIXES: Final = Section("strategy_prefix", text("prefix"), text("strategy"))
ORDERS: Final = Section(
    "order",
    _ACCOUNT,
    *map(
        text,
        (
            "market_type", "symbol", "exchange_order_id", "client_order_id", "order_list_id", "side", "type", "status",
        ),
    ),
    *map(amount, ("price", "stop_price", "quantity", "executed_quantity", "executed_quote_quantity")),
    *map(text, ("time_in_force", "position_side")),
    flag("reduce_only"),
    *map(text, ("role", "group_id")),
    text("parent", "parent__exchange_order_id"),
    *map(text, ("linked_by", "strategy", "strategy_by", "note")),
    listed("tags"),
    time("ordered_at"),
    time("exchange_updated_at"),
    mapped("raw"),
    text("placed_order_id"),
)  # fmt: skip
FILLS: Final = Section(
    "fill",
    _ACCOUNT,
    *map(text, ("market_type", "symbol", "base_asset", "quote_asset", "exchange_fill_id", "exchange_order_id", "side")),
    *map(amount, ("price", "quantity", "quote_quantity", "fee_amount")),
    text("fee_currency"),
    *map(flag, ("is_maker", "is_conversion", "is_inferred")),
    *map(text, ("position_side", "settle_asset")),
    flag("is_inverse"),
    amount("realized_pnl"),
    flag("is_liquidation"),
    time("executed_at"),
    mapped("raw"),
)  # fmt: skip
FUNDING: Final = Section(
    "funding",
    _ACCOUNT,
    *map(text, ("symbol", "exchange_payment_id", "position_side", "asset")),
    *map(amount, ("amount", "rate", "quantity")),
    time("paid_at"),
    mapped("raw"),
)
TRANSFERS: Final = Section(
    "transfer",
    _ACCOUNT,
    *map(text, ("kind", "exchange_transfer_id", "asset")),
    *map(amount, ("amount", "fee_amount")),
    *map(text, ("network", "address", "tx_id", "from_wallet", "to_wallet", "status")),
    time("occurred_at"),
    amount("stated_cost", "stated_cost__cost"),
    text("stated_note", "stated_cost__note"),
    mapped("raw"),
)
OWN_TRANSFERS: Final = Section(
    "own_transfer",
    text("outgoing_account", "outgoing__account_id"),
    text("outgoing", "outgoing__exchange_transfer_id"),
    text("incoming_account", "incoming__account_id"),
    text("incoming", "incoming__exchange_transfer_id"),
    *map(text, ("state", "matched_by", "note")),
)
BALANCES: Final = Section(
    "balance",
    _ACCOUNT,
    *map(text, ("wallet", "asset")),
    *map(amount, ("available", "locked", "computed", "unrealized_pnl")),
    time("reported_at"),
)
POSITIONS: Final = Section(
    "position",
    _ACCOUNT,
    *map(text, ("symbol", "side")),
    flag("is_hedged"),
    amount("quantity"),
    text("settle_asset"),
    flag("is_inverse"),
    *map(amount, ("entry_price", "mark_price", "liquidation_price", "leverage")),
    text("margin_mode"),
    *map(amount, ("margin", "unrealized_pnl")),
    time("reported_at"),
)
BOOKS: Final = Section("book", _ACCOUNT, text("asset"), amount("step"))
DISMISSALS: Final = Section(
    "dismissal",
    _ACCOUNT,
    *map(text, ("kind", "subject", "side")),
    *map(amount, ("reported", "computed", "value")),
    *map(time, ("reported_at", "diverged_from", "diverged_to")),
    text("cause"),
    listed("evidence"),
    text("reason"),
    *map(time, ("opened_at", "changed_at", "resolved_at")),
)
POSITION_LEVERAGES: Final = Section(
    "position_leverage",
    _ACCOUNT,
    text("symbol", "book__asset"),
    text("book_side", "book__side"),
    text("opening_fill", "opening_fill__exchange_fill_id"),
    integer("leverage"),
    text("margin_mode"),
)
TRADE_LEVERAGES: Final = Section(
    "trade_leverage",
    _ACCOUNT,
    text("symbol", "position__book__asset"),
    text("book_side", "position__book__side"),
    text("opening_fill", "position__opening_fill__exchange_fill_id"),
    text("first_exit_fill", "first_exit_fill__exchange_fill_id"),
    integer("leverage"),
    text("margin_mode"),
)
VALUATIONS: Final = Section(
    "valuation",
    *map(text, ("asset", "currency")),
    time("at"),
    amount("price"),
    text("source"),
    time("source_at"),
    integer("version"),
)

Rows = Callable[[Selection], Iterator[Row]]


def _of_accounts(
    section: Section, model: type[AccountModel], *order: str, **more: object
) -> tuple[Section, Rows]:
    def rows(selection: Selection) -> Iterator[Row]:
        found = model.objects.filter(account_id__in=selection.account_ids, **more)
        return section.rows(found.order_by(*order, "id"))

    return section, rows


def _of_contracts(section: Section, model: type[Position] | type[Trade]) -> tuple[Section, Rows]:
    """What was reported while they were open stands in no fact."""

    def rows(selection: Selection) -> Iterator[Row]:
        known = model.objects.filter(account_id__in=selection.account_ids, leverage__isnull=False)
        return section.rows(known.exclude(market_type=MarketType.SPOT.value).order_by("id"))

    return section, rows


def _accounts(selection: Selection) -> Iterator[Row]:
    """With what is not known of their history: no book of theirs is surer elsewhere."""
    mark = AccountMark.objects.filter(account_id=OuterRef("id")).values("coverage")[:1]
    nothing = Value([], output_field=JSONField())
    rows = ExchangeAccount.objects.filter(id__in=selection.account_ids)
    rows = rows.annotate(coverage=Coalesce(Subquery(mark), nothing, output_field=JSONField()))
    return ACCOUNTS.rows(rows.order_by("created_at", "id"))


def _strategy_prefixes(selection: Selection) -> Iterator[Row]:
    return STRATEGY_PREFIXES.rows(StrategyPrefix.objects.order_by("prefix"))


def _own_transfers(selection: Selection) -> Iterator[Row]:
    """Those with an end outside the selection, too: whoever reads them in is told."""
    ids = selection.account_ids
    rows = OwnTransfer.objects.filter(Q(outgoing__account_id__in=ids) | Q(incoming__account_id__in=ids))
    return OWN_TRANSFERS.rows(rows.order_by("id"))


def _valuations(selection: Selection) -> Iterator[Row]:
    rows = Valuation.objects.filter(currency=selection.currency)
    return VALUATIONS.rows(rows.order_by("at", "asset", "version"))


# What refers to others comes after them; prices last, so that those of facts that come meanwhile are there.
SECTIONS: Final[tuple[tuple[Section, Rows], ...]] = (
    (ACCOUNTS, _accounts),
    (STRATEGY_PREFIXES, _strategy_prefixes),
    _of_accounts(ORDERS, Order, "ordered_at"),
    _of_accounts(FILLS, Fill, "executed_at"),
    _of_accounts(FUNDING, FundingPayment, "paid_at"),
    _of_accounts(TRANSFERS, Transfer, "occurred_at"),
    (OWN_TRANSFERS, _own_transfers),
    _of_accounts(BALANCES, WalletBalance, "reported_at"),
    _of_accounts(POSITIONS, ReportedPosition),
    _of_accounts(BOOKS, Book, market_type=MarketType.SPOT.value, pool=""),
    _of_accounts(DISMISSALS, ReconciliationItem, state=ItemState.DISMISSED.value),
    _of_contracts(POSITION_LEVERAGES, Position),
    _of_contracts(TRADE_LEVERAGES, Trade),
    (VALUATIONS, _valuations),
)
