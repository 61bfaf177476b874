"""Coins that come without a trade, conversions, and transfers between accounts of one user that keep their cost."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditLog, User
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import ConversionRow
from orders import conversions, stated_costs
from orders.models import OwnTransfer, Transfer
from portfolio import books
from portfolio.models import Allocation, Book, Fee, MovedLot, Position, Trade, Valuation
from portfolio.rebuild import rebuild_account
from tests.clients import JsonClient
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import START, fill, fold, transfer
from tests.portfolio.days import closes, line, moment, refresh, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def pin(account: ExchangeAccount, asset: str, price: str) -> None:
    with tenancy.acting_as(account.user_id):
        Valuation.objects.create(
            user_id=account.user_id, asset=asset, currency="USDT", at=START, price=Decimal(price), source="test",
            source_at=START,
        )  # fmt: skip


def told(owner: Any, model: Any, *columns: str, **filters: Any) -> list[tuple[Any, ...]]:
    with tenancy.acting_as(owner.user_id if isinstance(owner, ExchangeAccount) else owner.id):
        return list(model.objects.filter(**filters).order_by("id").values_list(*columns))


@pytest.mark.parametrize("kind", ["AIRDROP", "INTEREST"])
def test_coins_given_cost_what_they_were_worth_in_their_hour(account: ExchangeAccount, kind: str) -> None:
    pin(account, "BTC", "100")
    came = transfer(account, kind=kind, asset="BTC", amount=Decimal(2), occurred_at=at(0))

    fold(account, came, fill(account, "SELL", "2", "130"))

    assert told(account, Position, "opening_transfer", "entry_price", "gross_pnl") == [(came.id, 100, 60)]
    assert told(account, Allocation, "source", "entry_transfer", "entry_fill", "cost") == [
        (kind, came.id, None, 200)
    ]


def test_a_conversion_is_an_exit_and_an_entry_at_one_value_with_its_fee(account: ExchangeAccount) -> None:
    pin(account, "BNB", "500")
    bought = fill(account, "BUY", "10", "30", symbol="ADAUSDT", base_asset="ADA")
    dust = ConversionRow("7", "ADA", Decimal(10), "BNB", Decimal("0.7"), Decimal("0.01"), "BNB", at(5))
    with tenancy.acting_as(account.user_id):
        books.mark_stale(
            account=account,
            touched=conversions.store_conversions(account=account, rows=[dust], source="test", run_id=None),
        )

    fold(account, bought)

    assert told(account, Trade, "symbol", "kind", "exit_order_id", "cost", "proceeds") == [
        ("ADABNB", "TRADE", "convert-7", 300, 350),
        ("ADABNB", "FEE", "convert-7", 5, 5),
    ]
    assert told(account, Fee, "fee_type", "transaction_type", "fee_currency", "value") == [
        ("CONVERSION", "CONVERSION", "BNB", 5)
    ]


def test_a_stated_cost_replaces_the_unknown_one_and_is_audited(alice: User, as_alice: JsonClient) -> None:
    account = AccountFactory.create(user=alice)
    came = transfer(account, asset="BTC", amount=Decimal(2), occurred_at=at(0))
    fold(account, came, fill(account, "SELL", "2", "130"))
    assert told(account, Trade, "cost", "unknown_quantity") == [(0, 2)]

    answer = as_alice.patch(f"/api/transfers/{came.id}", {"cost": "200", "note": "bought elsewhere"})

    assert (answer.status_code, answer.json()["cost"], answer.json()["note"]) == (
        200,
        "200",
        "bought elsewhere",
    )
    assert told(account, Book, "stale_from", asset="BTC") == [(at(0),)]
    fold(account)
    assert told(account, Trade, "cost", "gross_pnl", "unknown_quantity") == [(200, 60, 0)]
    assert told(account, Allocation, "source", "entry_transfer") == [("STATED", came.id)]
    assert len(told(account, AuditLog, "id", table_name="orders_statedcost")) == 1


def test_only_of_ones_own_deposits_a_cost_is_stated(alice: User, as_alice: JsonClient) -> None:
    gone = transfer(AccountFactory.create(user=alice), kind="WITHDRAWAL")
    foreign = transfer(AccountFactory.create())

    answers = [as_alice.patch(f"/api/transfers/{one.id}", {"cost": "1"}) for one in (gone, foreign)]

    assert [answer.status_code for answer in answers] == [400, 404]


def test_no_cost_is_stated_where_it_would_change_nothing(alice: User, as_alice: JsonClient) -> None:
    two = TwoAccounts(alice)
    sent, came = two.sent("1", 5, tx_id="a"), two.came("1", 9, tx_id="a")
    fold(two.here, sent)
    fold(two.there, came)

    answer = as_alice.patch(f"/api/transfers/{came.id}", {"cost": "1"})

    assert (answer.status_code, "another account of yours" in answer.json()["detail"]) == (400, True)


class TwoAccounts:
    """One user's, with a transfer of BTC from the first to the second."""

    def __init__(self, user: User) -> None:
        self.here, self.there = AccountFactory.create(user=user), AccountFactory.create(user=user)

    def sent(self, amount: str, minute: int, **more: Any) -> Transfer:
        return transfer(
            self.here, kind="WITHDRAWAL", asset="BTC", amount=Decimal(amount), occurred_at=at(minute), **more
        )

    def came(self, amount: str, minute: int, **more: Any) -> Transfer:
        return transfer(self.there, asset="BTC", amount=Decimal(amount), occurred_at=at(minute), **more)

    def settle(self, *, from_zero: bool = False) -> None:
        """Fold whatever is stale, the receiving account first, until nothing is."""
        for _ in range(5):
            for account in (self.there, self.here):
                rebuild_account(
                    user_id=account.user_id, account_id=account.id, at=at(9999), from_zero=from_zero
                )
            from_zero = False
            if not told(self.here, Book, "id", stale_from__isnull=False):
                return
        raise AssertionError("The books do not come to rest.")

    def picture(self) -> list[Any]:
        columns = ("exit_fill__exchange_fill_id", "sequence", "source", "quantity", "cost", "entry_fee")
        positions = ("book__account", "symbol", "entered_quantity", "entered_cost", "gross_pnl", "net_pnl")
        lots = ("transfer", "sequence", "source", "quantity", "cost", "entry_fee", "entered_at")
        return [
            sorted(told(self.here, model, *names), key=str)
            for model, names in ((Allocation, columns), (Position, positions), (MovedLot, lots))
        ]


