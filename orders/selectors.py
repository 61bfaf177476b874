"""Lists of fills, orders and funding for API and pages: evaluated rows, newest first. Need an open door.

Pages go by keyset, so any page costs what the first does and rows that come meanwhile shift nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from core.django.cursors import Place, cut
from core.errors import Invalid, NotFound
from orders.models import Fill, FundingPayment, Order, Transfer

MOST: Final = 500  # rows a page
OPEN: Final = ("NEW", "PARTIALLY_FILLED")
FILL_FIELDS: Final = (
    *("id", "account_id", "market_type", "symbol", "base_asset", "quote_asset", "exchange_fill_id"),
    *("exchange_order_id", "side", "price", "quantity", "quote_quantity", "fee_amount", "fee_currency"),
    *(
        "is_maker",
        "position_side",
        "settle_asset",
        "is_inverse",
        "realized_pnl",
        "is_liquidation",
        "is_inferred",
        "executed_at",
    ),
)
ORDER_FIELDS: Final = (
    *("id", "account_id", "market_type", "symbol", "exchange_order_id", "client_order_id", "order_list_id"),
    *("side", "type", "status", "price", "stop_price", "quantity", "executed_quantity"),
    *("executed_quote_quantity", "time_in_force", "role", "group_id", "parent_id", "linked_by", "strategy"),
    *(
        "strategy_by",
        "note",
        "tags",
        "position_side",
        "reduce_only",
        "ordered_at",
        "filled_at",
        "exchange_updated_at",
    ),
)
FUNDING_FIELDS: Final = (
    *("id", "account_id", "symbol", "exchange_payment_id", "position_side", "asset", "amount", "rate"),
    *("quantity", "paid_at"),
)
TRANSFER_FIELDS: Final = (
    *(
        "id",
        "account_id",
        "kind",
        "exchange_transfer_id",
        "asset",
        "amount",
        "fee_amount",
        "network",
        "address",
    ),
    *("tx_id", "from_wallet", "to_wallet", "status", "occurred_at"),
)
_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows as mappings by field name, with the account's `exchange`; `next_cursor` is None on the last page."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


def fills_page(
    *,
    account_ids: Collection[UUID] | None = None,
    exchange: str | None = None,
    market_types: Collection[str] | None = None,
    symbol: str | None = None,
    side: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> ListPage:
    """Fills executed in [since, until), newest first. Filters left out are not applied; no accounts, no rows.

    `order_id` is the exchange's. Raises Invalid for a limit outside 1 to 500 or a cursor of nobody.
    """
    wanted = _condition(
        account_id__in=account_ids,
        account__exchange=exchange,
        market_type__in=market_types,
        symbol=symbol,
        side=side,
        exchange_order_id=order_id,
        executed_at__gte=since,
        executed_at__lt=until,
    )
    of_order = Order.objects.filter(
        account_id=OuterRef("account_id"),
        market_type=OuterRef("market_type"),
        symbol=OuterRef("symbol"),
        exchange_order_id=OuterRef("exchange_order_id"),
    )
    rows = Fill.objects.filter(wanted).annotate(
        strategy=Coalesce(Subquery(of_order.values("strategy")[:1]), Value(""))
    )
    return _page(rows, "executed_at", (*FILL_FIELDS, "strategy"), limit, cursor)


def orders_page(
    *,
    account_ids: Collection[UUID] | None = None,
    exchange: str | None = None,
    market_types: Collection[str] | None = None,
    symbol: str | None = None,
    side: str | None = None,
    status: str | None = None,
    role: str | None = None,
    group_id: str | None = None,
    strategy: str | None = None,
    tag: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
    fields: Collection[str] = ORDER_FIELDS,
) -> ListPage:
    """Orders placed in [since, until), newest first; otherwise as `fills_page`."""
    wanted = _condition(
        account_id__in=account_ids,
        account__exchange=exchange,
        market_type__in=market_types,
        symbol=symbol,
        side=side,
        status=status,
        role=role,
        group_id=group_id,
        strategy=strategy,
        tags__contains=None if tag is None else [tag],
        ordered_at__gte=since,
        ordered_at__lt=until,
    )
    return _page(Order.objects.filter(wanted), "ordered_at", fields, limit, cursor)


def order(*, order_id: int) -> dict[str, Any]:
    """One order, as in a page. Raises NotFound."""
    found = Order.objects.filter(id=order_id).values(*ORDER_FIELDS, exchange=F("account__exchange")).first()
    if found is None:
        raise NotFound("There is no such order.")
    return dict(found)


def funding_page(
    *,
    account_ids: Collection[UUID] | None = None,
    symbol: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> ListPage:
    """Funding paid or received in [since, until), newest first; otherwise as `fills_page`."""
    wanted = _condition(account_id__in=account_ids, symbol=symbol, paid_at__gte=since, paid_at__lt=until)
    return _page(FundingPayment.objects.filter(wanted), "paid_at", FUNDING_FIELDS, limit, cursor)


def open_orders_page(
    *,
    account_ids: Collection[UUID] | None = None,
    market_types: Collection[str] | None = None,
    symbol: str | None = None,
    limit: int = MOST,
    cursor: str | None = None,
    fields: Collection[str] = ORDER_FIELDS,
) -> ListPage:
    """Orders still in the book, newest first; otherwise as `fills_page`."""
    wanted = _condition(account_id__in=account_ids, market_type__in=market_types, symbol=symbol)
    rows = Order.objects.filter(wanted, status__in=OPEN)
    return _page(rows, "ordered_at", fields, limit, cursor)


def transfers_page(
    *,
    kind: str,
    account_ids: Collection[UUID] | None = None,
    asset: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> ListPage:
    """Transfers of a kind that began in [since, until), newest first; otherwise as `fills_page`."""
    wanted = _condition(
        kind=kind,
        account_id__in=account_ids,
        asset=asset,
        status=status,
        occurred_at__gte=since,
        occurred_at__lt=until,
    )
    return _page(Transfer.objects.filter(wanted), "occurred_at", TRANSFER_FIELDS, limit, cursor)


def open_orders(
    *,
    account_ids: Collection[UUID] | None = None,
    exchange: str | None = None,
    symbol: str | None = None,
    limit: int = MOST,
) -> list[dict[str, Any]]:
    """The newest orders still in the book."""
    wanted = _condition(account_id__in=account_ids, account__exchange=exchange, symbol=symbol)
    return _page(Order.objects.filter(wanted, status__in=OPEN), "ordered_at", ORDER_FIELDS, limit, None).rows


def _condition(**filters: Any) -> Q:
    return Q(**{name: value for name, value in filters.items() if value is not None})


def _page(rows: QuerySet[_M], time: str, fields: Collection[str], limit: int, cursor: str | None) -> ListPage:
    """One row more than asked for tells whether there is another page."""
    if not 1 <= limit <= MOST:
        raise Invalid(f"limit must be between 1 and {MOST}.")
    if cursor is not None:
        rows = rows.filter(Place.read(cursor).beyond(time))
    found: list[Mapping[str, Any]] = list(
        rows.order_by(f"-{time}", "-id").values(*fields, exchange=F("account__exchange"))[: limit + 1]
    )
    page, following = cut(found, limit, lambda row: Place(row[time], row["id"]))
    return ListPage([dict(row) for row in page], following)
