"""A complete export, read in by somebody else: the same facts, and the same books."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from core.django import tenancy
from core.errors import Invalid
from credentials.models import ExchangeAccount
from orders import own_transfers
from orders.models import Fill, Order, StatedCost
from pipeline import rejected_files
from portfolio import leverage, rebuild, verification
from portfolio.exports.bundle import SECTIONS
from portfolio.exports.records import Record
from portfolio.imports import reading
from portfolio.imports.reading import Outcome
from portfolio.models import Book, Fee, MovedLot, Position, Trade, Valuation
from tests.factories import AccountFactory, OrderFactory, UserFactory
from tests.portfolio import contracts
from tests.portfolio.books import START, fill, fold, transfer
from tests.portfolio.contracts import report_position
from tests.portfolio.exports.files import export, raw
from tests.security.people import undone

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SAME = ("fills", "trades", "ledger", "tax_lots")


def world() -> User:
    """Somebody with two accounts and everything in them that books follow from."""
    user: User = UserFactory.create(cost_method="fifo")
    main, other = (
        AccountFactory.create(user=user, label="=Main"),
        AccountFactory.create(user=user, label="Other"),
    )
    with tenancy.acting_as(user.id):
        prices = {"BNB": "600", "BTC": "100", "ADA": "0.5"}
        hours = [START + timedelta(hours=hours) for hours in range(60)]
        Valuation.objects.bulk_create(
            Valuation(
                user=user, asset=asset, currency="USDT", at=at, price=Decimal(price), source="test", source_at=at
            )
            for asset, price in prices.items()
            for at in hours
        )  # fmt: skip
    coins = _coins(main)
    left = transfer(main, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.4"), occurred_at=START + DAY)
    came = transfer(other, asset="BTC", amount=Decimal("0.4"), occurred_at=START + DAY + DAY / 24)
    with tenancy.acting_as(user.id):
        own_transfers.declare(outgoing_id=left.id, incoming_id=came.id, note="@mine")
        Book.objects.create(
            user=user, account=main, asset="BTC", currency="USDT", method="fifo", step=Decimal("0.001")
        )  # fmt: skip
    fold(main, *coins, left)
    report_position(main, "105", at=START + timedelta(minutes=32), side="SHORT", leverage="5")
    contracts.fold(main, *_contracts(main))
    _remember_leverage(main)
    fold(other, came, fill(other, "SELL", "0.3", "150", executed_at=START + 2 * DAY))
    return user


def _remember_leverage(account: ExchangeAccount) -> None:
    """As the exchange reported it while the position was open, and does no more."""
    with tenancy.acting_as(account.user_id):
        closed = Position.objects.get(book__asset="BTCUSD")
        [trade] = Trade.objects.filter(position=closed)
        leverage.restore(
            positions=[(closed.pk, 7, "isolated")],
            trades=[(trade.pk, 5, "crossed")],
        )


def _coins(account: ExchangeAccount) -> list[Any]:
    entry = OrderFactory.create(
        account=account, exchange_order_id="-1", client_order_id="=HYPERLINK()", role="ENTRY", group_id="+g",
        linked_by="exchange", note="=cmd|' /C calc'!A0", tags=["@a"], strategy="-swing", strategy_by="user",
        raw={"price": 0.1, "deep": {"n": [1]}},
    )  # fmt: skip
    OrderFactory.create(
        account=account, exchange_order_id="-2", parent=entry, role="SL", group_id="+g", side="SELL",
        stop_price=Decimal(90), linked_by="exchange",
    )  # fmt: skip
    gift = transfer(account, asset="ADA", amount=Decimal(50), occurred_at=START, exchange_transfer_id="=d")
    with tenancy.acting_as(account.user_id):
        StatedCost.objects.create(
            user_id=account.user_id, account=account, transfer=gift, cost=Decimal(20), note="=n"
        )
    return [
        gift,
        transfer(account, asset="ADA", amount=Decimal(9), occurred_at=START, address="=a", tx_id="+t"),
        transfer(account, kind="AIRDROP", asset="ADA", amount=Decimal(3), occurred_at=START + DAY / 24),
        transfer(account, kind="INTERNAL", from_wallet="spot", to_wallet="futures", amount=Decimal(5)),
        transfer(account, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.1"), status="failed"),
        fill(
            account,
            "BUY",
            "1.5",
            "100",
            exchange_order_id="-1",
            fee_amount=Decimal("0.01"),
            fee_currency="BNB",
        ),
        fill(account, "BUY", "0.7", "130", fee_amount=Decimal("0.0001"), fee_currency="BTC"),
        fill(account, "SELL", "0.9", "95", exchange_order_id="-2", fee_amount=Decimal("-0.02")),
        fill(account, "BUY", "10", "0.01", base_asset="ADA", quote_asset="BTC", symbol="ADABTC"),
        fill(account, "SELL", "70", "0.55", base_asset="ADA", symbol="ADAUSDT", is_conversion=True),
        fill(account, "BUY", "0.1", "100.123456789012345678", is_inferred=True),
    ]


def _contracts(account: ExchangeAccount) -> list[Any]:
    minutes = [START + timedelta(minutes=30 + place) for place in range(6)]
    return [
        contracts.fill(account, "SELL", "2", "110", executed_at=minutes[0], fee_amount=Decimal("0.1")),
        contracts.funding(account, "-0.25", paid_at=minutes[1]),
        contracts.fill(account, "BUY", "0.5", "100", executed_at=minutes[3], realized_pnl=Decimal("5.01")),
        contracts.fill(
            account, "BUY", "1000", "50000", symbol="BTCUSD", is_inverse=True, position_side="LONG",
            executed_at=minutes[4], fee_amount=Decimal("0.001"), fee_currency="BNB",
        ),
        contracts.fill(
            account, "SELL", "1000", "40000", symbol="BTCUSD", is_inverse=True, position_side="LONG",
            executed_at=minutes[5], is_liquidation=True,
        ),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[User, User, Outcome]]:
    """Whose books they are, who read them in, and how that went; for all tests that only look."""
    with django_db_blocker.unblock(), undone():
        theirs = world()
        ours: User = UserFactory.create(cost_method="fifo")
        yield theirs, ours, take(ours, raw(theirs, "complete"))


def take(user: User, file: bytes, **asked: Any) -> Outcome:
    outcome = reading.read(user=user, file=io.BytesIO(file), **asked)
    for account in sorted(outcome.accounts.values(), key=lambda one: one.label):
        rebuild.rebuild_account(user_id=user.id, account_id=account.id, at=START + 9 * DAY)
    reading.restore(user=user, file=io.BytesIO(file), accounts=outcome.accounts)
    return outcome


def without_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = {"id", "position_id", "trade_id", "account_id"}
    return [{name: value for name, value in row.items() if name not in ids} for row in rows]


def lines(file: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.splitlines()]


def written(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def values(user: User, model: Any, *names: str) -> list[Any]:
    with tenancy.acting_as(user.id):
        return sorted(model.objects.values_list(*names), key=str)


def test_every_record_is_written_and_read_alike() -> None:
    read = {kind.__struct_config__.tag: kind.__struct_fields__ for kind in Record.__args__}

    tables = [*(section.table for section, _ in SECTIONS), rejected_files.PART.table]
    assert {table.record: table.names for table in tables} == {
        name: fields for name, fields in read.items() if name not in ("header", "end")
    }


@pytest.mark.parametrize("kind", SAME)
def test_the_books_are_the_same(people: tuple[User, User, Outcome], kind: str) -> None:
    theirs, ours, _ = people

    rows = without_ids(export(theirs, kind))
    assert len(rows) > 3
    assert without_ids(export(ours, kind)) == rows


def test_positions_and_fees_are_the_same(people: tuple[User, User, Outcome]) -> None:
    theirs, ours, _ = people
    kept = {
        Position: (
            "symbol", "side", "status", "entry_price", "quantity", "total_cost", "fees_paid", "net_pnl", "funding",
            "unknown_quantity", "leverage", "margin_mode", "stop_loss_price", "strategy", "opened_at", "closed_at",
        ),
        Fee: ("symbol", "fee_amount", "fee_currency", "fee_type", "value", "price", "price_source"),
        MovedLot: ("quantity", "cost", "entry_fee", "entered_at", "source"),
        Book: ("market_type", "asset", "side", "step", "method"),
    }  # fmt: skip

    for model, names in kept.items():
        rows = values(theirs, model, *names)
        assert rows
        assert values(ours, model, *names) == rows
    assert {5, 7} <= {row[10] for row in values(ours, Position, *kept[Position])}
    names = ("symbol", "leverage", "margin_mode", "roi_percentage")
    assert values(ours, Trade, *names) == values(theirs, Trade, *names)
    assert ("BTCUSD", 5, "crossed") in values(ours, Trade, *names[:3])


def test_both_books_are_what_their_facts_give(people: tuple[User, User, Outcome]) -> None:
    for user in people[:2]:
        for (account_id,) in values(user, ExchangeAccount, "id"):
            found = verification.verify(user_id=user.id, account_id=account_id, at=START + 9 * DAY)
            assert (found.mismatch, found.waiting) == (None, [])


def test_what_is_exported_again_is_the_same_file(people: tuple[User, User, Outcome]) -> None:
    """But for the accounts' ids, and the moment."""
    theirs, ours, outcome = people
    file = raw(theirs, "complete")
    for source, account in outcome.accounts.items():
        file = file.replace(str(source).encode(), str(account.id).encode())

    assert sorted(raw(ours, "complete").splitlines()[1:]) == sorted(file.splitlines()[1:])


