from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.django import tenancy
from core.money import InvalidAmount
from credentials.models import ExchangeAccount
from exchanges.rows import FillRow, OrderRow, OrderStatus, TransferKind, TransferRow, TransferStatus
from marketdata.models import Listing, Symbol
from orders import ingest
from orders.models import Fill, Order, Transfer
from orders.touched import Touched
from tests.factories import AccountFactory
from tests.orders import rows
from tests.orders.rows import AT, at

pytestmark = pytest.mark.django_db
DAY = date(2026, 2, 1)
PROVENANCE: dict[str, Any] = {"source": "sync", "run_id": 7}


@pytest.fixture
def account() -> Iterator[ExchangeAccount]:
    made = AccountFactory.create()
    with tenancy.acting_as(made.user_id):
        yield made


def store_fills(account: ExchangeAccount, *given: FillRow) -> Touched:
    return ingest.store_fills(account=account, rows=given, **PROVENANCE)


def store_orders(account: ExchangeAccount, *given: OrderRow) -> Touched:
    return ingest.store_orders(account=account, rows=given, **PROVENANCE)


def store_transfers(account: ExchangeAccount, *given: TransferRow) -> Touched:
    return ingest.store_transfers(account=account, rows=given, **PROVENANCE)


def test_a_fill_is_stored_with_its_provenance(account: ExchangeAccount) -> None:
    store_fills(account, rows.fill(raw={"id": "1", "text": 'quo"te \\ 100%'}))

    stored = Fill.objects.values(
        "user_id", "account_id", "source", "run_id", "raw", "price", "side", "executed_at", "market_type"
    )
    assert list(stored) == [
        {
            "user_id": account.user_id,
            "account_id": account.id,
            "source": "sync",
            "run_id": 7,
            "raw": {"id": "1", "text": 'quo"te \\ 100%'},
            "price": Decimal(100),
            "side": "BUY",
            "executed_at": AT,
            "market_type": "spot",
        }
    ]


def test_a_fill_touches_its_base_quote_and_fee_coin(account: ExchangeAccount) -> None:
    later = AT + timedelta(days=1)

    touched = store_fills(account, rows.fill(fill_id="2", executed_at=later), rows.fill())

    assert touched == Touched(
        stored=2,
        assets={"BTC": AT, "USDT": AT, "BNB": AT},
        days={(asset, day) for asset in ("BTC", "USDT", "BNB") for day in (DAY, DAY + timedelta(days=1))},
    )


def test_a_fill_without_a_fee_does_not_touch_the_fee_coin(account: ExchangeAccount) -> None:
    touched = store_fills(account, rows.fill(fee_amount=Decimal(0)))

    assert touched.assets == {"BTC": AT, "USDT": AT}


def test_the_day_of_a_fill_is_the_utc_day(account: ExchangeAccount) -> None:
    midnight = datetime(2026, 2, 1, 23, 59, 59, 999000, tzinfo=UTC)

    touched = store_fills(account, rows.fill(executed_at=midnight))

    assert {day for _, day in touched.days} == {DAY}


def test_a_fill_that_comes_again_changes_and_touches_nothing(account: ExchangeAccount) -> None:
    store_fills(account, rows.fill())

    assert store_fills(account, rows.fill(), rows.fill()) == Touched()
    assert Fill.objects.count() == 1


def test_a_fill_twice_in_one_page_is_stored_once(account: ExchangeAccount) -> None:
    assert store_fills(account, rows.fill(), rows.fill()).stored == 1


def test_a_fill_that_comes_again_with_other_content_is_reported_and_the_first_stays(
    account: ExchangeAccount,
) -> None:
    store_fills(account, rows.fill())

    touched = store_fills(account, rows.fill(price=Decimal(101)))

    assert touched == Touched(
        conflicts=[
            "Fill 1 of BTCUSDT came again with other content, the first is kept: "
            "price 100.000000000000000000 → 101."
        ]
    )
    assert Fill.objects.values_list("price", flat=True).get() == Decimal(100)


