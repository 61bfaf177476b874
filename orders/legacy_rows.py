"""Rows of the predecessors' `orders` table as they were kept: a CSV or JSON dump, or the table itself. Read only.

Their numbers are DECIMAL(20,8) or text, their times TIMESTAMPTZ or ISO text (without a zone: UTC). A row that cannot be
read is told with its reason, and stops no other.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from core.errors import Invalid
from core.money import ZERO, InvalidAmount, parse
from exchanges.rows import OrderStatus, Side

_STATUSES: Final = {"CANCELLED": "CANCELED", "PARTIALLY_CANCELED": "CANCELED", "OPEN": "NEW", "LIVE": "NEW"}
_TEXTS: Final = {"client_order_id": 100, "order_group_id": 100, "note": 5000}
_ROLE_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class LegacyOrder:
    """`raw` is the row as it came, in text."""

    exchange: str
    symbol: str
    order_id: str
    client_order_id: str
    side: Side
    type: str
    status: OrderStatus
    quantity: Decimal
    executed_quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    role: str
    parent_order_id: str
    group_id: str
    note: str
    user_id: str
    ordered_at: datetime
    filled_at: datetime | None
    updated_at: datetime
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not taken; `row` counts from 1."""

    row: int
    order_id: str
    reason: str


def read_file(path: Path) -> list[dict[str, Any]]:
    """Of a .json (a list of objects, or one with a list under `orders`) or .csv file. Raises Invalid."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)]
        document = json.loads(text, parse_float=str, parse_int=str)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise Invalid(f"{path.name} cannot be read: {error}") from None
    rows = document.get("orders") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Invalid(f"{path.name} holds no list of rows.")
    return rows


def read_table(url: str) -> list[dict[str, Any]]:
    """All rows of the table `orders` of a PostgreSQL database, read only. Raises Invalid; it never names the URL."""
    try:
        with psycopg.connect(url, row_factory=dict_row, connect_timeout=10) as connection:
            connection.read_only = True
            return connection.execute("SELECT * FROM orders ORDER BY order_timestamp, id").fetchall()
    except psycopg.Error as error:
        reason = error.diag.message_primary or type(error).__name__
        raise Invalid(f"The table could not be read: {reason}") from None


def parse_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[list[LegacyOrder], list[SetAside]]:
    """Each order once, as its last row says."""
    found: dict[tuple[str, str, str], LegacyOrder] = {}
    bad = []
    for number, row in enumerate(rows, start=1):
        try:
            order = _parse(row)
        except (Invalid, InvalidAmount) as error:
            bad.append(SetAside(number, _text(row, "order_id")[:64], error.message))
        else:
            found[order.exchange, order.symbol, order.order_id] = order
    return list(found.values()), bad


def _parse(row: Mapping[str, Any]) -> LegacyOrder:
    quantity = _amount(row, "quantity")
    executed = _amount(row, "executed_qty") or ZERO
    if quantity is None or quantity < 0 or executed < 0:
        raise Invalid("quantity and executed_qty must be numbers of zero or more")
    ordered_at = _time(row, "order_timestamp")
    if ordered_at is None:
        raise Invalid("order_timestamp is missing")
    filled_at = _time(row, "filled_timestamp")
    role, kind = _role(row), _text(row, "type").upper() or "LIMIT"
    return LegacyOrder(
        exchange=_required(row, "exchange").lower(),
        symbol=_required(row, "symbol").upper(),
        order_id=_required(row, "order_id"),
        side=_one_of(Side, _required(row, "side").upper(), "side"),
        type=kind[:30],
        status=_status(row),
        quantity=max(quantity, executed),
        executed_quantity=executed,
        price=_amount(row, "price") or None,
        stop_price=(_amount(row, "sl_price") or None) if role == "SL" else None,
        role=role,
        parent_order_id=_text(row, "parent_order_id"),
        client_order_id=_text(row, "client_order_id")[: _TEXTS["client_order_id"]],
        group_id=_text(row, "order_group_id")[: _TEXTS["order_group_id"]],
        note=_text(row, "note")[: _TEXTS["note"]],
        user_id=_text(row, "user_id"),
        ordered_at=ordered_at,
        filled_at=filled_at,
        updated_at=filled_at or ordered_at,
        raw={name: None if value is None else _plain(value) for name, value in row.items() if name},
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    text = "" if value is None else str(value).strip()
    return "" if text.upper() in ("NULL", "\\N") else text.replace("\0", "")


def _required(row: Mapping[str, Any], name: str) -> str:
    text = _text(row, name)
    if not text or len(text) > 40:
        raise Invalid(f"{name} is missing or too long")
    return text


def _amount(row: Mapping[str, Any], name: str) -> Decimal | None:
    text = _text(row, name)
    return parse(text) if text else None


def _time(row: Mapping[str, Any], name: str) -> datetime | None:
    value = row.get(name)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    text = _text(row, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{name} {text!r:.40} is no time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _role(row: Mapping[str, Any]) -> str:
    role = _text(row, "order_role").upper()
    known = not role or role in ("ENTRY", "SL") or (role.startswith("TP") and role[2:].isdecimal())
    if not known or len(role) > _ROLE_LENGTH + 1:
        raise Invalid(f"order_role {role!r:.20} is not ENTRY, TP1…TPn or SL")
    return role


def _status(row: Mapping[str, Any]) -> OrderStatus:
    text = _required(row, "status").upper()
    status: OrderStatus = _one_of(OrderStatus, _STATUSES.get(text, text), "status")
    return status


def _one_of(kind: Any, text: str, name: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Invalid(f"{name} {text!r:.20} is not known") from None


def _plain(value: Any) -> str:
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value).replace("\0", "")
