"""Hand-made books for tests: facts in, derived rows out, as the pipeline does it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from orders.touched import Touched
from portfolio import books, rebuild
from tests.factories import FillFactory, TransferFactory

START = datetime(2026, 2, 1, 10, tzinfo=UTC)


def fill(account: ExchangeAccount, side: str, quantity: str, price: str, **more: Any) -> Fill:
    """One fill a minute after the one before unless `executed_at` says otherwise; not yet in any book."""
    with tenancy.acting_as(account.user_id):
        place = Fill.objects.filter(account=account).count() + 1
    more.setdefault("executed_at", START + timedelta(minutes=place))
    more.setdefault("exchange_fill_id", str(place))
    stored: Fill = FillFactory.create(
        account=account, side=side, quantity=Decimal(quantity), price=Decimal(price), **more
    )
    return stored


def transfer(account: ExchangeAccount, **more: Any) -> Transfer:
    stored: Transfer = TransferFactory.create(account=account, **more)
    return stored


def touch(account: ExchangeAccount, facts: Sequence[Fill | Transfer]) -> None:
    """Make what facts touch stale, as storing them does."""
    touched = Touched()
    for fact in facts:
        at = fact.executed_at if isinstance(fact, Fill) else fact.occurred_at
        assets = (
            {fact.base_asset, fact.quote_asset, fact.fee_currency} if isinstance(fact, Fill) else {fact.asset}
        )
        for asset in assets:
            touched.note(asset, at)
            touched.days.add((asset, clock.utc_day(at)))
    with tenancy.acting_as(account.user_id):
        books.mark_stale(account=account, touched=touched)


def fold(account: ExchangeAccount, *facts: Fill | Transfer, from_zero: bool = False) -> rebuild.RebuildResult:
    """Touch the facts and fold."""
    touch(account, facts)
    return rebuild.rebuild_account(
        user_id=account.user_id, account_id=account.id, at=START + timedelta(days=20), from_zero=from_zero
    )
