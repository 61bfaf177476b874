"""Made-up histories, by each method: exported, read in, and the same books again."""

import io
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio import rebuild
from portfolio.imports import reading
from tests.factories import AccountFactory, UserFactory
from tests.portfolio import contracts
from tests.portfolio.books import START, fill, fold, transfer
from tests.portfolio.exports.files import export, raw
from tests.portfolio.imports.test_round_trip import without_ids

pytestmark = pytest.mark.django_db
NAMES = ("=1+1", "+2", "-3", "@x", "\tx", "'x", "plain", "ä=ö", 'a,"b"\nc')


def history(account: ExchangeAccount, seed: int) -> None:
    """Buys and sells of two coins, some never seen bought, and a contract that flips; out of order, in any amount."""
    chance = random.Random(seed)
    minutes = chance.sample(range(seed % 2, 2_000, 2), 36)
    coins: list[Any] = []
    futures: list[Any] = []
    for place, minute in enumerate(minutes):
        at = START + timedelta(minutes=minute)
        base = chance.choice(("BTC", "ADA"))
        amount, price = f"{chance.uniform(0.01, 3):.8f}", f"{chance.uniform(90, 110):.6f}"
        fee = Decimal(f"{chance.uniform(-0.001, 0.009):.10f}")
        name = f"{chance.choice(NAMES)}{place}"
        match chance.randrange(8):
            case 0:
                kind = chance.choice(("DEPOSIT", "WITHDRAWAL"))
                coins.append(
                    transfer(
                        account, kind=kind, asset=base, amount=Decimal(amount), exchange_transfer_id=name,
                        occurred_at=at,
                    )
                )  # fmt: skip
            case 1 | 2:
                side = chance.choice(("BUY", "SELL"))
                futures.append(
                    contracts.fill(
                        account, side, amount, price, executed_at=at, fee_amount=fee, exchange_fill_id=name,
                        realized_pnl=chance.choice((None, Decimal("-1.5"))),
                    )
                )  # fmt: skip
            case _:
                side = chance.choice(("BUY", "BUY", "SELL"))
                coins.append(
                    fill(
                        account, side, amount, price, base_asset=base, symbol=f"{base}USDT", executed_at=at,
                        exchange_fill_id=name, exchange_order_id=f"o{name}", fee_amount=abs(fee),
                        fee_currency=chance.choice((base, "USDT")),
                    )
                )  # fmt: skip
    contracts.fold(account, *futures)
    fold(account, *coins)


@pytest.mark.parametrize(
    ("method", "scope", "seed"),
    [("average", "account", 1), ("lifo", "account", 2), ("hifo", "account", 3), ("fifo", "all", 4)],
)
def test_the_books_are_the_same(method: str, scope: str, seed: int) -> None:
    theirs: User = UserFactory.create(cost_method=method, cost_scope=scope)
    ours: User = UserFactory.create(cost_method=method, cost_scope=scope)
    for number in range(1 if scope == "account" else 2):
        history(AccountFactory.create(user=theirs, label=f"Main {number}"), seed + number)

    with tenancy.acting_as(theirs.id):
        ids = list(ExchangeAccount.objects.order_by("created_at").values_list("id", flat=True))
    for account_id in ids:
        rebuild.rebuild_account(
            user_id=theirs.id, account_id=account_id, at=START + timedelta(days=9), from_zero=True
        )

    outcome = reading.read(user=ours, file=io.BytesIO(raw(theirs, "complete")))
    for account in outcome.accounts.values():
        rebuild.rebuild_account(user_id=ours.id, account_id=account.id, at=START + timedelta(days=9))

    assert (outcome.set_aside, outcome.notes) == ([], [])
    for kind in ("fills", "trades", "tax_lots", "ledger"):
        rows = without_ids(export(theirs, kind))
        assert len(rows) > 5
        assert without_ids(export(ours, kind)) == rows
