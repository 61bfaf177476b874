"""Symbols and where they are listed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from core.django import bulk
from exchanges.rows import ListingRow
from marketdata.models import Listing, Symbol
from marketdata.routes import DELISTED

_STATE: Final = (
    *("symbol_id", "status", "is_trading", "price_step", "quantity_step", "min_quantity", "min_notional"),
    *("settle_asset", "contract_size", "is_inverse"),
)


def store(*, exchange: str, rows: Sequence[ListingRow], at: datetime) -> int:
    """Take over what an exchange lists, all of it; answers how many listings are new or changed.

    A listing no longer named stays, as history refers to it, and trades no more. No rows change nothing.
    """
    if not rows:
        return 0
    with transaction.atomic():
        symbols = _symbols(rows)
        written = bulk.upsert(
            table=Listing._meta.db_table,
            columns=("exchange", "market_type", "name", *_STATE),
            rows=[
                (exchange, row.market_type, row.symbol, symbols[_name(row)], *_state(row))
                for row in _sorted(rows)
            ],
            key=("exchange", "market_type", "name"),
            update={**{name: f"excluded.{name}" for name in _STATE}, "updated_at": "excluded.updated_at"},
            where=_changed(),
            fixed={"updated_at": at},
        )
        gone = (
            Listing.objects.filter(exchange=exchange, market_type__in={row.market_type for row in rows})
            .exclude(name__in={row.symbol for row in rows})
            .exclude(status=DELISTED)
        )
        return len(written) + gone.update(status=DELISTED, is_trading=False, updated_at=at)


def _symbols(rows: Sequence[ListingRow]) -> dict[str, int]:
    """Canonical names to ids; new ones are made."""
    names = {_name(row): (row.base_asset, row.quote_asset) for row in rows}
    bulk.upsert(
        table=Symbol._meta.db_table,
        columns=("symbol_name", "base_asset", "quote_asset"),
        rows=[(name, *assets) for name, assets in sorted(names.items())],
        key=("symbol_name",),
    )
    return dict(Symbol.objects.filter(symbol_name__in=names).values_list("symbol_name", "id"))


def _name(row: ListingRow) -> str:
    return f"{row.base_asset}_{row.quote_asset}"


def _state(row: ListingRow) -> tuple[object, ...]:
    steps = (row.price_step, row.quantity_step, row.min_quantity, row.min_notional)
    contract = row.contract
    worth = (contract.settle_asset, contract.size, contract.is_inverse) if contract else ("", None, False)
    return row.status, row.is_trading, *steps, *worth


def _sorted(rows: Sequence[ListingRow]) -> list[ListingRow]:
    return sorted(rows, key=lambda row: (row.market_type, row.symbol))


def _changed() -> str:
    """A look at an unchanged listing is no change of it: `updated_at` alone writes nothing."""
    stored, given = (", ".join(f"{table}.{name}" for name in _STATE) for table in ("stored", "excluded"))
    return f"ROW({stored}) IS DISTINCT FROM ROW({given})"
