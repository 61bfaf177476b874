from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from core.clock import to_ms
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import FundingRow, PositionSide
from orders import facts, ingest
from orders.facts import FundingFact
from orders.models import FundingPayment
from orders.touched import Touched
from tests.factories import AccountFactory
from tests.orders import rows
from tests.orders.rows import AT, at

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 1)


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def store(account: ExchangeAccount, *given: FundingRow) -> Touched:
    return ingest.store_funding(account=account, rows=given, source="sync", run_id=7)


def test_a_payment_is_stored_with_its_provenance(account: ExchangeAccount) -> None:
    store(account, rows.funding())

    columns = ("user_id", "source", "run_id", "raw", "amount", "rate", "quantity", "position_side", "paid_at")
    assert FundingPayment.objects.values_list(*columns).get() == (
        *(account.user_id, "sync", 7, {"tranId": "f1"}, Decimal("-0.01"), Decimal("0.0001"), Decimal(1)),
        *("BOTH", AT),
    )


def test_a_payment_touches_its_contract_and_the_balance_of_its_day(account: ExchangeAccount) -> None:
    touched = store(account, rows.funding(payment_id="f2", paid_at=at(9)), rows.funding())

    assert touched == Touched(stored=2, contracts={("BTCUSDT", "BOTH"): AT}, days={("USDT", DAY)})


def test_a_payment_that_comes_again_changes_nothing(account: ExchangeAccount) -> None:
    store(account, rows.funding())

    assert store(account, rows.funding(), rows.funding(rate=None, quantity=None)) == Touched()


def test_one_id_of_two_contracts_is_two_payments(account: ExchangeAccount) -> None:
    assert store(account, rows.funding(), rows.funding(symbol="ETHUSDT")).stored == 2


def test_a_payment_that_comes_with_another_amount_is_a_conflict(account: ExchangeAccount) -> None:
    store(account, rows.funding())
    touched = store(account, rows.funding(amount=Decimal(5)))

    assert touched.conflicts == [
        "Funding f1 of BTCUSDT came again with other content, the first is kept:"
        " amount -0.010000000000000000 → 5."
    ]
    assert FundingPayment.objects.get().amount == Decimal("-0.01")


def test_funding_counts_on_its_day(account: ExchangeAccount) -> None:
    store(account, rows.funding(), rows.funding(payment_id="f2", amount=Decimal("0.03")))
    [change] = facts.asset_changes(account_id=account.id, pairs=[("USDT", DAY)])

    assert (change.funding, change.traded, change.settled) == (Decimal("0.02"), Decimal(0), Decimal(0))


def test_funding_of_a_side_is_read_in_fold_order(account: ExchangeAccount) -> None:
    store(
        account,
        rows.funding(payment_id="10"),
        rows.funding(payment_id="9"),
        rows.funding(payment_id="1", position_side=PositionSide.LONG),
        rows.funding(payment_id="8", paid_at=at(-1)),
    )
    ids = dict(FundingPayment.objects.values_list("exchange_payment_id", "id"))

    read = facts.contract_funding(account_id=account.id, symbol="BTCUSDT", side="BOTH", after=AT)
    assert list(read) == [
        FundingFact(name, "BTCUSDT", "BOTH", -(10**16), "USDT", to_ms(AT), ids[name]) for name in ("9", "10")
    ]


def test_storing_nothing_touches_nothing(account: ExchangeAccount) -> None:
    assert store(account) == Touched()
