"""Rows for tests: two people, Alice and Bob, and what they own. Owned rows are made inside their owner's door."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import factory
from django.db.models import Model

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill, FundingPayment, Order, Transfer

_M = TypeVar("_M", bound=Model)
PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")
    password = factory.django.Password(PASSWORD)
    is_verified = True


class _OwnedFactory(factory.django.DjangoModelFactory[_M]):
    """Creates inside the owner's door, as the application does."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        owner = kwargs["user"].id if "user" in kwargs else kwargs["account"].user_id
        if "user" not in kwargs:
            kwargs["user_id"] = owner
        with tenancy.acting_as(UUID(str(owner))):
            return super()._create(model_class, *args, **kwargs)


class AccountFactory(_OwnedFactory[ExchangeAccount]):
    class Meta:
        model = ExchangeAccount

    user = factory.SubFactory(UserFactory)
    exchange = "binance"
    label = factory.Sequence(lambda n: f"Account {n}")


class FillFactory(_OwnedFactory[Fill]):
    """1 BTC bought at 100 USDT without a fee, unless told otherwise."""

    class Meta:
        model = Fill

    account = factory.SubFactory(AccountFactory)
    symbol = "BTCUSDT"
    base_asset = "BTC"
    quote_asset = "USDT"
    exchange_fill_id = factory.Sequence(lambda n: str(n + 1))
    exchange_order_id = factory.SelfAttribute("exchange_fill_id")
    side = "BUY"
    price = Decimal(100)
    quantity = Decimal(1)
    quote_quantity = factory.LazyAttribute(lambda fill: fill.price * fill.quantity)
    fee_amount = Decimal(0)
    fee_currency = "USDT"
    is_maker = False
    executed_at = datetime(2026, 2, 1, 10, tzinfo=UTC)
    raw = factory.LazyFunction(dict)
    source = "test"


class OrderFactory(_OwnedFactory[Order]):
    class Meta:
        model = Order

    account = factory.SubFactory(AccountFactory)
    symbol = "BTCUSDT"
    exchange_order_id = factory.Sequence(lambda n: str(n + 1))
    side = "BUY"
    type = "LIMIT"
    status = "NEW"
    price = Decimal(100)
    quantity = Decimal(1)
    ordered_at = datetime(2026, 2, 1, 10, tzinfo=UTC)
    exchange_updated_at = datetime(2026, 2, 1, 10, tzinfo=UTC)
    raw = factory.LazyFunction(dict)
    source = "test"


class TransferFactory(_OwnedFactory[Transfer]):
    class Meta:
        model = Transfer

    account = factory.SubFactory(AccountFactory)
    kind = "DEPOSIT"
    exchange_transfer_id = factory.Sequence(lambda n: f"t{n + 1}")
    asset = "USDT"
    amount = Decimal(1000)
    status = "success"
    occurred_at = datetime(2026, 1, 31, 10, tzinfo=UTC)
    raw = factory.LazyFunction(dict)
    source = "test"


class FundingFactory(_OwnedFactory[FundingPayment]):
    """0.01 USDT paid by a long of BTCUSDT, unless told otherwise."""

    class Meta:
        model = FundingPayment

    account = factory.SubFactory(AccountFactory)
    symbol = "BTCUSDT"
    exchange_payment_id = factory.Sequence(lambda n: f"f{n + 1}")
    position_side = "BOTH"
    asset = "USDT"
    amount = Decimal("-0.01")
    paid_at = datetime(2026, 2, 1, 8, tzinfo=UTC)
    raw = factory.LazyFunction(dict)
    source = "test"
