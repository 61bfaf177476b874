"""The page where people say what their deposits cost and which withdrawals they were."""

from datetime import timedelta
from decimal import Decimal

from django.test import Client

from accounts.models import AuditLog, User
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


def test_a_note_stays_out_of_the_audit_trail(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC")
    as_alice.post("/transfers", {"transfer": came.id, "cost": "7", "note": "from Jane Doe"})
    with tenancy.acting_as(alice.id):
        told = AuditLog.objects.get(table_name="orders_statedcost").new_values
    assert told is not None
    assert (told["note"], "Jane" in str(told)) == ("[redacted]", False)


def test_a_round_cost_stands_as_it_was_given(as_alice: Client, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC")
    as_alice.post("/transfers", {"transfer": came.id, "cost": "1000", "note": ""})
    assert 'value="1000"' in as_alice.get("/transfers").content.decode()


def test_a_deposit_is_said_to_be_a_withdrawal_and_that_is_taken_back(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    came = TransferFactory.create(account=account, asset="BTC", amount=Decimal(2), occurred_at=clock.now())
    other = AccountFactory.create(user=alice, label="Elsewhere")
    left, later = (
        TransferFactory.create(
            account=other, kind="WITHDRAWAL", asset="BTC", occurred_at=came.occurred_at + when
        )
        for when in (timedelta(days=-9), timedelta(days=9))
    )
    page = as_alice.get("/transfers").content.decode()
    assert (f'<option value="{left.id}"' in page, f'<option value="{later.id}"' in page) == (True, False)

    as_alice.post("/transfers", {"incoming": came.id, "outgoing": left.id})

    with tenancy.acting_as(alice.id):
        pair = OwnTransfer.objects.get()
    page = as_alice.get("/transfers").content.decode()
    assert (pair.state, pair.matched_by) == ("confirmed", "hand")
    assert "Elsewhere" in page
    assert "your word" in page

    as_alice.post("/transfers", {"pair": pair.id, "decision": "reject"})

    assert "your word" not in as_alice.get("/transfers").content.decode()


def test_what_cannot_be_one_transfer_is_refused(as_alice: Client, account: ExchangeAccount) -> None:
    came = TransferFactory.create(account=account, asset="BTC")
    foreign = TransferFactory.create(account=AccountFactory.create(), kind="WITHDRAWAL", asset="BTC")
    answers = [
        as_alice.post("/transfers", {"incoming": came.id, "outgoing": outgoing}).status_code
        for outgoing in (came.id, foreign.id, "x", 2**63)
    ]
    assert answers == [422, 422, 422, 422]


def test_anothers_deposit_is_not_found(as_alice: Client, account: ExchangeAccount) -> None:
    foreign = TransferFactory.create(account=AccountFactory.create(), asset="BTC")

    answer = as_alice.post("/transfers", {"transfer": foreign.id, "cost": "1", "note": ""})

    assert (answer.status_code, "no such transfer" in answer.content.decode()) == (422, True)