@pytest.fixture
def two(alice: User) -> TwoAccounts:
    return TwoAccounts(alice)


def test_coins_sent_to_another_account_keep_their_cost_and_age(two: TwoAccounts) -> None:
    bought = fill(two.here, "BUY", "2", "100", fee_amount=Decimal(2), executed_at=at(1))
    sent = two.sent("1", 5, fee_amount=Decimal("0.5"), tx_id="0xAB")
    came = two.came("1", 9, tx_id="0xab")
    fold(two.here, bought, sent)

    fold(two.there, came, fill(two.there, "SELL", "1", "130", executed_at=at(20)))

    assert told(two.here, OwnTransfer, "state", "matched_by") == [("confirmed", "tx_id")]
    assert told(two.there, Trade, "cost", "entry_fees", "gross_pnl", "net_pnl", "entry_time") == [
        (100, 1, 30, 29, at(1))
    ]
    assert told(two.there, Allocation, "source", "entry_transfer") == [("TRANSFER", came.id)]
    assert told(two.here, MovedLot, "transfer", "entry_fill", "quantity", "cost", "entry_fee") == [
        (sent.id, bought.id, Decimal("1.5"), 150, Decimal("1.5"))
    ]


def test_a_late_fact_where_coins_came_from_reaches_where_they_went(two: TwoAccounts) -> None:
    sent, came = two.sent("1", 5), two.came("1", 9)
    sold = fill(two.there, "SELL", "1", "130", executed_at=at(20))
    fold(two.here, fill(two.here, "BUY", "1", "100", executed_at=at(3)), sent)
    fold(two.there, came, sold)
    assert told(two.there, Trade, "cost") == [(100,)]

    fold(two.here, fill(two.here, "BUY", "1", "50", executed_at=at(1)))

    assert told(two.there, Book, "stale_from", account=two.there, asset="BTC") == [(at(9),)]
    two.settle()
    assert told(two.there, Trade, "cost") == [(75,)]


