"""The predecessors' orders as facts: stored once, linked as they were, with an inferred fill where one executed.

What an exchange itself told of an order stands: such rows only bring their links and notes. Works inside the owner's
open door.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.conf import settings
from django.db.models.functions import Now

from accounts import audit
from core.money import ZERO
from credentials.models import DATA_SOURCES, ExchangeAccount
from exchanges.rows import MarketType, OrderRow
from marketdata.models import Listing
from orders import inference, ingest
from orders.legacy_rows import LegacyOrder, SetAside
from orders.models import Linking, Order
from orders.touched import Touched

SOURCE: Final = "legacy_orders"
_QUOTES: Final = (
    "BTC",
    "ETH",
    "BNB",
    "SOL",
    "XRP",
)  # beside cash, for symbols that are listed nowhere any more
_SPOT: Final = MarketType.SPOT.value
_OUR_COLUMN: Final = "order_timestamp"  # no exchange has one of that name


@dataclass(slots=True)
class Outcome:
    """Counts over all accounts; `touched` by account, for the books to be marked stale by."""

    orders: int = 0
    changed: int = 0
    known: int = 0
    """Told by the exchange already, or by an earlier run."""
    linked: int = 0
    inferred: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    touched: list[tuple[ExchangeAccount, Touched]] = field(default_factory=list)


def store(orders: Sequence[LegacyOrder], *, label: str | None = None) -> Outcome:
    """Orders of one user, whose account of an exchange is the one by `label`, else the only live one there."""
    outcome = Outcome()
    by_exchange: dict[str, list[LegacyOrder]] = defaultdict(list)
    for order in orders:
        by_exchange[order.exchange].append(order)
    for exchange, group in by_exchange.items():
        account = _account(exchange, label)
        if isinstance(account, str):
            outcome.set_aside += [SetAside(0, order.order_id, account) for order in group]
        else:
            outcome.touched.append((account, _store(account, group, outcome)))
    return outcome


def fill_in(*, account: ExchangeAccount) -> tuple[Touched, int, list[SetAside]]:
    """Inferred fills for imported orders that have none; answers what they touch, how many, and which have no price."""
    orders = inference.without_fills(account_id=account.id, source=SOURCE)
    assets = _assets(account.exchange, {order.symbol for order in orders})
    rows, bad = [], []
    for order in orders:
        pair = assets.get(order.symbol)
        row = inference.infer(order, base=pair[0], quote=pair[1]) if pair else None
        if row is not None:
            rows.append(row)
        else:
            reason = "executed at no known price" if pair else f"{order.symbol} is no market we know"
            bad.append(SetAside(0, order.exchange_order_id, reason))
    touched = ingest.store_fills(
        account=account, rows=rows, source=inference.SOURCE, run_id=None, is_inferred=True
    )
    return touched, touched.stored, bad


def _account(exchange: str, label: str | None) -> ExchangeAccount | str:
    """Or why there is none."""
    rows = ExchangeAccount.objects.select_related("user").exclude(exchange__in=DATA_SOURCES)
    found = list(rows.filter(exchange=exchange, **({"label": label} if label else {"is_active": True})))
    if len(found) == 1:
        return found[0]
    return f"{exchange}: no account" if not found else f"{exchange}: several accounts, name one by --account"


def _as_listed(exchange: str, orders: Iterable[LegacyOrder]) -> list[LegacyOrder]:
    """With their markets by the exchange's own names, each order once, as its last row says."""
    names = Listing.objects.filter(exchange=exchange, market_type=MarketType.SPOT).values_list(
        "name", flat=True
    )
    listed = {_plain(name): name for name in names}
    renamed = [replace(order, symbol=listed.get(_plain(order.symbol), order.symbol)) for order in orders]
    return list({(order.symbol, order.order_id): order for order in renamed}.values())


def _plain(symbol: str) -> str:
    """Without what exchanges put between two coins."""
    return symbol.replace("_", "").replace("-", "").replace("/", "")