def test_nothing_is_set_aside_and_accounts_have_no_key(people: tuple[User, User, Outcome]) -> None:
    _, ours, outcome = people

    assert (outcome.set_aside, outcome.notes) == ([], [])
    assert values(ours, ExchangeAccount, "label", "is_active", "exchange") == [
        ("=Main", False, "binance"), ("Other", False, "binance"),
    ]  # fmt: skip


def test_a_second_import_changes_nothing(people: tuple[User, User, Outcome]) -> None:
    theirs, ours, _ = people
    with undone():
        before = raw(ours, "complete")
        outcome = take(ours, raw(theirs, "complete"))

        assert outcome.stored == 0
        assert raw(ours, "complete").splitlines()[1:] == before.splitlines()[1:]


def test_what_was_noted_here_since_stands(people: tuple[User, User, Outcome]) -> None:
    theirs, ours, _ = people
    with undone():
        with tenancy.acting_as(ours.id):
            Order.objects.filter(exchange_order_id="-1").update(note="mine")
        take(ours, raw(theirs, "complete"))

        assert ("mine",) in values(ours, Order, "note")


def test_bad_lines_are_set_aside_and_the_good_ones_stay(people: tuple[User, User, Outcome]) -> None:
    theirs, _, _ = people
    rows = lines(raw(theirs, "complete"))
    fills = [row for row in rows if row["record"] == "fill"]
    fills[0]["quantity"] = "much"
    fills[1]["quantity"] = "-1"
    fills[2]["side"] = "HOLD"
    fills[3]["symbol"] = "x" * 99
    fills[4]["surprise"] = 1
    fills[5]["price"] = "1.0000000000000000001"
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        outcome = reading.read(user=new, file=io.BytesIO(written(rows)))

        assert [one.line for one in outcome.set_aside] == sorted(rows.index(row) + 1 for row in fills[:6])
        assert all(one.reason for one in outcome.set_aside)
        assert len(values(new, Fill, "id")) == len(fills) - 6