def test_what_would_fit_twice_waits_for_the_user(two: TwoAccounts, as_alice: JsonClient) -> None:
    fold(two.here, fill(two.here, "BUY", "1", "100", executed_at=at(1)), two.sent("1", 5))
    fold(two.there, two.came("1", 9), two.came("1", 10))
    first, second = as_alice.get("/api/own-transfers?state=proposed").json()["results"]

    answers = [
        as_alice.post(f"/api/own-transfers/{first['id']}/reject"),
        as_alice.post(f"/api/own-transfers/{second['id']}/confirm"),
    ]

    assert [answer.json()["state"] for answer in answers] == ["rejected", "confirmed"]
    two.settle()
    assert told(two.there, Position, "entered_quantity", "entered_cost", book__account=two.there) == [
        (1, 100)
    ]
    again = as_alice.post(
        "/api/own-transfers", {"outgoing_id": first["outgoing"]["id"], "incoming_id": first["incoming"]["id"]}
    )
    assert again.status_code == 409


def test_strangers_are_never_matched(two: TwoAccounts) -> None:
    stranger = AccountFactory.create(user=UserFactory.create())
    fold(two.here, two.sent("1", 5, tx_id="a"))
    fold(stranger, transfer(stranger, asset="BTC", amount=Decimal(1), occurred_at=at(9), tx_id="a"))

    assert told(two.here, OwnTransfer, "id") == told(stranger, OwnTransfer, "id") == []


BACK_AND_FORTH = st.lists(
    st.tuples(st.sampled_from(["here", "there", "send", "back"]), st.integers(1, 5), st.integers(90, 110)),
    min_size=3,
    max_size=9,
)


@given(BACK_AND_FORTH, st.permutations(range(9)), st.sampled_from(["average", "fifo", "lifo", "hifo"]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accounts_that_send_coins_back_and_forth_come_to_rest_where_a_rebuild_does(
    acts: list[tuple[str, int, int]], order: list[int], method: str
) -> None:
    with transaction.atomic():
        two = TwoAccounts(UserFactory.create(cost_method=method))
        groups = [_facts(two, number, *act) for number, act in enumerate(acts)]
        for place in order:  # arriving in any order
            for account, fact in groups[place] if place < len(groups) else ():
                fold(account, fact)
        two.settle()
        before = two.picture()
        two.settle(from_zero=True)
        assert two.picture() == before
        transaction.set_rollback(True)


def _facts(two: TwoAccounts, number: int, what: str, size: int, price: int) -> list[tuple[Any, Any]]:
    """A purchase and half its sale in one account, or a transfer between them by one transaction."""
    start, amount = number * 10, Decimal(size)
    if what in ("here", "there"):
        account = getattr(two, what)
        return [
            (account, fill(account, "BUY", str(size), str(price), executed_at=at(start))),
            (account, fill(account, "SELL", str(amount / 2), str(price + 1), executed_at=at(start + 1))),
        ]
    source, target = (two.here, two.there) if what == "send" else (two.there, two.here)
    common: dict[str, Any] = {"asset": "BTC", "amount": amount, "tx_id": f"tx{number}"}
    return [
        (source, transfer(source, kind="WITHDRAWAL", occurred_at=at(start), **common)),
        (target, transfer(target, occurred_at=at(start + 2), **common)),
    ]


def test_the_day_adds_up_with_coins_given_stated_and_carried(two: TwoAccounts) -> None:
    """Of 4 BTC at the close of 100: 2 stated at 150, 1 carried at 80, 1 given at 90. The last is gained, of the others
    the flow tells what they are worth and the book what they cost: 90 + (150 - 200) + (80 - 100) = 20."""
    closes("BTCUSDT", "100", "130")
    pin(two.there, "BTC", "90")
    bought = fill(two.here, "BUY", "1", "80", fee_amount=Decimal(1), executed_at=at(1))
    fold(two.here, bought, two.sent("1", 5))
    stated, given_coin = two.came("2", 7), two.came("1", 8, kind="AIRDROP")
    with tenancy.acting_as(two.there.user_id):
        stated_costs.state_cost(transfer_id=stated.id, cost=Decimal(150))
    fold(two.there, stated, two.came("1", 9), given_coin)
    report(two.there, moment(1, 23), BTC="4")

    refresh(two.there)

    assert line(two.there, "total_balance", "flows", "revaluation", "residual") == [
        (400, 300, 20, 0),
        (520, 0, 0, 0),
    ]
