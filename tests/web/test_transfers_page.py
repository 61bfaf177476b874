"""The page where people say what their deposits cost and which withdrawals they were."""

from datetime import timedelta
from decimal import Decimal

from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import OwnTransfer, StatedCost
from tests.factories import AccountFactory, TransferFactory


def test_a_cost_is_stated_and_shown(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC", amount=Decimal(2))

    answer = as_alice.post("/transfers", {"transfer": came.id, "cost": "200.5", "note": "bought elsewhere"})

    assert (answer.status_code, answer["Location"]) == (302, "/transfers")
    with tenancy.acting_as(alice.id):
        assert StatedCost.objects.get().cost == Decimal("200.5")
    page = as_alice.get("/transfers").content.decode()
    assert 'value="200.5"' in page
    assert "bought elsewhere" in page


def test_what_is_no_amount_is_told_at_its_deposit(as_alice: Client, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC")

    answer = as_alice.post("/transfers", {"transfer": came.id, "cost": "much", "note": ""})

    assert (answer.status_code, 'id="cost-wrong"' in answer.content.decode()) == (422, True)


def test_a_proposed_pair_is_answered(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC", occurred_at=clock.now())
    left = TransferFactory.create(
        account=AccountFactory.create(user=alice), kind="WITHDRAWAL", asset="BTC",
        occurred_at=came.occurred_at - timedelta(hours=1),
    )  # fmt: skip
    with tenancy.acting_as(alice.id):
        pair = OwnTransfer.objects.create(
            user=alice, outgoing=left, incoming=came, state="proposed", matched_by="amount"
        )
    assert "Are these one transfer?" in as_alice.get("/transfers").content.decode()

    as_alice.post("/transfers", {"pair": pair.id, "decision": "confirm"})

    with tenancy.acting_as(alice.id):
        assert OwnTransfer.objects.get().state == "confirmed"
    assert "Are these one transfer?" not in as_alice.get("/transfers").content.decode()


def test_anothers_deposit_is_not_found(as_alice: Client, account: ExchangeAccount) -> None:
    foreign = TransferFactory.create(account=AccountFactory.create(), asset="BTC")

    answer = as_alice.post("/transfers", {"transfer": foreign.id, "cost": "1", "note": ""})

    assert (answer.status_code, "no such transfer" in answer.content.decode()) == (422, True)