def _store(account: ExchangeAccount, told: Sequence[LegacyOrder], outcome: Outcome) -> Touched:
    orders = _as_listed(account.exchange, told)
    ids = {order.order_id for order in orders}
    stored = Order.objects.filter(account=account, market_type=_SPOT, exchange_order_id__in=ids)
    # Also where the exchange told of an order imported before.
    told_there = stored.exclude(raw__has_key=_OUR_COLUMN)
    theirs = set(told_there.values_list("symbol", "exchange_order_id"))
    ours = [order for order in orders if (order.symbol, order.order_id) not in theirs]
    touched = ingest.store_orders(
        account=account, rows=[_row(order) for order in ours], source=SOURCE, run_id=None
    )
    outcome.orders += touched.stored
    outcome.changed += touched.changed
    outcome.known += len(told) - touched.stored - touched.changed
    outcome.linked += _link(account, orders)
    filled, count, bad = fill_in(account=account)
    outcome.inferred += count
    outcome.set_aside += bad
    if touched.stored or touched.changed or count:
        audit.record(
            audit.Action.IMPORT,
            user_id=account.user_id,
            table=Order._meta.db_table,
            orders=touched.stored,
            inferred_fills=count,
        )
    return touched.merge(filled)


def _row(order: LegacyOrder) -> OrderRow:
    return OrderRow(
        market_type=MarketType.SPOT,
        symbol=order.symbol,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        order_list_id="",
        side=order.side,
        type=order.type,
        status=order.status,
        price=order.price,
        stop_price=order.stop_price,
        quantity=order.quantity,
        executed_quantity=order.executed_quantity,
        executed_quote_quantity=ZERO,
        time_in_force="",
        ordered_at=order.ordered_at,
        updated_at=order.updated_at,
        raw=dict(order.raw),
    )


def _link(account: ExchangeAccount, orders: Iterable[LegacyOrder]) -> int:
    """Roles, groups, parents and notes as they were kept, where nothing surer is known; answers how many changed."""
    told = {(order.symbol, order.order_id): order for order in orders}
    stored = {
        (row.symbol, row.exchange_order_id): row
        for row in Order.objects.filter(
            account=account, market_type=_SPOT, exchange_order_id__in={key[1] for key in told}
        ).defer("raw")
        if (row.symbol, row.exchange_order_id) in told
    }
    changed = 0
    for key, order in told.items():
        row = stored.get(key)
        if row is None:
            continue
        is_guess = row.linked_by == Linking.INFERRED and row.source == SOURCE
        wanted = _links(order, stored) if is_guess or row.linked_by in ("", Linking.IMPORT) else {}
        if order.note and not row.note:
            wanted["note"] = order.note
        differing = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        if differing:
            changed += Order.objects.filter(id=row.pk).update(**differing, updated_at=Now())
    return changed


def _links(order: LegacyOrder, stored: Mapping[tuple[str, str], Order]) -> dict[str, object]:
    if not order.role:
        return {}
    root = order.parent_order_id if order.role != "ENTRY" else order.order_id
    parent = stored.get((order.symbol, root)) if order.role != "ENTRY" and root else None
    return {
        "role": order.role,
        "group_id": order.group_id or (f"import:{root}" if root else ""),
        "linked_by": Linking.IMPORT.value,
        "parent_id": parent.pk if parent else None,
    }


def _assets(exchange: str, symbols: set[str]) -> dict[str, tuple[str, str]]:
    """Base and quote: as listed, else by a quote that the symbol ends with."""
    listed = Listing.objects.filter(exchange=exchange, market_type=MarketType.SPOT, name__in=symbols)
    found = {
        name: (base, quote)
        for name, base, quote in listed.values_list("name", "symbol__base_asset", "symbol__quote_asset")
    }
    quotes = sorted({*settings.CASH_ASSETS, *_QUOTES}, key=lambda quote: (-len(quote), quote))
    for symbol in symbols - found.keys():
        plain = _plain(symbol)
        quote = next((q for q in quotes if plain.endswith(q) and len(plain) > len(q)), None)
        if quote:
            found[symbol] = plain.removesuffix(quote), quote
    return found