def test_contradicting_fills_in_one_page_are_reported(account: ExchangeAccount) -> None:
    touched = store_fills(account, rows.fill(), rows.fill(quantity=Decimal(2)))

    assert touched.stored == 1
    assert len(touched.conflicts) == 1


def test_exchange_ids_repeat_across_symbols(account: ExchangeAccount) -> None:
    touched = store_fills(account, rows.fill(), rows.fill(symbol="ETHUSDT", base_asset="ETH"))

    assert (touched.stored, touched.conflicts) == (2, [])


def test_two_users_may_have_equal_exchange_ids() -> None:
    for account in (AccountFactory.create(), AccountFactory.create()):
        with tenancy.acting_as(account.user_id):
            assert store_fills(account, rows.fill()).stored == 1
            assert store_orders(account, rows.order()).stored == 1
            assert store_transfers(account, rows.transfer()).stored == 1

    with tenancy.as_system("admin"):
        assert (Fill.objects.count(), Order.objects.count(), Transfer.objects.count()) == (2, 2, 2)


def test_amounts_of_18_decimals_and_20_digits_come_back_exactly(account: ExchangeAccount) -> None:
    least, most = Decimal("0.000000000000000001"), Decimal("99999999999999999999.999999999999999999")

    store_fills(account, rows.fill(price=least, quantity=most, quote_quantity=most, fee_amount=-least))

    assert Fill.objects.values_list("price", "quantity", "quote_quantity", "fee_amount").get() == (
        least,
        most,
        most,
        -least,
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            Decimal("0.0000000000000000001"),
            r"does not fit orders_fill\.quote_quantity: 38 digits, 18 of them",
        ),
        (Decimal(10) ** 20, r"does not fit orders_fill\.quote_quantity"),
        (Decimal("NaN"), r"does not fit orders_fill\.quote_quantity"),
        (0.1, "takes a Decimal, not float"),
    ],
)
def test_an_amount_that_would_be_rounded_is_refused(wrong: Any, message: str) -> None:
    account = AccountFactory.create()

    with pytest.raises(InvalidAmount, match=message), tenancy.acting_as(account.user_id):
        store_fills(account, rows.fill(quote_quantity=wrong))


def test_a_fill_of_a_listed_symbol_knows_its_pair(account: ExchangeAccount) -> None:
    pair = Symbol.objects.create(symbol_name="BTC_USDT", base_asset="BTC", quote_asset="USDT")
    Listing.objects.create(
        symbol=pair, exchange="binance", name="BTCUSDT", status="TRADING", is_trading=True, updated_at=AT
    )

    store_fills(account, rows.fill(), rows.fill(symbol="OLDUSDT", base_asset="OLD"))

    assert dict(Fill.objects.values_list("symbol", "pair_id")) == {"BTCUSDT": pair.id, "OLDUSDT": None}


def test_storing_fills_takes_as_many_statements_for_three_as_for_three_hundred(
    account: ExchangeAccount,
) -> None:
    counts = []
    for page in (range(3), range(1000, 1300)):
        with CaptureQueriesContext(connection) as queries:
            store_fills(account, *(rows.fill(fill_id=str(number)) for number in page))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_page_of_more_rows_than_fit_a_statement_is_stored_whole(account: ExchangeAccount) -> None:
    touched = store_fills(account, *(rows.fill(fill_id=str(number)) for number in range(2345)))

    assert (touched.stored, Fill.objects.count()) == (2345, 2345)


def test_nothing_to_store_touches_nothing(account: ExchangeAccount) -> None:
    assert store_fills(account) == store_orders(account) == store_transfers(account) == Touched()


# Orders


