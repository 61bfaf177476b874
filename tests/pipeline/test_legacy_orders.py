"""A predecessor's orders become positions and trades, without the mistakes of its own scripts."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import Side
from marketdata.models import Listing, Symbol
from orders import ingest
from orders.models import Fill, Order
from pipeline import market
from portfolio import books
from portfolio.models import Position, Trade
from tests.factories import AccountFactory, OrderFactory, UserFactory
from tests.orders import rows
from tests.portfolio.contracts import trades

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_prices")]


@pytest.fixture
def _no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exchange is asked: everything is quoted in the reporting currency."""
    monkeypatch.setattr(market, "freshen_prices", lambda **_: None)
    monkeypatch.setattr(market, "fetch_candles", lambda *_, **__: 0)


@pytest.fixture
def user() -> User:
    made: User = UserFactory.create(email="trader@example.com")
    return made


@pytest.fixture
def account(user: User) -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(user=user, label="Main")
    return made


def row(
    order_id: str, role: str, quantity: str, price: str | None, minute: int, **more: Any
) -> dict[str, Any]:
    return {
        "order_id": order_id, "exchange": "binance", "symbol": "BTCUSDT", "side": "BUY" if role == "ENTRY" else "SELL",
        "type": "LIMIT" if price else "MARKET", "quantity": quantity, "executed_qty": quantity, "price": price,
        "status": "FILLED", "order_role": role, "parent_order_id": None if role == "ENTRY" else "1",
        "order_group_id": "group", "order_timestamp": f"2025-12-09T10:{minute:02}:00Z",
        "filled_timestamp": f"2025-12-09T10:{minute:02}:30Z", **more,
    }  # fmt: skip


BRACKET = [
    row("1", "ENTRY", "1", "100", 0),
    row("2", "TP1", "0.5", "110", 1),
    row("3", "TP2", "0.3", "120", 2),
    row("4", "SL", "0.2", "95", 3, sl_price="96"),
]


def run(tmp_path: Path, legacy: list[dict[str, Any]], *options: str) -> str:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(legacy))
    return call("import_legacy_orders", str(file), *options)


def call(command: str, *options: str) -> str:
    out = StringIO()
    call_command(command, *options, "--user", "trader@example.com", stdout=out)
    return out.getvalue()


def counted(account: ExchangeAccount) -> tuple[int, ...]:
    with tenancy.acting_as(account.user_id):
        return tuple(model.objects.count() for model in (Order, Fill, Position, Trade))


def test_each_target_closes_its_own_quantity(account: ExchangeAccount, tmp_path: Path) -> None:
    assert run(tmp_path, BRACKET).startswith(
        "4 orders stored, 0 changed, 0 known before; 4 linked or noted, 4 fills"
    )
    assert "+1 positions (1 in all), +3 trades (3 in all)" in call("backfill_positions")

    assert trades(account, "exit_type", "exit_quantity", "gross_pnl") == [
        ("TP", Decimal("0.5"), Decimal(5)),
        ("TP", Decimal("0.3"), Decimal(6)),
        ("SL", Decimal("0.2"), Decimal(-1)),
    ]


def test_a_stop_belongs_to_the_entry_it_was_kept_with(account: ExchangeAccount, tmp_path: Path) -> None:
    """And not to the one before it, which is what would be inferred; also once more is known of the market."""
    stop = row("3", "SL", "1", "95", 2, sl_price="96", type="STOP_LOSS_LIMIT")
    run(tmp_path, [BRACKET[0], row("2", "ENTRY", "1", "105", 1, order_group_id="other"), stop])

    def told() -> list[tuple[Any, ...]]:
        with tenancy.acting_as(account.user_id):
            names = ("exchange_order_id", "role", "linked_by", "parent__exchange_order_id")
            return list(Order.objects.order_by("exchange_order_id").values_list(*names))

    before = told()
    with tenancy.acting_as(account.user_id):
        bought = rows.filled(order_id="9", ordered_at=datetime(2025, 12, 9, 9, tzinfo=UTC))
        ingest.store_orders(account=account, rows=[bought], source="sync", run_id=None)
    assert (
        before
        == told()[:3]
        == [
            ("1", "ENTRY", "import", None),
            ("2", "ENTRY", "import", None),
            ("3", "SL", "import", "1"),
        ]
    )


def test_markets_go_by_the_names_their_exchange_gives_them(user: User, tmp_path: Path) -> None:
    """So executions that are read later meet the orders they are of."""
    gateio = AccountFactory.create(user=user, exchange="gateio")
    pair = Symbol.objects.create(symbol_name="BTC_USDT", base_asset="BTC", quote_asset="USDT")
    Listing.objects.create(
        exchange="gateio", market_type="spot", name="BTC_USDT", symbol=pair, status="tradable", is_trading=True,
        updated_at=datetime(2026, 2, 1, tzinfo=UTC),
    )  # fmt: skip
    run(
        tmp_path,
        [
            row("1", "ENTRY", "1", "100", 0, exchange="gateio", symbol=name)
            for name in ("btcusdt", "BTC/USDT")
        ],
    )

    with tenancy.acting_as(user.id):
        assert list(Order.objects.values_list("symbol", flat=True)) == ["BTC_USDT"]
        ingest.store_fills(
            account=gateio, rows=[rows.fill(symbol="BTC_USDT", order_id="1")], source="sync", run_id=None
        )
        assert list(Fill.objects.values_list("symbol", "is_inferred")) == [("BTC_USDT", False)]