def test_what_is_here_with_other_content_stays_and_its_line_is_told(
    people: tuple[User, User, Outcome],
) -> None:
    theirs, ours, _ = people
    rows = lines(raw(theirs, "complete"))
    changed = [row for row in rows if row["record"] == "fill"][3]
    changed["price"] = "7"
    paid = next(row for row in rows if row["record"] == "funding")
    paid["amount"] = "-7"
    with undone():
        outcome = reading.read(user=ours, file=io.BytesIO(written(rows)))

        assert [(one.line, "the first is kept" in one.reason) for one in outcome.set_aside] == [
            (rows.index(changed) + 1, True), (rows.index(paid) + 1, True),
        ]  # fmt: skip


def test_orders_that_cannot_be_stored_or_linked_keep_nobody_waiting(
    people: tuple[User, User, Outcome],
) -> None:
    theirs, _, _ = people
    rows = lines(raw(theirs, "complete"))
    orders = [row for row in rows if row["record"] == "order"]
    orders[0]["client_order_id"] = "\0"
    orders[1]["role"] = "far too long a role"
    misplaced = next(row for row in rows if row["record"] == "transfer")
    misplaced["occurred_at"] = "0001-01-01T00:00:00+14:00"
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        outcome = reading.read(user=new, file=io.BytesIO(written(rows)))

        aside = [one.line for one in outcome.set_aside]
        assert aside == [rows.index(row) + 1 for row in (*orders, misplaced)]
        assert values(new, Order, "exchange_order_id") == [("-2",)]


