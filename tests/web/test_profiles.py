"""What changing and closing a user means to the other rooms."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import Session, User
from core import clock
from core.django import tenancy
from core.errors import Invalid, NotAuthenticated
from credentials.models import ApiCredential, ExchangeAccount
from orders.models import Fill, Order, StatedCost
from pipeline import dispatch, exports
from pipeline.models import Export
from portfolio import statements
from portfolio.models import Book, Trade
from portfolio.rebuild import rebuild_account
from tests.clients import log_in
from tests.factories import PASSWORD, AccountFactory, FillFactory, OrderFactory, TransferFactory, UserFactory
from tests.portfolio.books import fill, fold
from web import connections, profiles

pytestmark = pytest.mark.django_db


def _connect(user: User, label: str) -> ExchangeAccount:
    key = {"api_key": "k" * 64, "secret_key": "s" * 64}
    connected = connections.connect(user_id=user.id, exchange="binance", label=label, at=clock.now(), **key)
    return connected.account


def test_a_profile_tells_the_exchanges_and_the_second_factor() -> None:
    user = UserFactory.create()
    AccountFactory.create(user=user)

    assert profiles.profile_of(user) == profiles.Profile(
        user, ["binance"], two_factor=False, books_to_recompute=0
    )


def test_closing_destroys_all_keys_and_keeps_the_history() -> None:
    user = UserFactory.create(email="alice@example.com")
    accounts = [_connect(user, label) for label in ("One", "Two")]
    fill = FillFactory.create(account=accounts[0])
    log_in(user)
    exports.request(user_id=user.id, asked=exports.Asked("fills", "csv"), at=clock.now())

    profiles.close_user(user=user, password=PASSWORD, at=clock.now())

    with tenancy.acting_as(user.id):
        assert not Export.objects.exists()
        assert not ExchangeAccount.objects.filter(is_active=True).exists()
        assert not ApiCredential.objects.exclude(api_key="", secret_key="").exists()
        assert Fill.objects.get() == fill
    assert User.objects.get().is_deleted
    assert not Session.objects.filter(revoked_at__isnull=True).exists()


def test_who_was_closed_meanwhile_connects_nothing() -> None:
    user = UserFactory.create(is_deleted=True)

    with pytest.raises(NotAuthenticated):
        _connect(user, "Late")

    with tenancy.acting_as(user.id):
        assert (ExchangeAccount.objects.count(), ApiCredential.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_closing_while_accounts_are_connected_leaves_no_key() -> None:
    user, start = UserFactory.create(), Barrier(5)

    def connect(number: int) -> None:
        try:
            start.wait()
            _connect(user, f"Account {number}")
        except NotAuthenticated:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        tasks = [threads.submit(connect, number) for number in range(4)]
        start.wait()
        profiles.close_user(user=user, password=PASSWORD, at=clock.now())
        for task in tasks:
            task.result()

    with tenancy.acting_as(user.id):
        assert not ExchangeAccount.objects.filter(is_active=True).exists()
        assert not ApiCredential.objects.exclude(api_key="", secret_key="").exists()


def test_closing_destroys_what_was_noted_in_words() -> None:
    user = UserFactory.create()
    account = AccountFactory.create(user=user)
    OrderFactory.create(account=account, note="Met Jane Doe.", tags=["jane"], strategy="grid")
    came = TransferFactory.create(account=account, asset="BTC")
    statements.state_cost(user_id=user.id, transfer_id=came.pk, cost=Decimal(7), note="From Jane.")

    profiles.close_user(user=user, password=PASSWORD, at=clock.now())

    with tenancy.acting_as(user.id):
        assert Order.objects.values_list("note", "tags", "strategy").get() == ("", [], "grid")
        assert StatedCost.objects.values_list("note", "cost").get() == ("", Decimal(7))


def test_closing_leaves_others_alone() -> None:
    user, other = UserFactory.create(), UserFactory.create()
    account = _connect(other, "Mine")
    OrderFactory.create(account=account, note="Mine.")
    log_in(other)

    profiles.close_user(user=user, password=PASSWORD, at=clock.now())

    with tenancy.acting_as(other.id):
        assert ExchangeAccount.objects.get() == account
        assert ApiCredential.objects.get().api_key != ""
        assert Order.objects.get().note == "Mine."
    assert Session.objects.get(revoked_at__isnull=True).user == other


def test_a_wrong_password_closes_nothing() -> None:
    user = UserFactory.create()
    account = _connect(user, "One")

    with pytest.raises(Invalid):
        profiles.close_user(user=user, password="wrong", at=clock.now())

    user.refresh_from_db()
    with tenancy.acting_as(user.id):
        assert ExchangeAccount.objects.get(is_active=True) == account
    assert not user.is_deleted


def test_another_cost_method_has_every_book_folded_anew() -> None:
    account = AccountFactory.create()
    user, at = account.user, clock.now()
    for price, side in ((100, "BUY"), (200, "BUY"), (300, "SELL")):
        fill = FillFactory.create(account=account, price=Decimal(price), side=side)
    with tenancy.acting_as(user.id):
        Book.objects.create(
            account=account,
            user=user,
            market_type="spot",
            asset="BTC",
            currency="USDT",
            method="average",
            step=Decimal("0.00001"),
            state={},
            stale_from=fill.executed_at,
        )
    rebuild_account(user_id=user.id, account_id=account.id, at=at)
    assert _gross(user) == Decimal(150)

    changed = profiles.update(user=user, at=at, cost_method="fifo")

    assert (changed.books_to_recompute, _gross(user)) == (1, Decimal(150))
    assert [one.account_id for one in dispatch.stale_accounts(limit=9, waiting=False)] == [account.id]
    rebuild_account(user_id=user.id, account_id=account.id, at=at)
    assert (profiles.profile_of(user).books_to_recompute, _gross(user)) == (0, Decimal(200))


def test_what_changes_no_method_leaves_the_books_alone() -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        Book.objects.create(
            account=account,
            user_id=account.user_id,
            market_type="spot",
            asset="BTC",
            currency="USDT",
            method="average",
            step=Decimal(1),
            state={},
        )

    profiles.update(user=account.user, at=clock.now(), name="Alicia", cost_method="average")

    assert dispatch.stale_accounts(limit=9, waiting=False) == []


def _gross(user: User) -> Decimal:
    with tenancy.acting_as(user.id):
        return Trade.objects.get().gross_pnl


def test_a_method_is_compared_with_what_another_request_has_stored_meanwhile() -> None:
    account = AccountFactory.create()
    one, other = (User.objects.get(id=account.user_id) for _ in range(2))
    fold(account, fill(account, "BUY", "1", "100"))
    profiles.update(user=one, at=clock.now(), cost_method="fifo")
    fold(account)

    changed = profiles.update(user=other, at=clock.now(), cost_method="average")

    assert changed.books_to_recompute == 1