def test_an_entry_that_a_target_closed_in_part_stays_open(account: ExchangeAccount, tmp_path: Path) -> None:
    run(
        tmp_path,
        [
            *BRACKET[:2],
            row("3", "TP2", "0.3", "120", 2, status="NEW", executed_qty="0", filled_timestamp=None),
        ],
    )
    call("backfill_positions")

    with tenancy.acting_as(account.user_id):
        assert list(Position.objects.values_list("status", "quantity")) == [("OPEN", Decimal("0.5"))]


def test_a_spot_sale_is_no_short(account: ExchangeAccount, tmp_path: Path) -> None:
    run(tmp_path, [row("9", "ENTRY", "1", "100", 0, side="SELL")])
    call("backfill_positions")

    assert trades(account, "side", "exit_quantity", "unknown_quantity", "net_pnl") == [
        ("LONG", Decimal(0), Decimal(1), Decimal(0))
    ]


def test_roi_of_a_part_is_no_multiple_of_its_percentage(account: ExchangeAccount, tmp_path: Path) -> None:
    run(tmp_path, BRACKET)
    call("backfill_positions")

    assert trades(account, "pnl_percentage", "roi_percentage") == [
        (Decimal(10), Decimal(10)),
        (Decimal(20), Decimal(20)),
        (Decimal(-5), Decimal(-5)),
    ]


def test_real_fills_take_the_place_of_the_inferred_one(account: ExchangeAccount, tmp_path: Path) -> None:
    """Then the exit price is the fills' average and not the limit, and fees count."""
    run(tmp_path, BRACKET)
    call("backfill_positions")
    real = [
        rows.fill(
            fill_id=str(number), order_id="2", side=Side.SELL, price=Decimal(price), quantity=Decimal("0.25"),
            quote_quantity=Decimal(price) / 4, fee_amount=Decimal("0.01"), fee_currency="USDT",
            executed_at=datetime(2025, 12, 9, 10, 1, 30, tzinfo=UTC),
        )
        for number, price in ((71, "111"), (72, "112"))
    ]  # fmt: skip
    with tenancy.acting_as(account.user_id):
        touched = ingest.store_fills(account=account, rows=real, source="sync", run_id=None)
        books.mark_stale(account=account, touched=touched)
    call("backfill_positions")

    assert trades(account, "exit_order_id", "exit_price", "net_pnl")[0] == (
        "2", Decimal("111.5"), Decimal("5.73"),
    )  # fmt: skip
    with tenancy.acting_as(account.user_id):
        standing = Fill.objects.filter(is_inferred=True).order_by("exchange_order_id")
        assert list(standing.values_list("exchange_order_id", flat=True)) == ["1", "3", "4"]
    assert run(tmp_path, BRACKET).startswith(
        "0 orders stored, 0 changed, 4 known before; 0 linked or noted, 0 fills"
    )


def test_a_second_run_changes_nothing(account: ExchangeAccount, tmp_path: Path) -> None:
    run(tmp_path, BRACKET)
    call("backfill_positions")
    before = counted(account)

    assert "0 orders stored, 0 changed, 4 known before; 0 linked or noted, 0 fills" in run(tmp_path, BRACKET)
    assert "0 fills inferred, 0 books folded; +0 positions" in call("backfill_positions")
    assert counted(account) == before == (4, 4, 1, 3)


def test_a_dry_run_tells_and_keeps_nothing(account: ExchangeAccount, tmp_path: Path) -> None:
    assert "4 orders would be stored" in run(tmp_path, BRACKET, "--dry-run")
    assert counted(account) == (0, 0, 0, 0)

    run(tmp_path, BRACKET)
    assert "+1 positions (1 in all), +3 trades" in call("backfill_positions", "--dry-run")
    assert counted(account) == (4, 4, 0, 0)


def test_what_the_exchange_told_of_an_order_stands(account: ExchangeAccount, tmp_path: Path) -> None:
    OrderFactory.create(account=account, exchange_order_id="1", status="CANCELED", executed_quantity=0)

    assert run(tmp_path, [row("1", "ENTRY", "1", "100", 0, note="mine")]).startswith("0 orders stored")

    with tenancy.acting_as(account.user_id):
        order = Order.objects.get()
        assert (order.status, order.role, order.note, Fill.objects.count()) == (
            "CANCELED",
            "ENTRY",
            "mine",
            0,
        )


def test_bad_rows_are_set_aside_and_the_others_stored(account: ExchangeAccount, tmp_path: Path) -> None:
    bad = [
        BRACKET[0] | {"side": "?"},
        row("5", "TP1", "1", None, 4),
        row("6", "TP1", "1", "1", 4, exchange="mtgox"),
    ]

    with pytest.raises(CommandError, match="3 of 4 rows were set aside"):
        run(tmp_path, [*bad, BRACKET[1]])

    with tenancy.acting_as(account.user_id):
        assert sorted(Order.objects.values_list("exchange_order_id", flat=True)) == ["2", "5"]
        assert list(Fill.objects.values_list("exchange_order_id", flat=True)) == ["2"]


def test_nobody_elses_rows_are_taken(account: ExchangeAccount, tmp_path: Path) -> None:
    run(
        tmp_path,
        [row("1", "ENTRY", "1", "100", 0, user_id=7), row("2", "ENTRY", "1", "100", 1, user_id=8)],
        "--legacy-user",
        "7",
    )

    with tenancy.acting_as(account.user_id):
        assert Order.objects.get().exchange_order_id == "1"