def test_an_order_is_stored_with_all_it_says(account: ExchangeAccount) -> None:
    store_orders(account, rows.order(client_order_id="mine", stop_price=Decimal(90)))

    assert Order.objects.values_list(
        "exchange_order_id", "client_order_id", "status", "price", "stop_price", "filled_at", "role", "source"
    ).get() == ("10", "mine", "NEW", Decimal(100), Decimal(90), None, "", "sync")


def test_a_later_state_takes_the_place_of_an_earlier(account: ExchangeAccount) -> None:
    store_orders(account, rows.order())

    touched = store_orders(account, rows.filled(updated_at=at(5)))

    assert touched == Touched(changed=1)
    assert _state() == ("FILLED", Decimal(1), Decimal(100), at(5), at(5))


def test_a_late_page_of_an_earlier_state_changes_nothing(account: ExchangeAccount) -> None:
    store_orders(account, rows.filled(updated_at=at(5)))

    assert store_orders(account, rows.order(updated_at=at(1))) == Touched()
    assert _state() == ("FILLED", Decimal(1), Decimal(100), at(5), at(5))


def test_an_open_state_never_takes_the_place_of_a_final_one(account: ExchangeAccount) -> None:
    store_orders(account, rows.order(status=OrderStatus.CANCELED, updated_at=at(5)))

    store_orders(account, rows.order(updated_at=at(9)))

    assert _state()[0] == "CANCELED"


def test_executed_quantity_never_shrinks(account: ExchangeAccount) -> None:
    half = {"executed_quantity": Decimal("0.5"), "executed_quote_quantity": Decimal(50)}
    store_orders(account, rows.order(status=OrderStatus.PARTIALLY_FILLED, updated_at=at(1), **half))

    store_orders(account, rows.order(status=OrderStatus.CANCELED, updated_at=at(2)))

    assert _state() == ("CANCELED", Decimal("0.5"), Decimal(50), None, at(2))


def test_several_states_of_an_order_in_one_page_end_in_the_last(account: ExchangeAccount) -> None:
    touched = store_orders(account, rows.filled(updated_at=at(5)), rows.order(), rows.order(updated_at=at(1)))

    assert touched.stored == 1
    assert _state()[0] == "FILLED"


def test_an_order_that_executed_more_than_it_says_was_ordered_keeps_both_numbers_consistent(
    account: ExchangeAccount,
) -> None:
    store_orders(account, rows.order(quantity=Decimal(1), executed_quantity=Decimal(2)))

    assert Order.objects.values_list("quantity", "executed_quantity").get() == (Decimal(2), Decimal(2))


def test_an_unchanged_order_writes_nothing(account: ExchangeAccount) -> None:
    store_orders(account, rows.order())
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid FROM orders_order")
        before = cursor.fetchone()
        store_orders(account, rows.order())
        cursor.execute("SELECT ctid FROM orders_order")
        assert cursor.fetchone() == before


def _state() -> tuple[Any, ...]:
    return Order.objects.values_list(
        "status", "executed_quantity", "executed_quote_quantity", "filled_at", "exchange_updated_at"
    ).get()


@st.composite
def order_states(draw: st.DrawFn) -> OrderRow:
    """Any state, also such as contradict each other."""
    executed = Decimal(draw(st.integers(0, 3)))
    minutes = draw(st.integers(0, 3))
    status = draw(st.sampled_from(OrderStatus))
    quantity = Decimal(draw(st.integers(0, 3)))
    return rows.order(
        status=status,
        quantity=quantity,
        executed_quantity=executed if quantity == 0 else min(executed, quantity),
        executed_quote_quantity=executed * 100,
        updated_at=at(minutes),
        raw={"status": status, "minutes": minutes, "quantity": str(quantity), "executed": str(executed)},
    )


