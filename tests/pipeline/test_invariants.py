"""Every rule holds over what a sync stores, and is broken by what breaks it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.invariants.examine import examine
from pipeline.models import Trigger
from tests.factories import AccountFactory, OrderFactory
from tests.pipeline.worlds import World
from tests.portfolio import contracts
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import closes, moment, refresh, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_command")]


def broken() -> dict[str, list[dict[str, Any]]]:
    return {one.name: one.broken for one in examine() if not one.holds}


def test_every_rule_holds_after_a_sync(make_world: Callable[..., World]) -> None:
    make_world("holes").sync(Trigger.CONNECT)

    assert broken() == {}


@pytest.fixture
def account() -> ExchangeAccount:
    """A coin bought and sold with fees, a contract, an order and five days."""
    stored: ExchangeAccount = AccountFactory.create()
    closes("BTCUSDT", *["100"] * 6)
    fold(
        stored,
        transfer(stored, occurred_at=moment(0, 8)),
        fill(stored, "BUY", "2", "100", fee_amount=1, executed_at=moment(0, 9)),
        fill(stored, "SELL", "1", "110", fee_amount=1, executed_at=moment(1, 9)),
    )
    contracts.fold(
        stored,
        *[contracts.fill(stored, side, "1", price) for side, price in (("BUY", "100"), ("SELL", "90"))],
    )
    OrderFactory.create(account=stored, role="ENTRY", group_id="g")
    report(stored, moment(3), USDT="908", BTC="1")
    refresh(stored, at=moment(5))
    return stored


SPOILED = {
    "an order's status fits what was executed": "UPDATE orders_order SET executed_quantity = 0.5",
    "no fill is of the future": "UPDATE orders_fill SET executed_at = '2999-01-01Z' WHERE side = 'SELL'",
    "the allocations of a fill sum to what it took": "UPDATE portfolio_allocation SET quantity = 0.5",
    "every sale of a folded book is allocated": "DELETE FROM portfolio_allocation",
    "a trade is the sum of its allocations": "UPDATE portfolio_allocation SET cost = cost + 1",
    "the trades of a position sum to its result": "UPDATE portfolio_position SET net_pnl = net_pnl + 1e-18",
    "a position holds what entered it and did not leave": "UPDATE portfolio_position SET moved_quantity = 1e-18",
    "positions and trades are of their book's account, those of a pool of accounts of its mode":
        "UPDATE portfolio_book SET pool = 'demo' WHERE market_type = 'spot'",
    "coins are kept in one way: a pool's folded book leaves none of an account, and the reverse": """
        INSERT INTO portfolio_book SELECT (jsonb_populate_record(b, jsonb_build_object('id', 1, 'pool', 'live'))).*
        FROM portfolio_book b WHERE market_type = 'spot'""",
    "positions of a book do not overlap": """
        INSERT INTO portfolio_position SELECT (jsonb_populate_record(p, jsonb_build_object('id', 1,
            'opening_fill_id', 1, 'status', 'CLOSED', 'quantity', 0, 'closed_at', p.opened_at + interval '1 s'))).*
        FROM portfolio_position p WHERE status = 'OPEN'""",
    "every fee stands once, as the fill has it": "UPDATE portfolio_fee SET fee_amount = 2",
    "a fee of a fill is of facts that are there":
        "UPDATE portfolio_fee SET fill_id = -1 WHERE id = (SELECT min(id) FROM portfolio_fee)",
    "the days of an asset sum to its fills": "UPDATE portfolio_assetday SET traded = traded + 1e-18",
    "the days of an asset sum to its transfers": "UPDATE portfolio_assetday SET deposited = deposited + 1e-18",
    "available and locked make the total": "UPDATE portfolio_portfoliosnapshot SET locked_balance = 1",
    "every day from the first to the last has one snapshot":
        "DELETE FROM portfolio_portfoliosnapshot s WHERE snapshot_date = '2026-02-03'",
    "a day's change in equity is what its columns say": "UPDATE portfolio_portfoliosnapshot SET residual = 1e-18",
    "a holding's value is its quantity at its price": "UPDATE portfolio_assetsnapshot SET value = value + 1",
    "what is reported and not explained has an item": """
        UPDATE portfolio_accountmark SET reconciled_at = heard_at;
        UPDATE portfolio_walletbalance SET available = available + 1 WHERE asset = 'USDT'""",
}  # fmt: skip


def test_every_rule_holds_over_books_made_by_hand(account: ExchangeAccount) -> None:
    assert broken() == {}


@pytest.mark.parametrize("name", SPOILED)
def test_what_breaks_a_rule_is_found(account: ExchangeAccount, name: str) -> None:
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM portfolio_assetsnapshot" if "one snapshot" in name else "SELECT 1")
        cursor.execute(SPOILED[name])

    found = broken()

    assert name in found
    assert found[name]


def test_the_command_prints_what_it_saw(account: ExchangeAccount, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_invariants")
    assert "ok      a trade is the sum of its allocations (2 rows)" in capsys.readouterr().out

    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute("UPDATE portfolio_fee SET fee_amount = 2")
    with pytest.raises(CommandError, match=r"1 of \d+ rules do not hold"):
        call_command("verify_invariants")
    assert "BROKEN  every fee stands once, as the fill has it:\n  fill=" in capsys.readouterr().out
