"""Facts of files go once the exchange tells the same; what the user said of them stays."""

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders import giving_way
from orders.models import Fill, OwnTransfer, StatedCost, Transfer
from tests.conftest import NOW
from tests.factories import AccountFactory, FillFactory, TransferFactory
from tests.orders.rows import contract_fill

pytestmark = pytest.mark.django_db
OF_FILE = {"lines": ["1,BTC"]}


@pytest.fixture
def account() -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create()
    return made


def door(account: ExchangeAccount) -> AbstractContextManager[None]:
    return tenancy.acting_as(account.user_id)


def told_by_file(account: ExchangeAccount, hours: int = 0, **more: Any) -> Fill:
    at = NOW + timedelta(hours=hours)
    more.setdefault("exchange_fill_id", f"file-{hours}")
    made: Fill = FillFactory.create(account=account, executed_at=at, raw=OF_FILE, **more)
    return made


def moved_by_file(account: ExchangeAccount, **more: Any) -> Transfer:
    more = {"kind": "DEPOSIT", "asset": "BTC", "amount": Decimal(1), "occurred_at": NOW} | more
    made: Transfer = TransferFactory.create(
        account=account, exchange_transfer_id="file-d", raw=OF_FILE, **more
    )
    return made


def test_fills_of_a_pair_go_from_the_first_that_the_exchange_told(account: ExchangeAccount) -> None:
    kept = [told_by_file(account, -1), told_by_file(account, 1, base_asset="ETH", symbol="ETHUSDT")]
    goes = told_by_file(account, 2, fee_amount=Decimal(1), fee_currency="BNB")
    theirs = FillFactory.create(account=account, executed_at=NOW, exchange_fill_id="7")
    with door(account):
        gone = giving_way.to_told(account)
        assert set(Fill.objects.values_list("id", flat=True)) == {theirs.id, *(one.id for one in kept)}
    assert gone.fills == [goes.id]
    assert gone.touched.assets == dict.fromkeys(("BTC", "USDT", "BNB"), goes.executed_at)


def test_an_execution_of_a_contract_goes_for_the_same_told_by_the_exchange(account: ExchangeAccount) -> None:
    contract: dict[str, Any] = {"market_type": "futures", "settle_asset": "USDT", "position_side": "BOTH"}
    goes = told_by_file(account, exchange_fill_id="1", **contract)
    told_by_file(account, 1, exchange_fill_id="2", **contract)
    with door(account):
        gone = giving_way.to_executions(account, [contract_fill(fill_id="1", symbol=goes.symbol)])
        assert list(Fill.objects.values_list("exchange_fill_id", flat=True)) == ["2"]
    assert gone.touched.contracts == {(goes.symbol, "BOTH"): goes.executed_at}


def test_what_the_user_said_of_a_transfer_goes_to_the_exchanges_own(account: ExchangeAccount) -> None:
    other = AccountFactory.create(user=account.user)
    came = moved_by_file(account)
    left = TransferFactory.create(account=other, kind="WITHDRAWAL", asset="BTC", amount=Decimal(1))
    theirs = TransferFactory.create(account=account, asset="BTC", amount=Decimal(1), occurred_at=NOW)
    with door(account):
        StatedCost.objects.create(user=account.user, account=account, transfer=came, cost=Decimal(90))
        OwnTransfer.objects.create(
            user=account.user, outgoing=left, incoming=came, state="confirmed", matched_by="hand"
        )
        gone = giving_way.to_told(account)
        assert [one.transfer_id for one in StatedCost.objects.all()] == [theirs.id]
        assert [one.incoming_id for one in OwnTransfer.objects.all()] == [theirs.id]
    assert gone.transfers == [came.id]


def test_a_transfer_that_the_user_spoke_of_stays_where_the_exchange_tells_no_such(
    account: ExchangeAccount,
) -> None:
    came = moved_by_file(account)
    TransferFactory.create(account=account, asset="BTC", amount=Decimal(2), occurred_at=NOW)
    with door(account):
        assert giving_way.has_any(account)
        StatedCost.objects.create(user=account.user, account=account, transfer=came, cost=Decimal(90))
        assert giving_way.to_told(account).transfers == []
        StatedCost.objects.all().delete()
        assert giving_way.to_told(account).transfers == [came.id]
        assert not giving_way.has_any(account)
