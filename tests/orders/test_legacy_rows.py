"""Rows of a predecessor's orders table, read from a dump or from the table."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from core.errors import Invalid
from exchanges.rows import OrderStatus, Side
from orders import legacy_rows

ROW: dict[str, Any] = {
    "id": "1", "order_id": "4711", "client_order_id": "NULL", "exchange": "Binance", "symbol": "btcusdt",
    "side": "buy", "type": "limit", "quantity": "0.50000000", "price": "43000.00000000", "executed_qty": "0.5",
    "status": "filled", "order_role": "ENTRY", "order_group_id": "uuid-1", "parent_order_id": "",
    "order_timestamp": "2025-12-09 10:30:00+00", "filled_timestamp": "2025-12-09T12:31:00+02:00", "note": "first",
    "user_id": "7",
}  # fmt: skip


def test_a_row_is_read() -> None:
    [order], bad = legacy_rows.parse_rows([ROW])

    assert bad == []
    assert (order.exchange, order.symbol, order.order_id, order.client_order_id) == (
        "binance", "BTCUSDT", "4711", "",
    )  # fmt: skip
    assert (order.side, order.type, order.status, order.role) == (
        Side.BUY,
        "LIMIT",
        OrderStatus.FILLED,
        "ENTRY",
    )
    assert (order.price, order.executed_quantity) == (Decimal(43000), Decimal("0.5"))
    assert order.filled_at == datetime(2025, 12, 9, 10, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order_id": ""}, "order_id is missing or too long"),
        ({"side": "HOLD"}, "side 'HOLD' is not known"),
        ({"status": "LOST"}, "status 'LOST' is not known"),
        ({"quantity": "many"}, "'many' is not a number."),
        ({"quantity": "-1"}, "quantity and executed_qty must be numbers of zero or more"),
        ({"order_timestamp": "yesterday"}, "order_timestamp 'yesterday' is no time"),
        ({"order_timestamp": None}, "order_timestamp is missing"),
        ({"order_role": "EXIT"}, "order_role 'EXIT' is not ENTRY, TP1…TPn or SL"),
    ],
)
def test_a_bad_row_is_set_aside_and_stops_no_other(changes: dict[str, Any], reason: str) -> None:
    orders, [bad] = legacy_rows.parse_rows([ROW | changes, ROW | {"order_id": "4712"}])

    assert ([order.order_id for order in orders], bad.row, bad.reason) == (["4712"], 1, reason)


def test_csv_and_json_dumps_say_the_same(tmp_path: Path) -> None:
    names = list(ROW)
    (tmp_path / "a.csv").write_text(",".join(names) + "\n" + ",".join(ROW[name] for name in names) + "\n")
    (tmp_path / "a.json").write_text(json.dumps({"orders": [ROW]}))

    assert legacy_rows.read_file(tmp_path / "a.csv") == legacy_rows.read_file(tmp_path / "a.json") == [ROW]


def test_a_note_of_several_lines_stays_one_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('order_id,note\n1,"one\u2028two\nthree"\n2,\n')
    assert [row["note"] for row in legacy_rows.read_file(tmp_path / "a.csv")] == ["one\u2028two\nthree", ""]

    (tmp_path / "b.csv").write_text('order_id,note\n1,"never closed\n2,\n')
    with pytest.raises(Invalid, match=r"b\.csv cannot be read"):
        legacy_rows.read_file(tmp_path / "b.csv")


@pytest.mark.parametrize("text", ["{", '"orders"', '{"rows": []}', "[1]"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(Invalid):
        legacy_rows.read_file(tmp_path / "a.json")


@pytest.mark.django_db
def test_the_table_itself_is_read() -> None:
    settings = connection.get_connection_params()
    where = {
        name: settings[name] for name in ("dbname", "user", "host", "port", "password") if settings.get(name)
    }
    url = psycopg.conninfo.make_conninfo(**where)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA predecessor")
        try:
            owner.execute(
                "CREATE TABLE predecessor.orders (id serial, order_id bigint, exchange text, symbol text, side text,"
                " type text, quantity numeric(20,8), price numeric(20,8), executed_qty numeric(20,8), status text,"
                " tp_levels jsonb, order_timestamp timestamptz)"
            )
            owner.execute(
                "INSERT INTO predecessor.orders (order_id, exchange, symbol, side, type, quantity, executed_qty,"
                " status, tp_levels, order_timestamp) VALUES (1, 'binance', 'BTCUSDT', 'BUY', 'MARKET', 1, 1, 'FILLED',"
                " '[435.6]', '2025-12-09 10:30:00+00')"
            )
            rows = legacy_rows.read_table(
                psycopg.conninfo.make_conninfo(url, options="-c search_path=predecessor")
            )
        finally:
            owner.execute("DROP SCHEMA predecessor CASCADE")

    [order], bad = legacy_rows.parse_rows(rows)
    assert (order.order_id, order.price, order.raw["tp_levels"], bad) == ("1", None, "[435.6]", [])


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    with pytest.raises(Invalid) as error:
        legacy_rows.read_table("postgresql://somebody:hidden@127.0.0.1:1/none")

    assert "hidden" not in str(error.value)