def test_a_dry_run_stores_nothing(people: tuple[User, User, Outcome]) -> None:
    theirs, _, _ = people
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        outcome = reading.read(user=new, file=io.BytesIO(raw(theirs, "complete")), is_dry=True)

        assert outcome.stored > 10
        assert values(new, ExchangeAccount, "id") == []


def test_one_account_alone_may_get_another_name(people: tuple[User, User, Outcome]) -> None:
    """What came from the account that is not in the file has no cost, and that is told."""
    theirs, _, _ = people
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        outcome = take(new, raw(theirs, "complete", account="Other"), label="Copy")

        assert values(new, ExchangeAccount, "label") == [("Copy",)]
        assert "not in the file" in outcome.notes[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: [{"some": "json"}], "no export of this platform"),
        (lambda rows: [{**rows[0], "version": 2}, *rows[1:]], "of version 2; this reads version 1"),
        (lambda rows: [{**rows[0], "kind": "fills"}, *rows[1:]], "only a 'complete' one"),
        (lambda rows: [{**rows[0], "currency": "EUR"}, *rows[1:]], "this user's in USDT"),
        (lambda rows: rows[:-1], "cut off"),
        (lambda rows: [*rows[:-2], rows[-1]], "not whole"),
        (lambda rows: [*rows, rows[1]], "after the end"),
    ],
)
def test_other_files_are_refused(people: tuple[User, User, Outcome], change: Any, reason: str) -> None:
    theirs, _, _ = people
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        with pytest.raises(Invalid, match=reason):
            reading.read(user=new, file=io.BytesIO(written(change(lines(raw(theirs, "complete"))))))
        assert values(new, ExchangeAccount, "id") == []


def test_an_account_with_facts_or_a_key_is_not_imported_into(people: tuple[User, User, Outcome]) -> None:
    theirs, _, _ = people
    file = raw(theirs, "complete", account="Other")
    with undone():
        new: User = UserFactory.create(cost_method="fifo")
        fill(AccountFactory.create(user=new, label="Full", is_active=False), "BUY", "1", "1")
        AccountFactory.create(user=new, label="Keyed")
        for label in ("Full", "Keyed"):
            with pytest.raises(Invalid, match="not empty, or has a key"):
                reading.read(user=new, file=io.BytesIO(file), label=label)


def test_what_is_no_text_is_no_export(people: tuple[User, User, Outcome]) -> None:
    for file in (b"", b"\xff\xfe\x00", b"[1]\n", b"a,b\r\n1,2\r\n"):
        with pytest.raises(Invalid, match="no export"):
            reading.read(user=people[1], file=io.BytesIO(file))


def test_a_copy_of_ones_own_account_is_made_where_it_is_named(people: tuple[User, User, Outcome]) -> None:
    theirs, _, _ = people
    file = raw(theirs, "complete", account="Other")
    with undone():
        with pytest.raises(Invalid, match="here already, as 'Other'"):
            reading.read(user=theirs, file=io.BytesIO(file))
        outcome = take(theirs, file, label="Copy")

        assert any("count both" in note for note in outcome.notes)
        copied = export(theirs, "fills", account="Copy")
        assert [row["exchange_fill_id"] for row in copied] == [
            row["exchange_fill_id"] for row in export(theirs, "fills", account="Other")
        ]


def test_what_was_imported_otherwise_stands_and_is_told(people: tuple[User, User, Outcome]) -> None:
    theirs, ours, _ = people
    rows = lines(raw(theirs, "complete"))
    changed = next(row for row in rows if row["record"] == "fill")
    changed["price"] = "1"
    with undone():
        before = export(ours, "fills")
        outcome = take(ours, written(rows))

        assert "came again with other content" in outcome.set_aside[0].reason
        assert export(ours, "fills") == before
