"""What operators see of differences, and of what users said of their coins."""

from decimal import Decimal

import pytest
from django.test import Client

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import OwnTransfer, StatedCost
from portfolio.models import Book, MovedLot
from tests.factories import AccountFactory, TransferFactory, UserFactory
from tests.web.differences import differ

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def shown(operator: Client, model: str, **query: str) -> str:
    answer = operator.get(f"/admin/{model}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def account() -> ExchangeAccount:
    """A deposit that may be a withdrawal of another account, its stated cost, and what the withdrawal took along."""
    made: ExchangeAccount = AccountFactory.create(label="Main")
    came = TransferFactory.create(account=made, asset="ABC")
    left = TransferFactory.create(
        account=AccountFactory.create(user=made.user), kind="WITHDRAWAL", asset="ABC"
    )
    owner = {"user_id": made.user_id}
    with tenancy.acting_as(made.user_id):
        OwnTransfer.objects.create(
            **owner, outgoing=left, incoming=came, state="proposed", matched_by="amount"
        )
        StatedCost.objects.create(**owner, account=made, transfer=came, cost=Decimal("123.5"))
        book = Book.objects.create(**owner, account=left.account, asset="ABC", currency="USDT", step=1)
        MovedLot.objects.create(
            **owner, account=left.account, book=book, transfer=left, sequence=0, source="FILL", quantity=2, cost=77,
            entry_fee=0, entered_at=clock.now(), moved_at=clock.now(),
        )  # fmt: skip
    return made


def test_differences_of_everybody_are_listed_by_state(operator: Client) -> None:
    differ(AccountFactory.create(), "MINE")
    differ(AccountFactory.create(), "OURS", state="dismissed", reason="A gift.", resolved_at=clock.now())

    pages = [
        shown(operator, "portfolio/reconciliationitem", **query)
        for query in ({}, {"state__exact": "dismissed"})
    ]

    assert [("MINE" in page, "OURS" in page) for page in pages] == [(True, True), (False, True)]


@pytest.mark.parametrize(
    ("model", "told"),
    [("orders/owntransfer", "amount"), ("orders/statedcost", "123.5"), ("portfolio/movedlot", "77")],
)
def test_what_users_said_of_their_coins_is_listed(
    operator: Client, account: ExchangeAccount, model: str, told: str
) -> None:
    assert told in shown(operator, model)
