"""What was disposed of, lot by lot, and what is held."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from core.django import tenancy
from orders import own_transfers
from orders.models import OwnTransfer
from portfolio import rebuild
from tests.factories import AccountFactory
from tests.portfolio import contracts
from tests.portfolio.books import START, fill, fold, transfer
from tests.portfolio.exports.files import export, told

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def fifo(alice: User) -> User:
    alice.cost_method = "fifo"
    alice.save()
    return alice


def test_an_exit_tells_each_lot_it_consumed(fifo: User) -> None:
    account = AccountFactory.create(user=fifo)
    fold(
        account,
        fill(account, "BUY", "1", "100", fee_amount=Decimal("0.5"), executed_at=START),
        fill(account, "BUY", "1", "200", executed_at=START + DAY),
        fill(account, "SELL", "1.5", "300", fee_amount=Decimal("0.9"), executed_at=START + 3 * DAY - DAY / 2),
    )

    names = (
        "state",
        "quantity",
        "cost",
        "proceeds",
        "gain",
        "entry_fee",
        "exit_fee",
        "net_gain",
        "held_days",
    )
    assert told(export(fifo, "tax_lots"), *names) == [
        ("disposed", "1", "100", "300", "200", "0.5", "0.6", "198.9", 2),
        ("disposed", "0.5", "100", "150", "50", "0", "0.3", "49.7", 1),
        ("held", "0.5", "100", None, None, "0", None, None, None),
    ]


def test_by_average_every_lot_costs_the_average(alice: User) -> None:
    account = AccountFactory.create(user=alice)
    fold(
        account, fill(account, "BUY", "1", "100"), fill(account, "BUY", "1", "200"), fill(account, "SELL", "1", "300")
    )  # fmt: skip

    found = told(export(alice, "tax_lots"), "state", "entry_id", "cost", "gain")
    assert found == [("disposed", "1", "150", "150"), ("held", "2", "150", None)]


def test_of_unknown_cost_there_is_no_gain(alice: User) -> None:
    account = AccountFactory.create(user=alice)
    fold(account, transfer(account, asset="BTC", amount=Decimal(1)), fill(account, "SELL", "1", "300"))

    [row] = export(alice, "tax_lots")
    assert (row["source"], row["cost"], row["proceeds"], row["gain"], row["acquired_at"]) == (
        "UNKNOWN", None, "300", None, None,
    )  # fmt: skip


def test_a_short_gains_by_a_fall(alice: User) -> None:
    account = AccountFactory.create(user=alice)
    contracts.fold(
        account, contracts.fill(account, "SELL", "2", "100"), contracts.fill(account, "BUY", "0.5", "90")
    )

    names = ("state", "market_type", "side", "quantity", "cost", "proceeds", "gain")
    assert told(export(alice, "tax_lots"), *names) == [
        ("disposed", "futures", "SHORT", "0.5", "50", "45", "5"),
        ("held", "futures", "SHORT", "1.5", "150", None, None),
    ]


def test_coins_from_another_own_account_were_acquired_when_they_were_bought(alice: User) -> None:
    first, second = AccountFactory.create(user=alice), AccountFactory.create(user=alice)
    bought = fill(first, "BUY", "2", "100", executed_at=START)
    left = transfer(first, kind="WITHDRAWAL", asset="BTC", amount=Decimal(2), occurred_at=START + 2 * DAY)
    came = transfer(second, asset="BTC", amount=Decimal(2), occurred_at=START + 2 * DAY + DAY / 24)
    with tenancy.acting_as(alice.id):
        own_transfers.declare(outgoing_id=left.id, incoming_id=came.id)
        assert OwnTransfer.objects.count() == 1
    fold(first, bought, left)
    sold = fill(second, "SELL", "1", "150", executed_at=START + 5 * DAY)
    fold(second, came, sold)
    rebuild.rebuild_account(user_id=alice.id, account_id=second.id, at=START + 9 * DAY)

    names = ("state", "source", "acquired_at", "cost", "held_days")
    assert told(export(alice, "tax_lots"), *names) == [
        ("disposed", "TRANSFER", "2026-02-01T10:00:00.000000Z", "100", 5),
        ("held", "TRANSFER", "2026-02-01T10:00:00.000000Z", "100", None),
    ]


def test_a_span_with_an_end_tells_nothing_of_what_is_held_now(alice: User) -> None:
    account = AccountFactory.create(user=alice)
    fold(account, fill(account, "BUY", "2", "100"), fill(account, "SELL", "1", "300"))

    assert told(export(alice, "tax_lots", until=START + DAY), "state") == [("disposed",)]