class AnyOrderOfArrival(TestCase):
    """A class because hypothesis needs one transaction an example."""

    @settings(max_examples=60, deadline=None)
    @given(states=st.lists(order_states(), min_size=2, max_size=5), data=st.data())
    def test_ends_in_the_same_row(self, states: list[OrderRow], data: st.DataObject) -> None:
        """Pages in another order, cut elsewhere, with repetitions."""
        other = data.draw(st.permutations(states)) + data.draw(st.lists(st.sampled_from(states), max_size=3))
        cut = data.draw(st.integers(0, len(other)))

        assert self._after([states]) == self._after([other[:cut], other[cut:]])

    def _after(self, pages: Sequence[Sequence[OrderRow]]) -> dict[str, Any]:
        account = AccountFactory.create()
        with tenancy.acting_as(account.user_id):
            for page in pages:
                store_orders(account, *page)
            stored = Order.objects.values().get()
        return {
            name: value
            for name, value in stored.items()
            if name not in ("id", "user_id", "account_id", "created_at", "updated_at")
        }


# Transfers


def test_a_deposit_touches_its_asset_and_day_once_it_succeeded(account: ExchangeAccount) -> None:
    pending = store_transfers(account, rows.transfer(status=TransferStatus.PENDING))
    success = store_transfers(account, rows.transfer())

    assert pending == Touched(stored=1)
    assert success == Touched(changed=1, assets={"USDT": AT}, days={("USDT", DAY)})


def test_a_withdrawal_counts_until_it_failed(account: ExchangeAccount) -> None:
    pending = rows.transfer(kind=TransferKind.WITHDRAWAL, status=TransferStatus.PENDING)
    failed = rows.transfer(kind=TransferKind.WITHDRAWAL, status=TransferStatus.FAILED)

    assert store_transfers(account, pending) == Touched(stored=1, assets={"USDT": AT}, days={("USDT", DAY)})
    assert store_transfers(account, failed) == Touched(changed=1, assets={"USDT": AT}, days={("USDT", DAY)})


def test_a_withdrawal_that_succeeds_changes_no_balance(account: ExchangeAccount) -> None:
    store_transfers(account, rows.transfer(kind=TransferKind.WITHDRAWAL, status=TransferStatus.PENDING))

    touched = store_transfers(account, rows.transfer(kind=TransferKind.WITHDRAWAL))

    assert touched == Touched(changed=1)


def test_another_amount_of_a_transfer_that_counts_is_touched(account: ExchangeAccount) -> None:
    store_transfers(account, rows.transfer())

    touched = store_transfers(account, rows.transfer(amount=Decimal(999)))

    assert touched == Touched(changed=1, assets={"USDT": AT}, days={("USDT", DAY)})


def test_a_transfer_moved_to_another_day_touches_both(account: ExchangeAccount) -> None:
    store_transfers(account, rows.transfer())

    touched = store_transfers(account, rows.transfer(occurred_at=AT + timedelta(days=1)))

    assert (touched.assets, touched.days) == ({"USDT": AT}, {("USDT", DAY), ("USDT", date(2026, 2, 2))})


def test_a_final_transfer_does_not_turn_back(account: ExchangeAccount) -> None:
    store_transfers(account, rows.transfer())

    assert store_transfers(account, rows.transfer(status=TransferStatus.PENDING)) == Touched()
    assert Transfer.objects.values_list("status", flat=True).get() == "success"


def test_a_deposit_and_a_withdrawal_may_share_an_id(account: ExchangeAccount) -> None:
    assert store_transfers(account, rows.transfer(), rows.transfer(kind=TransferKind.WITHDRAWAL)).stored == 2


def test_touched_merges_by_the_earliest_moment() -> None:
    one = Touched(stored=1, assets={"BTC": at(5)}, days={("BTC", DAY)}, conflicts=["a"])

    merged = one.merge(Touched(stored=2, changed=1, assets={"BTC": at(1), "ETH": at(2)}, conflicts=["b"]))

    assert merged == Touched(
        stored=3, changed=1, assets={"BTC": at(1), "ETH": at(2)}, days={("BTC", DAY)}, conflicts=["a", "b"]
    )
